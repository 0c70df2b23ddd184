/** Leaves out the beginning of a stream. @module */
import { OperatorStream } from "./engine/operator_stream.ts";
import { requireWhole } from "./require_option.ts";

/**
 * Drops the first items and lets the others through.
 *
 * What it drops was asked to be dropped, so it is not counted. A stream with fewer items comes out
 * empty.
 *
 * @typeParam T The type of the items.
 *
 * @example
 * ```ts
 * import { EventStream, SkipStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const stream = EventStream.from(["a", "b", "c"]).pipeThrough(new SkipStream(1));
 * assert.deepEqual(await Array.fromAsync(stream), ["b", "c"]);
 * ```
 */
export class SkipStream<T> extends OperatorStream<T, T> {
  /**
   * Creates the operator.
   *
   * @param count How many items to drop. With 0 everything goes through.
   *
   * @throws {RangeError} when `count` is not a whole number from 0.
   */
  constructor(count: number) {
    requireWhole("create SkipStream", "count", count, 0);
    super((down) => {
      let left = count;
      return {
        push(item) {
          if (left === 0) return down.push(item);
          left--;
        },
        end: () => down.end(),
      };
    });
  }
}
