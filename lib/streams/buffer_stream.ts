/** Takes items from a source before somebody asks for them. @module */
import { BoundedOutlet } from "./bounded_outlet.ts";
import { EventStream } from "./engine/event_stream.ts";
import { operatorStages } from "./engine/operator_stages.ts";
import { OperatorStream } from "./engine/operator_stream.ts";
import { overflows } from "./overflow.ts";
import type { Overflow } from "./overflow.ts";
import { Pump } from "./pump.ts";
import { requireFunction, requireWhole, requireWord } from "./require_option.ts";

/**
 * Options of {@linkcode BufferStream}.
 *
 * @typeParam T The type of the items.
 *
 * @example
 * ```ts
 * import type { BufferStreamOptions } from "@falco-streams/core/streams";
 *
 * const options: BufferStreamOptions<string> = { overflow: "drop-oldest", onDrop: () => {} };
 * console.assert(options.overflow === "drop-oldest");
 * ```
 */
export interface BufferStreamOptions<T> {
  /**
   * What happens when an item comes and the buffer is full.
   *
   * @default {"block"} Nothing is lost here. A Falco that is not read drops alerts itself, though.
   */
  overflow?: Overflow;
  /**
   * Called with each item that is dropped. What it throws fails the stream.
   */
  onDrop?: (item: T) => void;
}

/**
 * Asks its source for items before they are wanted, and holds them until they are.
 *
 * The other operators ask for nothing that was not asked of them; this one keeps the source going while
 * the reader is busy. From the first read on it takes items as long as there is room, and with
 * `drop-oldest`, `drop-newest` and `error` whether there is room or not. So a reader may stall without
 * stalling Falco.
 *
 * - At most `capacity` items wait in it. Up to 64 of them are handed over at a time, so that many more
 *   can be on their way to a reader who is slow.
 * - The end, and an error of the source, come after the items that wait. A reader that leaves drops
 *   them.
 * - {@linkcode BufferStream.dropped} counts what was dropped.
 *
 * What is above it and what is below run apart, so it cannot be part of a {@linkcode compose}d operator.
 *
 * @typeParam T The type of the items.
 *
 * @example The newest alerts for a slow reader
 * ```ts
 * import { BufferStream, EventStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const buffer = new BufferStream<number>(2, { overflow: "drop-oldest" });
 * const reader = EventStream.from([1, 2, 3, 4, 5]).pipeThrough(buffer).getReader();
 * assert.equal((await reader.read()).value, 1);
 * // Meanwhile the source goes on.
 * while (buffer.dropped < 2) await new Promise((resolve) => setTimeout(resolve, 1));
 * assert.equal((await reader.read()).value, 4);
 * assert.equal((await reader.read()).value, 5);
 * assert.equal((await reader.read()).done, true);
 * ```
 */
export class BufferStream<T> extends OperatorStream<T, T> {
  readonly #outlet: BoundedOutlet<T>;
  #pump: Pump<T> | undefined;
  #readable: EventStream<T> | undefined;

  /**
   * Creates the operator.
   *
   * @param capacity How many items may wait.
   * @param options See {@linkcode BufferStreamOptions}.
   *
   * @throws {RangeError} when `capacity` is not a whole number from 1.
   * @throws {TypeError} when `overflow` is not one of {@linkcode Overflow}, or `onDrop` not a function.
   */
  constructor(capacity: number, options: BufferStreamOptions<T> = {}) {
    const { overflow = "block", onDrop } = options;
    requireWhole("create BufferStream", "capacity", capacity, 1);
    requireWord("create BufferStream", "overflow", overflow, overflows);
    if (onDrop !== undefined) requireFunction("create BufferStream", "onDrop", onDrop);
    super([]);
    this.#outlet = new BoundedOutlet({
      capacity,
      overflow,
      onDrop,
      onPull: () => this.#pump?.wake(),
      onLeave: (reason) => this.#pump?.cancel(reason),
    });
  }

  /** How many items were dropped so far. */
  get dropped(): number {
    return this.#outlet.dropped;
  }

  /** What comes out. */
  override get readable(): EventStream<T> {
    if (this.#readable === undefined) {
      const outlet = this.#outlet;
      this.#pump = new Pump<T>(super.readable, {
        wantsMore: () => outlet.isOpen && !outlet.isBlocked,
        take: (item) => outlet.offer(item),
        end: () => outlet.end(),
        fail: (error) => outlet.fail(error),
      });
      this.#readable = new EventStream(outlet);
    }
    return this.#readable;
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
