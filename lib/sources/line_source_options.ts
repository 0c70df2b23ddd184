/** What sources of lines have in common, as options. @module */
import type { Clock } from "../clock.ts";
import type { AlertFormatError } from "../errors.ts";

/**
 * Where a line stood.
 *
 * @example
 * ```ts
 * import type { LinePlace } from "@falco-streams/core";
 *
 * const place: LinePlace = { line: 2, start: 317, end: 634, text: "{oops" };
 * console.assert(place.end > place.start);
 * ```
 */
export interface LinePlace {
  /** The number of the line since reading began, from 1. */
  readonly line: number;
  /** Where it begins, in bytes from the beginning of the file or stream. */
  readonly start: number;
  /** Where the next line begins. */
  readonly end: number;
  /** The line; empty if it was longer than `maxLineBytes`. */
  readonly text: string;
}

/**
 * Options of every source that reads lines.
 *
 * @example Show what was skipped
 * ```ts
 * import type { LineSourceOptions } from "@falco-streams/core";
 *
 * const options: LineSourceOptions = {
 *   onInvalid: (error, place) => console.error(`line ${place.line}: ${error.message}`),
 * };
 * console.assert(options.text === undefined);
 * ```
 */
export interface LineSourceOptions {
  /** Ends the reading: the stream fails with `signal.reason`. */
  signal?: AbortSignal;
  /**
   * Called with each line that is no alert and nothing else that Falco prints. It is skipped and
   * counted; without this, only the count tells of it. What it throws becomes the error of the stream,
   * after the alerts before it.
   */
  onInvalid?: (error: AlertFormatError, place: LinePlace) => void;
  /**
   * What to make of an alert in text, which Falco writes unless `json_output` is on.
   *
   * - `"alert"`: an alert with what can be known: time, priority and output, no rule and no fields. A
   *   field may hold line breaks, and then one alert is several lines: those that follow within
   *   `textIdleMs` belong to it. Whoever chooses a field's value can so forge an alert; JSON is safe.
   * - `"invalid"`: a line that is no alert.
   *
   * @default {"alert"}
   */
  text?: "alert" | "invalid";
  /**
   * How far the clock of Falco's host is ahead of UTC, in minutes, since its text has local time
   * without a date. Default this machine's.
   */
  utcOffsetMinutes?: number;
  /**
   * How long an alert in text waits for more lines of its own, in milliseconds. Default 50: Falco
   * writes an alert at once, unless its output is buffered.
   */
  textIdleMs?: number;
  /**
   * How long a line may be, in bytes. Default 16777216 (16 MiB): the largest alerts are about one. A
   * longer one is skipped and counted as invalid. All lines of an alert in text together are held to it
   * as well.
   */
  maxLineBytes?: number;
  /** The clock for `textIdleMs`, and for the day of alerts in text. Default the machine's. */
  clock?: Clock;
}

/**
 * What a source of lines counted so far.
 *
 * @example
 * ```ts
 * import type { LineSourceStats } from "@falco-streams/core";
 *
 * const stats: LineSourceStats = { received: 2, lines: 5, other: 2, invalid: 1, lossyText: 0 };
 * console.assert(stats.received + stats.other + stats.invalid === stats.lines);
 * ```
 */
export interface LineSourceStats {
  /** Alerts. */
  readonly received: number;
  /** Lines, whatever they held. */
  readonly lines: number;
  /** Lines that are no alert and should be there: Falco's log, its closing summary, blank lines, the further lines of alerts in text. */
  readonly other: number;
  /** Lines that were skipped as no alert. */
  readonly invalid: number;
  /** Lines whose bytes were not all UTF-8, and had the bad ones replaced by U+FFFD. */
  readonly lossyText: number;
}
