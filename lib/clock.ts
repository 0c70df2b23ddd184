/**
 * The one way this package learns the time, waits, and draws random numbers.
 *
 * @module
 */

/**
 * Time, timers and randomness, passed in so that tests and replays need no real time.
 *
 * The platform's own is {@linkcode systemClock}; `./harness` has a `FakeClock` that moves only when
 * it is told to.
 *
 * @example A clock that stands still
 * ```ts
 * import type { Clock } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * const frozen: Clock = { now: () => 0, random: () => 0.5, setTimer: () => () => {} };
 * assert.equal(frozen.now(), 0);
 * ```
 */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z; may have a fraction. */
  now(): number;
  /** A number from 0 up to but not including 1. */
  random(): number;
  /**
   * Calls `callback` once, `delayMs` from now.
   *
   * @param callback What to call. It must not throw.
   * @param delayMs How long to wait, in milliseconds; 0 or less means as soon as possible.
   * @returns A function that takes the timer back; calling it later or twice does nothing.
   */
  setTimer(callback: () => void, delayMs: number): CancelTimer;
}

/**
 * Takes a timer back, so that its callback is not called any more.
 *
 * @example
 * ```ts
 * import { systemClock } from "@falco-streams/core";
 * import type { CancelTimer } from "@falco-streams/core";
 *
 * const cancel: CancelTimer = systemClock.setTimer(() => {
 *   throw new Error("not reached");
 * }, 10);
 * cancel();
 * ```
 */
export type CancelTimer = () => void;

/**
 * The clock of the machine: `Date.now`, `setTimeout`, `Math.random`.
 *
 * @example
 * ```ts
 * import { systemClock } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * assert(systemClock.now() > 1_700_000_000_000);
 * ```
 */
export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  setTimer(callback, delayMs) {
    let id: ReturnType<typeof setTimeout>;
    const arm = (restMs: number): void => {
      // Beyond 2^31-1 ms, 24.8 days, the platform would fire at once: that is waited for in parts.
      const partMs = Math.min(Math.max(restMs, 0), 2 ** 31 - 1);
      id = setTimeout(() => restMs > partMs ? arm(restMs - partMs) : callback(), partMs);
    };
    arm(delayMs);
    return () => clearTimeout(id);
  },
};

/**
 * Waits on a clock.
 *
 * @param delayMs How long, in milliseconds.
 * @param options `clock` (default {@linkcode systemClock}) and a `signal` that ends the wait early.
 * @returns A promise that resolves after the delay, or rejects with `signal.reason`.
 *
 * @example
 * ```ts
 * import { wait } from "@falco-streams/core";
 *
 * await wait(1);
 * ```
 */
export function wait(
  delayMs: number,
  options: { clock?: Clock; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const { clock = systemClock, signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.setTimer(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, delayMs);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
