/** The end of a pipeline, in three functions. @module */

/**
 * Gives out the functions of a {@linkcode SinkStream}: its hidden side, for a runner that drives the
 * sink without a queue in between. The name carries a version, since two copies of this package can
 * meet in one program.
 */
export const itemSink: unique symbol = Symbol.for("@falco-streams/core/sink.v1");

/**
 * A sink that is driven directly, and locked for that. Only `write` goes past the stream; the other
 * ways change its state too, so that it looks from outside as after any pipe.
 */
export interface DirectSink<T> {
  /** What to write to, an item at a time. What it throws goes to `fail`. */
  readonly target: Pick<ItemSink<T>, "write" | "interrupt">;
  /** Fails the stream as a failed write does. */
  fail(error: unknown): void;
  /** Closes the sink. */
  close(): Promise<void>;
  /** Aborts the sink, unless it has failed. */
  abort(reason: unknown): Promise<void>;
  /** Unlocks the stream. */
  release(): void;
}

/**
 * What a {@linkcode SinkStream} is made of.
 *
 * The three are called one at a time. What `write` or `close` throws, or rejects with, fails the
 * stream, and `pipeTo` then rejects with it and cancels its source with it.
 *
 * @typeParam T The type of the items.
 *
 * @example
 * ```ts
 * import type { ItemSink } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const lines: string[] = [];
 * const sink: ItemSink<string> = { write: (line) => void lines.push(line) };
 * await sink.write("one");
 * assert.deepEqual(lines, ["one"]);
 * ```
 */
export interface ItemSink<T> {
  /**
   * Takes one item.
   *
   * @param item The item.
   * @returns A promise if that takes time. The next item comes when it is settled.
   */
  write(item: T): void | Promise<void>;
  /** All items are written. Not called after `abort` or a failure. */
  close?(): void | Promise<void>;
  /**
   * There will be no more items, and not in good order.
   *
   * @param reason The error of the source, or what the caller of `abort()` gave.
   */
  abort?(reason: unknown): void | Promise<void>;
  /**
   * The stream has been aborted while `write` or `close` is under way, which `abort` waits for: a sink
   * that can cut it short does so here. It must not throw.
   *
   * @param reason As for `abort`.
   */
  interrupt?(reason: unknown): void;
}

/**
 * Options of {@linkcode SinkStream}.
 *
 * @example
 * ```ts
 * import type { SinkStreamOptions } from "@falco-streams/core/streams";
 *
 * const options: SinkStreamOptions = { highWaterMark: 16 };
 * console.assert(options.highWaterMark === 16);
 * ```
 */
export interface SinkStreamOptions {
  /**
   * How many items may wait in the stream, the one being written included. A whole number from 1.
   *
   * @default {1} A sink that fails then loses no item but the one it had.
   */
  highWaterMark?: number;
}

/**
 * A `WritableStream` for items, made of a `write` function.
 *
 * @typeParam T The type of the items.
 *
 * @example
 * ```ts
 * import { EventStream, SinkStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const seen: number[] = [];
 * await EventStream.from([1, 2]).pipeTo(new SinkStream({ write: (n) => void seen.push(n) }));
 * assert.deepEqual(seen, [1, 2]);
 * ```
 */
export class SinkStream<T> extends WritableStream<T> {
  readonly #sink: ItemSink<T>;
  readonly #highWaterMark: number;
  readonly #controller: WritableStreamDefaultController;
  #hadWriter = false;

  /**
   * Creates the sink.
   *
   * @param sink What to do with the items.
   * @param options See {@linkcode SinkStreamOptions}.
   *
   * @throws {TypeError} when `sink` has no `write` function.
   * @throws {RangeError} when `highWaterMark` is not a whole number from 1.
   */
  constructor(sink: ItemSink<T>, options: SinkStreamOptions = {}) {
    const { highWaterMark = 1 } = options;
    if (typeof sink?.write !== "function") {
      throw new TypeError(`Cannot create ${new.target.name}: the sink has no "write" function`);
    }
    if (!Number.isInteger(highWaterMark) || highWaterMark < 1) {
      throw new RangeError(
        `Cannot create ${new.target.name}: "highWaterMark" must be a whole number from 1: current value is "${highWaterMark}"`,
      );
    }
    let controller: WritableStreamDefaultController | undefined;
    super({
      start(given) {
        controller = given;
        if (sink.interrupt === undefined) return;
        given.signal.addEventListener("abort", () => sink.interrupt?.(given.signal.reason));
      },
      write: (item) => sink.write(item),
      close: () => sink.close?.(),
      abort: (reason) => sink.abort?.(reason),
    }, { highWaterMark });
    this.#sink = sink;
    this.#highWaterMark = highWaterMark;
    this.#controller = controller!;
  }

  /**
   * Locks the stream to write to it, as for any `WritableStream`.
   *
   * @returns The writer.
   *
   * @throws {TypeError} when the stream is locked.
   */
  override getWriter(): WritableStreamDefaultWriter<T> {
    this.#hadWriter = true;
    return super.getWriter();
  }

  /**
   * Closes the stream, as for any `WritableStream`.
   *
   * @returns A promise that is settled when the sink is closed.
   */
  override close(): Promise<void> {
    this.#hadWriter = true;
    return super.close();
  }

  /**
   * Locks the stream to drive the sink directly.
   *
   * @returns The functions, or undefined if there may be items or an end in the stream already.
   *
   * @internal
   */
  [itemSink](): DirectSink<T> | undefined {
    if (this.#hadWriter || this.locked) return;
    const writer = super.getWriter();
    // Less than that, or null, if it is closed, failing, or busy with what another pipe has left.
    if (writer.desiredSize !== this.#highWaterMark) {
      writer.releaseLock();
      return;
    }
    return {
      target: this.#sink,
      fail: (error) => this.#controller.error(error),
      close: () => writer.close(),
      abort: (reason) => writer.abort(reason),
      release: () => writer.releaseLock(),
    };
  }
}
