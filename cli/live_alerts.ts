/** Alerts from a Falco that runs, for `tail` and `record`. @module */
import type { Alert } from "../lib/alert/alert.ts";
import { connect } from "../lib/client/connect.ts";
import type { FalcoClient } from "../lib/client/connect.ts";
import type { Status } from "../lib/client/status.ts";
import type { Subscription, SubscriptionStats } from "../lib/client/subscription.ts";
import { compose } from "../lib/streams/engine/compose.ts";
import { LimitStream } from "../lib/streams/limit_stream.ts";
import { selectAlerts } from "./alert_selection.ts";
import type { LiveArguments } from "./live_options.ts";
import { byCount } from "./rule_counts.ts";

/** A subscription with what was asked for behind it. */
export class LiveAlerts {
  /** The client, for its version. */
  readonly client: FalcoClient;
  /** The alerts that were asked for; ends at the limit. */
  readonly stream: ReadableStream<Alert>;
  readonly #subscription: Subscription;
  readonly #selected: () => { readonly [reason: string]: number };
  readonly #told: Promise<void>;

  /**
   * Connects with the first read.
   *
   * @param options Which Falco and which alerts.
   * @param how `signal` ends it: the stream fails with its reason. `onStatus` learns what becomes of
   * the connection.
   */
  constructor(
    options: LiveArguments,
    how: { readonly signal: AbortSignal; readonly onStatus: (status: Status) => void },
  ) {
    const { address, tls, maxAttempts, limit } = options;
    this.client = connect(address?.text, { tls });
    this.#subscription = this.client.outputs.subscribe({
      signal: how.signal,
      reconnect: maxAttempts === undefined ? {} : maxAttempts === 0 ? false : { maxAttempts },
    });
    this.#told = tell(this.#subscription.status(), how.onStatus);
    const { operators, dropped } = selectAlerts(options);
    this.#selected = dropped;
    const chain = [...operators, ...(limit === undefined ? [] : [new LimitStream<Alert>(limit)])];
    this.stream = chain.length === 0
      ? this.#subscription
      : this.#subscription.pipeThrough(compose(...chain));
  }

  /** Counts of the subscription so far. */
  get stats(): SubscriptionStats {
    return this.#subscription.stats();
  }

  /** How many alerts the options left out, by reason. */
  get dropped(): { readonly [reason: string]: number } {
    return this.#selected();
  }

  /**
   * Ends it, and closes the connection.
   *
   * @returns A promise that resolves when the last status has been told.
   */
  async close(): Promise<void> {
    await this.client.close();
    await this.#told;
  }

  /**
   * What it counted, for people. What is nought is left out, but for the first line.
   *
   * @param out How many alerts came out.
   * @param done What was done to them, such as `printed`.
   * @returns Rows of a label and a text.
   */
  rows(out: number, done: string): (readonly [label: string, text: string])[] {
    const { received, invalid, lossyText, dropped, reconnects } = this.stats;
    const reasons = byCount(Object.entries(this.dropped)).filter(([, count]) => count > 0);
    const leftOut = reasons.reduce((sum, [, count]) => sum + count, 0);
    const unread = received - out - leftOut + dropped;
    const rows: (readonly [string, string])[] = [
      ["alerts", `${received + dropped} received, ${out} ${done}, ${leftOut} dropped`],
    ];
    if (leftOut > 0) {
      rows.push(["dropped", reasons.map(([reason, count]) => `${reason} ${count}`).join(", ")]);
    }
    if (unread > 0) {
      rows.push(["left behind", `${unread} had arrived, neither ${done} nor dropped`]);
    }
    if (invalid > 0) rows.push(["invalid", `${invalid} messages were no alerts`]);
    if (lossyText > 0) rows.push(["mended", `${lossyText} texts were not UTF-8`]);
    if (reconnects > 0) rows.push(["reconnects", String(reconnects)]);
    return rows;
  }
}

async function tell(
  statuses: AsyncIterable<Status>,
  onStatus: (status: Status) => void,
): Promise<void> {
  for await (const status of statuses) onStatus(status);
}
