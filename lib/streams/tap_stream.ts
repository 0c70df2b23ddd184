/** Looks at each item as it goes by. @module */
import { OperatorStream } from "./engine/operator_stream.ts";
import { requireFunction } from "./require_option.ts";

/**
 * Calls a function with each item and hands the item on as it is.
 *
 * The function is called before the stages below see the item, and is not waited for: a promise that
 * it returns is nobody's, and must not reject. To wait for something use `MapAsyncStream`.
 *
 * @typeParam T The type of the items.
 *
 * @example Count what goes by
 * ```ts
 * import { EventStream, TapStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * let seen = 0;
 * const stream = EventStream.from(["a", "b"]).pipeThrough(new TapStream(() => void seen++));
 * assert.deepEqual(await Array.fromAsync(stream), ["a", "b"]);
 * assert.equal(seen, 2);
 * ```
 */
export class TapStream<T> extends OperatorStream<T, T> {
  /**
   * Creates the operator.
   *
   * @param fn Called once with each item, in order. What it throws fails the stream.
   *
   * @throws {TypeError} when `fn` is not a function.
   */
  constructor(fn: (item: T) => void) {
    requireFunction("create TapStream", "fn", fn);
    super((down) => ({
      push(item) {
        fn(item);
        return down.push(item);
      },
      end: () => down.end(),
    }));
  }
}
