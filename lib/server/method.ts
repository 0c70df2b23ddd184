/** What a method of the server is made of. @module */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import type { AlertQueue } from "./alert_queue.ts";
import type { ServerCall } from "./server_call.ts";
import type { Slots } from "./slots.ts";

/** Answers a call: sends through `call`, and hears from the client through what it returns. */
export type Method = (call: ServerCall, context: MethodContext) => RequestHandler;

/** What a method does with what its client does. */
export interface RequestHandler {
  /** A request came. */
  request(message: Uint8Array): void;
  /** No more will come: half-close, or bytes that are no gRPC message. */
  requestsEnd(): void;
}

/** What a method knows of the server that it is part of, for one call. */
export interface MethodContext {
  /** An encoded `falco.version.response`. */
  readonly versionMessage: Uint8Array;
  /** The queue to drain. It is closed with the call. */
  readonly queue: AlertQueue;
  /** Whether the server has been stopped: calls then end as soon as they look at the queue. */
  readonly stopping: boolean;
  /** The server's threads; only what blocks one has to ask for it. */
  readonly threads: Slots;
  /** Asks to be called once if the server is stopped. */
  onStop(listener: () => void): void;
  /** An alert has been taken out of the queue. */
  alert(): void;
  /**
   * Takes several alerts out of the queue and sends them, where that can be done at once.
   *
   * @returns As `ServerCall.write`; undefined if it cannot be done.
   */
  sendRun(): boolean | undefined;
  /** A request has found the queue empty, and is gone without an answer. */
  emptyPull(): void;
  /** The request was no message of its type. */
  undecodable(): void;
  /** Whether alerts are on their way to the client, so that a cancel loses some. */
  draining: boolean;
  /** Frees the call's slot for another; the call itself may stay open. */
  leave(): void;
}

/** gRPC's status for a request that cannot be read. */
const INTERNAL = 13;

/**
 * For methods with one request: gRPC's C++ server refuses what it cannot decode, and none at all.
 * Whatever comes after it is ignored.
 *
 * @param call The call.
 * @param context As the method got it.
 * @param serve Answers the request.
 * @returns What the method returns.
 */
export function onSingleRequest(
  call: ServerCall,
  context: MethodContext,
  serve: (message: Uint8Array) => void,
): RequestHandler {
  let served = false;
  const refuse = (): void => {
    call.finish(INTERNAL, "Unable to parse request");
    context.leave();
  };
  return {
    request(message) {
      if (served) return;
      served = true;
      if (isDecodable(message)) return serve(message);
      context.undecodable();
      refuse();
    },
    requestsEnd() {
      if (served) return;
      served = true;
      refuse();
    },
  };
}

/**
 * Looks whether a request can be decoded. Requests are empty, or nearly; fields of older or newer
 * clients are skipped.
 *
 * @param message The request.
 */
export function isDecodable(message: Uint8Array): boolean {
  try {
    const reader = new BinaryReader(message);
    while (reader.pos < reader.len) {
      const [number, type] = reader.tag();
      reader.skip(type, number);
    }
    return reader.pos === reader.len;
  } catch {
    return false;
  }
}

/**
 * Reads field 1 of a request, if it is a bool: `keepalive` of `falco.output.request`.
 *
 * @param message A request that can be decoded.
 * @returns Its last value; false if it is not there.
 */
export function readKeepalive(message: Uint8Array): boolean {
  const reader = new BinaryReader(message);
  let keepalive = false;
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (number === 1 && type === WireType.Varint) keepalive = reader.bool();
    else reader.skip(type, number);
  }
  return keepalive;
}
