/** Falco's log about itself. @module */
import type { Clock } from "../../lib/clock.ts";
import { formatLogTime } from "./local_time.ts";

/**
 * How important a line of Falco's log is: the words of `log_level`.
 *
 * @example
 * ```ts
 * import type { LogLevel } from "@falco-streams/core/harness";
 *
 * const level: LogLevel = "info";
 * console.assert(level === "info");
 * ```
 */
export type LogLevel =
  | "emergency"
  | "alert"
  | "critical"
  | "error"
  | "warning"
  | "notice"
  | "info"
  | "debug";

/** All of them, the most severe first; the index is syslog's number. */
export const logLevels: readonly LogLevel[] = [
  "emergency",
  "alert",
  "critical",
  "error",
  "warning",
  "notice",
  "info",
  "debug",
];

/** Where the log goes, and how much of it. */
export interface FalcoLogOptions {
  /** `log_level`: what is less important is left out. */
  readonly level: LogLevel;
  /** `time_format_iso_8601`. */
  readonly isoTime: boolean;
  /** Takes a line with its line break; undefined with `log_stderr: false`. */
  readonly stderr: ((line: string) => void) | undefined;
  /** Takes a line without time; undefined with `log_syslog: false`. */
  readonly syslog: ((level: LogLevel, text: string) => void) | undefined;
  /** The time. */
  readonly clock: Clock;
}

/** Writes lines in the shape of Falco's own, so that whatever reads that log can be tested. */
export class FalcoLog {
  readonly #options: FalcoLogOptions;

  /** @param options Where the log goes, and how much of it. */
  constructor(options: FalcoLogOptions) {
    this.#options = options;
  }

  /**
   * Logs a line.
   *
   * @param level How important it is.
   * @param text The text, without time and line break.
   */
  write(level: LogLevel, text: string): void {
    const { level: least, isoTime, stderr, syslog, clock } = this.#options;
    if (logLevels.indexOf(level) > logLevels.indexOf(least)) return;
    stderr?.(`${formatLogTime(clock.now(), isoTime)}: ${text}\n`);
    syslog?.(level, text);
  }
}
