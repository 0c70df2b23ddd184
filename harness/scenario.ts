/** The scenario: a recorded or invented incident as data, in code or in a YAML file. @module */
import type { FieldValue } from "../lib/alert/alert.ts";
import type { Priority } from "../lib/alert/priority.ts";
import type { Fault } from "./faults/fault.ts";

/**
 * An incident that a fake Falco can replay: alerts in order, with the time between them.
 *
 * The same shape stands in `.yaml` files, which is why the keys of an alert are Falco's own
 * (`output_fields`). Alerts start at `start` and get later by `afterMs`.
 *
 * @example
 * ```ts
 * import type { Scenario } from "@falco-streams/core/harness";
 *
 * const scenario: Scenario = {
 *   version: 1,
 *   name: "one shell",
 *   alerts: [{
 *     priority: "notice",
 *     rule: "Terminal shell in container",
 *     output: "A shell was spawned (proc_name=%proc.name)",
 *     output_fields: { "proc.name": "bash" },
 *   }],
 * };
 * console.assert(scenario.alerts.length === 1);
 * ```
 */
export interface Scenario {
  /** The version of this format. */
  readonly version: 1;
  /** A short name, unique among the scenarios of a project. */
  readonly name: string;
  /** What happens, for the reader. */
  readonly description?: string;
  /** The Falco that raised these alerts, such as `0.43.1`: it decides which fields go over the wire. */
  readonly falcoVersion?: string;
  /** When the first alert's clock starts, RFC 3339. Default 2026-01-01T00:00:00Z. */
  readonly start?: string;
  /** The seed for whatever a scenario draws at random: the `jitterMs` of its alerts. Default 0. */
  readonly seed?: number;
  /** The host, for alerts that name none. Default `falco-fake`. */
  readonly hostname?: string;
  /** The source, for alerts that name none. Default `syscall`. */
  readonly source?: string;
  /** The alerts, in order. */
  readonly alerts: readonly ScenarioAlert[];
  /** What goes wrong while it is played. Their `afterMs` counts from `start`, on the time of the alerts. */
  readonly faults?: readonly Fault[];
}

/**
 * An alert of a {@linkcode Scenario}, or a run of equal ones.
 *
 * @example The same alert five times, a second apart
 * ```ts
 * import type { ScenarioAlert } from "@falco-streams/core/harness";
 *
 * const alert: ScenarioAlert = {
 *   repeat: 5,
 *   everyMs: 1000,
 *   priority: "warning",
 *   rule: "Read sensitive file untrusted",
 *   output: "Sensitive file opened (file=%fd.name)",
 *   output_fields: { "fd.name": "/etc/shadow" },
 * };
 * console.assert(alert.repeat === 5);
 * ```
 */
export interface ScenarioAlert {
  /** Milliseconds after the alert before it (after `start` for the first). Default 0. */
  readonly afterMs?: number;
  /** How often it comes. Default 1. */
  readonly repeat?: number;
  /** Milliseconds between two of its repetitions. Default 0. */
  readonly everyMs?: number;
  /** Up to this many milliseconds more before each of its repetitions, drawn from the `seed`. Default 0. */
  readonly jitterMs?: number;
  /** The priority of the rule. */
  readonly priority: Priority;
  /** The name of the rule. */
  readonly rule: string;
  /** The message. As in a rule, `%name` stands for the field of that name; time and priority are put in front as Falco does. */
  readonly output: string;
  /** The fields; `null` where Falco had no value. */
  readonly output_fields?: { readonly [name: string]: FieldValue };
  /** The tags of the rule. */
  readonly tags?: readonly string[];
  /** Where the event came from, if not the scenario's `source`. */
  readonly source?: string;
  /** The host, if not the scenario's `hostname`. */
  readonly hostname?: string;
}
