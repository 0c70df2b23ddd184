/** Every item to every reader. @module */
import { fanOut, requireFanOutOptions } from "./fan_out.ts";
import type { BranchStream } from "./fan_out.ts";
import type { Overflow } from "./overflow.ts";
import { requireWhole } from "./require_option.ts";

/**
 * Options of {@linkcode broadcastReadableStream}.
 *
 * @typeParam T The type of the items.
 *
 * @example
 * ```ts
 * import type { BroadcastReadableStreamOptions } from "@falco-streams/core/streams";
 *
 * const lost = [0, 0];
 * const options: BroadcastReadableStreamOptions<string> = {
 *   capacity: 100,
 *   overflow: "drop-oldest",
 *   onDrop: (_item, branch) => void lost[branch]!++,
 * };
 * console.assert(options.capacity === 100);
 * ```
 */
export interface BroadcastReadableStreamOptions<T> {
  /**
   * How many items may wait in each branch. A whole number from 1.
   *
   * @default {1024} About a megabyte of alerts.
   */
  capacity?: number;
  /**
   * What happens to a branch that is full when the next item comes. With `error` that branch fails, and
   * the others go on.
   *
   * @default {"block"} Nothing is lost, and the slowest branch sets the pace of all.
   */
  overflow?: Overflow;
  /**
   * Called with each item that is dropped, and the branch, counted from 0. What it throws fails all
   * branches.
   */
  onDrop?: (item: T, branch: number) => void;
}

/**
 * Makes several streams of one: each gets every item, and has a bounded queue for what it has not read.
 *
 * Unlike `tee()` it holds no more than `capacity` items for a branch, however slow it is read.
 *
 * - The source is asked for an item when a branch waits for one. So the branch that is read fastest
 *   loses nothing with any policy, and with a policy that drops it is not held up by the others.
 * - Nothing is dropped, and nothing overflows, before the reader of a full branch has had some turns in
 *   which it could have read: branches that are read at the same speed lose nothing.
 * - With `block` a branch that is not read holds up the others when it is full: cancel a branch that is
 *   not needed.
 * - All branches get the very same item. They get the end, or the error of the source, after the items
 *   they hold.
 * - A branch that is cancelled leaves the others alone. With the last one the source is cancelled; the
 *   reason is a list of the reasons of all branches, as with `tee()`.
 *
 * @typeParam T The type of the items.
 * @param stream The source; locked from now on.
 * @param count How many branches. A whole number from 1.
 * @param options See {@linkcode BroadcastReadableStreamOptions}.
 * @returns The branches. Each says in `dropped` how many items it lost.
 *
 * @throws {RangeError} when `count` or `capacity` is not a whole number from 1.
 * @throws {TypeError} when `stream` is locked, `overflow` is not one of {@linkcode Overflow}, or
 * `onDrop` is not a function.
 *
 * @example
 * ```ts
 * import { broadcastReadableStream, EventStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const [one, two] = broadcastReadableStream(EventStream.from(["a", "b"]), 2);
 * const both = await Promise.all([Array.fromAsync(one!), Array.fromAsync(two!)]);
 * assert.deepEqual(both, [["a", "b"], ["a", "b"]]);
 * ```
 */
export function broadcastReadableStream<T>(
  stream: ReadableStream<T>,
  count: number,
  options: BroadcastReadableStreamOptions<T> = {},
): BranchStream<T>[] {
  const { capacity = 1024, overflow = "block", onDrop } = options;
  const action = "broadcast a stream";
  requireWhole(action, "count", count, 1);
  requireFanOutOptions(action, { capacity, overflow, onDrop });
  const all = Array.from({ length: count }, (_, branch) => branch);
  return fanOut(stream, count, () => all, { capacity, overflow, onDrop });
}
