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
  /** How many writes the stream has not finished yet. */
  #unfinished = 0;
  #onClosed: () => void = () => {};
  #waiting: (() => void)[] = [];
  /** Resolves when the reader has caught up; undefined while it keeps up. */
  #room: Promise<void> | undefined;
  #onRoom: () => void = () => {};

  /** @param stream Such as `process.stdout`. */
  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on("error", (error) => this.#fail(error));
    stream.on("drain", () => this.#makeRoom());
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
    // Each write is asked for, since Bun finishes a last, empty one before those that wait for a reader.
    while (this.#unfinished > 0 && !this.#closed && this.#failure === undefined) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  #fail(error: Error & { code?: string }): void {
    // A reader such as `head` that has seen enough: no error, but a reason to stop.
    if (error.code === "EPIPE") this.#closed = true;
    else if (!this.#closed) this.#failure ??= error;
    this.#onClosed();
    this.#makeRoom();
    this.#wake();
  }

  #makeRoom(): void {
    this.#room = undefined;
    this.#onRoom();
  }

  /** Lets whoever waits in `flush` look again. */
  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #send(): void | Promise<void> {
    const text = this.#text;
    this.#text = "";
    if (text === "" || this.#closed || this.#failure !== undefined) return;
    this.#unfinished++;
    const finish = (error?: Error | null) => {
      this.#unfinished--;
      if (error) this.#fail(error);
      this.#wake();
    };
    try {
      if (this.#stream.write(text, finish)) return;
    } catch (error) {
      // A file that is full, on Deno.
      finish(error as Error);
      return;
    }
    return this.#room ??= new Promise((resolve) => this.#onRoom = resolve);
  }
}
