/** Falco's text line to an {@linkcode Alert}. @module */
import type { Alert, AlertTime } from "./alert.ts";
import { parsePriority, priorityName } from "./priority.ts";
import { parseTime, toAlertTime } from "./time.ts";

/** Falco's two spellings of the time, `time_format_iso_8601` on and off, and the name of a priority. */
const PREFIX =
  /^(?:(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}\+0000)|([01]\d|2[0-3]):([0-5]\d):([0-5]\d)\.(\d{9})): ([A-Z][a-z]+) /;

const DAY_SECONDS = 86_400;

/** What a text line does not say, as options of {@linkcode parseTextAlert}. */
export interface TextAlertOptions {
  /** When the line was read, in milliseconds since 1970: it names the day, which the text does not. */
  readonly nowMs: number;
  /**
   * How far the clock of Falco's host is ahead of UTC, in minutes: the text has local time. Default
   * that of this machine at `nowMs`. With `time_format_iso_8601: true` it does not matter.
   */
  readonly utcOffsetMinutes?: number | undefined;
}

/**
 * Reads an alert from the text that Falco writes with `json_output: false`.
 *
 * What text does not say stays empty: the rule, the source, the host, the tags, the fields. The day is
 * the one that brings the time nearest to now: an alert that is older than half a day gets a wrong one.
 *
 * @param text One alert, with the line breaks that its fields may hold, and none at its end.
 * @param options When it was read, and where Falco runs.
 * @returns The alert; undefined if the text does not begin as Falco's does.
 */
export function parseTextAlert(text: string, options: TextAlertOptions): Alert | undefined {
  const match = PREFIX.exec(text);
  if (match === null) return undefined;
  const [prefix, iso, hour, minute, second, nanos, word] = match;
  const priority = parsePriority(word!);
  if (priority === undefined || priorityName(priority) !== word) return undefined;
  const time = iso === undefined
    ? nearestTime(Number(hour), Number(minute), Number(second), Number(nanos), options)
    : parseTime(iso)?.time;
  if (time === undefined) return undefined;
  return {
    time,
    priority,
    source: "",
    rule: "",
    output: text,
    outputFields: {},
    hostname: "",
    tags: [],
    message: text.slice(prefix.length),
    omitted: ["output_fields", "tags"],
  };
}

/**
 * Tells whether a line begins an alert in text.
 *
 * @param line The line.
 * @returns False for what can only be the rest of an alert whose text holds line breaks, or no alert.
 */
export function startsTextAlert(line: string): boolean {
  const word = PREFIX.exec(line)?.[6];
  if (word === undefined) return false;
  const priority = parsePriority(word);
  return priority !== undefined && priorityName(priority) === word;
}

function nearestTime(
  hour: number,
  minute: number,
  second: number,
  nanos: number,
  options: TextAlertOptions,
): AlertTime {
  const { nowMs, utcOffsetMinutes = -new Date(nowMs).getTimezoneOffset() } = options;
  const now = Math.floor(nowMs / 1000) + utcOffsetMinutes * 60;
  const today = Math.floor(now / DAY_SECONDS) * DAY_SECONDS;
  const clock = today + hour * 3600 + minute * 60 + second;
  const days = Math.round((now - clock) / DAY_SECONDS);
  return toAlertTime(clock + days * DAY_SECONDS - utcOffsetMinutes * 60, nanos);
}
