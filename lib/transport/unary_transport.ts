/** Single calls, through connect. @module */
import { Code, ConnectError } from "@connectrpc/connect";
import type { Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { FalcoError, FalcoRpcError } from "../errors.ts";
import { connectionError } from "./connection_error.ts";
import type { SessionManager } from "./session_manager.ts";

/**
 * Makes connect's gRPC transport run on our connection.
 *
 * @param manager The connection.
 * @returns The transport, for single calls; streams of alerts go through `ClientCall`.
 */
export function createUnaryTransport(manager: SessionManager): Transport {
  return createGrpcTransport({
    baseUrl: manager.origin,
    sessionManager: {
      authority: manager.origin,
      async request(method, path, headers, options) {
        const session = await manager.session();
        const stream = session.request({ ...headers, ":method": method, ":path": path }, options);
        session.ref();
        stream.once("close", () => {
          if (!session.destroyed) session.unref();
        });
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
 * @param signal The caller's signal, whose reason is what a cancelled call throws.
 * @returns The error to throw.
 */
export function unaryError(
  error: unknown,
  method: string,
  manager: SessionManager,
  signal: AbortSignal | undefined,
): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof FalcoError) return error;
  if (!(error instanceof ConnectError)) return connectionError(manager.address, error, "open");
  if (error.cause instanceof FalcoError) return error.cause;
  // connect reports a lost connection as cancelled, or as a missing status.
  const isLost = error.code === Code.Canceled || error.code === Code.Unavailable ||
    error.code === Code.Aborted || /missing status/.test(error.rawMessage);
  if (isLost) return connectionError(manager.address, error.cause ?? error, "open");
  return new FalcoRpcError(`Cannot call ${method}: status ${error.code} (${error.rawMessage})`, {
    method,
    status: error.code,
    cause: error,
  });
}
