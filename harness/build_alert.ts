/** Alerts for tests, with everything filled in that a test does not care about. @module */
import type { Alert } from "../lib/alert/alert.ts";
import { priorityName } from "../lib/alert/priority.ts";
import { formatClockTime } from "../lib/alert/time.ts";
import { fillIn } from "./expand_scenario.ts";
import type { ScenarioAlert } from "./scenario.ts";
import { scenarios } from "./scenarios/mod.ts";

/** What {@linkcode buildAlert} fills in: 2026-01-01T00:00:00Z, where scenarios start. */
const START = { seconds: 1767225600, nanos: 0 };

/** What there is to say of an alert of any other rule. */
const PLAIN: ScenarioAlert = {
  rule: "Terminal shell in container",
  priority: "notice",
  output: "A shell was spawned in a container (proc_name=bash user_name=root container_name=web)",
  output_fields: { "container.name": "web", "proc.name": "bash", "user.name": "root" },
  tags: ["container", "shell"],
};

/** A rule's first alert in the bundled scenarios is as good as any, and true to itself. */
const known: ReadonlyMap<string, ScenarioAlert> = new Map(
  Object.values(scenarios)
    .flatMap(({ source, alerts }) =>
      alerts.map((alert) => source === undefined ? alert : { source, ...alert })
    )
    .reverse()
    .map((alert) => [alert.rule, alert]),
);

/**
 * Makes an alert.
 *
 * Of a rule that the bundled scenarios know, which are the rules that come with Falco and the k8saudit
 * plugin, it gets what such an alert has: priority, tags and source of the rule, the fields of a
 * typical one, and a text with the values of these fields; where `outputFields` has other values, with
 * those. Of any other rule, and without `rule`, it is a small notice about a shell in a container.
 *
 * @param parts What matters to the test; each stands as it is given, so `outputFields` takes the place
 * of all typical fields. The rest is filled in: 2026-01-01T00:00:00Z, the host `falco-fake`, and
 * Falco's time and priority in front of the text (not if the source is `internal`, as in Falco).
 * @returns The alert, always the same for the same parts.
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
 *
 * @example A rule that comes with Falco, and one field changed
 * ```ts
 * import { buildAlert } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const typical = buildAlert({ rule: "Read sensitive file untrusted" });
 * assert.equal(typical.priority, "warning");
 * assert(typical.tags.includes("mitre_credential_access"));
 * const outputFields = { ...typical.outputFields, "fd.name": "/etc/gshadow" };
 * const alert = buildAlert({ rule: "Read sensitive file untrusted", outputFields });
 * assert.match(alert.output, /Warning Sensitive file read \| file=\/etc\/gshadow /);
 * ```
 */
export function buildAlert(parts: Partial<Alert> = {}): Alert {
  const typical = known.get(parts.rule ?? "") ?? PLAIN;
  const { time = START, priority = typical.priority } = parts;
  const source = parts.source ?? typical.source ?? "syscall";
  const outputFields = typical.output_fields ?? {};
  const text = fillIn(typical.output, { ...outputFields, ...parts.outputFields });
  return {
    time,
    priority,
    source,
    rule: typical.rule,
    output: source === "internal"
      ? text
      : `${formatClockTime(time)}: ${priorityName(priority)} ${text}`,
    outputFields,
    hostname: "falco-fake",
    tags: [...new Set(typical.tags)].sort(),
    ...parts,
  };
}
