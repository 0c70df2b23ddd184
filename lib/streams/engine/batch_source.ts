/** Where the items of an `EventStream` come from. @module */

/**
 * A source that hands over what it has, a micro-batch at a time.
 *
 * One read of a socket or a file usually holds many items; handing them over together saves most of
 * the cost of a stream (measured: 1 item per pull runs at a fifth of the speed of 16).
 *
 * `pull` is called one at a time, and only when everything handed over before has been read. After
 * `null`, an error or `cancel` it is not called again.
 *
 * @typeParam T The type of the items.
 *
 * @example
 * ```ts
 * import { EventStream } from "@falco-streams/core/streams";
 * import type { BatchSource } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const batches = [[1, 2], [3]];
 * const source: BatchSource<number> = { pull: () => batches.shift() ?? null, cancel() {} };
 * assert.deepEqual(await Array.fromAsync(new EventStream(source)), [1, 2, 3]);
 * ```
 */
export interface BatchSource<T> {
  /**
   * Hands over the next items, in order. The array is only read, before the next `pull`.
   *
   * @returns One or more items, or `null` at the end, or a promise for them. An empty array means
   * "nothing yet" and is asked again at once: a source that has to wait returns a promise instead.
   * What `pull` throws, or rejects with, becomes the error of the stream.
   */
  pull(): readonly T[] | null | Promise<readonly T[] | null>;
  /**
   * The reader left. Frees whatever the source holds. A `pull` that is still waiting may settle in
   * any way; what it brings is dropped.
   *
   * Not called after `pull` returned `null` or failed: then the source has let go already.
   *
   * @param reason What the reader gave as the reason.
   * @returns A promise if that takes time; the reader's `cancel()` waits for it and fails with it.
   */
  cancel(reason: unknown): void | Promise<void>;
  /**
   * Learns, right before `cancel`, how many of the items it handed over the reader never had; for a
   * source that counts what is lost. Operators count what they hold themselves.
   *
   * The platform's queue does not tell what is left in it. So a source with this method has its items
   * handed to readers of the platform one by one, at some 0.2 µs more for each (measured); `for await`
   * and operators of this package take micro-batches as ever.
   *
   * @param count How many, 0 or more.
   */
  unread?(count: number): void;
}
