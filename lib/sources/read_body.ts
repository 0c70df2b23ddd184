/** The body of a request. @module */
import type { IncomingMessage } from "node:http";

/**
 * Reads the body of a request.
 *
 * @param request The request.
 * @param maxBytes How long it may be.
 * @returns The body as text, with bad UTF-8 replaced by U+FFFD; undefined if it is too long, and
 * then nothing more of it is read.
 * @throws {Error} If the connection breaks before its end.
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let length = 0;
    request.on("data", (chunk: Uint8Array) => {
      length += chunk.length;
      if (length <= maxBytes) return chunks.push(chunk);
      request.removeAllListeners("data");
      request.pause();
      resolve(undefined);
    });
    request.on("error", reject);
    request.on("end", () => {
      const decoder = new TextDecoder();
      const parts = chunks.map((chunk) => decoder.decode(chunk, { stream: true }));
      resolve(parts.join("") + decoder.decode());
    });
  });
}
