/** Lets so many items through in a time. @module */
import { systemClock } from "../clock.ts";
import type { CancelTimer, Clock } from "../clock.ts";
import { OperatorStream } from "./engine/operator_stream.ts";
import type { Stage } from "./engine/stage.ts";
import { keyOf, requireDuration, requireFunction } from "./require_option.ts";
import { requireWhole, requireWord } from "./require_option.ts";

/**
 * Options of {@linkcode RateLimitStream}.
 *
 * @typeParam T The type of the items.
 *
 * @example Ten a minute for each rule, and the others are dropped
 * ```ts
 * import type { Alert } from "@falco-streams/core";
 * import type { RateLimitStreamOptions } from "@falco-streams/core/streams";
 *
 * const options: RateLimitStreamOptions<Alert> = {
 *   limit: 10,
 *   intervalMs: 60_000,
 *   key: (alert) => alert.rule,
 *   overflow: "drop",
 * };
 * console.assert(options.limit === 10);
 * ```
 */
export interface RateLimitStreamOptions<T> {
  /** How many items go through in `intervalMs`, in the long run. A whole number from 1. */
  limit: number;
  /**
   * The time that `limit` is for, in milliseconds. Above 0.
   *
   * @default {1000}
   */
  intervalMs?: number;
  /**
   * How many items go through at once after a time of rest. A whole number from 1.
   *
   * @default `limit`: what was not used in the last interval, but not of those before it.
   */
  burst?: number;
  /**
   * Makes the key of an item; each key has a limit of its own. What it throws fails the stream.
   *
   * @default One limit for all items.
   */
  key?: (item: T) => string;
  /**
   * What happens to an item above the limit: `block` holds it, and all that come after it, until there
   * is room for it; `drop` drops it.
   *
   * @default {"block"} Nothing is lost. With `key` a single noisy key then holds up all others.
   */
  overflow?: "block" | "drop";
  /**
   * How many keys are remembered. A whole number from 1.
   *
   * @default {10_000} Keys hold what watched processes chose, so there has to be a limit.
   */
  maxKeys?: number;
  /** Called with each item that is dropped. What it throws fails the stream. */
  onDrop?: (item: T) => void;
  /**
   * What tells the time, and waits.
   *
   * @default {systemClock}
   */
  clock?: Clock;
}

/**
 * Lets items through at a limited rate, in their order.
 *
 * It works as a bucket of tokens: an item takes one, the bucket holds `burst` of them and is full at
 * first, and `limit` of them come back in `intervalMs`, evenly. So in any time no more than `burst`
 * items go through, and those that the rate allows for that time.
 *
 * - The table of keys is bounded. When it is full, the key that was seen longest ago is forgotten; its
 *   next item finds a full bucket.
 * - While the clock is set back no tokens come back, and none are lost.
 * - {@linkcode RateLimitStream.dropped} counts what was dropped. If the stream fails or is cancelled,
 *   the item that is held is lost with it, and the timer is taken back.
 *
 * @typeParam T The type of the items.
 *
 * @example
 * ```ts
 * import { EventStream, RateLimitStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const limit = new RateLimitStream<number>({ limit: 2, intervalMs: 60_000, overflow: "drop" });
 * const stream = EventStream.from([1, 2, 3, 4]).pipeThrough(limit);
 * assert.deepEqual(await Array.fromAsync(stream), [1, 2]);
 * assert.equal(limit.dropped, 2);
 * ```
 */
export class RateLimitStream<T> extends OperatorStream<T, T> {
  readonly #counter: { dropped: number };

  /**
   * Creates the operator.
   *
   * @param options See {@linkcode RateLimitStreamOptions}.
   *
   * @throws {RangeError} when `limit`, `intervalMs`, `burst` or `maxKeys` is out of range.
   * @throws {TypeError} when `key` or `onDrop` is not a function, or `overflow` none of the two words.
   * The stream fails with it when `key` returns anything but a string.
   */
  constructor(options: RateLimitStreamOptions<T>) {
    const { limit, intervalMs = 1000, burst = limit, key, overflow = "block" } = options;
    const { maxKeys = 10_000, onDrop, clock = systemClock } = options;
    const action = "create RateLimitStream";
    requireWhole(action, "limit", limit, 1);
    requireDuration(action, "intervalMs", intervalMs);
    requireWhole(action, "burst", burst, 1);
    requireWhole(action, "maxKeys", maxKeys, 1);
    requireWord(action, "overflow", overflow, ["block", "drop"]);
    if (key !== undefined) requireFunction(action, "key", key);
    if (onDrop !== undefined) requireFunction(action, "onDrop", onDrop);
    const counter = { dropped: 0 };
    const drop = (item: T): void => {
      counter.dropped++;
      onDrop?.(item);
    };
    const rules = {
      tokensPerMs: limit / intervalMs,
      burst,
      key,
      maxKeys,
      clock,
      drop: overflow === "drop" ? drop : undefined,
    };
    super((down) => new RateLimitStage(down, rules));
    this.#counter = counter;
  }

  /** How many items were dropped so far. */
  get dropped(): number {
    return this.#counter.dropped;
  }
}

interface RateLimitRules<T> {
  readonly tokensPerMs: number;
  readonly burst: number;
  readonly key: ((item: T) => string) | undefined;
  readonly maxKeys: number;
  readonly clock: Clock;
  /** Undefined to block. */
  readonly drop: ((item: T) => void) | undefined;
}

interface Bucket {
  tokens: number;
  /** When that was so. */
  atMs: number;
}

// Thirds of a token may not add up to a whole one.
const almostOne = 1 - 1e-9;

class RateLimitStage<T> implements Stage<T> {
  readonly #down: Stage<T>;
  readonly #rules: RateLimitRules<T>;
  // The key that was seen longest ago comes first, since a Map keeps its order.
  readonly #buckets = new Map<string, Bucket>();
  #cancelTimer: CancelTimer | undefined;
  #resume: (() => void) | undefined;
  #over = false;

  constructor(down: Stage<T>, rules: RateLimitRules<T>) {
    this.#down = down;
    this.#rules = rules;
  }

  push(item: T): void | Promise<void> {
    if (this.#over) return;
    const { drop } = this.#rules;
    const bucket = this.#bucketOf(item);
    if (bucket.tokens >= almostOne) {
      bucket.tokens--;
      return this.#down.push(item);
    }
    if (drop !== undefined) return drop(item);
    return this.#untilFilled(bucket).then(() => {
      if (this.#over) return;
      this.#fill(bucket);
      // A timer may be early by a part of a millisecond.
      bucket.tokens = Math.max(0, bucket.tokens - 1);
      return this.#down.push(item);
    });
  }

  end(): void | Promise<void> {
    if (!this.#over) return this.#down.end();
  }

  cancel(): void {
    this.#over = true;
    this.#cancelTimer?.();
    this.#buckets.clear();
    this.#resume?.();
  }

  #bucketOf(item: T): Bucket {
    const { burst, key, maxKeys, clock } = this.#rules;
    const name = keyOf(key, item);
    let bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      if (this.#buckets.size >= maxKeys) this.#buckets.delete(this.#buckets.keys().next().value!);
      bucket = { tokens: burst, atMs: clock.now() };
    } else {
      this.#fill(bucket);
      if (key !== undefined) this.#buckets.delete(name);
    }
    this.#buckets.set(name, bucket);
    return bucket;
  }

  #fill(bucket: Bucket): void {
    const { tokensPerMs, burst, clock } = this.#rules;
    const now = clock.now();
    const elapsedMs = Math.max(0, now - bucket.atMs);
    bucket.tokens = Math.min(burst, bucket.tokens + elapsedMs * tokensPerMs);
    bucket.atMs = now;
  }

  #untilFilled(bucket: Bucket): Promise<void> {
    const { tokensPerMs, clock } = this.#rules;
    return new Promise((resolve) => {
      this.#resume = resolve;
      this.#cancelTimer = clock.setTimer(resolve, (1 - bucket.tokens) / tokensPerMs);
    });
  }
}
