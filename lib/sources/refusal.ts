/** Requests that bring no alert. @module */
import type { IncomingMessage, ServerResponse } from "node:http";
import { isAuthorized } from "./authorized.ts";
import type { RefusalReason } from "./http_receiver_options.ts";

/** What to answer instead of taking an alert. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
  /** What to count it as; undefined if all is well, as with `/healthz`. */
  readonly reason?: RefusalReason;
}

/** What the head of a request is held against. */
export interface RefusalOptions {
  readonly path?: string | undefined;
  readonly token?: string | undefined;
  readonly maxBodyBytes: number;
}

/**
 * Reads the head of a request.
 *
 * @param request The request.
 * @param options What it is held against.
 * @returns What it says against the request; undefined if nothing.
 */
export function refusalOf(request: IncomingMessage, options: RefusalOptions): Refusal | undefined {
  const { path, token, maxBodyBytes } = options;
  const { headers, method, url = "" } = request;
  const asked = url.split("?", 1)[0];
  if (method === "GET" && asked === "/healthz") return { status: 200, text: "ok" };
  if (path !== undefined && asked !== path) {
    return { status: 404, text: `alerts go to ${path}`, reason: "address" };
  }
  if (method !== "POST") return { status: 405, text: "alerts are posted", reason: "method" };
  if (token !== undefined && !isAuthorized(headers.authorization, token)) {
    return { status: 401, text: "the token is missing or wrong", reason: "authorization" };
  }
  if ((headers["content-encoding"] ?? "identity").toLowerCase() !== "identity") {
    return { status: 415, text: "the body must not be compressed", reason: "encoding" };
  }
  if (Number(headers["content-length"] ?? 0) > maxBodyBytes) return tooLong(maxBodyBytes);
  return undefined;
}

/** The refusal of a body that is too long. */
export function tooLong(maxBodyBytes: number): Refusal {
  return { status: 413, text: `the body is longer than ${maxBodyBytes} bytes`, reason: "size" };
}

/**
 * Answers a request.
 *
 * @param response Its response.
 * @param status The status.
 * @param text What to say, in a line.
 * @param isLast Whether the connection is to be closed.
 */
export function answer(
  response: ServerResponse,
  status: number,
  text: string,
  isLast = false,
): void {
  const body = text === "" ? "" : `${text}\n`;
  // The rest of a body that nobody reads would be taken for the next request.
  const isCutOff = status >= 400 && !response.req.complete;
  if (isLast || isCutOff) response.setHeader("Connection", "close");
  response.writeHead(status, {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": new TextEncoder().encode(body).length,
  });
  response.end(body);
}

/**
 * Answers what is no request, and closes its connection.
 *
 * @param error What the parser says.
 * @param socket The connection.
 * @returns What to count it as; undefined if it is to be counted when the connection is closed.
 */
export function answerNonsense(
  error: Error,
  socket: { writable: boolean; end(text: string): unknown; destroy(): unknown },
): RefusalReason | undefined {
  const { code = "" } = error as NodeJS.ErrnoException;
  const [reason, status]: [RefusalReason, string] = code === "ERR_HTTP_REQUEST_TIMEOUT"
    ? ["timeout", "408 Request Timeout"]
    : code === "HPE_HEADER_OVERFLOW"
    ? ["size", "431 Request Header Fields Too Large"]
    : ["malformed", "400 Bad Request"];
  if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
  socket.destroy();
  // The others are of the connection: it was reset, or TLS failed.
  return code.startsWith("ERR_HTTP") || code.startsWith("HPE_") ? reason : undefined;
}
