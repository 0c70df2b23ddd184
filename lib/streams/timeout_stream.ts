/** Fails when a source has gone quiet. @module */
import { systemClock } from "../clock.ts";
import type { CancelTimer, Clock } from "../clock.ts";
import type { BatchSource } from "./engine/batch_source.ts";
import { EventStream } from "./engine/event_stream.ts";
import { operatorStages } from "./engine/operator_stages.ts";
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
 * What is above it and what is below run apart, so it cannot be part of a {@linkcode compose}d operator.
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
  readonly #idleMs: number;
  readonly #clock: Clock;
  #readable: EventStream<T> | undefined;

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
    super([]);
    this.#idleMs = idleMs;
    this.#clock = clock;
  }

  /** What comes out. */
  override get readable(): EventStream<T> {
    return this.#readable ??= new EventStream(
      new TimedSource<T>(super.readable.getReader(), this.#idleMs, this.#clock),
    );
  }

  /**
   * Refused: it has no stages to run elsewhere.
   *
   * @throws {TypeError} always.
   */
  override [operatorStages](): never {
    throw new TypeError(
      `Cannot run ${this.constructor.name} as a part of another operator. Use "pipeThrough" instead`,
    );
  }
}

class TimedSource<T> implements BatchSource<T> {
  readonly #reader: ReadableStreamDefaultReader<T>;
  readonly #idleMs: number;
  readonly #clock: Clock;
  // Set and taken back for each item it would cost more than all the rest: it runs on, and looks.
  #cancelTimer: CancelTimer | undefined;
  #waitingSince: number | undefined;
  #reject: ((error: unknown) => void) | undefined;

  constructor(reader: ReadableStreamDefaultReader<T>, idleMs: number, clock: Clock) {
    this.#reader = reader;
    this.#idleMs = idleMs;
    this.#clock = clock;
  }

  pull(): Promise<readonly T[] | null> {
    this.#waitingSince = this.#clock.now();
    if (this.#cancelTimer === undefined) this.#setTimer(this.#idleMs);
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      this.#reader.read().then(({ done, value }) => {
        this.#waitingSince = undefined;
        if (done) this.#stopTimer();
        resolve(done ? null : [value]);
      }, (error) => {
        this.#stopTimer();
        reject(error);
      });
    });
  }

  cancel(reason: unknown): Promise<void> {
    this.#stopTimer();
    return this.#reader.cancel(reason);
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
    this.#reject?.(error);
    this.#reader.cancel(error).catch(() => {});
  }
}
