/** Alerts that Falco posts. @module */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Alert } from "../alert/alert.ts";
import { systemClock } from "../clock.ts";
import { AlertFormatError } from "../errors.ts";
import { EventStream } from "../streams/engine/event_stream.ts";
import { AlertInbox } from "./alert_inbox.ts";
import { alertsOfBody } from "./alerts_of_body.ts";
import { BodyReader } from "./body_reader.ts";
import { ConnectionSlots } from "./connection_slots.ts";
import type { SlotRequest } from "./connection_slots.ts";
import type {
  HttpReceiverOptions,
  HttpReceiverStats,
  RefusalReason,
} from "./http_receiver_options.ts";
import { listen, makeServer, requireSafe } from "./receiver_server.ts";
import { RecentBodies } from "./recent_bodies.ts";
import { answer, answerNonsense, refusalOf, tooLong } from "./refusal.ts";

/** How many bodies of the greatest length may be on their way, and may wait for the reader as alerts. */
const LONGEST_BODIES = 16;

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
 * - A connection is closed when 100 requests in a row brought no alert, or 1,024 wait for an answer, so
 *   that a flood on one does not hold the others up. Falco waits for each answer, and opens a new
 *   connection where it needs one.
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
  readonly #maxBodyBytes: number;
  readonly #slots: ConnectionSlots;
  readonly #bodies: BodyReader;
  readonly #recent = new RecentBodies();
  readonly #refused: Partial<Record<RefusalReason, number>> = {};
  #server: Server | undefined;
  #url = "";
  #received = 0;
  #duplicates = 0;
  #invalid = 0;

  /**
   * Made by {@linkcode HttpReceiver.start}.
   *
   * @param options The caller's wishes.
   */
  private constructor(options: HttpReceiverOptions) {
    const {
      maxBodyBytes = 4 * 1024 * 1024,
      maxConnections = 256,
      maxQueuedAlerts = 1024,
      requestTimeoutMs = 10_000,
      tls,
      clock = systemClock,
    } = options;
    const maxTotalBytes = LONGEST_BODIES * maxBodyBytes;
    const inbox = new AlertInbox(maxQueuedAlerts, maxTotalBytes, () => this.#stop(true));
    super(inbox);
    this.#inbox = inbox;
    this.#options = options;
    this.#maxBodyBytes = maxBodyBytes;
    this.#bodies = new BodyReader(maxBodyBytes, maxTotalBytes);
    this.#slots = new ConnectionSlots({
      max: maxConnections,
      handshakeMs: tls === undefined ? undefined : requestTimeoutMs,
      clock,
      onRefused: (reason) => this.#refuse(reason),
    });
  }

  /**
   * Starts to listen.
   *
   * @param options Where, with which certificates, and the limits.
   * @returns The receiver, when senders can connect.
   * @throws {RangeError} If a limit is out of range.
   * @throws {TypeError} If everybody could post: another address than loopback wants `tls` with
   * `clientCa`, a `token`, or `allowInsecure`.
   * @throws {FalcoError} If the port is taken, a certificate cannot be read, or the key is not its own.
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
   * Stops to listen. Requests under way are served first, if they come in within `requestTimeoutMs`;
   * the reader gets what was taken, then the end.
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
    const server = await makeServer(tls, this.#options.requestTimeoutMs ?? 10_000, onRequest);
    // Not server.maxConnections, which tells of a refusal on Node and Bun alone.
    server.on("connection", (socket: Socket) => this.#slots.admit(socket));
    server.on("secureConnection", (socket: Socket) => this.#slots.encrypted(socket));
    server.on("checkContinue", (request, response) => void this.#serve(request, response, true));
    server.on("clientError", (error: Error, socket: Duplex) => {
      const reason = answerNonsense(error, socket);
      if (reason !== undefined) this.#refuse(reason);
    });
    const place = await listen(server, hostname, port);
    this.#server = server;
    this.#url = `${tls === undefined ? "http" : "https"}://${place}${path}`;
    if (signal?.aborted) this.#onAbort();
    else signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Never rejects: there is nobody to hear of it. */
  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
    wantsContinue = false,
  ): Promise<void> {
    const slot = this.#slots.request(request.socket);
    if (slot === undefined) return;
    try {
      const refusal = refusalOf(request, { ...this.#options, maxBodyBytes: this.#maxBodyBytes });
      if (refusal !== undefined) {
        if (refusal.reason !== undefined) this.#refuse(refusal.reason);
        return answer(response, refusal.status, refusal.text, slot.barren());
      }
      if (wantsContinue) response.writeContinue();
      const body = await this.#bodies.read(request).catch(() => undefined);
      if (body === undefined) return; // broken, or too late: counted where that is noticed
      if (typeof body !== "object") return this.#refuseBody(response, body);
      if (!slot.isLeaving) await this.#take(body.text, response, slot);
    } catch (error) {
      this.#fail(error);
    } finally {
      slot.over();
    }
  }

  #refuseBody(response: ServerResponse, reason: "size" | "total"): void {
    this.#refuse(reason === "size" ? "size" : "overflow");
    const { status, text } = tooLong(this.#maxBodyBytes);
    if (reason === "size") return answer(response, status, text);
    answer(response, 503, "too many bodies are on their way");
  }

  async #take(body: string, response: ServerResponse, slot: SlotRequest): Promise<void> {
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
      answer(response, 400, error.message, slot.barren());
      return this.#options.onInvalid?.(error, body);
    }
    if (this.#options.overflow === "refuse" && this.#inbox.isFull) {
      this.#refuse("overflow");
      answer(response, 503, "too many alerts wait");
      return alerts.forEach((alert) => this.#options.onDrop?.(alert));
    }
    slot.taken();
    this.#received += alerts.length;
    response.once("close", () => {
      if (!response.writableFinished) this.#recent.add(body);
    });
    this.#inbox.put(alerts, body.length);
    if (this.#options.overflow !== "refuse") await this.#inbox.room();
    answer(response, 200, "");
  }

  #refuse(reason: RefusalReason): void {
    this.#refused[reason] = (this.#refused[reason] ?? 0) + 1;
  }

  /** What a hook throws becomes the error of the stream, as nobody else would hear of it. */
  #fail(error: unknown): void {
    this.#inbox.end({ error });
    void this.#stop(true);
  }

  readonly #onAbort = (): void => this.#fail(this.#options.signal?.reason);

  async #stop(now: boolean): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const { signal, requestTimeoutMs = 10_000, clock = systemClock } = this.#options;
    // The platforms look after slow requests no more once a server is being closed.
    const cancelTimer = clock.setTimer(() => server.closeAllConnections(), requestTimeoutMs);
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      if (now) server.closeAllConnections();
      else server.closeIdleConnections();
    });
    cancelTimer();
    signal?.removeEventListener("abort", this.#onAbort);
  }
}
