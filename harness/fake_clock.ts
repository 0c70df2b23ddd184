/** A clock that moves only when it is told to. @module */
import type { CancelTimer, Clock } from "../lib/clock.ts";
import { seededRandom } from "./seeded_random.ts";

/**
 * A {@linkcode Clock} for tests and replays: no time passes unless `advance` says so, and the random
 * numbers are the same for the same seed, on every runtime.
 *
 * Timers fire inside `advance`, one after the other: the earlier first, of the same moment the one
 * that was set first. While one fires, `now()` is the moment it was set for. A timer that a callback
 * sets fires in the same `advance` if it is due by then; so a callback that sets itself again without
 * any delay never lets `advance` return. Promises settle after `advance` has returned, as always.
 *
 * @example
 * ```ts
 * import { FakeClock } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const clock = new FakeClock();
 * const fired: number[] = [];
 * clock.setTimer(() => fired.push(clock.now()), 1000);
 * clock.advance(999);
 * assert.deepEqual(fired, []);
 * clock.advance(1);
 * assert.deepEqual(fired, [1000]);
 * ```
 */
export class FakeClock implements Clock {
  #now: number;
  readonly #random: () => number;
  // By time, and of the same time in the order they were set.
  readonly #timers: { readonly dueAt: number; readonly callback: () => void }[] = [];

  /**
   * Creates a clock without timers.
   *
   * @param startMs What `now()` says first, in milliseconds since 1970-01-01T00:00:00Z.
   * @param options `seed`, a whole number, decides what `random()` draws. Default 0.
   *
   * @throws {RangeError} when `startMs` is not a finite number, or `seed` not a whole one.
   */
  constructor(startMs: number = 0, options: { seed?: number } = {}) {
    const { seed = 0 } = options;
    if (!Number.isFinite(startMs)) {
      throw new RangeError(
        `Cannot create FakeClock: "startMs" must be finite: current value is "${startMs}"`,
      );
    }
    if (!Number.isSafeInteger(seed)) {
      throw new RangeError(
        `Cannot create FakeClock: "seed" must be a whole number: current value is "${seed}"`,
      );
    }
    this.#now = startMs;
    this.#random = seededRandom(seed);
  }

  /** How many timers are set and have neither fired nor been taken back. */
  get pending(): number {
    return this.#timers.length;
  }

  /**
   * The time.
   *
   * @returns Milliseconds since 1970-01-01T00:00:00Z.
   */
  now(): number {
    return this.#now;
  }

  /**
   * Draws the next random number.
   *
   * @returns A number from 0 up to but not including 1. Not for secrets.
   */
  random(): number {
    return this.#random();
  }

  /**
   * Calls `callback` once, when the clock has been advanced by `delayMs`.
   *
   * @param callback What to call. If it throws, `advance` does, with the clock at that moment.
   * @param delayMs How long to wait, in milliseconds; 0 or less means the next `advance`, of 0 even.
   * @returns A function that takes the timer back; calling it later or twice does nothing.
   */
  setTimer(callback: () => void, delayMs: number): CancelTimer {
    const timer = { dueAt: this.#now + (delayMs > 0 ? delayMs : 0), callback };
    const index = this.#timers.findLastIndex((other) => other.dueAt <= timer.dueAt);
    this.#timers.splice(index + 1, 0, timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index >= 0) this.#timers.splice(index, 1);
    };
  }

  /**
   * Moves the clock on and fires the timers that come due.
   *
   * @param ms By how much, in milliseconds. 0 fires what is due already; less than 0 does the same.
   *
   * @throws {RangeError} when `ms` is not finite.
   */
  advance(ms: number): void {
    this.advanceTo(this.#now + ms);
  }

  /**
   * Moves the clock on to a moment and fires the timers that come due.
   *
   * @param timeMs The moment, in milliseconds since 1970-01-01T00:00:00Z. The clock never goes back:
   * an earlier moment is taken for now.
   *
   * @throws {RangeError} when `timeMs` is not finite.
   */
  advanceTo(timeMs: number): void {
    if (!Number.isFinite(timeMs)) {
      throw new RangeError(`Cannot advance the clock to "${timeMs}". Give a finite number`);
    }
    const target = Math.max(timeMs, this.#now);
    // A callback may advance the clock itself, beyond the target even: it never goes back.
    for (let timer = this.#timers[0]; timer !== undefined; timer = this.#timers[0]) {
      if (timer.dueAt > target) break;
      this.#timers.shift();
      this.#now = Math.max(this.#now, timer.dueAt);
      timer.callback();
    }
    this.#now = Math.max(this.#now, target);
  }
}
