/** The line that Falco writes for an alert under a configuration. @module */
import type { Alert, AlertFields, FieldValue, OmittedProperty } from "../../lib/alert/alert.ts";
import { compareBytes } from "../../lib/alert/compare_bytes.ts";
import { formatAlert, formatValue } from "../../lib/alert/format_alert.ts";
import { messageOf } from "../../lib/alert/message.ts";
import { priorityName } from "../../lib/alert/priority.ts";
import { formatIsoTime, formatLocalClockTime } from "./local_time.ts";

/** What of `falco.yaml` decides how a line looks. */
export interface OutputFormat {
  /** The second of the three numbers of Falco's version: keys of the JSON came one by one. */
  readonly minor: number;
  /** `json_output`: JSON instead of text, over gRPC as well. */
  readonly json: boolean;
  /** `json_include_output_property`. */
  readonly includeOutput: boolean;
  /** `json_include_tags_property`. */
  readonly includeTags: boolean;
  /** `json_include_message_property`. */
  readonly includeMessage: boolean;
  /** `json_include_output_fields_property`. */
  readonly includeOutputFields: boolean;
  /** `time_format_iso_8601`. */
  readonly isoTime: boolean;
  /** `FALCO_HOSTNAME`; undefined: the alert's own. */
  readonly hostname?: string | undefined;
}

/**
 * Writes an alert as the Falco of that configuration does.
 *
 * The time and priority in front of `alert.output`, whatever their spelling, are written anew: in the
 * machine's time zone, or in UTC with `isoTime`. The alert's message stays as it is. JSON gets the
 * field `evt.time` (with `isoTime`: `evt.time.iso8601`), as Falco takes it from that prefix; for
 * Falco's internal alerts neither is done.
 *
 * @param alert The alert, from any carrier.
 * @param format The configuration.
 * @returns The line, without a line break at its end; text may have some within.
 */
export function formatOutput(alert: Alert, format: OutputFormat): string {
  const isInternal = alert.source === "internal";
  const text = isInternal ? internalText(alert) : prefix(alert, format) + messageOf(alert);
  if (!format.json) return text;
  const omitted: OmittedProperty[] = [];
  const { includeOutput, includeTags, minor } = format;
  const includeOutputFields = format.includeOutputFields || minor < 41;
  if (!includeOutput) omitted.push("output");
  if (!includeOutputFields) omitted.push("output_fields");
  // `source` and `tags` came with 0.30, `hostname` with 0.33.
  const hasTags = includeTags && minor >= 30 && !isInternal;
  if (!hasTags) omitted.push("tags");
  const { time, priority, rule } = alert;
  const fields = isInternal ? alert.outputFields : withTime(alert, format);
  const line = formatAlert({
    time,
    priority,
    rule,
    source: minor >= 30 ? alert.source : "",
    hostname: minor >= 33 ? format.hostname ?? alert.hostname : "",
    output: !includeOutput ? "" : isInternal ? internalMessage(alert) : text,
    ...(format.includeMessage && minor >= 39 ? { message: messageOf(alert) } : {}),
    outputFields: includeOutputFields ? fields : {},
    tags: hasTags ? [...new Set(alert.tags)].sort(compareBytes) : [],
    omitted,
  });
  return minor >= 39 ? line : fieldsLast(line, formatValue(fields));
}

function prefix({ time, priority }: Alert, { isoTime }: OutputFormat): string {
  const moment = isoTime ? formatIsoTime(time) : formatLocalClockTime(time);
  return `${moment}: ${priorityName(priority)} `;
}

/** `Falco metrics snapshot (a=1 b="x")`: Falco's own alerts have no rule that would name their fields. */
function internalText(alert: Alert): string {
  const { time, priority } = alert;
  // Never in ISO form: that is for the outputs of rules.
  const start = `${formatLocalClockTime(time)}: ${priorityName(priority)} `;
  // What came as text is complete; what came as JSON lacks the fields.
  if (messageOf(alert) !== alert.output) return start + messageOf(alert);
  return `${start}${alert.output} (${pairs(alert.outputFields)})`;
}

/** The message of an internal alert, which Falco's text shows with the fields in brackets behind. */
function internalMessage(alert: Alert): string {
  const message = messageOf(alert);
  return message === alert.output ? message : message.replace(/ \((?:[\w.]+=[^]*)?\)$/, "");
}

function pairs(fields: AlertFields): string {
  const names = Object.keys(fields).sort(compareBytes);
  return names.map((name) => `${name}=${formatValue(fields[name]!)}`).join(" ");
}

/**
 * Adds the field of the prefix, and takes away the one of another prefix that the alert came with;
 * unless its rule prints it, which its message shows.
 */
function withTime(alert: Alert, { isoTime }: OutputFormat): AlertFields {
  const { time, outputFields } = alert;
  const nanos = BigInt(time.seconds) * 1_000_000_000n + BigInt(time.nanos);
  const [added, other] = isoTime
    ? ["evt.time.iso8601", "evt.time"]
    : ["evt.time", "evt.time.iso8601"];
  const isoShown = formatIsoTime(time);
  const message = messageOf(alert);
  // In UTC the one time is a part of the other.
  const isShown = isoTime
    ? message.replaceAll(isoShown, "").includes(formatLocalClockTime(time))
    : message.includes(isoShown);
  const fields: { [name: string]: FieldValue } = {};
  for (const [name, value] of Object.entries(outputFields)) {
    if (name === other && !isShown) continue;
    // Not by assignment, which would take `__proto__` for the prototype.
    Object.defineProperty(fields, name, { value, enumerable: true, configurable: true });
  }
  const value = nanos <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(nanos) : nanos;
  Object.defineProperty(fields, added, { value, enumerable: true, configurable: true });
  return fields;
}

/** Up to 0.38 another serializer put the fields behind all else. */
function fieldsLast(line: string, fields: string): string {
  const member = `"output_fields":${fields},`;
  const start = line.indexOf(member);
  if (start < 0) return line;
  return `${line.slice(0, start)}${line.slice(start + member.length, -1)},` +
    `${member.slice(0, -1)}}`;
}
