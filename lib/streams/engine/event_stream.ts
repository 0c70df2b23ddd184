/** The stream that everything in this package comes out of. @module */
import type { BatchSource } from "./batch_source.ts";
import { toBatchSource } from "./to_batch_source.ts";

/**
 * A `ReadableStream` over a source that hands over micro-batches.
 *
 * It is an ordinary stream to everybody: `pipeThrough`, `pipeTo`, `tee`, `getReader`, `for await`.
 *
 * - Lazy: nothing is pulled before the first read (highWaterMark 0).
 * - Backpressure: the next pull comes when a reader waits and all items of the last one are read. So
 *   at most one micro-batch is held, and it is as large as the source made it.
 * - `cancel(reason)`, and `break` out of `for await`, reach the source with the same reason, and
 *   `cancel()` waits for the source. What was held is dropped.
 * - An error of the source comes after all items that were handed over before it, as the very object
 *   that was thrown.
 *
 * @typeParam T The type of the items.
 *
 * @example A source of one's own
 * ```ts
 * import { EventStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * let next = 0;
 * let cancelled = false;
 * const numbers = new EventStream<number>({
 *   pull: () => [next++, next++],
 *   cancel: () => void (cancelled = true),
 * });
 * for await (const n of numbers) if (n === 2) break;
 * assert.equal(next, 4);
 * assert(cancelled);
 * ```
 */
export class EventStream<T> extends ReadableStream<T> {
  // pipeThrough and pipeTo are the platform's. A runner that fuses whole chains belongs right here:
  // it overrides the two, takes `source` as long as nothing was pulled from it, takes the stages from
  // `OperatorStream[operatorStages]()` and the end from `SinkStream[itemSink]`, and leaves every
  // other case to `super`.

  /**
   * Creates the stream; nothing is pulled yet.
   *
   * @param source Where the items come from. It belongs to the stream from now on.
   */
  constructor(source: BatchSource<T>) {
    let cancelled = false;

    // True if the stream has got something, or has ended.
    function accept(
      batch: readonly T[] | null,
      controller: ReadableStreamDefaultController<T>,
    ): boolean {
      if (cancelled) return true;
      if (batch === null) {
        controller.close();
        return true;
      }
      for (const item of batch) controller.enqueue(item);
      return batch.length > 0;
    }

    async function waitAndPull(
      first: Promise<readonly T[] | null>,
      controller: ReadableStreamDefaultController<T>,
    ): Promise<void> {
      // The platform does not ask again after a pull that brought nothing.
      let done = accept(await first, controller);
      while (!done) done = accept(await source.pull(), controller);
    }

    super({
      pull(controller) {
        const batch = source.pull();
        // Items that are there go out in the same turn.
        if (batch === null || "length" in batch) {
          if (accept(batch, controller)) return;
          return waitAndPull(Promise.resolve([]), controller);
        }
        return waitAndPull(batch, controller);
      },
      cancel(reason) {
        cancelled = true;
        return source.cancel(reason);
      },
    }, { highWaterMark: 0 });
  }

  /**
   * Makes an `EventStream` of anything that can be iterated or read.
   *
   * An array is handed over in slices of 64, anything else an item at a time and not an item ahead.
   * Cancelling a stream cancels it with the same reason; cancelling an iterator calls its `return`.
   *
   * @param items A stream, an async iterable or an iterable, of items or of promises for them.
   * @returns The stream. A stream that was given is locked from now on.
   *
   * @throws {TypeError} when `items` is none of these, or a stream that is locked already.
   *
   * @example
   * ```ts
   * import { EventStream } from "@falco-streams/core/streams";
   * import assert from "node:assert/strict";
   *
   * assert.deepEqual(await Array.fromAsync(EventStream.from(["a", "b"])), ["a", "b"]);
   * ```
   */
  static override from<T>(
    items: ReadableStream<T> | AsyncIterable<T> | Iterable<T | PromiseLike<T>>,
  ): EventStream<T> {
    return new EventStream(toBatchSource(items));
  }
}
