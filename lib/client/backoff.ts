/** How long to wait before the next attempt. @module */
import type { Clock } from "../clock.ts";

/**
 * How to go on when there is no connection.
 *
 * The n-th wait in a row is drawn evenly from `minDelayMs` to twice, four times, eight times as much,
 * up to `maxDelayMs`: quick after a restart of Falco, and many clients of one host do not come back
 * all at once.
 *
 * @example Try every few seconds, and give up after ten attempts
 * ```ts
 * import type { ReconnectOptions } from "@falco-streams/core";
 *
 * const options: ReconnectOptions = { minDelayMs: 1000, maxDelayMs: 5000, maxAttempts: 10 };
 * console.assert(options.healthyAfterMs === undefined);
 * ```
 */
export interface ReconnectOptions {
  /** The shortest wait, in milliseconds. Default 250: Falco needs about as long to start. */
  minDelayMs?: number;
  /** The longest wait, in milliseconds. Default 30000: so late an alert may be after an outage. */
  maxDelayMs?: number;
  /**
   * How many attempts in a row, none of which led to a healthy period, are made before the error of
   * the last one ends it. Default `Infinity`.
   */
  maxAttempts?: number;
  /**
   * How long a connection has to last to count as healthy, in milliseconds: then waits are short
   * again, and attempts are counted from 1. Default 10000: a Falco that fails at its start does so
   * within that time.
   */
  healthyAfterMs?: number;
}

/** Counts attempts, and draws the waits between them. */
export class Backoff {
  /** How long a connection has to last to count as healthy. */
  readonly healthyAfterMs: number;
  readonly #min: number;
  readonly #max: number;
  readonly #maxAttempts: number;
  readonly #clock: Clock;
  #attempt = 1;
  #waits = 0;

  /**
   * @param options The bounds.
   * @param clock Where the random numbers come from.
   * @throws {RangeError} If a bound is out of range, or they are the wrong way round.
   */
  constructor(options: ReconnectOptions, clock: Clock) {
    const {
      minDelayMs = 250,
      maxDelayMs = Math.max(30_000, minDelayMs),
      maxAttempts = Infinity,
      healthyAfterMs = 10_000,
    } = options;
    requireAtLeast(1, { minDelayMs, maxDelayMs });
    requireAtLeast(0, { healthyAfterMs });
    if (!(maxAttempts >= 1) || Number.isFinite(maxAttempts) && !Number.isInteger(maxAttempts)) {
      throw new RangeError(
        `Cannot reconnect as "maxAttempts" must be a whole number from 1: it is ${maxAttempts}`,
      );
    }
    if (minDelayMs > maxDelayMs) {
      throw new RangeError(
        `Cannot reconnect as "minDelayMs" (${minDelayMs}) is above "maxDelayMs" (${maxDelayMs})`,
      );
    }
    this.#min = minDelayMs;
    this.#max = maxDelayMs;
    this.#maxAttempts = maxAttempts;
    this.healthyAfterMs = healthyAfterMs;
    this.#clock = clock;
  }

  /** The number of the attempt under way, or of the next one while waiting for it. */
  get attempt(): number {
    return this.#attempt;
  }

  /**
   * Goes on to the next attempt.
   *
   * @returns How long to wait before it, in whole milliseconds; undefined if there is to be none.
   */
  next(): number | undefined {
    if (this.#attempt >= this.#maxAttempts) return undefined;
    this.#attempt++;
    this.#waits++;
    const upper = Math.min(this.#min * 2 ** this.#waits, this.#max);
    return Math.round(this.#min + this.#clock.random() * (upper - this.#min));
  }

  /** There was a healthy period: the next attempt is the first one again. */
  reset(): void {
    this.#attempt = 0;
    this.#waits = 0;
  }
}

function requireAtLeast(least: number, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!(value >= least && value < Infinity)) {
      throw new RangeError(
        `Cannot reconnect as "${name}" must be finite and at least ${least}: it is ${value}`,
      );
    }
  }
}
