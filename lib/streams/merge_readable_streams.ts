/** Several streams as one. @module */
import type { BatchSource } from "./engine/batch_source.ts";
import { EventStream } from "./engine/event_stream.ts";
import { requireFunction } from "./require_option.ts";

/**
 * What becomes of a merged stream when one of its sources fails.
 *
 * - `fail`: the merged stream fails with the error, and the other sources are cancelled with it.
 * - `drop-source`: it goes on with the others.
 *
 * @example
 * ```ts
 * import type { MergeFailure } from "@falco-streams/core/streams";
 *
 * const failures: MergeFailure[] = ["fail", "drop-source"];
 * console.assert(failures.length === 2);
 * ```
 */
export type MergeFailure = "fail" | "drop-source";

/**
 * Options of {@linkcode mergeReadableStreams}.
 *
 * @example
 * ```ts
 * import type { MergeReadableStreamsOptions } from "@falco-streams/core/streams";
 *
 * const failed: number[] = [];
 * const options: MergeReadableStreamsOptions = {
 *   onError(_error, index) {
 *     failed.push(index);
 *     return "drop-source";
 *   },
 * };
 * console.assert(typeof options.onError === "function");
 * ```
 */
export interface MergeReadableStreamsOptions {
  /**
   * What to do when a source fails, or a function that is told of it and decides. It gets the error and
   * which source it was, counted from 0. What it throws fails the merged stream.
   *
   * @default {"fail"} A host that is not watched any more should not go unnoticed.
   */
  onError?: MergeFailure | ((error: unknown, index: number) => MergeFailure);
}

/**
 * Merges streams: every item of each of them, in the order in which they come.
 *
 * - Items of the same source keep their order. No source can crowd the others out: each has its next
 *   item taken when its last one has been read.
 * - Bounded: at most one item of each source is held. Nothing is asked for before the first read.
 * - It ends when all sources have ended.
 * - `cancel()` cancels every source that has not ended, with the same reason, and waits for all of them.
 *
 * @typeParam T The type of the items.
 * @param streams The sources; locked from now on.
 * @param options See {@linkcode MergeReadableStreamsOptions}.
 * @returns The merged stream.
 *
 * @throws {TypeError} when a source is locked already or not a stream, or `onError` is neither of the
 * two words nor a function; then none of them is locked.
 *
 * @example The alerts of two hosts
 * ```ts
 * import { EventStream, mergeReadableStreams } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const merged = mergeReadableStreams(EventStream.from(["a", "b"]), EventStream.from(["c"]));
 * assert.deepEqual((await Array.fromAsync(merged)).sort(), ["a", "b", "c"]);
 * ```
 */
export function mergeReadableStreams<T>(
  streams: Iterable<ReadableStream<T>>,
  options?: MergeReadableStreamsOptions,
): EventStream<T>;
/**
 * Merges streams that are given one by one.
 *
 * @typeParam T The type of the items.
 * @param streams The sources; locked from now on. No sources at all make an empty stream.
 * @returns The merged stream.
 *
 * @throws {TypeError} when a source is locked already, or not a stream; then none of them is locked.
 */
export function mergeReadableStreams<T>(...streams: readonly ReadableStream<T>[]): EventStream<T>;
export function mergeReadableStreams<T>(...given: readonly unknown[]): EventStream<T> {
  const isList = given.length > 0 && !(given[0] instanceof ReadableStream);
  const streams = [...(isList ? given[0] : given) as Iterable<ReadableStream<T>>];
  const { onError = "fail" } = (isList ? given[1] ?? {} : {}) as MergeReadableStreamsOptions;
  if (onError !== "fail" && onError !== "drop-source") {
    requireFunction("merge streams", "onError", onError);
  }
  const decide = typeof onError === "function" ? onError : () => onError;
  return new EventStream(new MergedSource(lockAll(streams), decide));
}

function lockAll<T>(streams: readonly ReadableStream<T>[]): ReadableStreamDefaultReader<T>[] {
  const readers: ReadableStreamDefaultReader<T>[] = [];
  try {
    for (const [index, stream] of streams.entries()) {
      if (!(stream instanceof ReadableStream)) {
        throw new TypeError(`Cannot merge streams: "streams[${index}]" is not a ReadableStream`);
      }
      readers.push(stream.getReader());
    }
  } catch (error) {
    for (const reader of readers) reader.releaseLock();
    throw error;
  }
  return readers;
}

interface Input<T> {
  readonly reader: ReadableStreamDefaultReader<T>;
  readonly index: number;
}

class MergedSource<T> implements BatchSource<T> {
  // Those that have neither ended nor failed.
  readonly #inputs: Set<Input<T>>;
  readonly #decide: (error: unknown, index: number) => MergeFailure;
  #items: T[] = [];
  // Those whose items have been read by now, or are in #items.
  #idle: Input<T>[];
  #waiting: PromiseWithResolvers<readonly T[] | null> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #over = false;

  constructor(
    readers: readonly ReadableStreamDefaultReader<T>[],
    decide: (error: unknown, index: number) => MergeFailure,
  ) {
    this.#idle = readers.map((reader, index) => ({ reader, index }));
    this.#inputs = new Set(this.#idle);
    this.#decide = decide;
  }

  pull(): readonly T[] | null | Promise<readonly T[] | null> {
    if (this.#items.length > 0) return this.#take();
    if (this.#failure !== undefined) throw this.#failure.error;
    for (const input of this.#idle.splice(0)) this.#read(input);
    if (this.#inputs.size === 0) return null;
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  async cancel(reason: unknown): Promise<void> {
    this.#over = true;
    this.#items = [];
    await this.#cancelAll(reason);
  }

  #read(input: Input<T>): void {
    input.reader.read().then(({ done, value }) => {
      if (this.#over) return;
      if (done) {
        this.#inputs.delete(input);
      } else {
        this.#items.push(value);
        this.#idle.push(input);
      }
      this.#deliver();
    }, (error) => {
      if (this.#over) return;
      this.#inputs.delete(input);
      this.#inputFailed(error, input.index);
      this.#deliver();
    });
  }

  #inputFailed(error: unknown, index: number): void {
    let failure: { readonly error: unknown } | undefined;
    try {
      if (this.#decide(error, index) === "drop-source") return;
      failure = { error };
    } catch (thrown) {
      failure = { error: thrown };
    }
    this.#over = true;
    this.#failure = failure;
    // Whatever they say to it, the error is known already.
    this.#cancelAll(failure.error).catch(() => {});
  }

  #deliver(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    if (this.#items.length > 0) waiting.resolve(this.#take());
    else if (this.#failure !== undefined) waiting.reject(this.#failure.error);
    else if (this.#inputs.size === 0) waiting.resolve(null);
    else return;
    this.#waiting = undefined;
  }

  #take(): readonly T[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }

  async #cancelAll(reason: unknown): Promise<void> {
    const inputs = [...this.#inputs];
    this.#inputs.clear();
    const results = await Promise.allSettled(inputs.map(({ reader }) => reader.cancel(reason)));
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }
}
