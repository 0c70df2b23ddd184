/** Takes items from a source before somebody asks for them. @module */
import { BoundedOutlet } from "./bounded_outlet.ts";
import { BufferPump } from "./buffer_pump.ts";
import { linkStage } from "./engine/link.ts";
import { OperatorStream } from "./engine/operator_stream.ts";
import { overflows } from "./overflow.ts";
import type { Overflow } from "./overflow.ts";
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
 * - Nothing is dropped, and nothing overflows, before a reader has had some turns in which it could
 *   have read: a source may hand over more items at once than the buffer holds.
 * - {@linkcode BufferStream.dropped} counts what was dropped.
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
    let pump: BufferPump<T> | undefined;
    const outlet = new BoundedOutlet<T>({
      capacity,
      overflow,
      onDrop,
      onPull: () => pump?.wake(),
      onLeave: (reason) => pump?.cancel(reason),
    });
    super([linkStage<T, T>((input) => {
      pump = new BufferPump(input, outlet);
      return {
        pull: () => outlet.pull(),
        cancel: (reason) => outlet.cancel(reason),
        interrupt(reason) {
          pump?.stop();
          outlet.fail(reason);
        },
      };
    })]);
    this.#outlet = outlet;
  }

  /** How many items were dropped so far. */
  get dropped(): number {
    return this.#outlet.dropped;
  }
}
