/** `for await` over a stream, without a read for every item. @module */
import type { Feed } from "./feed.ts";
import { Pacer } from "./pacer.ts";

const stretch = 64;

/**
 * The iterator of a stream, as the platform's own behaves, that takes micro-batches.
 *
 * Calls are served in order, one at a time. After the end, an error or `return()` the stream is not
 * locked any more and `next()` says that it is over.
 */
export class BatchIterator<T> implements AsyncIterableIterator<T> {
  readonly #preventCancel: boolean;
  readonly #pacer = new Pacer();
  // Undefined once it is over.
  #feed: Feed<T> | undefined;
  #items: readonly T[] = [];
  #index = 0;
  // Up to where items can be given out without a look at the time.
  #limit = 0;
  #ongoing: Promise<unknown> | undefined;

  /**
   * @param feed What to take from.
   * @param reader What the stream has been locked with.
   * @param preventCancel True to leave the stream to others after `return()`.
   */
  constructor(feed: Feed<T>, reader: ReadableStreamDefaultReader<T>, preventCancel: boolean) {
    this.#feed = feed;
    this.#preventCancel = preventCancel;
    feed.lock(reader, () => this.#drop());
  }

  /** @inheritdoc */
  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#index < this.#limit && this.#ongoing === undefined) {
      return Promise.resolve({ done: false, value: this.#items[this.#index++]! });
    }
    return this.#inTurn(() => this.#next());
  }

  /** Leaves the stream; cancels it, unless it is to be left to others. */
  return(value?: unknown): Promise<IteratorResult<T, undefined>> {
    return this.#inTurn(async () => {
      const feed = this.#feed;
      const rest = this.#items.slice(this.#index);
      this.#drop();
      this.#feed = undefined;
      if (this.#preventCancel) feed?.giveBack(rest);
      else await feed?.leave(value, rest.length);
      return { done: true, value: value as undefined };
    });
  }

  /** @inheritdoc */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Leaves the stream. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #next(): Promise<IteratorResult<T, undefined>> {
    while (this.#feed !== undefined) {
      if (this.#pacer.due()) {
        await new Promise<void>((resolve) => void this.#pacer.giveTurn(resolve));
      }
      if (this.#index < this.#items.length) {
        this.#limit = Math.min(this.#index + stretch, this.#items.length);
        return { done: false, value: this.#items[this.#index++]! };
      }
      await this.#pull(this.#feed);
    }
    return { done: true, value: undefined };
  }

  async #pull(feed: Feed<T>): Promise<void> {
    this.#drop();
    try {
      const pulled = feed.take();
      const batch = pulled === null || "length" in pulled ? pulled : await pulled;
      if (batch !== null) {
        this.#items = batch;
        return;
      }
    } catch (error) {
      this.#feed = undefined;
      feed.fail(error);
      throw error;
    }
    this.#feed = undefined;
    feed.end();
  }

  #drop(): void {
    this.#items = [];
    this.#index = 0;
    this.#limit = 0;
  }

  #inTurn<R>(step: () => Promise<R>): Promise<R> {
    // Never at once: a step can call functions of the user, and they the iterator.
    const result = (this.#ongoing ?? Promise.resolve()).then(step, step);
    const settled = (): void => {
      if (this.#ongoing === result) this.#ongoing = undefined;
    };
    this.#ongoing = result;
    result.then(settled, settled);
    return result;
  }
}
