/** Alerts that Falco posts. @module */
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Alert } from "../alert/alert.ts";
import { systemClock } from "../clock.ts";
import { AlertFormatError, FalcoError } from "../errors.ts";
import { EventStream } from "../streams/engine/event_stream.ts";
import { loadPem } from "../transport/load_pem.ts";
import type { PemFailure } from "../transport/load_pem.ts";
import { AlertInbox } from "./alert_inbox.ts";
import { alertsOfBody } from "./alerts_of_body.ts";
import { isAuthorized } from "./authorized.ts";
import type {
  HttpReceiverOptions,
  HttpReceiverStats,
  ReceiverTls,
  RefusalReason,
} from "./http_receiver_options.ts";
import { readBody } from "./read_body.ts";
import { RecentBodies } from "./recent_bodies.ts";

/** Falco's head has about 200 bytes; the platforms allow 16 KiB, times all connections. */
const MAX_HEAD_BYTES = 8192;
const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|::1|localhost)$/;

/**
 * Receives the alerts of Falco's `http_output`, and of anything else that posts them, such as
 * Falcosidekick or the `WebhookSink` of this package.
 *
 * - `POST` with one alert as JSON or text, or an array of them, is answered with 200 when it is
 *   taken; `GET /healthz` with 200.
 * - Falco posts one alert after the other and waits for each answer without a time limit: see
 *   `overflow` for what happens to it when the reader is slow.
 * - Falco sends an alert again if its connection breaks before the answer, once: such a double is
 *   counted and not handed over.
 * - An alert that cannot be taken is lost: Falco does not look at the status of the answer.
 * - Alerts come in the order in which their bodies were complete.
 * - Cancelling the stream stops the receiver, with what was not read counted as dropped.
 *
 * @example
 * ```ts
 * import { formatAlert, HttpReceiver } from "@falco-streams/core";
 * import { buildAlert } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const receiver = await HttpReceiver.start({ port: 0 });
 * const body = formatAlert(buildAlert({ rule: "Terminal shell in container" }));
 * assert.equal((await fetch(receiver.url, { method: "POST", body })).status, 200);
 * for await (const alert of receiver) {
 *   assert.equal(alert.rule, "Terminal shell in container");
 *   break;
 * }
 * ```
 */
export class HttpReceiver extends EventStream<Alert> implements AsyncDisposable {
  readonly #inbox: AlertInbox;
  readonly #options: HttpReceiverOptions;
  readonly #recent = new RecentBodies();
  readonly #refused: Partial<Record<RefusalReason, number>> = {};
  #server: Server | undefined;
  #url = "";
  #connections = 0;
  /** Connections that are not encrypted yet, by the sender's address and port. */
  readonly #handshaking = new Set<string>();
  #received = 0;
  #duplicates = 0;
  #invalid = 0;

  /**
   * Made by {@linkcode HttpReceiver.start}.
   *
   * @param options The caller's wishes.
   */
  private constructor(options: HttpReceiverOptions) {
    const inbox = new AlertInbox(options.maxQueuedAlerts ?? 1024, () => this.#stop(true));
    super(inbox);
    this.#inbox = inbox;
    this.#options = options;
  }

  /**
   * Starts to listen.
   *
   * @param options Where, with which certificates, and the limits.
   * @returns The receiver, when senders can connect.
   * @throws {RangeError} If a limit is out of range.
   * @throws {TypeError} If everybody could post: another address than loopback wants `tls` with
   * `clientCa`, a `token`, or `allowInsecure`.
   * @throws {FalcoError} If the port is taken, or a certificate cannot be read.
   */
  static async start(options: HttpReceiverOptions = {}): Promise<HttpReceiver> {
    requireSafe(options);
    const receiver = new HttpReceiver(options);
    await receiver.#listen();
    return receiver;
  }

  /** The address to post to, with the port that was taken: what goes into `http_output.url`. */
  get url(): string {
    return this.#url;
  }

  /**
   * Counts so far.
   *
   * @returns A snapshot.
   */
  stats(): HttpReceiverStats {
    return {
      received: this.#received,
      duplicates: this.#duplicates,
      invalid: this.#invalid,
      refused: { ...this.#refused },
      queued: this.#inbox.length,
      dropped: this.#inbox.dropped,
    };
  }

  /**
   * Stops to listen. Requests under way are served first; the reader gets what was taken, then the
   * end.
   *
   * @returns A promise that resolves when the last connection is closed.
   */
  async close(): Promise<void> {
    await this.#stop(false);
    this.#inbox.end({});
  }

  /** The same as {@linkcode HttpReceiver.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #listen(): Promise<void> {
    const { hostname = "127.0.0.1", port = 2801, path = "/", tls, signal } = this.#options;
    const onRequest: RequestListener = (request, response) => void this.#serve(request, response);
    const settings = {
      maxHeaderSize: MAX_HEAD_BYTES,
      requestTimeout: this.#options.requestTimeoutMs ?? 10_000,
      headersTimeout: this.#options.requestTimeoutMs ?? 10_000,
      connectionsCheckingInterval: Math.min(this.#options.requestTimeoutMs ?? 10_000, 1000),
      keepAliveTimeout: 0, // Falco keeps one connection, for days between two alerts
    };
    const server = tls === undefined
      ? createServer(settings, onRequest)
      : createTlsServer({ ...settings, ...await loadTls(tls) }, onRequest);
    // Not server.maxConnections, which tells of a refusal on Node and Bun alone.
    server.on("connection", (socket: Socket) => this.#admit(socket));
    server.on("secureConnection", (socket: Socket) => this.#handshaking.delete(nameOf(socket)));
    server.on("checkContinue", (request, response) => void this.#serve(request, response, true));
    server.on("clientError", (error: Error, socket: Duplex) => this.#onClientError(error, socket));
    await new Promise<void>((resolve, reject) => {
      server.once("error", (cause) => {
        reject(new FalcoError(`Cannot listen on ${hostname}:${port}: ${cause.message}`, { cause }));
      });
      server.listen(port, hostname, resolve);
    });
    this.#server = server;
    const { port: taken } = server.address() as AddressInfo;
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    this.#url = `${tls === undefined ? "http" : "https"}://${host}:${taken}${path}`;
    if (signal?.aborted) this.#onAbort();
    else signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  #admit(socket: Socket): void {
    if (this.#connections >= (this.#options.maxConnections ?? 256)) {
      this.#refuse("connections");
      socket.destroy();
      return;
    }
    this.#connections++;
    const name = nameOf(socket);
    if (this.#options.tls !== undefined) this.#handshaking.add(name);
    socket.once("close", () => {
      this.#connections--;
      // Whoever's certificate was not accepted, who did not accept ours, or speaks no TLS.
      if (this.#handshaking.delete(name)) this.#refuse("malformed");
    });
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
    wantsContinue = false,
  ): Promise<void> {
    const { maxBodyBytes = 4 * 1024 * 1024 } = this.#options;
    const refusal = this.#refusalOf(request, maxBodyBytes);
    if (refusal !== undefined) {
      if (refusal.reason !== undefined) this.#refuse(refusal.reason);
      return answer(response, refusal.status, refusal.text);
    }
    if (wantsContinue) response.writeContinue();
    let body: string | undefined;
    try {
      body = await readBody(request, maxBodyBytes);
    } catch {
      return; // the connection is gone, or came too late: counted where that is noticed
    }
    if (body === undefined) {
      this.#refuse("size");
      return answer(response, 413, `the body is longer than ${maxBodyBytes} bytes`);
    }
    await this.#take(body, response);
  }

  async #take(body: string, response: ServerResponse): Promise<void> {
    if (this.#recent.take(body)) {
      this.#duplicates++;
      return answer(response, 200, "taken already");
    }
    let alerts: Alert[];
    try {
      const { text, utcOffsetMinutes, clock = systemClock } = this.#options;
      const nowMs = clock.now();
      alerts = alertsOfBody(body, text === "invalid" ? undefined : { nowMs, utcOffsetMinutes });
    } catch (error) {
      if (!(error instanceof AlertFormatError)) throw error;
      this.#invalid++;
      answer(response, 400, error.message);
      return this.#tell(() => this.#options.onInvalid?.(error, body));
    }
    if (this.#options.overflow === "refuse" && this.#inbox.isFull) {
      this.#refuse("overflow");
      answer(response, 503, "too many alerts wait");
      return this.#tell(() => alerts.forEach((alert) => this.#options.onDrop?.(alert)));
    }
    this.#received += alerts.length;
    response.once("close", () => {
      if (!response.writableFinished) this.#recent.add(body);
    });
    this.#inbox.put(alerts);
    await this.#inbox.room();
    answer(response, 200, "");
  }

  /** What the head of a request says against it. */
  #refusalOf(
    request: IncomingMessage,
    maxBodyBytes: number,
  ): { status: number; text: string; reason?: RefusalReason } | undefined {
    const { path, token } = this.#options;
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
    if (Number(headers["content-length"] ?? 0) > maxBodyBytes) {
      const text = `the body is longer than ${maxBodyBytes} bytes`;
      return { status: 413, text, reason: "size" };
    }
    return undefined;
  }

  #onClientError(error: Error, socket: Duplex): void {
    const { code = "" } = error as NodeJS.ErrnoException;
    const [reason, status]: [RefusalReason, string] = code === "ERR_HTTP_REQUEST_TIMEOUT"
      ? ["timeout", "408 Request Timeout"]
      : code === "HPE_HEADER_OVERFLOW"
      ? ["size", "431 Request Header Fields Too Large"]
      : ["malformed", "400 Bad Request"];
    // The others are of the connection: it was reset, or TLS failed, which shows when it is closed.
    if (code.startsWith("ERR_HTTP") || code.startsWith("HPE_")) this.#refuse(reason);
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
    socket.destroy();
  }

  #refuse(reason: RefusalReason): void {
    this.#refused[reason] = (this.#refused[reason] ?? 0) + 1;
  }

  /** What a hook throws becomes the error of the stream, as nobody else would hear of it. */
  #tell(hook: () => void): void {
    try {
      hook();
    } catch (error) {
      this.#inbox.end({ error });
      void this.#stop(true);
    }
  }

  readonly #onAbort = (): void => {
    this.#inbox.end({ error: this.#options.signal?.reason });
    void this.#stop(true);
  };

  async #stop(now: boolean): Promise<void> {
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    const server = this.#server;
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      if (now) server.closeAllConnections();
      else server.closeIdleConnections();
    });
  }
}

function nameOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

function answer(response: ServerResponse, status: number, text: string): void {
  const body = text === "" ? "" : `${text}\n`;
  // The rest of a body that nobody reads would be taken for the next request.
  if (status >= 400 && !response.req.complete) response.setHeader("Connection", "close");
  response.writeHead(status, {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": new TextEncoder().encode(body).length,
  });
  response.end(body);
}

async function loadTls(tls: ReceiverTls): Promise<Record<string, unknown>> {
  const fail: PemFailure = (problem, cause) => {
    throw new FalcoError(`Cannot start the receiver: ${problem}`, { cause });
  };
  return {
    cert: await loadPem(tls.cert, "tls.cert", fail),
    key: await loadPem(tls.key, "tls.key", fail),
    ...(tls.clientCa === undefined ? {} : {
      ca: await loadPem(tls.clientCa, "tls.clientCa", fail),
      requestCert: true,
      rejectUnauthorized: true,
    }),
  };
}

function requireSafe(options: HttpReceiverOptions): void {
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
  const { hostname = "127.0.0.1", tls, token, allowInsecure = false } = options;
  if (token === "") throw new TypeError('Cannot start the receiver: "token" is empty');
  if (
    !LOOPBACK.test(hostname) && tls?.clientCa === undefined && token === undefined && !allowInsecure
  ) {
    throw new TypeError(
      `Cannot start the receiver on ${hostname}: everybody who reaches it could forge alerts. ` +
        'Pass "token" or "tls" with "clientCa", or set "allowInsecure"',
    );
  }
}
