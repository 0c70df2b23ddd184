/** Carries a value from item to item. @module */
import { OperatorStream } from "./engine/operator_stream.ts";
import { requireFunction } from "./require_option.ts";

/**
 * Makes a new value of the last one and each item, and hands it on: running counts, sums, maxima.
 *
 * As many values come out as items go in; the initial value itself does not. The value is handed on as
 * it is: a function that changes an object instead of making a new one changes what went out before.
 *
 * @typeParam I The type of the items.
 * @typeParam A The type of the value.
 *
 * @example A running sum
 * ```ts
 * import { EventStream, ScanStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const sums = EventStream.from([1, 2, 3]).pipeThrough(
 *   new ScanStream((sum: number, n: number) => sum + n, 0),
 * );
 * assert.deepEqual(await Array.fromAsync(sums), [1, 3, 6]);
 * ```
 */
export class ScanStream<I, A> extends OperatorStream<I, A> {
  /**
   * Creates the operator.
   *
   * @param fn Makes the next value. Called once for each item, in order. What it throws fails the
   * stream.
   * @param initial The value before the first item.
   *
   * @throws {TypeError} when `fn` is not a function.
   */
  constructor(fn: (value: A, item: I) => A, initial: A) {
    requireFunction("create ScanStream", "fn", fn);
    super((down) => {
      let value = initial;
      return {
        push(item) {
          value = fn(value, item);
          return down.push(value);
        },
        end: () => down.end(),
      };
    });
  }
}
