/** An {@linkcode Alert} to Falco's JSON line. @module */
import type { Alert, FieldValue } from "./alert.ts";
import { compareBytes } from "./compare_bytes.ts";
import { priorityName } from "./priority.ts";
import { formatTime } from "./time.ts";

/**
 * Writes an alert as Falco 0.39 and later does with `json_output: true`: one line, keys in order,
 * no blanks, non-ASCII text as it is, integers exact.
 *
 * A line that such a Falco wrote comes out of `parseAlert` and `formatAlert` byte for byte, but for
 * the spelling of a float: `0.0` becomes `0`.
 *
 * @param alert The alert.
 * @returns The line, without a line break at its end.
 *
 * @example
 * ```ts
 * import { formatAlert } from "@falco-streams/core";
 * import { buildAlert } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const line = formatAlert(buildAlert({ rule: "Terminal shell in container" }));
 * assert.equal(JSON.parse(line).rule, "Terminal shell in container");
 * assert(!line.includes("\n"));
 * ```
 */
export function formatAlert(alert: Alert): string {
  const { hostname, message, output, outputFields, source, tags, omitted = [] } = alert;
  let line = "{";
  if (hostname !== "") line += `"hostname":${JSON.stringify(hostname)},`;
  if (message !== undefined) line += `"message":${JSON.stringify(message)},`;
  if (output !== "" || !omitted.includes("output")) line += `"output":${JSON.stringify(output)},`;
  const fields = formatObject(outputFields);
  if (fields !== "{}" || !omitted.includes("output_fields")) line += `"output_fields":${fields},`;
  line += `"priority":"${priorityName(alert.priority)}","rule":${JSON.stringify(alert.rule)}`;
  if (source !== "") line += `,"source":${JSON.stringify(source)}`;
  // Falco writes "tags":[] for a rule without tags, but no tags at all for its internal alerts.
  if (tags.length > 0 || !(source === "internal" || omitted.includes("tags"))) {
    line += `,"tags":${JSON.stringify(tags)}`;
  }
  return `${line},"time":"${formatTime(alert.time)}"}`;
}

function formatObject(object: { readonly [key: string]: FieldValue }): string {
  const keys = Object.keys(object).sort(compareBytes);
  let text = "";
  for (const key of keys) {
    text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${formatValue(object[key]!)}`;
  }
  return `{${text}}`;
}

/**
 * Writes a field's value as JSON.
 *
 * @param value The value. A number that JSON cannot hold (NaN, Infinity) is written `null`, as
 * Falco's serializer does.
 * @returns The JSON text.
 */
export function formatValue(value: FieldValue): string {
  switch (typeof value) {
    case "bigint":
      return value.toString();
    case "number":
      // With an exponent a large float stays a float when it is read again, and does not turn into
      // an exact integer that it never was. Falco writes it the same way.
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) return value.toExponential();
      return Object.is(value, -0) ? "-0" : JSON.stringify(value);
    case "object":
      if (value === null) return "null";
      return Array.isArray(value)
        ? `[${value.map(formatValue).join(",")}]`
        : formatObject(value as { readonly [key: string]: FieldValue });
    default:
      return JSON.stringify(value) ?? "null";
  }
}
