/** Why a client could not come in over TLS. @module */

/** What was wrong with somebody whom TLS has turned away. */
export type HandshakeFailure =
  /** It showed no certificate. */
  | "no-certificate"
  /** Nobody who is trusted has signed its certificate, or it has expired. */
  | "untrusted-certificate"
  /** It did not speak TLS. */
  | "no-tls"
  /** It speaks only TLS 1.1 or older. */
  | "old-tls"
  /** It hung up, or something else. */
  | "other";

const failures: { readonly [code: string]: HandshakeFailure } = {
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: "no-certificate",
  ERR_SSL_WRONG_VERSION_NUMBER: "no-tls",
  ERR_SSL_HTTP_REQUEST: "no-tls",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "old-tls",
};

/**
 * Reads the error that a runtime has for it. That of a certificate which is not trusted says no more
 * than "socket hang up" on Node and Deno; the socket knows.
 *
 * @param error The error of `tlsClientError`.
 * @param socket What comes with it.
 * @returns What was wrong.
 */
export function handshakeFailure(
  error: Error,
  socket: { readonly authorizationError?: unknown } | undefined,
): HandshakeFailure {
  const { code = "" } = error as { code?: string };
  if (Object.hasOwn(failures, code)) return failures[code]!;
  const { authorizationError } = socket ?? {};
  const isTrusted = authorizationError === undefined || authorizationError === null;
  return isTrusted ? "other" : "untrusted-certificate";
}
