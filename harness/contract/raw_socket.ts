/** Connections without HTTP/2. @module */
import type { Socket } from "node:net";

/**
 * Waits until the other side closes.
 *
 * @param socket A connection; it is destroyed afterwards.
 * @returns How many bytes came before.
 */
export async function bytesUntilClosed(socket: Socket): Promise<number> {
  let bytes = 0;
  socket.on("data", (chunk: Uint8Array) => bytes += chunk.length);
  try {
    await new Promise<void>((resolve) => {
      socket.on("error", () => resolve()); // a reset is an end, too
      socket.on("end", () => resolve());
      socket.on("close", () => resolve());
    });
  } finally {
    socket.destroy();
  }
  return bytes;
}
