/** The streams that a fused chain has taken over. @module */
import type { Feed, Pulled } from "./feed.ts";

/**
 * The stream at the top of a chain, and those between its operators, which nobody reads but which are
 * locked as in any pipe. Each is left in the state that a pipe would leave it in.
 */
export class ChainInput {
  readonly #feeds: Feed<unknown>[] = [];
  #over = false;

  /** True if no more comes from it: it has ended or failed, or the chain has left. */
  get over(): boolean {
    return this.#over;
  }

  /** Adds a stream below the others; it is locked already. */
  add(feed: Feed<unknown>): void {
    this.#feeds.push(feed);
  }

  /** Takes the next micro-batch of the stream at the top, as {@linkcode Feed.take} does. */
  take(): Pulled<unknown> {
    return this.#feeds[0]!.take();
  }

  /** The source has ended. */
  end(): void {
    this.#over = true;
    for (const feed of this.#feeds) feed.end();
  }

  /** The source has failed; false if all was over before. */
  fail(error: unknown): boolean {
    if (this.#over) return false;
    this.#over = true;
    for (const feed of this.#feeds) feed.fail(error);
    return true;
  }

  /**
   * Cancels the source, of whose items so many were not used; the promise is the source's, or undefined
   * if all was over before.
   */
  leave(reason: unknown, unused: number): Promise<void> | undefined {
    if (this.#over) return;
    this.#over = true;
    const [top, ...others] = this.#feeds;
    const left = top?.leave(reason, unused);
    for (const feed of others) feed.end();
    return left;
  }
}
