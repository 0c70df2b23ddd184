/** A bounded queue that delivers in order and tries again. @module */
import { systemClock, wait } from "../clock.ts";
import type { Clock } from "../clock.ts";
import type { ItemSink } from "../streams/engine/sink_stream.ts";
import { DeliveryError } from "./delivery_error.ts";
import type { Delivered, DeliveryOptions, DeliveryStats, DropReason } from "./delivery_options.ts";
import { requirePositive } from "./require_positive.ts";

/** The way to the receiver. */
export interface Delivery {
  /** How many items it takes at once; what waits is then delivered together. Default 1. */
  readonly maxItems?: number;
  /**
   * Delivers items: all of them, or none as far as is known.
   *
   * @param items One or more, in order.
   * @param signal There is no time left.
   * @throws {DeliveryError} If it failed; any other error fails the sink.
   */
  deliver(items: readonly Delivered[], signal: AbortSignal): Promise<void>;
  /**
   * Frees what it holds; called once, and not while something is being delivered.
   *
   * @param signal There is no time left to be orderly; it may be aborted already. Its reason is
   * `closed` if that is since the time to close is over, and `aborted` otherwise.
   * @throws {Error} If something that was delivered may not have arrived after all.
   */
  end(signal: AbortSignal): Promise<void> | void;
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
  readonly #closeTimeoutMs: number;
  readonly #retry: { maxAttempts: number; minDelayMs: number; maxDelayMs: number };
  readonly #leave = new AbortController();
  readonly #deadLetters: WritableStreamDefaultWriter<Delivered> | undefined;
  readonly #dropped: Partial<Record<DropReason, number>> = {};
  #items: Delivered[] = [];
  /** How many of the first items are on their way. */
  #underWay = 0;
  #working: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  /** The last attempt failed, and there will be another. */
  #isFailing = false;
  #delivered = 0;
  #retries = 0;
  #ending: Promise<void> | undefined;
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
    requirePositive({ maxBuffered, closeTimeoutMs, maxAttempts, minDelayMs, maxDelayMs });
    this.#delivery = delivery;
    this.#options = options;
    this.#clock = clock;
    this.#max = maxBuffered;
    this.#closeTimeoutMs = closeTimeoutMs;
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
    try {
      await this.#put(item);
    } catch (error) {
      // The stream calls neither close nor abort after this.
      this.#fail(error);
      await this.#working;
      await this.#end("aborted");
      throw this.#failure!.error;
    }
  }

  async #put(item: Delivered): Promise<void> {
    this.#throwFailure();
    const { overflow } = this.#options;
    if (this.#items.length >= this.#max && overflow === "drop-newest") {
      return await this.#drop(item, "overflow");
    }
    this.#items.push(item);
    this.#working ??= this.#work();
    while (this.#items.length >= this.#max && this.#holdsUp) {
      await new Promise<void>((resolve) => this.#onRoom = resolve);
    }
    this.#throwFailure();
    if (this.#items.length > this.#max && overflow !== "block" && !this.#hasLeft) {
      // Not those on their way, which may be with the receiver already.
      const [oldest] = this.#items.splice(this.#underWay, 1);
      await this.#drop(oldest!, "overflow");
      this.#throwFailure();
    }
  }

  /**
   * A receiver that takes alerts sets the pace; one that does not holds nobody up, if there is a place
   * for what then falls out.
   */
  get #holdsUp(): boolean {
    if (this.#hasLeft) return false;
    const { overflow = this.#isFailing && this.#isHeardOf ? "drop-oldest" : "block" } =
      this.#options;
    return overflow === "block";
  }

  /** Somebody learns of what is dropped. */
  get #isHeardOf(): boolean {
    return this.#deadLetters !== undefined || this.#options.onDrop !== undefined;
  }

  /** @inheritdoc */
  interrupt(): void {
    this.#leave.abort("aborted" satisfies DropReason);
    this.#onRoom();
  }

  /** @inheritdoc */
  async close(): Promise<void> {
    const cancelTimer = this.#clock.setTimer(
      () => this.#leave.abort("closed" satisfies DropReason),
      this.#closeTimeoutMs,
    );
    try {
      await this.#working;
      const late = this.#items.length;
      await this.#end(this.#failure === undefined ? "closed" : "aborted");
      this.#throwFailure();
      if (late > 0) {
        throw new DeliveryError(
          `Cannot deliver the last ${late} items: the time to close, ${this.#closeTimeoutMs} ms, ` +
            "is over",
          { mayPass: true },
        );
      }
    } finally {
      cancelTimer();
    }
  }

  /** @inheritdoc */
  async abort(): Promise<void> {
    this.interrupt();
    await this.#working;
    await this.#end("aborted");
    this.#throwFailure();
  }

  get #hasLeft(): boolean {
    return this.#leave.signal.aborted;
  }

  /**
   * Drops what waits, and lets go of everything, once. The first failure is the one that is told, and
   * no other keeps anything from being counted and let go of.
   */
  #end(reason: DropReason): Promise<void> {
    return this.#ending ??= this.#letGo(reason);
  }

  async #letGo(reason: DropReason): Promise<void> {
    const fail = (error: unknown) => this.#fail(error);
    const items = this.#items;
    this.#items = [];
    for (const item of items) await this.#drop(item, reason).catch(fail);
    // Closed, not aborted: what was lost is on record, and that is no failure of the record.
    await this.#deadLetters?.close().catch(fail);
    await Promise.resolve().then(() => this.#delivery.end(this.#leave.signal)).catch(fail);
  }

  async #work(): Promise<void> {
    let attempt = 0;
    while (this.#items.length > 0 && !this.#hasLeft && this.#failure === undefined) {
      const items = this.#items.slice(0, this.#delivery.maxItems ?? 1);
      this.#underWay = items.length;
      attempt++;
      try {
        await this.#delivery.deliver(items, this.#leave.signal);
        this.#delivered += items.length;
        this.#isFailing = false;
      } catch (error) {
        if (this.#hasLeft) break;
        if (!(error instanceof DeliveryError)) {
          this.#fail(error);
          break;
        }
        if (error.mayPass && attempt < this.#retry.maxAttempts) {
          this.#isFailing = true;
          this.#onRoom();
          await this.#pause(error, attempt);
          continue;
        }
        // The next one has a chance of its own.
        this.#isFailing = false;
        await this.#giveUp(items, error);
      }
      attempt = 0;
      this.#items.splice(0, items.length);
      this.#underWay = 0;
      this.#onRoom();
    }
    this.#working = undefined;
    // The next write may be long in coming, and would not be followed by close or abort.
    if (this.#failure !== undefined) await this.#end("aborted");
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

  async #giveUp(items: readonly Delivered[], error: DeliveryError): Promise<void> {
    try {
      for (const item of items) {
        await this.#drop(item, error.mayPass ? "gave-up" : "refused", error);
      }
    } catch (thrown) {
      return this.#fail(thrown);
    }
    if (!this.#isHeardOf) this.#fail(error);
  }

  async #drop(item: Delivered, reason: DropReason, error?: Error): Promise<void> {
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + 1;
    try {
      this.#options.onDrop?.(item, reason, error);
    } finally {
      await this.#deadLetters?.write(item);
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.interrupt();
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
