/** Alerts that wait for a reader, and senders that wait for room. @module */
import type { Alert } from "../alert/alert.ts";
import type { BatchSource } from "../streams/engine/batch_source.ts";

/** How many alerts the reader gets at once. */
const BATCH = 256;

/**
 * A bounded queue between senders that push and a reader that pulls.
 *
 * What is put in is kept, above the bound too: the bound decides when senders are told to go on.
 */
export class AlertInbox implements BatchSource<Alert> {
  readonly #max: number;
  readonly #maxBytes: number;
  #alerts: Alert[] = [];
  /** How much each of them took on its way. */
  #sizes: number[] = [];
  #bytes = 0;
  #dropped = 0;
  #outcome: { readonly error?: unknown } | undefined;
  #wakeReader: () => void = () => {};
  #waiting: (() => void)[] = [];
  readonly #onCancel: (reason: unknown) => Promise<void>;

  /**
   * @param max How many alerts may wait.
   * @param maxBytes How much they may have taken on their way.
   * @param onCancel The reader left.
   */
  constructor(max: number, maxBytes: number, onCancel: (reason: unknown) => Promise<void>) {
    this.#max = max;
    this.#maxBytes = maxBytes;
    this.#onCancel = onCancel;
  }

  /** Alerts that wait. */
  get length(): number {
    return this.#alerts.length;
  }

  /** Alerts that were thrown away unread. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The bound is reached. */
  get isFull(): boolean {
    return this.#alerts.length >= this.#max || this.#bytes >= this.#maxBytes;
  }

  /**
   * Puts alerts in.
   *
   * @param alerts The alerts, in order.
   * @param bytes How much they took on their way.
   */
  put(alerts: readonly Alert[], bytes: number): void {
    if (this.#outcome !== undefined) {
      this.#dropped += alerts.length;
      return;
    }
    for (const alert of alerts) {
      this.#alerts.push(alert);
      this.#sizes.push(bytes / alerts.length);
    }
    if (alerts.length > 0) this.#bytes += bytes;
    this.#wakeReader();
  }

  /**
   * Waits until no more than the bound wait.
   *
   * @returns A promise that resolves then, or when the inbox is over.
   */
  async room(): Promise<void> {
    while (
      (this.#alerts.length > this.#max || this.#bytes > this.#maxBytes) &&
      this.#outcome === undefined
    ) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /**
   * Ends it.
   *
   * @param outcome With an error the reader gets that at once; without, what waits comes first.
   */
  end(outcome: { readonly error?: unknown }): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    if ("error" in outcome) this.#dropAll();
    this.#release();
    this.#wakeReader();
  }

  /** @inheritdoc */
  async pull(): Promise<Alert[] | null> {
    for (;;) {
      if (this.#alerts.length > 0) {
        const batch = this.#alerts.splice(0, BATCH);
        for (const size of this.#sizes.splice(0, BATCH)) this.#bytes -= size;
        if (this.#alerts.length === 0) this.#bytes = 0; // and not what rounding has left
        this.#release();
        return batch;
      }
      if (this.#outcome !== undefined) {
        if ("error" in this.#outcome) throw this.#outcome.error;
        return null;
      }
      await new Promise<void>((resolve) => this.#wakeReader = resolve);
    }
  }

  /** @inheritdoc */
  async cancel(reason: unknown): Promise<void> {
    this.end({});
    this.#dropAll();
    await this.#onCancel(reason);
  }

  #dropAll(): void {
    this.#dropped += this.#alerts.length;
    this.#alerts = [];
    this.#sizes = [];
    this.#bytes = 0;
  }

  #release(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
