/** Ends a stream at the first item that does not fit. @module */
import { OperatorStream } from "./engine/operator_stream.ts";
import { requireFunction } from "./require_option.ts";

/**
 * Options of {@linkcode TakeWhileStream}.
 *
 * @example
 * ```ts
 * import type { TakeWhileStreamOptions } from "@falco-streams/core/streams";
 *
 * const options: TakeWhileStreamOptions = { inclusive: true };
 * console.assert(options.inclusive);
 * ```
 */
export interface TakeWhileStreamOptions {
  /**
   * True to let the item through that ends the stream.
   *
   * @default {false}
   */
  inclusive?: boolean;
}

/**
 * Lets items through as long as a predicate accepts them, then ends the stream.
 *
 * With the first item that is not accepted it ends at once, without waiting for another one, and
 * cancels the source with `undefined` as the reason.
 *
 * @typeParam T The type of the items.
 *
 * @example
 * ```ts
 * import { EventStream, TakeWhileStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const numbers = EventStream.from([1, 2, 3, 1]);
 * const small = numbers.pipeThrough(new TakeWhileStream((n) => n < 3, { inclusive: true }));
 * assert.deepEqual(await Array.fromAsync(small), [1, 2, 3]);
 * ```
 */
export class TakeWhileStream<T> extends OperatorStream<T, T> {
  /**
   * Creates the operator.
   *
   * @param predicate Says whether to go on. Called once for each item up to the first that it does not
   * accept, in order. What it throws fails the stream.
   * @param options See {@linkcode TakeWhileStreamOptions}.
   *
   * @throws {TypeError} when `predicate` is not a function.
   */
  constructor(predicate: (item: T) => boolean, options: TakeWhileStreamOptions = {}) {
    const { inclusive = false } = options;
    requireFunction("create TakeWhileStream", "predicate", predicate);
    super((down, context) => {
      let over = false;
      return {
        push(item) {
          if (over) return;
          if (predicate(item)) return down.push(item);
          over = true;
          const wait = inclusive ? down.push(item) : undefined;
          // The stage below may have a call at a time: the end comes when it is done with the item.
          if (wait !== undefined) return wait.then(() => context.stop());
          context.stop();
        },
        end() {
          if (!over) return down.end();
        },
        cancel() {
          over = true;
        },
      };
    });
  }
}
