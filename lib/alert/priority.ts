/** Falco's eight priorities, by name and by severity. @module */

/**
 * How urgent a rule's author says an alert is, most severe first in {@linkcode priorities}.
 *
 * @example
 * ```ts
 * import type { Priority } from "@falco-streams/core";
 *
 * const priority: Priority = "critical";
 * console.assert(priority === "critical");
 * ```
 */
export type Priority =
  | "emergency"
  | "alert"
  | "critical"
  | "error"
  | "warning"
  | "notice"
  | "informational"
  | "debug";

/**
 * All priorities, the most severe first. The index of each is Falco's own number for it, which runs
 * against the severity: emergency is 0, debug is 7 (as in syslog and in `falco.schema.priority`).
 *
 * @example
 * ```ts
 * import { priorities } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * assert.equal(priorities[0], "emergency");
 * assert.equal(priorities.indexOf("warning"), 4);
 * ```
 */
export const priorities: readonly Priority[] = Object.freeze([
  "emergency",
  "alert",
  "critical",
  "error",
  "warning",
  "notice",
  "informational",
  "debug",
]);

const rank: ReadonlyMap<string, number> = new Map(
  priorities.map((name, index) => [name, priorities.length - index]),
);

/**
 * Orders priorities by severity, for `sort` and for your own comparisons.
 *
 * @param a One priority.
 * @param b The other.
 * @returns Above 0 if `a` is more severe, below 0 if it is less severe, 0 if they are the same.
 *
 * @example
 * ```ts
 * import { comparePriorities } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * assert(comparePriorities("critical", "notice") > 0);
 * ```
 */
export function comparePriorities(a: Priority, b: Priority): number {
  return (rank.get(a) ?? 0) - (rank.get(b) ?? 0);
}

/**
 * Says whether a priority is at least as severe as another.
 *
 * @param priority The priority in question.
 * @param minimum The least severe one to accept.
 * @returns True for `minimum` itself and all that is more severe.
 *
 * @example
 * ```ts
 * import { isAtLeast } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * assert(isAtLeast("critical", "warning"));
 * assert(!isAtLeast("notice", "warning"));
 * ```
 */
export function isAtLeast(priority: Priority, minimum: Priority): boolean {
  return comparePriorities(priority, minimum) >= 0;
}

/**
 * Reads the name of a priority as Falco does: in any case, and `info` for `informational`.
 *
 * @param text The name.
 * @returns The priority, or undefined if there is none of that name.
 *
 * @example
 * ```ts
 * import { parsePriority } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * assert.equal(parsePriority("WARNING"), "warning");
 * assert.equal(parsePriority("info"), "informational");
 * assert.equal(parsePriority("loud"), undefined);
 * ```
 */
export function parsePriority(text: string): Priority | undefined {
  const name = text.toLowerCase();
  if (name === "info") return "informational";
  return rank.has(name) ? name as Priority : undefined;
}

/**
 * The name of a priority as Falco writes it in text and JSON.
 *
 * @param priority The priority.
 * @returns Such as `Warning`; `Informational`, never `Info`.
 */
export function priorityName(priority: Priority): string {
  return priority[0]!.toUpperCase() + priority.slice(1);
}
