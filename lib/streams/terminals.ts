/** The ends of pipelines that need no sink: all items, the first one, how many. @module */
import { SinkStream } from "./engine/sink_stream.ts";
import { LimitStream } from "./limit_stream.ts";
import { MapAsyncStream } from "./map_async_stream.ts";
import { requireFunction, requireWhole } from "./require_option.ts";

/**
 * Options of {@linkcode toArray}, {@linkcode first} and {@linkcode count}.
 *
 * @example
 * ```ts
 * import type { TerminalOptions } from "@falco-streams/core/streams";
 *
 * const options: TerminalOptions = { signal: AbortSignal.timeout(1000) };
 * console.assert(options.signal?.aborted === false);
 * ```
 */
export interface TerminalOptions {
  /** Ends it early: the stream is cancelled with the signal's reason, and the promise rejects with it. */
  signal?: AbortSignal | undefined;
}

/**
 * Options of {@linkcode forEach}.
 *
 * @example
 * ```ts
 * import type { ForEachOptions } from "@falco-streams/core/streams";
 *
 * const options: ForEachOptions = { concurrency: 4 };
 * console.assert(options.concurrency === 4);
 * ```
 */
export interface ForEachOptions extends TerminalOptions {
  /**
   * For how many items the function may be at work at a time. A whole number from 1.
   *
   * @default {1} The next item comes when the function is done with the last one.
   */
  concurrency?: number;
}

/**
 * Reads a stream to its end.
 *
 * There is no limit to how much it holds: put a `LimitStream` in front of it where it matters.
 *
 * @typeParam T The type of the items.
 * @param stream Any stream; locked from now on.
 * @param options See {@linkcode TerminalOptions}.
 * @returns The items. Rejects with the error of the stream; the items before it are lost then.
 *
 * @example
 * ```ts
 * import { EventStream, toArray } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(await toArray(EventStream.from(["a", "b"])), ["a", "b"]);
 * ```
 */
export async function toArray<T>(
  stream: ReadableStream<T>,
  options: TerminalOptions = {},
): Promise<T[]> {
  const items: T[] = [];
  await drain(stream, (item) => void items.push(item), options);
  return items;
}

/**
 * Calls a function with each item of a stream.
 *
 * @typeParam T The type of the items.
 * @param stream Any stream; locked from now on.
 * @param fn Called once with each item, in order, and waited for. With a `concurrency` above 1 it is
 * called for as many items at a time. Its signal is aborted when the loop is over while it is at work:
 * `options.signal`, an error of the stream or of another call.
 * @param options See {@linkcode ForEachOptions}.
 * @returns A promise that resolves when the stream has ended and `fn` is done with every item. It
 * rejects with the error of the stream, or with what `fn` throws or rejects with; the stream is then
 * cancelled with it.
 *
 * @throws {TypeError} (as a rejection) when `fn` is not a function.
 * @throws {RangeError} (as a rejection) when `concurrency` is not a whole number from 1.
 *
 * @example
 * ```ts
 * import { EventStream, forEach } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const seen: string[] = [];
 * await forEach(EventStream.from(["a", "b"]), (text) => void seen.push(text));
 * assert.deepEqual(seen, ["a", "b"]);
 * ```
 */
export async function forEach<T>(
  stream: ReadableStream<T>,
  fn: (item: T, signal: AbortSignal) => void | PromiseLike<void>,
  options: ForEachOptions = {},
): Promise<void> {
  const { concurrency = 1 } = options;
  requireFunction("run a function for each item", "fn", fn);
  requireWhole("run a function for each item", "concurrency", concurrency, 1);
  const calls = stream.pipeThrough(new MapAsyncStream(fn, { concurrency, ordered: false }));
  await drain(calls, () => {}, options);
}

/**
 * Reads the first item of a stream and cancels the rest.
 *
 * @typeParam T The type of the items.
 * @param stream Any stream; locked from now on, and cancelled when the item is there, with `undefined`
 * as the reason.
 * @param options See {@linkcode TerminalOptions}.
 * @returns The item, or undefined if the stream ends without one. Rejects with the error of the stream.
 *
 * @example
 * ```ts
 * import { EventStream, first } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * assert.equal(await first(EventStream.from(["a", "b"])), "a");
 * assert.equal(await first(EventStream.from([])), undefined);
 * ```
 */
export async function first<T>(
  stream: ReadableStream<T>,
  options: TerminalOptions = {},
): Promise<T | undefined> {
  const items = await toArray(stream.pipeThrough(new LimitStream<T>(1)), options);
  return items[0];
}

/**
 * Reads a stream to its end and counts the items, holding none of them.
 *
 * @param stream Any stream; locked from now on.
 * @param options See {@linkcode TerminalOptions}.
 * @returns How many there were. Rejects with the error of the stream.
 *
 * @example
 * ```ts
 * import { count, EventStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * assert.equal(await count(EventStream.from(["a", "b"])), 2);
 * ```
 */
export async function count(
  stream: ReadableStream<unknown>,
  options: TerminalOptions = {},
): Promise<number> {
  let items = 0;
  await drain(stream, () => void items++, options);
  return items;
}

function drain<T>(
  stream: ReadableStream<T>,
  write: (item: T) => void,
  options: TerminalOptions,
): Promise<void> {
  const { signal } = options;
  return stream.pipeTo(new SinkStream({ write }), signal === undefined ? {} : { signal });
}
