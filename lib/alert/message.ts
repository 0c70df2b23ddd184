/** The text of an alert without what stands in front of it. @module */
import type { Alert } from "./alert.ts";

/** Falco's two spellings of the time (`time_format_iso_8601` off and on), and the priority. */
const PREFIX = /^(?:\d{4}-\d\d-\d\dT)?\d\d:\d\d:\d\d\.\d{9}(?:\+0000)?: [A-Z][a-z]+ /;

/**
 * The message of an alert: its output without the time and priority that Falco puts in front.
 *
 * Two alerts of the same rule about the same thing have the same message and never the same output.
 *
 * @param alert The alert.
 * @returns `alert.message` if Falco sent it, else the output without its prefix; the output as it is
 * if there is none, as in Falco's internal alerts, or with `json_output: true` over gRPC.
 *
 * @example
 * ```ts
 * import { messageOf } from "@falco-streams/core";
 * import { buildAlert } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const alert = buildAlert({ output: "23:04:51.039814865: Notice A shell was spawned" });
 * assert.equal(messageOf(alert), "A shell was spawned");
 * ```
 */
export function messageOf(alert: Alert): string {
  return alert.message ?? alert.output.replace(PREFIX, "");
}
