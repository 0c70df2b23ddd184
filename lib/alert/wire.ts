/** The gRPC carrier, written: an {@linkcode Alert} to `falco.outputs.response`. @module */
import { ABSENT } from "./alert.ts";
import type { Alert, FieldValue } from "./alert.ts";
import { formatValue } from "./format_alert.ts";
import { priorities } from "./priority.ts";
import { PLUGIN, sourceNames } from "./source_names.ts";
import { toAlertTime } from "./time.ts";
import { WireWriter } from "./wire_writer.ts";
export { AlertReader, decodeAlert } from "./decode_alert.ts";
export type { DecodeAlertOptions } from "./decode_alert.ts";

/** Which fields a Falco of some version has on the wire. */
export interface WireFields {
  /** `hostname`, since 0.19.0. */
  readonly hostname: boolean;
  /** `tags`, since 0.30.0. */
  readonly tags: boolean;
  /** `source` by name, and the enum value PLUGIN beside it, since 0.31.0. */
  readonly sourceName: boolean;
}

/** One for all, as no two alerts are written at the same time. */
const writer = new WireWriter();

/** All of them: 0.31.0 to 0.43.1. */
const allFields: WireFields = { hostname: true, tags: true, sourceName: true };

/**
 * Encodes an alert as a `falco.outputs.response`, as Falco does: every field's value becomes text.
 *
 * @param alert The alert. `message` and `omitted` have no place in the message and are left out; a
 * time out of range or with a fraction becomes the nearest valid one.
 * @param fields What the Falco in question has on the wire; default all, as 0.31.0 to 0.43.1.
 * @returns One message.
 */
export function encodeAlert(
  alert: Alert,
  fields: WireFields = allFields,
): Uint8Array<ArrayBuffer> {
  const { seconds, nanos } = toAlertTime(alert.time.seconds, alert.time.nanos);
  writer.begin();
  writer.short(1, () => {
    if (seconds !== 0) writer.integer(1, seconds);
    if (nanos !== 0) writer.integer(2, nanos);
  });
  const priority = priorities.indexOf(alert.priority);
  if (priority > 0) writer.integer(2, priority);
  const sourceNumber = encodeSource(alert.source, fields);
  if (sourceNumber > 0) writer.integer(3, sourceNumber);
  if (alert.rule !== "") writer.text(4, alert.rule);
  if (alert.output !== "") writer.text(5, alert.output);
  const { outputFields } = alert;
  for (const name of Object.keys(outputFields)) {
    writer.entry(6, name, wireText(outputFields[name]!));
  }
  if (fields.hostname && alert.hostname !== "") writer.text(7, alert.hostname);
  if (fields.tags) { for (const tag of alert.tags) writer.text(8, tag); }
  if (fields.sourceName && alert.source !== "") writer.text(9, alert.source);
  return writer.finish();
}

/**
 * Writes a field's value as Falco does for gRPC and for the text of an alert.
 *
 * @param value The value.
 * @returns Text as it is; `<NA>` for an absent value; `(a,b)` for a list; JSON for all else.
 */
export function wireText(value: FieldValue): string {
  if (typeof value === "string") return value;
  if (value === null) return ABSENT;
  if (Array.isArray(value)) return `(${value.map(wireText).join(",")})`;
  return formatValue(value);
}

function encodeSource(source: string, fields: WireFields): number {
  if (source === "") return 0;
  const number = sourceNames.indexOf(source);
  if (fields.sourceName) return number < 0 ? PLUGIN : number;
  return number < 0 || number === PLUGIN ? 0 : number;
}
