/** A `sub` call as a stream. @module */
import type { Alert } from "../alert/alert.ts";
import { systemClock } from "../clock.ts";
import { EventStream } from "../streams/engine/event_stream.ts";
import { Backoff } from "./backoff.ts";
import type { ReconnectOptions } from "./backoff.ts";
import { CallSource } from "./call_source.ts";
import type { CallContext, CallOptions } from "./call_source.ts";
import { PollPacer } from "./poll_pacer.ts";
import type { PollOptions } from "./poll_pacer.ts";
import type { Status } from "./status.ts";
import { SubscribeBehaviour } from "./subscribe_behaviour.ts";

/**
 * Options of `outputs.subscribe()`.
 *
 * @example
 * ```ts
 * import type { SubscribeOptions } from "@falco-streams/core";
 *
 * const options: SubscribeOptions = { signal: AbortSignal.timeout(60_000), maxPollMs: 500 };
 * console.assert(options.minPollMs === undefined);
 * ```
 */
export interface SubscribeOptions extends CallOptions, PollOptions {
  /**
   * How to go on when the connection is lost, is not to be had, or Falco ends the call. Default: for
   * ever, with the bounds of `ReconnectOptions`. With `false` a loss fails the stream, and its end is
   * that of the first call.
   */
  reconnect?: ReconnectOptions | false;
}

/**
 * What a subscription counted so far.
 *
 * @example
 * ```ts
 * import type { SubscriptionStats } from "@falco-streams/core";
 *
 * const stats: SubscriptionStats = {
 *   received: 3,
 *   polls: 9,
 *   reconnects: 0,
 *   gaps: 0,
 *   invalid: 0,
 *   lossyText: 0,
 *   dropped: 0,
 *   missedStatuses: 0,
 * };
 * console.assert(stats.gaps <= stats.reconnects);
 * ```
 */
export interface SubscriptionStats {
  /** Alerts that were received and decoded. */
  readonly received: number;
  /** Requests that were sent. */
  readonly polls: number;
  /** Attempts to connect after the first one, whether they succeeded or not. */
  readonly reconnects: number;
  /** How often it was open again after a loss: each time, alerts may be missing. */
  readonly gaps: number;
  /** Messages that were no alerts, and those above `maxMessageBytes`, which also cost a reconnect. */
  readonly invalid: number;
  /** Texts within alerts that were not UTF-8, and had their bad bytes replaced by U+FFFD. */
  readonly lossyText: number;
  /**
   * Alerts that had arrived and were thrown away because the reader left: those that the stream held
   * (which are in `received`, too), and those that were not decoded yet (which are not). What Falco
   * had sent and the sockets still held cannot be counted: at most HTTP/2's window of 64 KiB, and what
   * the system buffers. What an operator behind the stream held is counted by the operator.
   */
  readonly dropped: number;
  /** Statuses that readers of `status()` lost because they did not read. */
  readonly missedStatuses: number;
}

/**
 * Alerts as Falco raises them, until the reader leaves.
 *
 * - Falco is asked as fast as the reader reads: a reader that stops keeps the alerts in Falco's own
 *   queue, which has no bound.
 * - Delivery is at most once: what Falco sent and the reader did not take is gone when it leaves.
 *   All clients of a Falco share one queue, so two subscriptions each get a part.
 * - `break` out of `for await`, `cancel()` and {@linkcode Subscription.close} cancel the call; a
 *   `signal` does, and fails the stream with its reason.
 * - When Falco stops, restarts or is not there yet, it connects again, for ever unless `reconnect`
 *   says otherwise; {@linkcode Subscription.status} tells of it. What Falco raised meanwhile may be
 *   lost: its queue ends with its process.
 * - It fails at once where waiting cannot help: with a `FalcoConnectError` if a certificate is
 *   refused, a PEM file or the permission for the socket is missing, or another server answers; with
 *   a `FalcoRpcError` if Falco has no such service. Once the client was connected it waits for
 *   certificates too, if they are in files: they may just be renewed, Falco's before the client's.
 *
 * @example
 * ```ts
 * import { connect } from "@falco-streams/core";
 * import { buildAlert, FakeFalco } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const fake = await FakeFalco.start();
 * fake.push(buildAlert({ rule: "Terminal shell in container" }));
 * const falco = connect(fake.address);
 * const alerts = falco.outputs.subscribe();
 * for await (const alert of alerts) {
 *   assert.equal(alert.rule, "Terminal shell in container");
 *   break;
 * }
 * assert.equal(alerts.stats().received, 1);
 * await falco.close();
 * await fake.stop();
 * ```
 */
export class Subscription extends EventStream<Alert> implements AsyncDisposable {
  readonly #source: CallSource;
  readonly #behaviour: SubscribeBehaviour;

  /**
   * Made by `outputs.subscribe()`.
   *
   * @param context The connection.
   * @param options The caller's wishes.
   * @throws {RangeError} If an option is out of range.
   */
  constructor(context: CallContext, options: SubscribeOptions = {}) {
    const { reconnect = {} } = options;
    const behaviour: SubscribeBehaviour = new SubscribeBehaviour(
      context,
      new PollPacer(options),
      reconnect === false ? undefined : new Backoff(reconnect, context.clock ?? systemClock),
      (): number => source.decoder.decoded,
    );
    const source: CallSource = new CallSource(context, behaviour, options);
    super(source);
    this.#source = source;
    this.#behaviour = behaviour;
  }

  /**
   * Tells what becomes of the connection.
   *
   * Each call gives a stream of its own, which begins with how it is now (nothing as long as nobody
   * has read an alert: a subscription opens with the first read) and ends after `closed`. The
   * subscription never waits for one: of more than 256 statuses that nobody reads, the oldest are
   * dropped and counted in `stats().missedStatuses`.
   *
   * @returns The statuses.
   *
   * @example
   * ```ts
   * import { connect } from "@falco-streams/core";
   * import { buildAlert, FakeFalco } from "@falco-streams/core/harness";
   * import assert from "node:assert/strict";
   *
   * const fake = await FakeFalco.start();
   * fake.push(buildAlert());
   * const falco = connect(fake.address);
   * const alerts = falco.outputs.subscribe();
   * const story = Array.fromAsync(alerts.status(), ({ type }) => type);
   * for await (const _ of alerts) break;
   * assert.deepEqual(await story, ["connecting", "open", "closed"]);
   * await falco.close();
   * await fake.stop();
   * ```
   */
  status(): EventStream<Status> {
    return this.#behaviour.status.stream();
  }

  /**
   * Counts so far.
   *
   * @returns A snapshot.
   */
  stats(): SubscriptionStats {
    const { decoded, invalid, lossyText } = this.#source.decoder;
    const { polls, reconnects, gaps, status } = this.#behaviour;
    return {
      received: decoded,
      polls,
      reconnects,
      gaps,
      invalid,
      lossyText,
      dropped: this.#source.dropped,
      missedStatuses: status.missed,
    };
  }

  /**
   * Resolves once the subscription is over, for whatever reason, with the error if there was one.
   * What failed it shows when the reader has come that far. Never rejects.
   */
  get closed(): Promise<Error | undefined> {
    return this.#source.closed;
  }

  /**
   * Ends the subscription. Unlike `cancel()` it works while a reader holds the stream: the reader
   * gets what has arrived already, then the end.
   *
   * @returns A promise that resolves when the call is cancelled.
   */
  close(): Promise<void> {
    return this.#source.close();
  }

  /** The same as {@linkcode Subscription.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
