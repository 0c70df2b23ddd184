/** Compressed requests. @module */
import { gunzipSync, inflateSync } from "node:zlib";
import { FramingError } from "../transport/message_splitter.ts";

/**
 * Unpacks a request whose frame says that it is compressed, as gRPC's C++ server does by default.
 *
 * @param message The message as it came.
 * @param encoding The header `grpc-encoding` of the call.
 * @param maxBytes The longest message to make of it.
 * @returns The message. It is left as it is if the encoding is none that gRPC knows: Falco was seen to
 * accept such a header, so what it reads then is the compressed bytes.
 * @throws {FramingError} If it cannot be unpacked, or would be longer than allowed.
 */
export function inflateMessage(
  message: Uint8Array,
  encoding: string | string[] | undefined,
  maxBytes: number,
): Uint8Array {
  try {
    if (encoding === "gzip") return gunzipSync(message, { maxOutputLength: maxBytes });
    // In gRPC and HTTP alike, "deflate" is the zlib format.
    if (encoding === "deflate") return inflateSync(message, { maxOutputLength: maxBytes });
    return message;
  } catch (cause) {
    throw new FramingError(`the message cannot be unpacked with ${encoding}`, { cause });
  }
}
