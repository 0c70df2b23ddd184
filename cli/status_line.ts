/** What becomes of a connection, for people. @module */
import type { Status } from "../lib/client/status.ts";
import type { FollowStatus } from "../lib/sources/follow_status.ts";

/**
 * Says a change in a line.
 *
 * @param status The change.
 * @returns The line without a line break; undefined if another line says it: an attempt after the first
 * one is announced by `reconnecting`, and an error that ends everything is told at the end.
 */
export function statusLine(status: Status): string | undefined {
  switch (status.type) {
    case "connecting":
      return status.attempt === 1 ? `connecting to ${status.address}` : undefined;
    case "open":
      return `connected to ${status.address} (${status.service})`;
    case "gap":
      return `there was no connection for ${seconds(status.lostMs)}: alerts may be missing after ` +
        `the first ${status.received}`;
    case "reconnecting":
      return `${status.error?.message ?? "Falco ended the call"}. Trying again in ${
        seconds(status.delayMs)
      }`;
    case "closed":
      return status.error === undefined ? "disconnected" : undefined;
  }
}

/**
 * Says what happened to a followed file in a line.
 *
 * @param status What happened.
 * @returns The line without a line break.
 */
export function followLine(status: FollowStatus): string {
  const { path } = status;
  switch (status.type) {
    case "missing":
      return `waiting for ${path}: there is no such file`;
    case "opened":
      return `reading ${path}${status.offset === 0 ? "" : ` from byte ${status.offset} on`}`;
    case "rotated":
      return `${path} is another file now: the one before was read to its end`;
    case "unreadable":
      return `${status.error.message}; trying again`;
    case "truncated":
      return `${path} was cut off: alerts behind byte ${status.lostFrom} may be missing`;
    case "gap":
      return `${path}: the file of the saved position is gone, and alerts may be missing`;
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}
