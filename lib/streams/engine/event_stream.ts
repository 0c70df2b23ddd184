/** The stream that everything in this package comes out of. @module */
import { BatchIterator } from "./batch_iterator.ts";
import type { BatchSource } from "./batch_source.ts";
import { Feed } from "./feed.ts";
import { FeedSource } from "./feed_source.ts";
import { FusedSides } from "./fused_sides.ts";
import { FusedSource } from "./fused_source.ts";
import { partsOf } from "./link.ts";
import type { Link } from "./link.ts";
import { operatorStages } from "./operator_stages.ts";
import type { OperatorStream } from "./operator_stream.ts";
import { SinkDrive } from "./sink_drive.ts";
import { itemSink } from "./sink_stream.ts";
import type { SinkStream } from "./sink_stream.ts";
import type { AnyStageFactory } from "./stage.ts";
import { toBatchSource } from "./to_batch_source.ts";

// Named by where they stand: types for Node do not have the names that browsers and Deno have.
type PipeOptions = Parameters<ReadableStream["pipeTo"]>[1];

/**
 * A `ReadableStream` over a source that hands over micro-batches.
 *
 * It is an ordinary stream to everybody: `pipeThrough`, `pipeTo`, `tee`, `getReader`, `for await`.
 * Behind the face it hands whole micro-batches to operators of this package, which then run as one
 * however many they are, to a {@linkcode SinkStream}, and to `for await`.
 *
 * - Lazy: nothing is pulled before the first read (highWaterMark 0).
 * - Backpressure: the next pull comes when a reader waits and all items of the last one are read. So
 *   at most one micro-batch is held, and it is as large as the source made it.
 * - `cancel(reason)`, and `break` out of `for await`, reach the source with the same reason, and
 *   `cancel()` waits for the source. What was held is dropped.
 * - A source that always has items at once does not stop timers and sockets: they get a turn after
 *   5 ms of work.
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
  readonly #feed: Feed<T>;

  /**
   * Creates the stream; nothing is pulled yet.
   *
   * @param source Where the items come from. It belongs to the stream from now on.
   */
  constructor(source: BatchSource<T>) {
    const feed = new Feed(source);
    super(feed, { highWaterMark: 0 });
    this.#feed = feed;
  }

  /**
   * Pipes the stream through a transform. Operators of this package that follow each other run as one.
   *
   * @param transform An operator or any other pair of streams.
   * @param options As for any `ReadableStream`. An aborted `signal` cancels the source and fails what
   * comes out, both with its reason; what came out and was not read is dropped.
   * @returns `transform.readable`.
   *
   * @throws {TypeError} when one of the streams is locked.
   * @throws {FalcoClosedError} when an operator has been used before.
   */
  override pipeThrough<U>(
    transform: ReadableWritablePair<U, T>,
    options?: Parameters<ReadableStream<T>["pipeThrough"]>[1],
  ): ReadableStream<U> {
    return this.#fuse(transform, options) ?? super.pipeThrough(transform, options);
  }

  /**
   * Pipes the stream into a sink. A {@linkcode SinkStream} gets the items without a queue in between.
   *
   * @param destination The sink.
   * @param options As for any `ReadableStream`. An aborted `signal` cancels the source and aborts the
   * sink with its reason, when the write under way is done.
   * @returns A promise that is settled when the sink is closed, or all has failed: it rejects with the
   * error of the source, an operator or the sink, or with the reason of the signal.
   */
  override pipeTo(
    destination: WritableStream<T>,
    options?: Parameters<ReadableStream<T>["pipeTo"]>[1],
  ): Promise<void> {
    const direct = this.#canFuse(options)
      ? (destination as Partial<SinkStream<T>> | undefined)?.[itemSink]?.()
      : undefined;
    if (direct === undefined) return super.pipeTo(destination, options);
    return new SinkDrive(this.#feed, super.getReader(), direct, options?.signal).done;
  }

  /**
   * Iterates over the items.
   *
   * @param options With `preventCancel` the stream is not cancelled when the loop is left, and keeps
   * every item that the loop has not had.
   * @returns The iterator; the stream is locked until it is over.
   *
   * @throws {TypeError} when the stream is locked.
   */
  override values(
    options?: Parameters<ReadableStream<T>["values"]>[0],
  ): ReturnType<ReadableStream<T>["values"]> {
    if (this.locked || !this.#feed.isDirect) return super.values(options);
    return new BatchIterator(this.#feed, super.getReader(), options?.preventCancel === true);
  }

  /** The same as {@linkcode EventStream.values}. */
  override [Symbol.asyncIterator](
    options?: Parameters<ReadableStream<T>["values"]>[0],
  ): ReturnType<ReadableStream<T>["values"]> {
    return this.values(options);
  }

  /**
   * Makes an `EventStream` of anything that can be iterated or read.
   *
   * An array is handed over in slices of 64, an `EventStream` as its source does it, anything else an
   * item at a time and not an item ahead. A foreign stream does not say whether it holds more: the only
   * way to find out is to ask, and a source that holds nothing would then be pulled for an item that
   * nobody wants yet. Cancelling a stream cancels it with the same reason; cancelling an iterator calls
   * its `return`.
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
    // Not by a reader, which would take it apart into items.
    if (items instanceof EventStream && items.#canFuse(undefined)) {
      return items.#run<T>([], undefined);
    }
    return new EventStream(toBatchSource(items));
  }

  /** Runs the stages of an unused operator behind this stream; undefined if that is for the platform. */
  #fuse<U>(
    transform: ReadableWritablePair<U, T>,
    options: PipeOptions,
  ): ReadableStream<U> | undefined {
    const operator = transform as Partial<OperatorStream<T, U>> | null | undefined;
    if (typeof operator?.[operatorStages] !== "function" || !this.#canFuse(options)) return;
    const sides = new FusedSides<T, U>();
    let factories: readonly AnyStageFactory[];
    try {
      factories = operator[operatorStages](sides);
    } catch {
      // It has been used; the platform refuses it in its own words.
      return;
    }
    // deno-lint-ignore no-explicit-any
    const stream = partsOf(factories).reduce<EventStream<any>>((above, part, index) => {
      // What is behind a link learns of an abort from the link, in turn.
      const signal = index === 0 ? options?.signal : undefined;
      return typeof part === "function" ? above.#link(part, signal) : above.#run(part, signal);
    }, this);
    sides.open(stream, () => stream.#isFinished);
    return stream;
  }

  /** Adds stages to the chain that this stream comes out of, or begins one. */
  #run<U>(stages: readonly AnyStageFactory[], signal: AbortSignal | undefined): EventStream<U> {
    const { source } = this.#feed;
    const begun = source instanceof FusedSource && !source.started ? source : undefined;
    // What comes out of it is what comes out of its last operator.
    const fused = (begun ?? new FusedSource()) as FusedSource<U>;
    const readable = new EventStream<U>(fused);
    fused.add(this.#feed, super.getReader(), stages, readable.#feed, signal);
    return readable;
  }

  /** Runs a link behind this stream. */
  #link<U>(link: Link<T, U>, signal: AbortSignal | undefined): EventStream<U> {
    const input = new FeedSource(this.#feed, super.getReader(), signal);
    const linked = link(input, { interrupt: (reason) => readable.#feed.interrupt(reason) });
    const readable = new EventStream<U>(linked);
    input.listen((reason) => linked.interrupt(reason));
    return readable;
  }

  /** True if it has come to its end, or will once its last items are read. */
  get #isFinished(): boolean {
    const { source, isOver } = this.#feed;
    return isOver || source instanceof FusedSource && source.finished;
  }

  #canFuse(options: PipeOptions | null): boolean {
    const { preventAbort, preventCancel, preventClose, signal } = options ?? {};
    return !this.locked && this.#feed.isDirect && !preventAbort && !preventCancel &&
      !preventClose && (signal === undefined || signal instanceof AbortSignal);
  }
}
