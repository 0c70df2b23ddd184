/** Ends a stream after so many items. @module */
import { OperatorStream } from "./engine/operator_stream.ts";

/**
 * Lets the first items through, then ends the stream.
 *
 * With the last item it ends at once, without waiting for another one, and cancels the source with
 * `undefined` as the reason. The source is not asked for an item that would not be let through.
 *
 * @typeParam T The type of the items.
 *
 * @example
 * ```ts
 * import { EventStream, LimitStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const stream = EventStream.from(["a", "b", "c"]).pipeThrough(new LimitStream(2));
 * assert.deepEqual(await Array.fromAsync(stream), ["a", "b"]);
 * ```
 */
export class LimitStream<T> extends OperatorStream<T, T> {
  /**
   * Creates the operator.
   *
   * @param count How many items to let through. With 0 the stream ends without asking for any.
   *
   * @throws {RangeError} when `count` is not a whole number from 0.
   */
  constructor(count: number) {
    if (!Number.isInteger(count) || count < 0) {
      throw new RangeError(
        `Cannot create LimitStream: "count" must be a whole number from 0: current value is "${count}"`,
      );
    }
    super((down, context) => {
      let left = count;
      if (left === 0) context.stop();
      return {
        push(item) {
          if (left === 0) return;
          left--;
          const wait = down.push(item);
          if (left > 0) return wait;
          // The stage below may have a call at a time: the end comes when it is done with the item.
          if (wait !== undefined) return wait.then(() => context.stop());
          context.stop();
        },
        end() {
          if (left > 0) return down.end();
        },
      };
    });
  }
}
