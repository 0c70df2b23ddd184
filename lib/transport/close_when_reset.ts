/** Streams that a server reset without an error. @module */
import type { ClientHttp2Stream } from "node:http2";
import { setImmediate } from "node:timers";

/**
 * Lets a stream close that the server reset with code 0 (NO_ERROR).
 *
 * Node up to 24, and Deno 2.9 with it, tell of the end of such a stream and then wait until all that
 * was written is sent. What had no room in the server's window never is, so "close" would not come,
 * and whoever waits for it would wait for ever.
 *
 * @param stream The stream. It is destroyed in the turn after its end, if it is reset by then.
 */
export function closeWhenReset(stream: ClientHttp2Stream): void {
  stream.on("end", () => {
    // Trailers, and a "close" of the runtime's own, come first.
    setImmediate(() => {
      if (stream.closed && !stream.destroyed) stream.destroy();
    });
  });
}
