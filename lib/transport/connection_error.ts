/** What goes wrong below gRPC, in words a user can act on. @module */
import type { IncomingHttpHeaders } from "node:http2";
import { FalcoConnectError } from "../errors.ts";
import type { FalcoConnectReason } from "../errors.ts";
import type { Address } from "./address.ts";
import { describeTls, NO_TLS } from "./describe_tls.ts";
import type { TlsSide } from "./describe_tls.ts";
import { errorCode, errorMessage, failedCall, shortageRemedy } from "./reported_error.ts";

/** The code of an error that means: TLS is there, but the other side did not agree to HTTP/2. */
export const NO_HTTP2 = "FALCO_NO_HTTP2";

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
    ...(passes(reason, code, cause, phase, tls) ? { passing: true } : {}),
    cause,
  });
}

/** Beyond what passes by its reason. */
function passes(
  reason: FalcoConnectReason,
  code: string,
  cause: unknown,
  phase: ConnectionPhase,
  { renewable = false }: TlsSide,
): boolean {
  // So does a Falco that is just being stopped, and a proxy before one that is not there. After the
  // handshake it means that the client's certificate was refused.
  if (phase === "connecting" && isHangUp(cause)) return true;
  return renewable && reason === "tls" && code !== NO_TLS;
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
  const shortage = shortageRemedy(code);
  if (shortage !== undefined) {
    return ["refused", `this side has no room for a connection (${code}). ${shortage}`];
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
    case "ETIMEDOUT":
    case "TimeoutError":
      return [
        "timeout",
        "no answer in time. Check the address, firewalls, and that Falco is alive",
      ];
  }
  if (address.kind === "unix") {
    // From Linux. Bun says ECONNREFUSED then, too.
    if (code === "EAGAIN") {
      return [
        "refused",
        "too many connections wait, and nobody takes them. Falco hangs or has too much to do; " +
        "restart it if that does not pass",
      ];
    }
    return ["protocol", describeProtocol(address, errorMessage(cause))];
  }
  const detail = errorMessage(cause);
  const failed = failedCall(cause);
  if (failed === "getaddrinfo") {
    return [
      "not-found",
      `the host name does not resolve (${code}). Check its spelling and the DNS`,
    ];
  }
  // What the network says: ENETUNREACH, EHOSTUNREACH; on Deno EINVAL where there is no IPv6. Bun says
  // ECONNREFUSED.
  if (failed === "connect" && !isHangUp(cause)) {
    return [
      "not-found",
      `there is no way to this host (${detail}). Check the address and the network`,
    ];
  }
  if (code === NO_HTTP2 || /no ?application ?protocol|h2 is not supported/i.test(detail)) {
    return [
      "protocol",
      `the other side speaks TLS, but not HTTP/2 (${detail}). ` +
      "Check that this is the port of grpc.bind_address",
    ];
  }
  return ["tls", describeTls(tls.serverName ?? address.host, code, cause, tls)];
}

function describeProtocol(address: Address, detail: string): string {
  return `the other side does not answer as a gRPC server does (${detail}). ` +
    (address.kind === "unix"
      ? "Over a unix socket Falco speaks plain HTTP/2"
      : "Check that this is the port of grpc.bind_address");
}
