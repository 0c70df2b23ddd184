/** RFC 3339 times with nine decimals, to and from {@linkcode AlertTime}. @module */
import type { AlertTime } from "./alert.ts";

/** Seconds of 0001-01-01T00:00:00Z, the first that protobuf's Timestamp allows. */
const MIN_SECONDS = -62135596800;
/** Seconds of 9999-12-31T23:59:59Z, the last that protobuf's Timestamp allows. */
const MAX_SECONDS = 253402300799;

// Beyond RFC 3339: the offsets `+0200` (Falco's text) and `Z+2` (seen in the tests of Falcosidekick).
const RFC_3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|[Zz]?([+-])(\d\d?)(?::?(\d\d))?)$/;

/** What {@linkcode parseTime} found. */
export interface ParsedTime {
  /** The moment. */
  readonly time: AlertTime;
  /** False if the text had an offset other than `Z` and was converted. */
  readonly utc: boolean;
  /** How many decimals the seconds had; Falco writes nine. */
  readonly decimals: number;
}

/**
 * Reads a time as Falco writes it, or with another offset or another number of decimals.
 *
 * @param text Such as `2026-01-01T00:00:00.000000005Z`. Decimals past the ninth are cut off.
 * @returns The moment, or undefined if the text is no such time or no such day exists.
 */
export function parseTime(text: string): ParsedTime | undefined {
  const match = RFC_3339.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = "", z, sign, offHour, offMinute = 0] =
    match;
  const date = new Date(0);
  // Not Date.UTC(), which takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) {
    return undefined;
  }
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  if (z === undefined && (Number(offHour) > 23 || Number(offMinute) > 59)) return undefined;
  const offset = z === undefined ? (Number(offHour) * 60 + Number(offMinute)) * 60 : 0;
  const seconds = date.getTime() / 1000 + Number(hour) * 3600 + Number(minute) * 60 +
    Number(second) - (sign === "-" ? -offset : offset);
  return {
    time: toAlertTime(seconds, Number(fraction.slice(0, 9).padEnd(9, "0"))),
    utc: z !== undefined,
    decimals: fraction.length,
  };
}

/**
 * Writes a time as Falco does in JSON: UTC, nine decimals, `Z`.
 *
 * @param time The moment.
 * @returns Such as `2026-01-01T00:00:00.000000005Z`.
 */
export function formatTime(time: AlertTime): string {
  const { seconds, nanos } = toAlertTime(time.seconds, time.nanos);
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${decimals(nanos)}Z`;
}

/**
 * Writes the time that Falco puts in front of an alert's text, for a Falco that runs in UTC.
 *
 * @param time The moment.
 * @returns Such as `00:00:00.000000005`.
 */
export function formatClockTime(time: AlertTime): string {
  return formatTime(time).slice(11, -1);
}

/**
 * Makes a valid time of any two numbers, so that no message can smuggle in a moment that cannot be
 * written: seconds are held to the years 1 to 9999, nanoseconds to 0 to 999999999.
 *
 * @param seconds Seconds since 1970-01-01T00:00:00Z.
 * @param nanos Nanoseconds in that second.
 * @returns The nearest valid time.
 */
export function toAlertTime(seconds: number, nanos: number): AlertTime {
  return { seconds: clamp(seconds, MIN_SECONDS, MAX_SECONDS), nanos: clamp(nanos, 0, 999_999_999) };
}

function clamp(value: number, min: number, max: number): number {
  if (!(value > min)) return min; // NaN too
  return value < max ? Math.trunc(value) + 0 : max; // + 0: never -0
}

function decimals(nanos: number): string {
  return String(nanos).padStart(9, "0");
}
