/** Fails when a source has gone quiet. @module */
import { systemClock } from "../clock.ts";
import type { CancelTimer, Clock } from "../clock.ts";
import type { BatchSource } from "./engine/batch_source.ts";
import type { FusedOutlet } from "./engine/fused_source.ts";
import { linkStage } from "./engine/link.ts";
import type { LinkedSource } from "./engine/link.ts";
import { OperatorStream } from "./engine/operator_stream.ts";
import { requireDuration } from "./require_option.ts";

/**
 * Options of {@linkcode TimeoutStream}.
 *
 * @example
 * ```ts
 * import { systemClock } from "@falco-streams/core";
 * import type { TimeoutStreamOptions } from "@falco-streams/core/streams";
 *
 * const options: TimeoutStreamOptions = { clock: systemClock };
 * console.assert(options.clock === systemClock);
 * ```
 */
export interface TimeoutStreamOptions {
  /**
   * What the time is measured with.
   *
   * @default {systemClock}
   */
  clock?: Clock;
}

/**
 * Hands on every item as it is, and fails if a reader has to wait too long for the next one.
 *
 * The error is a `DOMException` named `TimeoutError`, as that of `AbortSignal.timeout`. The source is
 * cancelled with it.
 *
 * Only the time is counted that a reader waits: from when it asks for an item, the first one too, to
 * when it gets one, the end or an error. A reader that takes its time does not make a source late.
 * The timer is taken back on every way out. If the clock is set back, the time counts anew.
 *
 * @typeParam T The type of the items.
 *
 * @example
 * ```ts
 * import { TimeoutStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const quiet = new ReadableStream<string>();
 * const reader = quiet.pipeThrough(new TimeoutStream(10)).getReader();
 * await assert.rejects(() => reader.read(), { name: "TimeoutError" });
 * ```
 */
export class TimeoutStream<T> extends OperatorStream<T, T> {
  /**
   * Creates the operator.
   *
   * @param idleMs How long a reader may wait for an item, in milliseconds. Above 0.
   * @param options See {@linkcode TimeoutStreamOptions}.
   *
   * @throws {RangeError} when `idleMs` is not a number above 0.
   */
  constructor(idleMs: number, options: TimeoutStreamOptions = {}) {
    const { clock = systemClock } = options;
    requireDuration("create TimeoutStream", "idleMs", idleMs);
    super([
      linkStage<T, T>((input, outlet) => new TimedSource(input, outlet, idleMs, clock)),
    ]);
  }
}

class TimedSource<T> implements LinkedSource<T> {
  readonly #input: BatchSource<T>;
  readonly #outlet: FusedOutlet;
  readonly #idleMs: number;
  readonly #clock: Clock;
  // Set and taken back for each item it would cost more than all the rest: it runs on, and looks.
  #cancelTimer: CancelTimer | undefined;
  #waitingSince: number | undefined;
  #reject: ((error: unknown) => void) | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(input: BatchSource<T>, outlet: FusedOutlet, idleMs: number, clock: Clock) {
    this.#input = input;
    this.#outlet = outlet;
    this.#idleMs = idleMs;
    this.#clock = clock;
  }

  pull(): readonly T[] | null | Promise<readonly T[] | null> {
    if (this.#failure !== undefined) throw this.#failure.error;
    const pulled = this.#pullInput();
    if (pulled === null || "length" in pulled) return this.#settle(pulled);
    this.#waitingSince ??= this.#clock.now();
    if (this.#cancelTimer === undefined) this.#setTimer(this.#idleMs);
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      pulled.then((batch) => resolve(this.#settle(batch)), (error) => {
        this.#stopTimer();
        reject(error);
      });
    });
  }

  cancel(reason: unknown): void | Promise<void> {
    this.#stopTimer();
    return this.#input.cancel(reason);
  }

  interrupt(reason: unknown): void {
    this.#fail(reason);
    this.#outlet.interrupt(reason);
  }

  #pullInput(): ReturnType<BatchSource<T>["pull"]> {
    try {
      return this.#input.pull();
    } catch (error) {
      this.#stopTimer();
      throw error;
    }
  }

  #settle(batch: readonly T[] | null): readonly T[] | null {
    if (batch === null) this.#stopTimer();
    // An empty one is no item: the reader waits on.
    else if (batch.length > 0) this.#waitingSince = undefined;
    return batch;
  }

  #setTimer(delayMs: number): void {
    this.#cancelTimer = this.#clock.setTimer(() => this.#onTimer(), delayMs);
  }

  #stopTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#waitingSince = undefined;
  }

  #onTimer(): void {
    this.#cancelTimer = undefined;
    if (this.#waitingSince === undefined) return;
    const now = this.#clock.now();
    if (now < this.#waitingSince) this.#waitingSince = now;
    const restMs = this.#waitingSince + this.#idleMs - now;
    if (restMs > 0) return this.#setTimer(restMs);
    const error = new DOMException(
      `Cannot go on: no item came for ${this.#idleMs} ms`,
      "TimeoutError",
    );
    this.#fail(error);
    // The reader knows of the error already.
    Promise.resolve(this.#input.cancel(error)).catch(() => {});
  }

  #fail(error: unknown): void {
    this.#stopTimer();
    this.#failure = { error };
    this.#reject?.(error);
  }
}
