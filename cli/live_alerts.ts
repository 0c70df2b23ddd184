/** Alerts as they come, for `tail` and `record`. @module */
import type { Alert } from "../lib/alert/alert.ts";
import type { FalcoClient } from "../lib/client/connect.ts";
import { compose } from "../lib/streams/engine/compose.ts";
import { LimitStream } from "../lib/streams/limit_stream.ts";
import { selectAlerts } from "./alert_selection.ts";
import type { LiveArguments } from "./live_options.ts";
import type { LiveEvents, OpenSource } from "./open_source.ts";
import { openSource } from "./open_source.ts";
import { byCount } from "./rule_counts.ts";

/** A source of alerts with what was asked for behind it. */
export class LiveAlerts {
  /** The alerts that were asked for; ends at the limit. */
  readonly stream: ReadableStream<Alert>;
  readonly #source: OpenSource;
  readonly #selected: () => { readonly [reason: string]: number };

  private constructor(source: OpenSource, options: LiveArguments) {
    const { limit } = options;
    const { operators, dropped } = selectAlerts(options);
    this.#source = source;
    this.#selected = dropped;
    const chain = [...operators, ...(limit === undefined ? [] : [new LimitStream<Alert>(limit)])];
    this.stream = chain.length === 0 ? source.alerts : source.alerts.pipeThrough(compose(...chain));
  }

  /**
   * Opens the source. A connection is made, and a file opened, with the first read; a receiver listens
   * at once.
   *
   * @param options Which source and which alerts.
   * @param how `signal` ends it: the stream fails with its reason. The others learn what becomes of it.
   * @returns The alerts.
   * @throws {UsageError} If the address cannot be used.
   * @throws {FalcoError} If it cannot listen.
   */
  static async open(
    options: LiveArguments,
    how: LiveEvents & { readonly signal: AbortSignal },
  ): Promise<LiveAlerts> {
    return new LiveAlerts(await openSource(options.source, how), options);
  }

  /** The client, for its version; undefined unless alerts come over gRPC. */
  get client(): FalcoClient | undefined {
    return this.#source.client;
  }

  /** Where alerts come from, in full. */
  get address(): string {
    return this.#source.address;
  }

  /** What was never there, of what there has to be before any alert; undefined if it was. */
  get missing(): string | undefined {
    return this.#source.missing();
  }

  /**
   * How many alerts have come so far.
   *
   * @param out How many of them came out.
   * @returns Their number.
   */
  received(out: number): number {
    return this.#source.counts(out + this.#leftOut).received;
  }

  /** How many alerts the options left out, by reason. */
  get dropped(): { readonly [reason: string]: number } {
    return this.#selected();
  }

  /**
   * Ends it, and closes what it holds open.
   *
   * @returns A promise that resolves when the last has been told of it.
   */
  close(): Promise<void> {
    return this.#source.close();
  }

  /**
   * What it counted, for people. What is nought is left out, but for the first line.
   *
   * @param out How many alerts came out.
   * @param done What was done to them, such as `printed`.
   * @returns Rows of a label and a text.
   */
  rows(out: number, done: string): (readonly [label: string, text: string])[] {
    const leftOut = this.#leftOut;
    const { received, rows } = this.#source.counts(out + leftOut);
    const reasons = byCount(Object.entries(this.dropped)).filter(([, count]) => count > 0);
    const unread = received - out - leftOut;
    return [
      ["alerts", `${received} received, ${out} ${done}, ${leftOut} dropped`],
      ...(leftOut === 0 ? [] : [
        ["dropped", reasons.map(([reason, count]) => `${reason} ${count}`).join(", ")] as const,
      ]),
      ...(unread === 0
        ? []
        : [["left behind", `${unread} had arrived, neither ${done} nor dropped`] as const]),
      ...rows,
    ];
  }

  get #leftOut(): number {
    return Object.values(this.dropped).reduce((sum, count) => sum + count, 0);
  }
}
