/** connect-node's transport, on our connection. @module */
import type { ClientHttp2Stream } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { FalcoError } from "../errors.ts";
import { answerError, connectionError } from "./connection_error.ts";
import { FramingError } from "./message_splitter.ts";
import { rpcError } from "./rpc_error.ts";
import type { SessionManager } from "./session_manager.ts";
import { unreadableError } from "./unreadable_error.ts";

/**
 * Makes connect's gRPC transport run on our connection.
 *
 * @param manager The connection.
 * @param maxMessageBytes The longest answer to accept.
 * @param onStream Learns of the stream of each call, once there is one.
 * @returns The transport.
 */
export function createStockTransport(
  manager: SessionManager,
  maxMessageBytes: number,
  onStream?: (stream: ClientHttp2Stream) => void,
): Transport {
  return createGrpcTransport({
    baseUrl: manager.origin,
    readMaxBytes: Math.min(Math.ceil(maxMessageBytes), 0xffff_ffff), // connect takes no more
    sessionManager: {
      authority: manager.origin,
      async request(method, path, headers, options) {
        const stream = await manager.request(
          { ...headers, ":method": method, ":path": path },
          options,
        );
        let answered = false;
        stream.on("error", () => {}); // told to connect's own listener, which is not there yet
        stream.once("response", (answer) => {
          answered = true;
          const error = answerError(manager.address, answer);
          if (error !== undefined) stream.emit("error", error);
        });
        stream.once("close", () => {
          // Where the runtime knows no reset code (Bun, Deno) connect would wait for ever.
          if (!answered) {
            stream.emit("error", connectionError(manager.address, undefined, "open"));
          }
        });
        onStream?.(stream);
        return stream;
      },
      notifyResponseByteRead() {},
    },
  });
}

/**
 * Turns what connect throws into an error of this package.
 *
 * @param error What was thrown.
 * @param method The method that was called.
 * @param manager The connection.
 * @returns The error to throw.
 */
export function stockError(
  error: unknown,
  method: string,
  manager: SessionManager,
): unknown {
  if (error instanceof FalcoError) return error;
  if (!(error instanceof ConnectError)) return connectionError(manager.address, error, "open");
  if (error.cause instanceof FalcoError) return error.cause;
  const problem = brokenMessage(error.rawMessage);
  if (problem !== undefined) {
    // As our own framing has it, where it finds the same; connect's statuses are several.
    const status = problem.startsWith("the message") ? Code.ResourceExhausted : error.code;
    return unreadableError(method, status, problem, new FramingError(problem, { cause: error }));
  }
  if (isLost(error)) return connectionError(manager.address, error.cause ?? error, "open");
  return rpcError(method, error.code, error.rawMessage, error);
}

/** What is wrong with a message, if that is what connect speaks of. */
function brokenMessage(text: string): string | undefined {
  const size = /^message size (\d+) is larger than configured readMaxBytes (\d+)$/.exec(text);
  if (size !== null) return `the message has ${size[1]} bytes, ${size[2]} are allowed`;
  if (text.startsWith("received compressed envelope")) return "the message is compressed";
  const parsed = /^parse binary: (.*)$/s.exec(text)?.[1];
  return parsed === undefined ? undefined : `a message is not what the contract says (${parsed})`;
}

/** A lost connection has no status of its own: connect takes it for one of several. */
function isLost(error: ConnectError): boolean {
  if (/missing status$|^http\/2 stream closed/.test(error.rawMessage)) return true;
  const { code } = (error.cause ?? {}) as { code?: unknown };
  return typeof code === "string" && /^ERR_HTTP2|^ERR_STREAM|^E[A-Z]+$/.test(code);
}
