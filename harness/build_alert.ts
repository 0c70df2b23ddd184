/** Alerts for tests, with everything filled in that a test does not care about. @module */
import type { Alert } from "../lib/alert/alert.ts";
import { priorityName } from "../lib/alert/priority.ts";
import { formatClockTime } from "../lib/alert/time.ts";

/** What {@linkcode buildAlert} fills in: 2026-01-01T00:00:00Z, where scenarios start. */
const START = { seconds: 1767225600, nanos: 0 };

/**
 * Makes an alert.
 *
 * @param parts What matters to the test; the rest is a notice about a shell in a container, at
 * 2026-01-01T00:00:00Z on the host `falco-fake`. `output` gets Falco's time and priority in front
 * if it is not given.
 * @returns The alert.
 *
 * @example
 * ```ts
 * import { buildAlert } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const alert = buildAlert({ priority: "critical", outputFields: { "proc.name": "xmrig" } });
 * assert.equal(alert.rule, "Terminal shell in container");
 * assert(alert.output.startsWith("00:00:00.000000000: Critical "));
 * ```
 */
export function buildAlert(parts: Partial<Alert> = {}): Alert {
  const { time = START, priority = "notice" } = parts;
  return {
    time,
    priority,
    source: "syscall",
    rule: "Terminal shell in container",
    output: `${formatClockTime(time)}: ${priorityName(priority)} A shell was spawned in a ` +
      "container (proc_name=bash user_name=root container_name=web)",
    outputFields: { "container.name": "web", "proc.name": "bash", "user.name": "root" },
    hostname: "falco-fake",
    tags: ["container", "shell"],
    ...parts,
  };
}
