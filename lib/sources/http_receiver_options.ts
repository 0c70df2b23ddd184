/** What an HTTP receiver can be told, and what it tells. @module */
import type { Alert } from "../alert/alert.ts";
import type { Clock } from "../clock.ts";
import type { AlertFormatError } from "../errors.ts";

/**
 * Certificates of a server, each as PEM text, the path of a file or a `file:` URL.
 *
 * @example With client certificates required, for `http_output.mtls: true`
 * ```ts
 * import type { ReceiverTls } from "@falco-streams/core";
 *
 * const tls: ReceiverTls = { cert: "server.crt", key: "server.key", clientCa: "ca.crt" };
 * console.assert(tls.clientCa !== undefined);
 * ```
 */
export interface ReceiverTls {
  /** The server's certificate, and those between it and its authority. */
  readonly cert: string | URL;
  /** The key of the certificate. */
  readonly key: string | URL;
  /** The authority that must have signed a sender's certificate; none is asked for without it. */
  readonly clientCa?: string | URL;
}

/**
 * Options of `HttpReceiver.start()`.
 *
 * @example What Falco on the same host needs
 * ```ts
 * import type { HttpReceiverOptions } from "@falco-streams/core";
 *
 * const options: HttpReceiverOptions = { port: 2801, path: "/falco" };
 * console.assert(options.hostname === undefined);
 * ```
 */
export interface HttpReceiverOptions {
  /**
   * The address to listen on. Default `127.0.0.1`. Any other than loopback wants `tls` or a `token`,
   * or else `allowInsecure`: whoever reaches an open receiver can forge alerts.
   */
  hostname?: string;
  /** The port. Default 2801, the one in Falco's own examples; 0 takes any. */
  port?: number;
  /** The path to accept alerts on. Default any. */
  path?: string;
  /** Serves HTTPS. */
  tls?: ReceiverTls;
  /**
   * A secret that senders must show, as `Authorization: Bearer`, or as the password of Basic, which
   * is all that Falco can send: `url: http://any:TOKEN@host:2801`.
   */
  token?: string;
  /** Lets everybody in on an address that is not loopback. Default false. */
  allowInsecure?: boolean;
  /**
   * The longest body, in bytes. Default 4194304 (4 MiB): the largest alerts are about one. Of bodies
   * on their way, and of alerts that wait, there may be 16 times as much.
   */
  maxBodyBytes?: number;
  /**
   * How many connections at once. Default 256: a Falco needs one. When there is one more, one leaves
   * that never brought an alert, or else the one that has been silent the longest.
   */
  maxConnections?: number;
  /**
   * How long a request may take to come in, and TLS to be agreed on, in milliseconds. Default 10000: a
   * Falco on the same network takes a few, and slow senders must not fill `maxConnections`.
   */
  requestTimeoutMs?: number;
  /** How many alerts may wait for the reader. Default 1024. */
  maxQueuedAlerts?: number;
  /**
   * What happens while more than `maxQueuedAlerts` wait.
   *
   * - `"block"`: the answer to a request is held back. Falco sends nothing more meanwhile, on any of
   *   its channels, and logs `"http" output timeout`; it has no time limit of its own.
   * - `"refuse"`: the alert is refused with status 503, and counted. Falco takes that for delivered.
   *
   * @default {"block"}
   */
  overflow?: "block" | "refuse";
  /** Learns of each alert that was refused for `overflow`. */
  onDrop?: (alert: Alert) => void;
  /** Learns of each body that is no alert; it is answered with 400 and counted. */
  onInvalid?: (error: AlertFormatError, body: string) => void;
  /** What to make of alerts in text: see `LineSourceOptions`. Default `"alert"`. */
  text?: "alert" | "invalid";
  /** How far the clock of Falco's host is ahead of UTC, for alerts in text. Default this machine's. */
  utcOffsetMinutes?: number;
  /** Stops the receiver: the stream fails with `signal.reason`. */
  signal?: AbortSignal;
  /** The clock for the day of alerts in text. Default the machine's. */
  clock?: Clock;
}

/**
 * Why a request was refused.
 *
 * - `address`: wrong path; `method`: not POST; `authorization`: no or a wrong token
 * - `encoding`: a compressed body, which Falco never sends
 * - `size`: the body, or the head, is too long
 * - `timeout`: it did not come in within `requestTimeoutMs`
 * - `malformed`: it is no HTTP, or no TLS, or its certificate was not accepted; Bun does not tell of
 *   connections that fail before they are encrypted
 * - `connections`: one was closed, a new one or one that was there, as there were too many
 * - `overflow`: too many alerts wait, too many bodies are on their way, or too many requests of one
 *   connection wait for their answers
 *
 * @example
 * ```ts
 * import type { RefusalReason } from "@falco-streams/core";
 *
 * const mine: RefusalReason[] = ["size", "timeout"];
 * console.assert(mine.length === 2);
 * ```
 */
export type RefusalReason =
  | "address"
  | "method"
  | "authorization"
  | "encoding"
  | "size"
  | "timeout"
  | "malformed"
  | "connections"
  | "overflow";

/**
 * What an HTTP receiver counted so far.
 *
 * @example
 * ```ts
 * import { HttpReceiver } from "@falco-streams/core";
 * import type { HttpReceiverStats } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * const receiver = await HttpReceiver.start({ port: 0 });
 * const stats: HttpReceiverStats = receiver.stats();
 * assert.deepEqual([stats.received, stats.refused], [0, {}]);
 * await receiver.close();
 * ```
 */
export interface HttpReceiverStats {
  /** Alerts that were taken. */
  readonly received: number;
  /** Alerts that a sender sent again since its connection broke before our answer, and were not taken twice. */
  readonly duplicates: number;
  /** Bodies that were no alert. */
  readonly invalid: number;
  /** Requests and connections that were refused, by reason; reasons that did not occur are absent. */
  readonly refused: Readonly<Partial<Record<RefusalReason, number>>>;
  /** Alerts that wait for the reader. */
  readonly queued: number;
  /** Alerts that were taken and thrown away unread, since the reader left. */
  readonly dropped: number;
}
