/** Lets an item of a kind through once in a while. @module */
import { systemClock } from "../clock.ts";
import type { CancelTimer, Clock } from "../clock.ts";
import { OperatorStream } from "./engine/operator_stream.ts";
import type { Stage } from "./engine/stage.ts";
import { LaterOutput } from "./later_output.ts";
import { keyOf, requireDuration, requireFunction, requireWhole } from "./require_option.ts";

/**
 * Options of {@linkcode ThrottleStream}.
 *
 * @typeParam T The type of the items.
 *
 * @example
 * ```ts
 * import type { ThrottleStreamOptions } from "@falco-streams/core/streams";
 *
 * const options: ThrottleStreamOptions<string> = { leading: false, trailing: true };
 * console.assert(options.trailing);
 * ```
 */
export interface ThrottleStreamOptions<T> {
  /**
   * Makes the key of an item; each key has intervals of its own. What it throws fails the stream.
   *
   * @default One interval for all items.
   */
  key?: (item: T) => string;
  /**
   * True to let the first item of an interval through at once.
   *
   * @default {true}
   */
  leading?: boolean;
  /**
   * True to hand on the last of the other items at the end of the interval.
   *
   * @default {false}
   */
  trailing?: boolean;
  /**
   * How many keys are remembered. A whole number from 1.
   *
   * @default {10_000} Keys hold what watched processes chose, so there has to be a limit.
   */
  maxKeys?: number;
  /** Called with each item that is dropped. What it throws fails the stream. */
  onDrop?: (item: T) => void;
  /**
   * What tells the time.
   *
   * @default {systemClock}
   */
  clock?: Clock;
}

/**
 * Lets one item through for each interval of time, and drops the others; two with `trailing`.
 *
 * - An interval begins with an item when none is under way, and lasts `intervalMs`. `leading` lets that
 *   item through at once. `trailing` holds the last item that did not go through until the end of the
 *   interval, hands it on then, and begins the next interval with it.
 * - So two items of a key are never handed on within less than `intervalMs`, but for the end of the
 *   stream, where what is held comes out at once, and for keys that were forgotten.
 * - The table of keys is bounded. When it is full, the key whose interval began longest ago is
 *   forgotten: what is held for it comes out at once, and its next item begins a new interval.
 * - If the clock is set back, the intervals that began in what is now the future are over.
 * - {@linkcode ThrottleStream.dropped} counts what was dropped. If the stream fails or is cancelled,
 *   what is held is lost with it, and timers are taken back.
 *
 * @typeParam T The type of the items.
 *
 * @example
 * ```ts
 * import { EventStream, ThrottleStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const throttle = new ThrottleStream<string>(1000, { key: (text) => text[0]!, trailing: true });
 * const stream = EventStream.from(["a1", "a2", "b1", "a3"]).pipeThrough(throttle);
 * assert.deepEqual(await Array.fromAsync(stream), ["a1", "b1", "a3"]);
 * assert.equal(throttle.dropped, 1);
 * ```
 */
export class ThrottleStream<T> extends OperatorStream<T, T> {
  readonly #counter: { dropped: number };

  /**
   * Creates the operator.
   *
   * @param intervalMs How long an interval lasts, in milliseconds. Above 0.
   * @param options See {@linkcode ThrottleStreamOptions}.
   *
   * @throws {RangeError} when `intervalMs` or `maxKeys` is out of range.
   * @throws {TypeError} when `key` or `onDrop` is not a function, or neither `leading` nor `trailing` is
   * true. The stream fails with it when `key` returns anything but a string.
   */
  constructor(intervalMs: number, options: ThrottleStreamOptions<T> = {}) {
    const { key, leading = true, trailing = false, maxKeys = 10_000 } = options;
    const { onDrop, clock = systemClock } = options;
    const action = "create ThrottleStream";
    requireDuration(action, "intervalMs", intervalMs);
    requireWhole(action, "maxKeys", maxKeys, 1);
    if (key !== undefined) requireFunction(action, "key", key);
    if (onDrop !== undefined) requireFunction(action, "onDrop", onDrop);
    if (!leading && !trailing) {
      throw new TypeError(
        `Cannot ${action}: without "leading" and "trailing" nothing would get through`,
      );
    }
    const counter = { dropped: 0 };
    const drop = (item: T): void => {
      counter.dropped++;
      onDrop?.(item);
    };
    const rules = { intervalMs, key, leading, trailing, maxKeys, clock, drop };
    super((down, context) => new ThrottleStage(new LaterOutput(down, context), rules));
    this.#counter = counter;
  }

  /** How many items were dropped so far. */
  get dropped(): number {
    return this.#counter.dropped;
  }
}

interface ThrottleRules<T> {
  readonly intervalMs: number;
  readonly key: ((item: T) => string) | undefined;
  readonly leading: boolean;
  readonly trailing: boolean;
  readonly maxKeys: number;
  readonly clock: Clock;
  readonly drop: (item: T) => void;
}

interface Interval<T> {
  startMs: number;
  /** The item for its end. */
  held?: { readonly item: T; readonly cancelTimer: CancelTimer };
}

class ThrottleStage<T> implements Stage<T> {
  readonly #output: LaterOutput<T>;
  readonly #rules: ThrottleRules<T>;
  // The one that began longest ago comes first, since a Map keeps its order.
  readonly #intervals = new Map<string, Interval<T>>();
  #over = false;

  constructor(output: LaterOutput<T>, rules: ThrottleRules<T>) {
    this.#output = output;
    this.#rules = rules;
  }

  push(item: T): void | Promise<void> {
    if (this.#over) return;
    const { intervalMs, key, leading, trailing, maxKeys, clock, drop } = this.#rules;
    const name = keyOf(key, item);
    const now = clock.now();
    const output: T[] = [];
    let interval = this.#intervals.get(name);
    if (
      interval !== undefined && !(now >= interval.startMs && now - interval.startMs < intervalMs)
    ) {
      // It is over. What is held comes first, if its timer is late.
      const held = this.#takeHeld(interval);
      this.#intervals.delete(name);
      interval = held.length > 0 ? this.#begin(name, now) : undefined;
      output.push(...held);
    }
    if (interval !== undefined) {
      if (trailing) this.#hold(name, interval, item, now);
      else drop(item);
    } else {
      if (this.#intervals.size >= maxKeys) output.push(...this.#forgetOldest());
      interval = this.#begin(name, now);
      if (leading) output.push(item);
      else this.#hold(name, interval, item, now);
    }
    if (output.length > 0) return this.#output.pushAll(output);
  }

  end(): void | Promise<void> {
    if (this.#over) return;
    const held = [...this.#intervals.values()].flatMap((interval) => this.#takeHeld(interval));
    this.#intervals.clear();
    const wait = this.#output.pushAll(held);
    return wait === undefined ? this.#output.end() : wait.then(() => this.#output.end());
  }

  cancel(): void {
    this.#over = true;
    for (const { held } of this.#intervals.values()) held?.cancelTimer();
    this.#intervals.clear();
    this.#output.cancel();
  }

  #begin(name: string, now: number): Interval<T> {
    const interval: Interval<T> = { startMs: now };
    this.#intervals.set(name, interval);
    return interval;
  }

  #hold(name: string, interval: Interval<T>, item: T, now: number): void {
    const { intervalMs, clock, drop } = this.#rules;
    const before = interval.held;
    const cancelTimer = before?.cancelTimer ??
      clock.setTimer(() => this.#onTimer(name, interval), interval.startMs + intervalMs - now);
    interval.held = { item, cancelTimer };
    if (before !== undefined) drop(before.item);
  }

  #onTimer(name: string, interval: Interval<T>): void {
    const held = this.#takeHeld(interval);
    this.#intervals.delete(name);
    this.#begin(name, this.#rules.clock.now());
    for (const item of held) this.#output.pushLater(item);
  }

  #forgetOldest(): T[] {
    const [name, interval] = this.#intervals.entries().next().value!;
    this.#intervals.delete(name);
    return this.#takeHeld(interval);
  }

  #takeHeld(interval: Interval<T>): T[] {
    const { held } = interval;
    if (held === undefined) return [];
    held.cancelTimer();
    delete interval.held;
    return [held.item];
  }
}
