/** The gRPC carrier, written: an {@linkcode Alert} to `falco.outputs.response`. @module */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { ABSENT } from "./alert.ts";
import type { Alert, FieldValue } from "./alert.ts";
import { formatValue } from "./format_alert.ts";
import { priorities } from "./priority.ts";
import { PLUGIN, sourceNames } from "./source_names.ts";
import { toAlertTime } from "./time.ts";
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
  const writer = new BinaryWriter();
  const text = (number: number, value: string) => {
    if (value !== "") writer.tag(number, WireType.LengthDelimited).string(value.toWellFormed());
  };
  writer.tag(1, WireType.LengthDelimited).fork();
  const { seconds, nanos } = toAlertTime(alert.time.seconds, alert.time.nanos);
  if (seconds !== 0) writer.tag(1, WireType.Varint).int64(seconds);
  if (nanos !== 0) writer.tag(2, WireType.Varint).int32(nanos);
  writer.join();
  const priority = priorities.indexOf(alert.priority);
  if (priority > 0) writer.tag(2, WireType.Varint).int32(priority);
  const sourceNumber = encodeSource(alert.source, fields);
  if (sourceNumber > 0) writer.tag(3, WireType.Varint).int32(sourceNumber);
  text(4, alert.rule);
  text(5, alert.output);
  for (const [name, value] of Object.entries(alert.outputFields)) {
    writer.tag(6, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(name.toWellFormed());
    writer.tag(2, WireType.LengthDelimited).string(wireText(value).toWellFormed());
    writer.join();
  }
  if (fields.hostname) text(7, alert.hostname);
  if (fields.tags) {
    for (const tag of alert.tags) {
      writer.tag(8, WireType.LengthDelimited).string(tag.toWellFormed());
    }
  }
  if (fields.sourceName) text(9, alert.source);
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
