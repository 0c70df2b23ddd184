/** Times of day in the machine's time zone, which Falco's text uses. @module */
import type { AlertTime } from "../../lib/alert/alert.ts";
import { formatClockTime, formatTime } from "../../lib/alert/time.ts";

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = [
  "Jan",
  "Feb",
  "Mar",
  "Apr",
  "May",
  "Jun",
  "Jul",
  "Aug",
  "Sep",
  "Oct",
  "Nov",
  "Dec",
];

/**
 * The time in front of an alert's text, in the machine's time zone.
 *
 * @param time The moment.
 * @returns Such as `09:04:51.000000005`.
 */
export function formatLocalClockTime(time: AlertTime): string {
  const date = new Date(time.seconds * 1000);
  // Zones differ by whole seconds at least, so the decimals stay.
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}` +
    formatClockTime(time).slice(8);
}

/**
 * The time in front of an alert's text with `time_format_iso_8601: true`: always UTC.
 *
 * @param time The moment.
 * @returns Such as `2026-01-01T00:00:00.000000005+0000`.
 */
export function formatIsoTime(time: AlertTime): string {
  return `${formatTime(time).slice(0, -1)}+0000`;
}

/**
 * The time in front of a line of Falco's own log.
 *
 * @param ms Milliseconds since 1970-01-01T00:00:00Z.
 * @param isIso Whether `time_format_iso_8601` is on.
 * @returns Such as `Fri Nov 20 23:50:58 2026`, local time; or `2026-11-20T23:59:00+0000`.
 */
export function formatLogTime(ms: number, isIso: boolean): string {
  const date = new Date(ms);
  if (isIso) return `${date.toISOString().slice(0, 19)}+0000`;
  return `${days[date.getDay()]} ${months[date.getMonth()]} ` +
    `${String(date.getDate()).padStart(2)} ${localTime(date)} ${date.getFullYear()}`;
}

/**
 * The time in a syslog datagram.
 *
 * @param ms Milliseconds since 1970-01-01T00:00:00Z.
 * @returns Such as `Nov  1 23:50:58`, local time.
 */
export function formatSyslogTime(ms: number): string {
  const date = new Date(ms);
  return `${months[date.getMonth()]} ${String(date.getDate()).padStart(2)} ${localTime(date)}`;
}

function localTime(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}
