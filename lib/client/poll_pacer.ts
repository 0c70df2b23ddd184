/** When to ask Falco for alerts. @module */

/**
 * How often a subscription asks Falco for alerts.
 *
 * @example At most ten times a second, at least once in ten seconds
 * ```ts
 * import type { PollOptions } from "@falco-streams/core";
 *
 * const options: PollOptions = { minPollMs: 100, maxPollMs: 10_000 };
 * console.assert(options.minPollMs! < options.maxPollMs!);
 * ```
 */
export interface PollOptions {
  /**
   * The shortest time between two requests, in milliseconds: the pace right after alerts came.
   * Default 10, which keeps a steady stream of alerts within 15 ms of Falco.
   */
  minPollMs?: number;
  /**
   * The longest time between two requests, in milliseconds: the pace of a quiet Falco. Default
   * 1000, as in falco-exporter; a quiet Falco then costs its host nothing that can be measured.
   */
  maxPollMs?: number;
}

/**
 * Paces the requests of a `sub` call.
 *
 * Falco sends nothing until it is asked, hands over all it has when it is, and does not answer at
 * all if it has nothing. So a client has to ask again and again: quickly while alerts come, more and
 * more slowly while none do.
 */
export class PollPacer {
  readonly #min: number;
  readonly #max: number;
  #interval: number;
  /** When `#next` was set. */
  #since = 0;
  #next = 0;

  /**
   * @param options The bounds.
   * @throws {RangeError} If they are not 1 or more, or the wrong way round.
   */
  constructor(options: PollOptions = {}) {
    const { minPollMs = 10, maxPollMs = 1000 } = options;
    for (const [name, value] of Object.entries({ minPollMs, maxPollMs })) {
      if (!(value >= 1)) {
        throw new RangeError(`Cannot subscribe as "${name}" must be at least 1: it is ${value}`);
      }
    }
    if (minPollMs > maxPollMs) {
      throw new RangeError(
        `Cannot subscribe as "minPollMs" (${minPollMs}) is above "maxPollMs" (${maxPollMs})`,
      );
    }
    this.#min = minPollMs;
    this.#max = maxPollMs;
    this.#interval = minPollMs;
  }

  /**
   * Says how long to wait before the next request.
   *
   * @param now The time, in milliseconds.
   * @returns Milliseconds; 0 if a request is due.
   */
  delay(now: number): number {
    if (now < this.#since) return 0; // somebody set the clock back, perhaps by hours
    return Math.max(this.#next - now, 0);
  }

  /**
   * Notes that a request was sent. Each one makes the next wait twice as long.
   *
   * @param now The time, in milliseconds.
   */
  asked(now: number): void {
    this.#since = now;
    this.#next = now + this.#interval;
    this.#interval = Math.min(this.#interval * 2, this.#max);
  }

  /**
   * Notes that alerts came: the next request is due in `minPollMs`, since asking while Falco still
   * drains its queue only makes it look once more.
   *
   * @param now The time, in milliseconds.
   */
  received(now: number): void {
    this.#interval = this.#min;
    this.#since = now;
    this.#next = now + this.#min;
  }
}
