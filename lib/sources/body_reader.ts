/** The bodies of requests. @module */
import type { IncomingMessage } from "node:http";

/**
 * Reads bodies into memory, and knows how much of it all of them take that are not complete: many
 * senders that are slow, or lie about a length, must not fill it.
 */
export class BodyReader {
  readonly #maxBytes: number;
  readonly #maxTotalBytes: number;
  #total = 0;

  /**
   * @param maxBytes How long a body may be.
   * @param maxTotalBytes How much there may be of all bodies that are not complete.
   */
  constructor(maxBytes: number, maxTotalBytes: number) {
    this.#maxBytes = maxBytes;
    this.#maxTotalBytes = maxTotalBytes;
  }

  /**
   * Reads the body of a request.
   *
   * @param request The request.
   * @returns The body as text, with bad UTF-8 replaced by U+FFFD; or why nothing more of it is read:
   * it is too long (`size`), or there is too much of the others (`total`).
   * @throws {Error} If the connection breaks before its end.
   */
  read(request: IncomingMessage): Promise<{ text: string } | "size" | "total"> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    /** In the same turn: requests that came together are read in one. */
    const release = () => {
      this.#total -= length;
      length = 0;
    };
    return new Promise((resolve, reject) => {
      request.on("data", (chunk: Uint8Array) => {
        length += chunk.length;
        this.#total += chunk.length;
        const isTooLong = length > this.#maxBytes;
        if (!isTooLong && this.#total <= this.#maxTotalBytes) return chunks.push(chunk);
        request.removeAllListeners("data");
        request.pause();
        release();
        resolve(isTooLong ? "size" : "total");
      });
      request.on("error", (error) => {
        release();
        reject(error);
      });
      let isComplete = false;
      request.on("close", () => {
        release();
        // Not for each that was read: an error takes as long to make as the rest of this.
        if (!isComplete) reject(new Error("the connection was closed"));
      });
      request.on("end", () => {
        isComplete = true;
        release();
        resolve({ text: textOf(chunks) });
      });
    });
  }
}

function textOf(chunks: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  const parts = chunks.map((chunk) => decoder.decode(chunk, { stream: true }));
  return parts.join("") + decoder.decode();
}
