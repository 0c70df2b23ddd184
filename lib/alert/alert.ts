/** The alert, as every room of this package hands it on. @module */
import type { Priority } from "./priority.ts";

/**
 * An alert that Falco raised, whichever way it came.
 *
 * A plain, read-only object: it survives spread, `structuredClone` and deep equality, and needs no
 * class. The strings in it are chosen by whoever runs processes on the watched host: treat them as
 * hostile, and read fields with {@linkcode field}.
 *
 * @example
 * ```ts
 * import { field } from "@falco-streams/core";
 * import type { Alert } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * const alert: Alert = {
 *   time: { seconds: 1767225600, nanos: 5 },
 *   priority: "notice",
 *   source: "syscall",
 *   rule: "Terminal shell in container",
 *   output: "00:00:00.000000005: Notice A shell was spawned (proc_name=bash)",
 *   outputFields: { "proc.name": "bash", "proc.pname": null },
 *   hostname: "node-1",
 *   tags: ["container", "shell"],
 * };
 * assert.equal(field(alert, "proc.name"), "bash");
 * assert.equal(field(alert, "proc.pname"), undefined);
 * ```
 */
export interface Alert {
  /** When the event happened, to the nanosecond. */
  readonly time: AlertTime;
  /** The priority of the rule. */
  readonly priority: Priority;
  /** Where the event came from: `syscall`, `internal`, or the name of a plugin such as `k8s_audit`. Empty if the carrier did not say (Falco's JSON before 0.30). */
  readonly source: string;
  /** The name of the rule. Rules of Falco itself begin with `Falco internal: `. */
  readonly rule: string;
  /** The text of the alert, with its time and priority in front; over gRPC it is the whole JSON line if Falco runs with `json_output: true`. */
  readonly output: string;
  /** The fields of the rule's output by name. Over gRPC every value is text, and they are sorted by name as in Falco's JSON; there they are typed. */
  readonly outputFields: AlertFields;
  /** The host that Falco runs on. Empty if the carrier did not say (Falco's JSON before 0.33). */
  readonly hostname: string;
  /** The tags of the rule, sorted. */
  readonly tags: readonly string[];
  /** The text without time and priority: only in JSON, only with `json_include_message_property: true` (0.39 and later). */
  readonly message?: string;
  /** The parts that Falco's configuration left out of the JSON (`json_include_..._property: false`), so that the line can be written again as it was. */
  readonly omitted?: readonly OmittedProperty[];
}

/**
 * A moment, as protobuf's `Timestamp` has it: seconds since 1970-01-01T00:00:00Z and the nanoseconds
 * in that second. Falco's times have nine decimals, more than `Date` can hold.
 *
 * @example To a `Date`, which cuts the time to milliseconds
 * ```ts
 * import type { AlertTime } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * const time: AlertTime = { seconds: 1767225600, nanos: 123456789 };
 * const date = new Date(time.seconds * 1000 + time.nanos / 1e6);
 * assert.equal(date.toISOString(), "2026-01-01T00:00:00.123Z");
 * ```
 */
export interface AlertTime {
  /** Whole seconds since 1970-01-01T00:00:00Z, from -62135596800 (year 1) to 253402300799 (year 9999). */
  readonly seconds: number;
  /** Nanoseconds in that second, 0 to 999999999. */
  readonly nanos: number;
}

/**
 * The output fields of an alert by name. Any name can occur, `__proto__` included: ask with
 * {@linkcode field}, or with `Object.hasOwn` first.
 *
 * @example
 * ```ts
 * import type { AlertFields } from "@falco-streams/core";
 *
 * const fields: AlertFields = { "proc.name": "bash", "proc.pid": 4711, "evt.time": 1767225600000000005n };
 * console.assert(Object.hasOwn(fields, "proc.name"));
 * ```
 */
export type AlertFields = { readonly [name: string]: FieldValue };

/**
 * The value of an output field. `null` is Falco's JSON for a value it does not have; `bigint` an
 * integer beyond 2^53, such as the nanoseconds of `evt.time`; arrays and objects come from a few
 * plugins.
 *
 * @example
 * ```ts
 * import type { FieldValue } from "@falco-streams/core";
 *
 * const values: FieldValue[] = ["bash", 4711, 1767225600000000005n, true, null, ["10.0.0.1"]];
 * console.assert(values.length === 6);
 * ```
 */
export type FieldValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly FieldValue[]
  | { readonly [key: string]: FieldValue };

/**
 * A property that Falco's configuration can leave out of its JSON, by its name there.
 *
 * @example
 * ```ts
 * import { parseAlert } from "@falco-streams/core";
 * import type { OmittedProperty } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * const expected: OmittedProperty[] = ["output_fields", "tags"];
 * const line = '{"hostname":"h","output":"o","priority":"Debug","rule":"r","source":"s",' +
 *   '"time":"2026-01-01T00:00:00.000000000Z"}';
 * assert.deepEqual(parseAlert(line).omitted, expected);
 * ```
 */
export type OmittedProperty = "output" | "output_fields" | "tags";

/** The text that Falco sends over gRPC where it has no value. */
export const ABSENT = "<NA>";

/**
 * Reads an output field.
 *
 * What Falco had no value for reads as `undefined`: the text `<NA>` over gRPC, `null` in JSON, and a
 * name that is not there. The text `"null"` stays text: a process may be called that.
 *
 * @param alert The alert.
 * @param name The name of the field, such as `proc.name`; any string is allowed, `__proto__` too.
 * @returns The value, or undefined if it is absent. Never throws.
 *
 * @example
 * ```ts
 * import { buildAlert } from "@falco-streams/core/harness";
 * import { field } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * const alert = buildAlert({ outputFields: { "proc.name": "sh", "container.name": "<NA>" } });
 * assert.equal(field(alert, "proc.name"), "sh");
 * assert.equal(field(alert, "container.name"), undefined);
 * assert.equal(field(alert, "__proto__"), undefined);
 * ```
 */
export function field(alert: Alert, name: string): Exclude<FieldValue, null> | undefined {
  // JavaScript callers may hand in anything; a wrong object has no fields.
  const fields = (alert as Alert | null | undefined)?.outputFields as
    | AlertFields
    | null
    | undefined;
  if (fields === undefined || fields === null || !Object.hasOwn(fields, name)) return undefined;
  const value = fields[name];
  return value === null || value === ABSENT ? undefined : value;
}
