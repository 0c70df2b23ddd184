/** What sinks that deliver over a network have in common, as options. @module */
import type { Alert } from "../alert/alert.ts";
import type { Clock } from "../clock.ts";

/**
 * What a sink takes: an alert, or several at once as `BatchStream` makes them, which are delivered
 * together.
 *
 * @example
 * ```ts
 * import type { Delivered } from "@falco-streams/core";
 * import { buildAlert } from "@falco-streams/core/harness";
 *
 * const items: Delivered[] = [buildAlert(), [buildAlert(), buildAlert()]];
 * console.assert(items.length === 2);
 * ```
 */
export type Delivered = Alert | readonly Alert[];

/**
 * Why something was not delivered.
 *
 * - `overflow`: too much waited already
 * - `refused`: the receiver will not take it, however often it is sent
 * - `gave-up`: `maxAttempts` were made
 * - `closed`: it still waited when the time to close was over
 * - `aborted`: the pipeline failed or was aborted before
 *
 * @example
 * ```ts
 * import type { DropReason } from "@falco-streams/core";
 *
 * const mine: DropReason[] = ["refused", "gave-up"];
 * console.assert(mine.length === 2);
 * ```
 */
export type DropReason = "overflow" | "refused" | "gave-up" | "closed" | "aborted";

/**
 * How often and how quickly to try again.
 *
 * @example
 * ```ts
 * import type { RetryOptions } from "@falco-streams/core";
 *
 * const options: RetryOptions = { maxAttempts: 5, maxDelayMs: 10_000 };
 * console.assert(options.minDelayMs === undefined);
 * ```
 */
export interface RetryOptions {
  /** How often to try in all. Default for ever: a receiver that restarts comes back. */
  maxAttempts?: number;
  /** The wait after the first failure, in milliseconds; each one after is twice as long. Default 250. */
  minDelayMs?: number;
  /** The longest wait, in milliseconds. Default 30000. Half of every wait is drawn at random, so that many senders do not come back at once. */
  maxDelayMs?: number;
}

/**
 * Options of every sink that delivers to somebody else.
 *
 * @example Never hold the pipeline up, and keep what fell out
 * ```ts
 * import { JsonLinesSink } from "@falco-streams/core";
 * import type { DeliveryOptions } from "@falco-streams/core";
 *
 * const { writable } = new TransformStream<Uint8Array, Uint8Array>();
 * const options: DeliveryOptions = {
 *   overflow: "drop-oldest",
 *   deadLetters: new JsonLinesSink(writable),
 * };
 * console.assert(options.retry === undefined);
 * ```
 */
export interface DeliveryOptions {
  /** How many items may wait, the one on its way included. Default 1000. */
  maxBuffered?: number;
  /**
   * What happens when that many wait.
   *
   * - `block`: the pipeline waits, back to Falco, and with it the other branches of a broadcast.
   * - `drop-oldest`, `drop-newest`: it never waits; what is dropped is counted and goes to
   *   `deadLetters` and `onDrop`.
   * - By default a receiver that takes alerts sets the pace, as with `block`. While attempts fail nobody
   *   is held up, and the oldest are dropped; unless there is neither `deadLetters` nor `onDrop`, so
   *   that nobody would hear of it: then everything waits.
   */
  overflow?: "block" | "drop-oldest" | "drop-newest";
  /** How to try again. */
  retry?: RetryOptions;
  /** How long closing may take to deliver what waits, in milliseconds. Default 30000. */
  closeTimeoutMs?: number;
  /** Gets what is not delivered, and is closed with the sink. A failure of it fails the sink. */
  deadLetters?: WritableStream<Delivered>;
  /**
   * Learns of what is not delivered. Without this and without `deadLetters`, an item that is refused
   * or given up fails the sink: losing it silently is the worst that can be done with an alert.
   */
  onDrop?: (item: Delivered, reason: DropReason, error: Error | undefined) => void;
  /** Learns of each failure that will be tried again, and of when. */
  onRetry?: (error: Error, attempt: number, delayMs: number) => void;
  /** Time for the waits. Default the machine's. */
  clock?: Clock;
}

/**
 * What a delivering sink counted so far, in items: an array of alerts is one.
 *
 * @example
 * ```ts
 * import { WebhookSink } from "@falco-streams/core";
 * import type { DeliveryStats } from "@falco-streams/core";
 *
 * const stats: DeliveryStats = new WebhookSink("http://127.0.0.1:2801/").stats();
 * console.assert(stats.delivered === 0);
 * ```
 */
export interface DeliveryStats {
  /** Items that the receiver took. */
  readonly delivered: number;
  /** Attempts that failed and were, or will be, made again. */
  readonly retries: number;
  /** Items that were not delivered, by reason; reasons that did not occur are absent. */
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
  /** Items that wait, the one on its way included. */
  readonly waiting: number;
}
