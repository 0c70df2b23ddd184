/** How far a command has come, for whoever waits. @module */
import type { Clock } from "../lib/clock.ts";

/** Shorter work shows nothing: it is over before a line could be read. */
const QUIET_MS = 2_000;
/** How often the line on a terminal is rewritten at most. */
const TERMINAL_MS = 1_000;
/** How often a line is added elsewhere at most, so that a log does not fill up. */
const LOG_MS = 10_000;

/** Options of {@linkcode Progress}. */
export interface ProgressOptions {
  /** Writes to standard error. */
  readonly write: (text: string) => void;
  /** What tells the time. It is only asked for it: no timer is set. */
  readonly clock: Clock;
  /** Whether the text goes to a terminal, where a line can be rewritten. */
  readonly terminal: boolean;
}

/**
 * Shows a count, a rate and, if a total is known, a percentage on standard error.
 *
 * Nothing for the first 2 s. Then, on a terminal, one line that is rewritten once a second at most,
 * and cleared at the end; elsewhere, a plain line every 10 s at most, the first after 10 s. It has no
 * timers: without updates nothing is shown.
 *
 * On a terminal the line is left open, so nothing else may be written there before `end`.
 */
export class Progress {
  readonly #write: (text: string) => void;
  readonly #clock: Clock;
  readonly #terminal: boolean;
  #startedAt: number;
  /** When and at which count a line was last shown; the start if none was. */
  #shownAt: number;
  #shownCount = 0;
  /** How long the line is that is on the terminal. */
  #length = 0;

  /**
   * Begins to count the time.
   *
   * @param options See {@linkcode ProgressOptions}.
   */
  constructor(options: ProgressOptions) {
    this.#write = options.write;
    this.#clock = options.clock;
    this.#terminal = options.terminal;
    this.#startedAt = this.#shownAt = this.#clock.now();
  }

  /**
   * Says how far it has come. Cheap enough to be called for every alert.
   *
   * @param count How many so far; never less than before.
   * @param total How many there will be; none, or 0, if that is not known.
   * @param done What was done to them, such as `checked`; nothing by default. Plain text on one line.
   */
  update(count: number, total?: number, done?: string): void {
    const now = this.#clock.now();
    // The machine's clock may be set back; without this there would be silence until it has caught up.
    if (now < this.#shownAt) this.#startedAt = this.#shownAt = now;
    const sinceShown = now - this.#shownAt;
    if (now - this.#startedAt < QUIET_MS) return;
    if (sinceShown < (this.#terminal ? TERMINAL_MS : LOG_MS)) return;
    const rate = Math.round((count - this.#shownCount) * 1000 / sinceShown);
    let line = `${count} alerts${done === undefined ? "" : ` ${done}`}, ${rate}/s`;
    if (total !== undefined && total > 0) {
      line += `, ${Math.min(Math.floor(count * 100 / total), 100)}%`;
    }
    this.#shownAt = now;
    this.#shownCount = count;
    if (this.#terminal) {
      // Blanks over what is left of a longer line.
      this.#write(`\r${line.padEnd(this.#length)}`);
      this.#length = line.length;
    } else {
      this.#write(`${line}\n`);
    }
  }

  /**
   * Clears the line on a terminal. An update after it begins something new: counted from 0, quiet for
   * 2 s again. Calling it twice does nothing more.
   */
  end(): void {
    if (this.#length > 0) this.#write(`\r${" ".repeat(this.#length)}\r`);
    this.#length = 0;
    this.#shownCount = 0;
    this.#startedAt = this.#shownAt = this.#clock.now();
  }
}
