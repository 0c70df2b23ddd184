/** A `BatchSource` over whatever else holds items. @module */
import type { BatchSource } from "./batch_source.ts";

const sliceLength = 64;

/**
 * Turns anything that can be iterated or read into a source.
 *
 * @param items A stream, an async iterable or an iterable, of items or of promises for them.
 * @returns The source. A stream that was given is locked from now on.
 *
 * @throws {TypeError} when `items` is none of these, or a stream that is locked already.
 */
export function toBatchSource<T>(
  items: ReadableStream<T> | AsyncIterable<T> | Iterable<T | PromiseLike<T>>,
): BatchSource<T> {
  // Before async iterables, which streams are too: an iterator has no way to hand on the reason.
  if (isStream(items)) return streamSource(items);
  if (Array.isArray(items)) return arraySource(items);
  if (Symbol.asyncIterator in Object(items)) {
    return iteratorSource((items as AsyncIterable<T>)[Symbol.asyncIterator]());
  }
  if (Symbol.iterator in Object(items)) {
    return iteratorSource((items as Iterable<T | PromiseLike<T>>)[Symbol.iterator]());
  }
  throw new TypeError(
    `Cannot make an EventStream of "${typeof items}": it cannot be iterated. Give a stream or an iterable`,
  );
}

/** True for the streams of the platform, of other realms and of other implementations. */
function isStream<T>(items: unknown): items is ReadableStream<T> {
  return typeof (items as Partial<ReadableStream<T>> | null | undefined)?.getReader === "function";
}

function streamSource<T>(stream: ReadableStream<T>): BatchSource<T> {
  const reader = stream.getReader();
  return {
    async pull() {
      const { done, value } = await reader.read();
      return done ? null : [value];
    },
    cancel: (reason) => reader.cancel(reason),
  };
}

function arraySource<T>(items: readonly (T | PromiseLike<T>)[]): BatchSource<T> {
  let index = 0;
  return {
    pull() {
      const slice = items.slice(index, index + sliceLength);
      // A promise is waited for alone, so that its failure comes after the items before it.
      const promise = slice.findIndex(isPromiseLike);
      if (promise === 0) return oneOf(items[index++]!);
      const ready = promise < 0 ? slice : slice.slice(0, promise);
      index += ready.length;
      return ready.length === 0 ? null : ready as T[];
    },
    cancel() {},
  };
}

async function oneOf<T>(item: T | PromiseLike<T>): Promise<T[]> {
  return [await item];
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

function iteratorSource<T>(
  iterator: AsyncIterator<T> | Iterator<T | PromiseLike<T>>,
): BatchSource<T> {
  return {
    async pull() {
      const { done, value } = await iterator.next();
      return done ? null : [await value];
    },
    async cancel() {
      await iterator.return?.();
    },
  };
}
