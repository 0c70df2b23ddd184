/** The server under a receiver of alerts. @module */
import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { FalcoError } from "../errors.ts";
import { loadKeyPair } from "../transport/load_key_pair.ts";
import { loadPem } from "../transport/load_pem.ts";
import type { PemFailure } from "../transport/load_pem.ts";
import { requireListening } from "../transport/require_listening.ts";
import type { HttpReceiverOptions, ReceiverTls } from "./http_receiver_options.ts";

/** Falco's head has about 200 bytes; the platforms allow 16 KiB, times all connections. */
const MAX_HEAD_BYTES = 8192;
const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|::1|localhost)$/;

/**
 * Makes the server; it does not listen yet.
 *
 * @param tls Its certificates, if it is to encrypt.
 * @param requestTimeoutMs How long a request may take to come in.
 * @param onRequest Serves a request.
 * @returns The server.
 * @throws {FalcoError} If a certificate cannot be read, or the key is not the certificate's.
 */
export async function makeServer(
  tls: ReceiverTls | undefined,
  requestTimeoutMs: number,
  onRequest: RequestListener,
): Promise<Server> {
  const settings = {
    maxHeaderSize: MAX_HEAD_BYTES,
    requestTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(requestTimeoutMs, 1000),
    keepAliveTimeout: 0, // Falco keeps one connection, for days between two alerts
  };
  return tls === undefined
    ? createServer(settings, onRequest)
    : createTlsServer({ ...settings, ...await loadTls(tls) }, onRequest);
}

/**
 * Begins to listen.
 *
 * @param server The server.
 * @param hostname Where.
 * @param port The port; 0 takes any.
 * @returns The host and port for a URL.
 * @throws {FalcoError} If the port is taken, or Deno was not given the permission.
 */
export async function listen(server: Server, hostname: string, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    requireListening(hostname, port);
    server.once("error", reject);
    server.listen(port, hostname, resolve);
  }).catch((cause: Error) => {
    throw new FalcoError(`Cannot listen on ${hostname}:${port}: ${cause.message}`, { cause });
  });
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return `${host}:${(server.address() as AddressInfo).port}`;
}

/**
 * Checks what a caller asks for.
 *
 * @param options The caller's wishes.
 * @throws {RangeError} If a limit is out of range.
 * @throws {TypeError} If everybody could post.
 */
export function requireSafe(options: HttpReceiverOptions): void {
  const { maxBodyBytes = 1, maxConnections = 1, requestTimeoutMs = 1, maxQueuedAlerts = 1 } =
    options;
  const limits = { maxBodyBytes, maxConnections, requestTimeoutMs, maxQueuedAlerts };
  for (const [name, value] of Object.entries(limits)) {
    if (!(value > 0)) {
      throw new RangeError(
        `Cannot start the receiver as "${name}" must be above 0: it is ${value}`,
      );
    }
  }
  const { hostname, token } = options;
  if (token === "") throw new TypeError('Cannot start the receiver: "token" is empty');
  if (isOpenToAll(options)) {
    throw new TypeError(
      `Cannot start the receiver on ${hostname}: everybody who reaches it could forge alerts. ` +
        'Pass "token" or "tls" with "clientCa", or set "allowInsecure"',
    );
  }
}

/**
 * Says whether everybody could post.
 *
 * @param options Where it is to listen, and what senders have to show.
 * @returns True if that is not loopback, and they have to show nothing.
 */
export function isOpenToAll(
  { hostname = "127.0.0.1", tls, token, allowInsecure = false }: HttpReceiverOptions,
): boolean {
  return !LOOPBACK.test(hostname) && tls?.clientCa === undefined && token === undefined &&
    !allowInsecure;
}

async function loadTls(tls: ReceiverTls): Promise<Record<string, unknown>> {
  const fail: PemFailure = (problem, cause) => {
    throw new FalcoError(`Cannot start the receiver: ${problem}`, { cause });
  };
  return {
    ...await loadKeyPair(tls, fail),
    ...(tls.clientCa === undefined ? {} : {
      ca: await loadPem(tls, "clientCa", "certificate", fail),
      requestCert: true,
      rejectUnauthorized: true,
    }),
  };
}
