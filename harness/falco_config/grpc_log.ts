/** What gRPC's server tells Falco's log. @module */
import type { HandshakeFailure } from "../../lib/server/handshake_failure.ts";

/** As Falco logs it: the text at the start, then, when the last client has gone, the others. */
export const stopping =
  "Shutting down gRPC server. Waiting until external connections are closed by clients";

/** What follows {@linkcode stopping} once nobody is there any more. */
export const stopped: readonly string[] = [
  "Waiting for the gRPC threads to complete",
  "Draining all the remaining gRPC events",
  "Shutting down gRPC server complete",
];

/** OpenSSL's words for what was wrong with a client. */
const reasons: { readonly [failure in Exclude<HandshakeFailure, "other">]: string } = {
  "no-certificate": "error:0A0000C7:SSL routines::peer did not return a certificate",
  "untrusted-certificate": "error:0A000086:SSL routines::certificate verify failed",
  "no-tls": "error:0A00010B:SSL routines::wrong version number",
  "old-tls": "error:0A000102:SSL routines::unsupported protocol",
};

/**
 * The line for a client that TLS has turned away.
 *
 * @param failure What was wrong with it.
 * @returns The line; undefined if gRPC says nothing of it.
 */
export function handshakeLine(failure: HandshakeFailure): string | undefined {
  if (failure === "other") return undefined;
  return `grpc: Handshake failed with fatal error SSL_ERROR_SSL: ${reasons[failure]}.`;
}
