/** Standard output and standard error of a command. @module */
import type { Writable } from "node:stream";

/** How much text to collect before it is written: fewer, larger writes are several times as fast. */
const CHUNK_CHARS = 64 * 1024;

/**
 * Writes text to a stream of the process, in order and whole, and notices when nobody reads it.
 *
 * Text is collected within one turn of the event loop, so nothing waits for more to come.
 */
export class Output {
  readonly #stream: Writable;
  #text = "";
  #scheduled = false;
  #closed = false;
  #failure: Error | undefined;
  #onClosed: () => void = () => {};

  /** @param stream Such as `process.stdout`. */
  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on("error", (error: Error & { code?: string }) => {
      // A reader such as `head` that has seen enough: no error, but a reason to stop.
      if (error.code === "EPIPE") this.#closed = true;
      else this.#failure ??= error;
      this.#onClosed();
    });
  }

  /** Whether the reader has gone away. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Calls back once the reader has gone away, or writing has failed.
   *
   * @param callback What to call.
   */
  onClosed(callback: () => void): void {
    this.#onClosed = callback;
    if (this.#closed || this.#failure !== undefined) callback();
  }

  /**
   * Writes text.
   *
   * @param text The text, with its line breaks.
   * @returns A promise if the reader is slow and has to be waited for.
   * @throws {Error} If an earlier write failed, for another reason than a reader that went away.
   */
  write(text: string): void | Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#text += text;
    if (this.#text.length >= CHUNK_CHARS) return this.#send();
    if (this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(() => {
      this.#scheduled = false;
      void this.#send();
    }, 0);
  }

  /**
   * Waits until all that was written has left the process.
   *
   * @returns A promise that resolves then, or at once if nobody reads.
   * @throws {Error} If a write failed.
   */
  async flush(): Promise<void> {
    void this.#send();
    if (!this.#closed && this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#onClosed = resolve;
        this.#stream.write("", () => resolve());
      });
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  #send(): void | Promise<void> {
    const text = this.#text;
    this.#text = "";
    if (text === "" || this.#closed || this.#failure !== undefined) return;
    if (this.#stream.write(text)) return;
    return new Promise((resolve) => {
      const done = () => {
        this.#stream.off("drain", done);
        this.#stream.off("error", done);
        resolve();
      };
      this.#stream.on("drain", done);
      this.#stream.on("error", done);
    });
  }
}
