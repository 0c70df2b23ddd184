/** A line at the bottom of a terminal that keeps changing. @module */
import type { CancelTimer, Clock } from "../lib/clock.ts";

/** How often the line on a terminal is rewritten, in milliseconds. */
const TERMINAL_MS = 1_000;
/** How often a line is added elsewhere at most, so that a log does not fill up. */
const LOG_MS = 10_000;

/** Options of {@linkcode LiveLine}. */
export interface LiveLineOptions {
  /** Writes to standard error. */
  readonly write: (text: string) => void;
  /** When to write. */
  readonly clock: Clock;
  /** Whether the text goes to a terminal, where a line can be rewritten. */
  readonly terminal: boolean;
  /** How many columns there are. Default 80. */
  readonly columns?: number | undefined;
  /**
   * What to show. Plain text.
   *
   * @param elapsedMs How long ago it was called last.
   */
  readonly text: (elapsedMs: number) => string;
}

/**
 * Shows a line once a second on a terminal, where it replaces the one before; elsewhere every 10 s,
 * and only if it says something new.
 *
 * Whoever writes to the same terminal writes {@linkcode LiveLine.hide} first.
 */
export class LiveLine {
  readonly #options: LiveLineOptions;
  #length = 0;
  #shown = "";
  #shownAt: number;
  #cancelTimer: CancelTimer = () => {};
  #ended = false;

  /** @param options See {@linkcode LiveLineOptions}. Timers run from now on. */
  constructor(options: LiveLineOptions) {
    this.#options = options;
    this.#shownAt = options.clock.now();
    this.#schedule();
  }

  #schedule(): void {
    const { clock, terminal } = this.#options;
    this.#cancelTimer = clock.setTimer(() => this.#show(), terminal ? TERMINAL_MS : LOG_MS);
  }

  #show(): void {
    if (this.#ended) return;
    const { clock, write, terminal, text } = this.#options;
    // A terminal that does not know its size says 0.
    const columns = this.#options.columns || 80;
    const now = clock.now();
    const line = text(Math.max(now - this.#shownAt, 1));
    this.#shownAt = now;
    if (terminal) {
      // A line that fills the last column would wrap, and could not be taken back.
      const cut = [...line].slice(0, Math.max(columns - 1, 1)).join("");
      write(this.hide() + cut);
      this.#length = cut.length;
    } else if (line !== this.#shown) {
      write(`${line}\n`);
    }
    this.#shown = line;
    this.#schedule();
  }

  /**
   * Takes the line off the terminal until it is shown again.
   *
   * @returns What to write for it; nothing if no line is there.
   */
  hide(): string {
    if (this.#length === 0) return "";
    const text = `\r${" ".repeat(this.#length)}\r`;
    this.#length = 0;
    return text;
  }

  /**
   * Ends it. Later calls do nothing.
   *
   * @returns What to write to take the line off the terminal.
   */
  end(): string {
    this.#ended = true;
    this.#cancelTimer();
    return this.hide();
  }
}
