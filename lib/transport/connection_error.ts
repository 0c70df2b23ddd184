/** What goes wrong below gRPC, in words a user can act on. @module */
import type { IncomingHttpHeaders } from "node:http2";
import { FalcoConnectError } from "../errors.ts";
import type { FalcoConnectReason } from "../errors.ts";
import type { Address } from "./address.ts";
import { quoteOption } from "./option_names.ts";
import type { NamedOptions } from "./option_names.ts";

/** The code of an error that means: TLS is there, but the other side did not agree to HTTP/2. */
export const NO_HTTP2 = "FALCO_NO_HTTP2";

/** What the caller knows of TLS. */
export interface TlsSide {
  /** The name that Falco's certificate must carry, if it is not the host. */
  readonly serverName?: string | undefined;
  /** What is wrong with the dates of a certificate, and the remedy. */
  readonly dates?: string | undefined;
  /** The options that the client's certificates came in, for messages. */
  readonly given?: NamedOptions | undefined;
}

/** When it went wrong: before the connection was there, after TLS's handshake, or once it was open. */
export type ConnectionPhase = "connecting" | "secured" | "open";

/**
 * Turns what the runtime reports into an error with cause and remedy.
 *
 * @param address Where the connection goes.
 * @param cause What the runtime reported, if anything.
 * @param phase How far the connection had come.
 * @param tls What the caller knows of TLS.
 * @returns The error to hand to the user.
 */
export function connectionError(
  address: Address,
  cause: unknown,
  phase: ConnectionPhase = "connecting",
  tls: TlsSide = {},
): FalcoConnectError {
  if (cause instanceof FalcoConnectError) return cause;
  const code = errorCode(cause);
  const [reason, text] = describe(address, code, cause, phase, tls);
  const verb = reason === "lost" ? "Lost the connection to" : "Cannot connect to";
  return new FalcoConnectError(`${verb} ${address.text}: ${text}`, {
    address: address.text,
    reason,
    // So does a Falco that is just being stopped, and a proxy before one that is not there. After
    // the handshake it means that the client's certificate was refused.
    ...(phase === "connecting" && isHangUp(cause) ? { passing: true } : {}),
    cause,
  });
}

/**
 * Says whether the other side hung up without a word.
 *
 * @param cause What the runtime reported, if anything.
 * @returns True if there is no more to it than that.
 */
export function isHangUp(cause: unknown): boolean {
  return cause === undefined || HANG_UPS.has(errorCode(cause));
}

const HANG_UPS: ReadonlySet<string> = new Set([
  "ECONNRESET",
  "EPIPE",
  "ECONNABORTED",
  "ERR_HTTP2_PING_CANCEL",
  "ERR_HTTP2_INVALID_SESSION",
]);

/** What gRPC's mapping of HTTP statuses calls UNAVAILABLE: a proxy without a Falco behind it. */
const UNAVAILABLE_STATUSES: readonly number[] = [429, 502, 503, 504];

/**
 * Looks whether an answer is one of a gRPC server.
 *
 * @param address Where it comes from.
 * @param headers The headers of the answer.
 * @returns The error to hand to the user if it is not.
 */
export function answerError(
  address: Address,
  headers: IncomingHttpHeaders,
): FalcoConnectError | undefined {
  const status = Number(headers[":status"]);
  const type = String(headers["content-type"] ?? "");
  if (status === 200 && type.startsWith("application/grpc")) return undefined;
  const answer = `HTTP status ${status}, content type ${JSON.stringify(type.slice(0, 80))}`;
  return new FalcoConnectError(
    `Cannot connect to ${address.text}: ${describeProtocol(address, answer)}`,
    { address: address.text, reason: "protocol", passing: UNAVAILABLE_STATUSES.includes(status) },
  );
}

function describe(
  address: Address,
  code: string,
  cause: unknown,
  phase: ConnectionPhase,
  tls: TlsSide,
): [FalcoConnectReason, string] {
  if (phase === "open") {
    return [
      "lost",
      `${
        code === "" ? "the server closed it" : errorMessage(cause)
      }. Falco may have been stopped or restarted`,
    ];
  }
  const enable = `Check that Falco runs with grpc.enabled and this grpc.bind_address`;
  if (code === "NotCapable") {
    return ["permission", `${errorMessage(cause)}. Deno was not given that permission`];
  }
  switch (code) {
    case "ENOENT":
      return [
        "not-found",
        `no such file. ${enable}; before 0.33 its default was /var/run/falco.sock`,
      ];
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return ["not-found", "the host name does not resolve. Check its spelling and the DNS"];
    case "EACCES":
    case "EPERM":
      return [
        "permission",
        address.kind === "unix"
          ? "permission denied. Falco creates the socket for its own user; " +
            "run as that user or change its mode"
          // Deno refuses the look-up of a host that it may not connect to.
          : "this program may not use the network there. On Deno run it with " +
            `--allow-net=${new URL(address.text).host}`,
      ];
    case "ECONNREFUSED":
      return [
        "refused",
        address.kind === "unix"
          ? "nobody listens on this socket. Falco was killed and left the file behind; start it again"
          : `nobody listens on this port. ${enable}`,
      ];
    // From Linux, on a unix socket. Bun says ECONNREFUSED then, too.
    case "EAGAIN":
      return [
        "refused",
        "too many connections wait, and nobody takes them. Falco hangs or has too much to do; " +
        "restart it if that does not pass",
      ];
    case "ETIMEDOUT":
    case "TimeoutError":
      return [
        "timeout",
        "no answer in time. Check the address, firewalls, and that Falco is alive",
      ];
  }
  if (address.kind === "tls") {
    const detail = errorMessage(cause);
    if (code === NO_HTTP2 || /no ?application ?protocol|h2 is not supported/i.test(detail)) {
      return [
        "protocol",
        `the other side speaks TLS, but not HTTP/2 (${detail}). ` +
        "Check that this is the port of grpc.bind_address",
      ];
    }
    return ["tls", describeTls(tls.serverName ?? address.host, code, cause, tls)];
  }
  return ["protocol", describeProtocol(address, errorMessage(cause))];
}

function describeProtocol(address: Address, detail: string): string {
  return `the other side does not answer as a gRPC server does (${detail}). ` +
    (address.kind === "unix"
      ? "Over a unix socket Falco speaks plain HTTP/2"
      : "Check that this is the port of grpc.bind_address");
}

function describeTls(
  name: string,
  code: string,
  cause: unknown,
  { dates, given }: TlsSide,
): string {
  const detail = errorMessage(cause);
  const quote = (option: string): string => quoteOption(given, option);
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID" || /altnames|NotValidForName/i.test(detail)) {
    return `Falco's certificate is not valid for the name ${JSON.stringify(name)}. ` +
      `Make one that lists it as subjectAltName, or set ${quote("serverName")} to a name that it ` +
      "lists";
  }
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER") {
    return `the other side does not speak TLS (${detail}). ` +
      "Check that this is the port of grpc.bind_address";
  }
  if (dates !== undefined) return dates;
  if (/alert:?[ _]certificate[ _]?expired/i.test(`${code} ${detail}`)) {
    return `Falco takes the certificate in ${quote("cert")} for expired (${detail}). ` +
      "Check the clocks of both machines";
  }
  if (/expired/i.test(code + detail)) {
    return `Falco's certificate has expired (${detail}). ` +
      "Renew it in grpc.cert_chain and restart Falco, which reads it only when it starts";
  }
  if (/not[ _]yet[ _]valid|NotValidYet/i.test(code + detail)) {
    return `Falco's certificate is not valid yet (${detail}). Check the clocks of both machines`;
  }
  if (/SELF_SIGNED|VERIFY_LEAF|GET_ISSUER|UnknownIssuer|unknown ca\b/i.test(code + " " + detail)) {
    return `Falco's certificate is not signed by the authority in ${quote("ca")} (${detail}). ` +
      "Pass the authority that signed grpc.cert_chain, and check that neither has expired";
  }
  return `TLS failed (${detail}). Check that ${quote("cert")} is signed by the authority in ` +
    `Falco's grpc.root_certs, that ${quote("key")} belongs to it, and that this is the port of ` +
    "grpc.bind_address";
}

function errorCode(cause: unknown): string {
  for (let error: unknown = cause, depth = 0; isErrorLike(error) && depth < 5; depth++) {
    if (typeof error.code === "string" && !error.code.startsWith("ERR_HTTP2")) return error.code;
    if (error.name === "NotCapable" || error.name === "TimeoutError") return error.name;
    error = error.cause ?? (Array.isArray(error.errors) ? error.errors[0] : undefined);
  }
  return isErrorLike(cause) && typeof cause.code === "string" ? cause.code : "";
}

function errorMessage(cause: unknown): string {
  if (!isErrorLike(cause)) return "the server closed the connection";
  const { message, code, errors } = cause;
  if (typeof message === "string" && message !== "") return readable(message);
  // Happy eyeballs: one error an address, none of its own.
  if (Array.isArray(errors) && errors.length > 0) return errorMessage(errors[0]);
  return typeof code === "string" ? code : "unknown error";
}

/** OpenSSL wraps its reason in addresses, source files and a line break. */
function readable(message: string): string {
  const reason = /error:[0-9a-f]{8}:[^:]*:[^:]*:([^:]+)/i.exec(message)?.[1];
  return (reason ?? message).trim().replace(/\.$/, "").replaceAll(/\s+/g, " ");
}

interface ErrorLike {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
}

function isErrorLike(value: unknown): value is ErrorLike {
  return typeof value === "object" && value !== null;
}
