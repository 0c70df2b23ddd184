/** What goes wrong with an HTTP request, in the words of libcurl, which Falco logs. @module */

/** The texts of libcurl for its error codes, as far as Falco can meet them. */
export const curlTexts = {
  unsupportedProtocol: "Unsupported protocol",
  badUrl: "URL using bad/illegal format or missing URL",
  unknownHost: "Couldn't resolve host name",
  noConnection: "Couldn't connect to server",
  partialBody: "Transferred a partial file",
  timeout: "Timeout was reached",
  tlsFailed: "SSL connect error",
  nothingReturned: "Server returned nothing (no headers, no data)",
  sendFailed: "Failed sending data to the peer",
  receiveFailed: "Failure when receiving data from the peer",
  badClientCertificate: "Problem with the local SSL certificate",
  badServerCertificate: "SSL peer certificate or SSH remote key was not OK",
  badAuthority: "Problem with the SSL CA cert (path? access rights?)",
} as const;

/** A failure, by its key in {@linkcode curlTexts}. */
export type CurlFailure = keyof typeof curlTexts;

/** A request that failed; its message is libcurl's. */
export class CurlError extends Error {
  /** The name of the class. */
  override name: string = "CurlError";
  /** What failed. */
  readonly failure: CurlFailure;

  /**
   * @param failure What failed.
   * @param cause The error below.
   */
  constructor(failure: CurlFailure, cause?: unknown) {
    super(curlTexts[failure], { cause });
    this.failure = failure;
  }
}

/**
 * Translates an error of a socket that was not connected yet.
 *
 * @param error What the socket said.
 * @returns libcurl's error for it.
 */
export function connectFailure(error: unknown): CurlError {
  const { code = "", message = "", errors } = error as {
    code?: string;
    message?: string;
    errors?: readonly unknown[];
  };
  // All addresses of a name were tried.
  if (code === "" && errors !== undefined && errors.length > 0) return connectFailure(errors[0]);
  if (/ENOTFOUND|EAI_|ENODATA/.test(code)) return new CurlError("unknownHost", error);
  if (/ETIMEDOUT/.test(code)) return new CurlError("timeout", error);
  if (/CERT|SELF_SIGNED|UNABLE_TO/.test(code) || /certificate/i.test(message)) {
    return new CurlError("badServerCertificate", error);
  }
  if (/ECONNRESET|EPIPE/.test(code)) return new CurlError("receiveFailed", error);
  if (/SSL|TLS|EPROTO/.test(code) || /\b(ssl|tls)\b/i.test(message)) {
    return new CurlError("tlsFailed", error);
  }
  return new CurlError("noConnection", error);
}
