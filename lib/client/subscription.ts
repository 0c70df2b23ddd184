/** A `sub` call as a stream. @module */
import type { Alert } from "../alert/alert.ts";
import { systemClock } from "../clock.ts";
import { EventStream } from "../streams/engine/event_stream.ts";
import { CallSource } from "./call_source.ts";
import type { CallContext, CallOptions } from "./call_source.ts";
import { PollPacer } from "./poll_pacer.ts";
import type { PollOptions } from "./poll_pacer.ts";

/** An encoded `falco.outputs.request`: it has no fields. */
const REQUEST = new Uint8Array();

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
export interface SubscribeOptions extends CallOptions, PollOptions {}

/**
 * What a subscription counted so far.
 *
 * @example
 * ```ts
 * import type { SubscriptionStats } from "@falco-streams/core";
 *
 * const stats: SubscriptionStats = { received: 3, polls: 9, invalid: 0, lossyText: 0, dropped: 0 };
 * console.assert(stats.received <= stats.polls);
 * ```
 */
export interface SubscriptionStats {
  /** Alerts that were received and decoded. */
  readonly received: number;
  /** Requests that were sent. */
  readonly polls: number;
  /** Messages that were no alerts, and were skipped. */
  readonly invalid: number;
  /** Texts within alerts that were not UTF-8, and had their bad bytes replaced by U+FFFD. */
  readonly lossyText: number;
  /**
   * Alerts that had arrived and were thrown away unread. Neither those that were still under way in
   * sockets can be counted, nor those of the last few that the stream held already (at most what one
   * read of the socket brought): they are in `received`.
   */
  readonly dropped: number;
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
 * - It ends if Falco ends the call, which it does when it stops in order, and fails with a
 *   `FalcoConnectError` if the connection is lost.
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
  readonly #polls: { count: number };

  /**
   * Made by `outputs.subscribe()`.
   *
   * @param context The connection.
   * @param options The caller's wishes.
   * @throws {RangeError} If an option is out of range.
   */
  constructor(context: CallContext, options: SubscribeOptions = {}) {
    const pacer = new PollPacer(options);
    const polls = { count: 0 };
    const { clock = systemClock } = context;
    const source = new CallSource(context, {
      method: "falco.outputs.service/sub",
      received: () => pacer.received(clock.now()),
      idle(call) {
        if (pacer.delay(clock.now()) === 0) {
          // Never the last one: Falco would not end a call that is half-closed.
          call.send(REQUEST);
          polls.count++;
          pacer.asked(clock.now());
        }
        return pacer.delay(clock.now());
      },
    }, options);
    super(source);
    this.#source = source;
    this.#polls = polls;
  }

  /**
   * Counts so far.
   *
   * @returns A snapshot.
   */
  stats(): SubscriptionStats {
    const { decoded, invalid, lossyText } = this.#source.decoder;
    const { dropped } = this.#source;
    return { received: decoded, polls: this.#polls.count, invalid, lossyText, dropped };
  }

  /**
   * Resolves once the subscription is over, for whatever reason, with the error if there was one.
   * That Falco ended it, or was lost, shows when the reader has come that far. Never rejects.
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
