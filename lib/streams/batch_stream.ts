/** Puts items together, a bounded number at a time. @module */
import { systemClock } from "../clock.ts";
import type { CancelTimer, Clock } from "../clock.ts";
import { OperatorStream } from "./engine/operator_stream.ts";
import { pushLater } from "./engine/stage.ts";
import type { Stage, StageContext } from "./engine/stage.ts";
import { estimateBytes } from "./estimate_bytes.ts";

/**
 * Options of {@linkcode BatchStream}.
 *
 * @typeParam T The type of the items.
 *
 * @example
 * ```ts
 * import type { BatchStreamOptions } from "@falco-streams/core/streams";
 *
 * const options: BatchStreamOptions<string> = { maxBytes: 1024, sizeOf: (text) => text.length };
 * console.assert(options.maxBytes === 1024);
 * ```
 */
export interface BatchStreamOptions<T> {
  /**
   * How long the first item of a batch may wait for the others, in milliseconds. 0 or more; with 0 a
   * batch goes out as soon as the program has nothing else to do.
   *
   * @default No limit: a batch waits until it is full.
   */
  maxWaitMs?: number;
  /**
   * How large a batch may get, in the unit of `sizeOf`. Above 0.
   *
   * @default No limit.
   */
  maxBytes?: number;
  /**
   * Measures an item; 0 or more. Called once for each item, and only with `maxBytes`. What it throws
   * fails the stream.
   *
   * @default An estimate of the item's length as JSON in UTF-8, exact for plain data but for emoji
   * and control characters, which it takes for longer than they are. Commas between the items of a
   * batch are not in it.
   */
  sizeOf?: (item: T) => number;
  /**
   * What `maxWaitMs` is measured with.
   *
   * @default {systemClock}
   */
  clock?: Clock;
}

/**
 * Puts items together into arrays, in their order, each item in exactly one array.
 *
 * A batch goes out
 * - when it has `size` items,
 * - when its first item has waited for `maxWaitMs`,
 * - when the next item would take it above `maxBytes`, or it has reached `maxBytes`; an item that is
 *   larger than `maxBytes` alone goes out alone,
 * - at the end of the stream.
 *
 * No batch is empty. If the stream fails or is cancelled, the batch in the making is dropped with it,
 * and its timer is taken back.
 *
 * @typeParam T The type of the items.
 *
 * @example
 * ```ts
 * import { BatchStream, EventStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const stream = EventStream.from([1, 2, 3, 4, 5]).pipeThrough(new BatchStream(2));
 * assert.deepEqual(await Array.fromAsync(stream), [[1, 2], [3, 4], [5]]);
 * ```
 */
export class BatchStream<T> extends OperatorStream<T, T[]> {
  /**
   * Creates the operator.
   *
   * @param size How many items make a full batch.
   * @param options See {@linkcode BatchStreamOptions}.
   *
   * @throws {RangeError} when `size` is not a whole number from 1, or `maxWaitMs` or `maxBytes` is out
   * of range.
   * @throws {TypeError} when `sizeOf` is not a function. The stream fails with it when `sizeOf` returns
   * anything but a number from 0.
   */
  constructor(size: number, options: BatchStreamOptions<T> = {}) {
    const { maxWaitMs, maxBytes = Infinity, clock = systemClock } = options;
    const { sizeOf = (item: T) => estimateBytes(item, maxBytes) } = options;
    if (!Number.isInteger(size) || size < 1) {
      throw optionError("size", "a whole number from 1", size);
    }
    if (maxWaitMs !== undefined && !(maxWaitMs >= 0 && maxWaitMs < Infinity)) {
      throw optionError("maxWaitMs", "a number from 0", maxWaitMs);
    }
    if (!(maxBytes > 0)) throw optionError("maxBytes", "above 0", maxBytes);
    if (typeof sizeOf !== "function") {
      throw new TypeError(
        `Cannot create BatchStream: "sizeOf" must be a function: current value is "${sizeOf}"`,
      );
    }
    super((down, context) =>
      new BatchStage(down, context, { size, maxWaitMs, maxBytes, sizeOf, clock })
    );
  }
}

interface BatchLimits<T> {
  readonly size: number;
  readonly maxWaitMs: number | undefined;
  readonly maxBytes: number;
  readonly sizeOf: (item: T) => number;
  readonly clock: Clock;
}

class BatchStage<T> implements Stage<T> {
  readonly #down: Stage<T[]>;
  readonly #context: StageContext;
  readonly #limits: BatchLimits<T>;
  readonly #measures: boolean;
  #items: T[] = [];
  #bytes = 0;
  #cancelTimer: CancelTimer | undefined;
  // The batch that a timer pushed, while the stage below is still busy with it.
  #busy: Promise<void> | undefined;
  #over = false;

  constructor(down: Stage<T[]>, context: StageContext, limits: BatchLimits<T>) {
    this.#down = down;
    this.#context = context;
    this.#limits = limits;
    this.#measures = limits.maxBytes !== Infinity;
  }

  push(item: T): void | Promise<void> {
    if (this.#busy !== undefined) return this.#busy.then(() => this.push(item));
    if (!this.#measures) return this.#add(item, 0);
    const { maxBytes, sizeOf } = this.#limits;
    const bytes = sizeOf(item);
    if (!(bytes >= 0)) {
      throw new TypeError(
        `Cannot batch an item: "sizeOf" returned "${bytes}". Return a number from 0`,
      );
    }
    if (this.#items.length > 0 && this.#bytes + bytes > maxBytes) {
      const wait = this.#down.push(this.#take());
      if (wait !== undefined) {
        return wait.then(() => {
          // The reader need not wait for what becomes of the next batch.
          this.#context.wake();
          return this.#add(item, bytes);
        });
      }
    }
    return this.#add(item, bytes);
  }

  end(): void | Promise<void> {
    if (this.#busy !== undefined) return this.#busy.then(() => this.end());
    if (this.#over) return;
    this.#over = true;
    if (this.#items.length === 0) return this.#down.end();
    const wait = this.#down.push(this.#take());
    return wait === undefined ? this.#down.end() : wait.then(() => this.#down.end());
  }

  cancel(): void {
    this.#over = true;
    this.#take();
  }

  #add(item: T, bytes: number): void | Promise<void> {
    if (this.#over) return;
    const limits = this.#limits;
    const items = this.#items;
    items.push(item);
    this.#bytes += bytes;
    if (items.length >= limits.size || this.#bytes >= limits.maxBytes) {
      return this.#down.push(this.#take());
    }
    if (limits.maxWaitMs !== undefined && this.#cancelTimer === undefined) {
      this.#cancelTimer = limits.clock.setTimer(() => this.#onTimer(), limits.maxWaitMs);
    }
  }

  #onTimer(): void {
    const wait = pushLater(this.#down, this.#take(), this.#context);
    this.#busy = wait?.finally(() => this.#busy = undefined);
  }

  /** Takes the batch in the making, and its timer back. */
  #take(): T[] {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const items = this.#items;
    this.#items = [];
    this.#bytes = 0;
    return items;
  }
}

function optionError(name: string, range: string, value: unknown): RangeError {
  return new RangeError(
    `Cannot create BatchStream: "${name}" must be ${range}: current value is "${value}"`,
  );
}
