/** Falco's JSON line to an {@linkcode Alert}. @module */
import { AlertFormatError } from "../errors.ts";
import type { Alert, AlertTime, FieldValue, OmittedProperty } from "./alert.ts";
import { scanJson } from "./json_scan.ts";
import { lineAndColumn, parseJson } from "./parse_json.ts";
import { parsePriority, priorities, priorityName } from "./priority.ts";
import type { Priority } from "./priority.ts";
import { quoteText } from "./quote_text.ts";
import type { Repair } from "./repair.ts";
import { parseTime, toAlertTime } from "./time.ts";

/**
 * Options of {@linkcode parseAlert}.
 *
 * @example
 * ```ts
 * import type { ParseAlertOptions } from "@falco-streams/core";
 *
 * const options: ParseAlertOptions = { onRepair: (repair) => console.warn(repair) };
 * console.assert(options.onRepair !== undefined);
 * ```
 */
export interface ParseAlertOptions {
  /** Called for each way in which the line differs from Falco's own; what it throws, `parseAlert` throws. */
  onRepair?: (repair: Repair) => void;
}

/**
 * How many levels of lists and objects a field may hold. Plugins need one or two; whatever walks an
 * alert later, `structuredClone` included, does so by recursion and must not run out of stack.
 */
const MAX_DEPTH = 100;

/**
 * Reads an alert from the JSON that Falco writes with `json_output: true`, of any version.
 *
 * Integers are exact ({@linkcode FieldValue}), unknown keys are ignored, keys that older Falcos or a
 * configuration leave out may be missing. What Falco's gRPC clients print is understood as well, see
 * {@linkcode Repair}.
 *
 * @param line One JSON object; blanks around it do not matter.
 * @param options `onRepair` learns what had to be mended.
 * @returns The alert.
 * @throws {AlertFormatError} If the line is no JSON, or no alert; with the column of what is wrong.
 *
 * @example
 * ```ts
 * import { formatAlert, parseAlert } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * const line = '{"hostname":"node-1","output":"00:00:00.000000005: Notice shell (proc_pid=7)",' +
 *   '"output_fields":{"evt.time":1767225600000000005,"proc.pid":7},"priority":"Notice",' +
 *   '"rule":"Terminal shell in container","source":"syscall","tags":["shell"],' +
 *   '"time":"2026-01-01T00:00:00.000000005Z"}';
 * const alert = parseAlert(line);
 * assert.equal(alert.outputFields["evt.time"], 1767225600000000005n);
 * assert.equal(formatAlert(alert), line);
 * ```
 */
export function parseAlert(line: string, options: ParseAlertOptions = {}): Alert {
  const value = parseJson(line);
  return alertFromJson(value, {
    ...options,
    place: (key) => {
      const index = key === undefined ? line.search(/\S/) : scanJson(line).members.get(key);
      return lineAndColumn(line, Math.max(index ?? line.search(/\S/), 0));
    },
  });
}

/** How {@linkcode alertFromJson} reports. */
export interface FromJsonOptions extends ParseAlertOptions {
  /** Finds the value of a key in the text, for errors; without it they point at line 1, column 1. */
  place?: (key: string | undefined) => { line: number; column: number };
}

/**
 * Reads an alert from JSON that is parsed already, by {@linkcode parseJson} if integers matter.
 *
 * @param value The JSON value.
 * @param options Where to report repairs, and how to find places.
 * @returns The alert.
 * @throws {AlertFormatError} If it is no alert.
 */
export function alertFromJson(value: FieldValue, options: FromJsonOptions = {}): Alert {
  const fail = (key: string | undefined, problem: string): never => {
    throw new AlertFormatError(`Cannot read the alert: ${problem}`, options.place?.(key));
  };
  const repair = options.onRepair ?? (() => {});
  if (!isObject(value)) return fail(undefined, "expected a JSON object");
  const own = (key: string): FieldValue | undefined =>
    Object.hasOwn(value, key) ? value[key] : undefined;
  const text = (key: string): string | undefined => {
    const found = own(key);
    if (found === undefined || typeof found === "string") return found;
    return fail(key, `"${key}" must be text`);
  };

  const rule = text("rule") ?? fail(undefined, 'it has no "rule"');
  const time = readTime(own("time"), repair, fail);
  let fieldsKey = "output_fields";
  let fields = own(fieldsKey);
  // The keys of protobuf's own JSON; also the sign of a gRPC client, which leaves out what is 0.
  const isGrpcJson = own("outputFields") !== undefined || own("sourceDeprecated") !== undefined;
  if (fields === undefined && isGrpcJson) {
    fieldsKey = "outputFields";
    fields = own(fieldsKey) ?? {};
    repair("key-spelling");
  }
  if (fields !== undefined && !isObject(fields)) {
    return fail(fieldsKey, `"${fieldsKey}" must be an object`);
  }
  for (const field of Object.values(fields ?? {})) {
    if (isDeeper(field, MAX_DEPTH)) {
      fail(fieldsKey, `"${fieldsKey}" is nested too deeply, at most ${MAX_DEPTH} levels are read`);
    }
  }
  const isClientShape = isGrpcJson || isObject(own("time"));
  const priority = readPriority(own("priority"), isClientShape, repair, fail);
  const source = readSource(
    text("source"),
    own("source_deprecated") ?? own("sourceDeprecated"),
    repair,
  );
  const tags = own("tags");
  if (
    tags !== undefined && !(Array.isArray(tags) && tags.every((tag) => typeof tag === "string"))
  ) {
    fail("tags", '"tags" must be an array of text');
  }
  const output = text("output");
  const message = text("message");

  const omitted: OmittedProperty[] = [];
  if (!isClientShape) {
    if (output === undefined) omitted.push("output");
    if (fields === undefined) omitted.push("output_fields");
    // Falco's internal alerts never have tags, so there is nothing to remember.
    if (tags === undefined && source !== "internal") omitted.push("tags");
  }
  return {
    time,
    priority,
    source,
    rule,
    output: output ?? "",
    outputFields: fields ?? {},
    hostname: text("hostname") ?? "",
    tags: (tags ?? []) as readonly string[],
    ...(message === undefined ? {} : { message }),
    ...(omitted.length === 0 ? {} : { omitted }),
  };
}

type Fail = (key: string, problem: string) => never;
type Report = (repair: Repair) => void;

function readTime(value: FieldValue | undefined, repair: Report, fail: Fail): AlertTime {
  if (isObject(value)) {
    const { seconds = 0, nanos = 0 } = value;
    // protobuf's JSON has 64-bit integers as text.
    const whole = typeof seconds === "string" && /^-?\d+$/.test(seconds)
      ? Number(seconds)
      : seconds;
    if (!isInteger(whole) || !isInteger(nanos)) {
      return fail("time", '"time" must have "seconds" and "nanos" that are integers');
    }
    repair("time-object");
    return toAlertTime(whole, nanos);
  }
  const parsed = typeof value === "string" ? parseTime(value) : undefined;
  if (parsed === undefined) {
    if (value === undefined) return fail("time", 'it has no "time"');
    return fail("time", '"time" must be as in "2026-01-01T00:00:00.000000000Z"');
  }
  if (!parsed.utc) repair("time-offset");
  if (parsed.decimals !== 9) repair("time-precision");
  return parsed.time;
}

function readPriority(
  value: FieldValue | undefined,
  isClientShape: boolean,
  repair: Report,
  fail: Fail,
): Priority {
  if (value === undefined && isClientShape) {
    repair("priority-absent");
    return "emergency";
  }
  if (typeof value === "number") {
    const byNumber = priorities[value];
    if (byNumber === undefined) {
      return fail("priority", `unknown priority ${value}, expected 0 to 7`);
    }
    repair("priority-number");
    return byNumber;
  }
  if (value === undefined) return fail("priority", 'it has no "priority"');
  const priority = typeof value === "string" ? parsePriority(value) : undefined;
  if (priority === undefined) {
    const shown = typeof value === "string" ? quoteText(value) : "value";
    return fail("priority", `unknown priority ${shown}, expected one of ${priorities.join(", ")}`);
  }
  if (value !== priorityName(priority)) repair("priority-name");
  return priority;
}

/** The spellings of `falco.schema.source`, by number, as clients of gRPC print them. */
const sourceNames = ["syscall", "k8s_audit", "internal", "plugin"];

function readSource(
  source: string | undefined,
  enumValue: FieldValue | undefined,
  repair: Report,
): string {
  const isEnumName = source !== undefined && source !== source.toLowerCase() &&
    sourceNames.includes(source.toLowerCase());
  if (isEnumName) {
    repair("source-name");
    return source.toLowerCase();
  }
  if (source !== undefined && source !== "") return source;
  const name = typeof enumValue === "number"
    ? sourceNames[enumValue]
    : typeof enumValue === "string"
    ? enumValue.toLowerCase()
    : undefined;
  if (name === undefined) return "";
  repair("source-name");
  return name;
}

function isInteger(value: FieldValue): value is number {
  return Number.isInteger(value);
}

function isDeeper(value: FieldValue, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

function isObject(
  value: FieldValue | undefined,
): value is { readonly [key: string]: FieldValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
