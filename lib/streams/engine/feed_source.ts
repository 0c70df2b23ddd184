/** A stream as the source of what is behind it. @module */
import type { BatchSource } from "./batch_source.ts";
import type { Feed, Pulled } from "./feed.ts";

/** Takes the micro-batches of a stream, and leaves it in the state that a reader would leave it in. */
export class FeedSource<T> implements BatchSource<T> {
  readonly #feed: Feed<T>;
  readonly #signal: AbortSignal | undefined;
  #interrupt: ((reason: unknown) => void) | undefined;
  #over = false;

  /**
   * @param feed What the items of the stream come through.
   * @param reader What the stream has been locked with.
   * @param signal Cancels the stream, and interrupts what is behind it.
   */
  constructor(
    feed: Feed<T>,
    reader: ReadableStreamDefaultReader<T>,
    signal: AbortSignal | undefined,
  ) {
    this.#feed = feed;
    this.#signal = signal;
    feed.lock(reader, (reason) => {
      if (this.#failed(reason)) this.#interrupt?.(reason);
    });
  }

  /**
   * Begins to listen to the signal.
   *
   * @param interrupt Called when the stream has failed, or the signal was aborted, before the end.
   */
  listen(interrupt: (reason: unknown) => void): void {
    this.#interrupt = interrupt;
    if (this.#signal?.aborted) this.#onAbort();
    else this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Takes the next micro-batch. */
  pull(): Pulled<T> {
    let pulled: Pulled<T>;
    try {
      pulled = this.#feed.take();
    } catch (error) {
      this.#failed(error);
      throw error;
    }
    if (pulled === null) return this.#ended();
    if ("length" in pulled) return pulled;
    return pulled.then((batch) => batch ?? this.#ended(), (error) => {
      this.#failed(error);
      throw error;
    });
  }

  /** Cancels the stream; nothing if it is over. */
  cancel(reason: unknown): void | Promise<void> {
    if (this.#finish()) return this.#feed.leave(reason);
  }

  readonly #onAbort = (): void => {
    const reason: unknown = this.#signal?.reason;
    if (!this.#finish()) return;
    this.#feed.leave(reason).catch(() => {});
    this.#interrupt?.(reason);
  };

  #ended(): null {
    if (this.#finish()) this.#feed.end();
    return null;
  }

  /** False if it was over before. */
  #failed(error: unknown): boolean {
    if (!this.#finish()) return false;
    this.#feed.fail(error);
    return true;
  }

  #finish(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    return true;
  }
}
