/** A bounded queue that delivers in order and tries again. @module */
import { systemClock, wait } from "../clock.ts";
import type { Clock } from "../clock.ts";
import type { ItemSink } from "../streams/engine/sink_stream.ts";
import { DeliveryError } from "./delivery_error.ts";
import type { Delivered, DeliveryOptions, DeliveryStats, DropReason } from "./delivery_options.ts";

/** The way to the receiver. */
export interface Delivery {
  /**
   * Delivers one item.
   *
   * @throws {DeliveryError} If it failed; any other error fails the sink.
   */
  deliver(item: Delivered, signal: AbortSignal): Promise<void>;
  /** Frees what it holds. */
  end(): Promise<void> | void;
}

/**
 * Delivers items one after the other, so that they arrive in order, while the pipeline goes on.
 *
 * What is on its way when an attempt fails stays the first in the queue: nothing overtakes it.
 */
export class DeliveryQueue implements ItemSink<Delivered> {
  readonly #delivery: Delivery;
  readonly #options: DeliveryOptions;
  readonly #clock: Clock;
  readonly #max: number;
  readonly #retry: { maxAttempts: number; minDelayMs: number; maxDelayMs: number };
  readonly #leave = new AbortController();
  readonly #deadLetters: WritableStreamDefaultWriter<Delivered> | undefined;
  readonly #dropped: Partial<Record<DropReason, number>> = {};
  #items: Delivered[] = [];
  #working: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #delivered = 0;
  #retries = 0;
  #onRoom: () => void = () => {};

  /**
   * @param delivery The way to the receiver.
   * @param options The caller's wishes.
   * @throws {RangeError} If an option is out of range.
   */
  constructor(delivery: Delivery, options: DeliveryOptions) {
    const { maxBuffered = 1000, closeTimeoutMs = 30_000, retry = {}, clock = systemClock } =
      options;
    const { maxAttempts = Infinity, minDelayMs = 250, maxDelayMs = 30_000 } = retry;
    const limits = { maxBuffered, closeTimeoutMs, maxAttempts, minDelayMs, maxDelayMs };
    for (const [name, value] of Object.entries(limits)) {
      if (!(value > 0)) {
        throw new RangeError(`Cannot create the sink: "${name}" must be above 0: it is ${value}`);
      }
    }
    this.#delivery = delivery;
    this.#options = { ...options, closeTimeoutMs };
    this.#clock = clock;
    this.#max = maxBuffered;
    this.#retry = { maxAttempts, minDelayMs, maxDelayMs };
    this.#deadLetters = options.deadLetters?.getWriter();
    this.#deadLetters?.closed.catch(() => {}); // its writes fail with the same error
  }

  /**
   * Counts so far.
   *
   * @returns A snapshot.
   */
  stats(): DeliveryStats {
    return {
      delivered: this.#delivered,
      retries: this.#retries,
      dropped: { ...this.#dropped },
      waiting: this.#items.length,
    };
  }

  /** @inheritdoc */
  async write(item: Delivered): Promise<void> {
    this.#throwFailure();
    const { overflow = "block" } = this.#options;
    if (this.#items.length >= this.#max && overflow === "drop-newest") {
      return await this.#drop(item, "overflow");
    }
    this.#items.push(item);
    this.#working ??= this.#work();
    if (this.#items.length > this.#max && overflow === "drop-oldest") {
      // Not the first, which may be with the receiver already.
      const [oldest] = this.#items.splice(this.#items.length > 1 ? 1 : 0, 1);
      await this.#drop(oldest!, "overflow");
    }
    while (overflow === "block" && this.#items.length >= this.#max) {
      await new Promise<void>((resolve) => this.#onRoom = resolve);
      this.#throwFailure();
    }
  }

  /** @inheritdoc */
  async close(): Promise<void> {
    const { closeTimeoutMs } = this.#options;
    const cancelTimer = this.#clock.setTimer(() => this.#leave.abort(), closeTimeoutMs!);
    await this.#working;
    cancelTimer();
    const late = this.#items.length;
    await this.#end(this.#failure === undefined ? "closed" : "aborted");
    this.#throwFailure();
    if (late > 0) {
      throw new DeliveryError(
        `Cannot deliver the last ${late} items: the time to close, ${closeTimeoutMs} ms, is over`,
        { mayPass: true },
      );
    }
  }

  /** @inheritdoc */
  async abort(): Promise<void> {
    this.#leave.abort();
    this.#onRoom();
    await this.#working;
    await this.#end("aborted");
    this.#throwFailure();
  }

  /** Drops what waits, and lets go of everything. The first failure is the one that is told. */
  async #end(reason: DropReason): Promise<void> {
    const items = this.#items;
    this.#items = [];
    try {
      for (const item of items) await this.#drop(item, reason);
      // Closed, not aborted: what was lost is on record, and that is no failure of the record.
      await this.#deadLetters?.close();
    } catch (error) {
      this.#fail(error);
    }
    await this.#delivery.end();
  }

  async #work(): Promise<void> {
    let attempt = 0;
    while (this.#items.length > 0 && !this.#leave.signal.aborted && this.#failure === undefined) {
      const item = this.#items[0]!;
      attempt++;
      try {
        await this.#delivery.deliver(item, this.#leave.signal);
        this.#delivered++;
      } catch (error) {
        if (this.#leave.signal.aborted) break;
        if (!(error instanceof DeliveryError)) {
          this.#fail(error);
          break;
        }
        if (error.mayPass && attempt < this.#retry.maxAttempts) {
          await this.#pause(error, attempt);
          continue;
        }
        await this.#giveUp(item, error);
      }
      attempt = 0;
      this.#items.shift();
      this.#onRoom();
    }
    this.#working = undefined;
  }

  async #pause(error: DeliveryError, attempt: number): Promise<void> {
    this.#retries++;
    const { minDelayMs, maxDelayMs } = this.#retry;
    const delayMs = Math.min(minDelayMs * 2 ** Math.min(attempt - 1, 50), maxDelayMs);
    const jittered = delayMs / 2 + this.#clock.random() * delayMs / 2;
    const pauseMs = Math.max(jittered, error.retryAfterMs ?? 0);
    try {
      this.#options.onRetry?.(error, attempt, pauseMs);
    } catch (thrown) {
      return this.#fail(thrown);
    }
    await wait(pauseMs, { clock: this.#clock, signal: this.#leave.signal }).catch(() => {});
  }

  async #giveUp(item: Delivered, error: DeliveryError): Promise<void> {
    const isHeardOf = this.#deadLetters !== undefined || this.#options.onDrop !== undefined;
    try {
      await this.#drop(item, error.mayPass ? "gave-up" : "refused", error);
    } catch (thrown) {
      return this.#fail(thrown);
    }
    if (!isHeardOf) this.#fail(error);
  }

  async #drop(item: Delivered, reason: DropReason, error?: Error): Promise<void> {
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + 1;
    this.#options.onDrop?.(item, reason, error);
    await this.#deadLetters?.write(item);
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#onRoom();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
