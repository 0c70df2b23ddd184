/**
 * The gRPC carrier: `falco.outputs.response` to an {@linkcode Alert} and back.
 *
 * Read and written field by field rather than through the generated message: Falco puts raw bytes of
 * system calls into protobuf strings (measured on 0.43.1), which a conforming decoder refuses, and
 * an alert must not be lost for that. The numbers are those of proto/, checked by a test.
 *
 * @module
 */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { AlertFormatError } from "../errors.ts";
import { ABSENT } from "./alert.ts";
import type { Alert, AlertTime, FieldValue } from "./alert.ts";
import { formatValue } from "./format_alert.ts";
import { priorities } from "./priority.ts";
import type { Priority } from "./priority.ts";
import { toAlertTime } from "./time.ts";

/** The names of `falco.schema.source` by number; whatever is not among them came from a plugin. */
const sourceNames: readonly string[] = ["syscall", "k8s_audit", "internal", "plugin"];
const PLUGIN = 3;

const lenientUtf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const strictUtf8 = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** Options of {@linkcode decodeAlert}. */
export interface DecodeAlertOptions {
  /** Called for each string that was not UTF-8; its bad bytes read as U+FFFD. */
  onInvalidUtf8?: () => void;
}

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
 * Decodes a `falco.outputs.response`.
 *
 * Unknown fields are skipped. Every field's value is text, as Falco sends it; what it had no value
 * for stays `<NA>` here and reads as `undefined` through `field()`.
 *
 * @param bytes One message.
 * @param options `onInvalidUtf8` counts strings that had to be mended.
 * @returns The alert.
 * @throws {AlertFormatError} If the bytes are no such message.
 */
export function decodeAlert(bytes: Uint8Array, options: DecodeAlertOptions = {}): Alert {
  const reader = new BinaryReader(bytes, (text) => {
    const decoded = lenientUtf8.decode(text);
    if (decoded.includes("\ufffd") && !isUtf8(text)) options.onInvalidUtf8?.();
    return decoded;
  });
  let time: AlertTime = { seconds: 0, nanos: 0 };
  let priority: Priority = "emergency"; // 0, which is never on the wire
  let sourceNumber = 0;
  let source = "";
  let rule = "";
  let output = "";
  let hostname = "";
  const outputFields: { [name: string]: string } = {};
  const tags: string[] = [];
  try {
    while (reader.pos < reader.len) {
      const [number, type] = reader.tag();
      switch (number) {
        case 1:
          time = decodeTime(reader, expectBytes(number, type, reader));
          break;
        case 2:
          expect(WireType.Varint, number, type);
          priority = decodePriority(reader.int32());
          break;
        case 3:
          expect(WireType.Varint, number, type);
          sourceNumber = reader.int32();
          break;
        case 4:
          rule = expectText(number, type, reader);
          break;
        case 5:
          output = expectText(number, type, reader);
          break;
        case 6:
          decodeField(reader, expectBytes(number, type, reader), outputFields);
          break;
        case 7:
          hostname = expectText(number, type, reader);
          break;
        case 8:
          tags.push(expectText(number, type, reader));
          break;
        case 9:
          source = expectText(number, type, reader);
          break;
        default:
          reader.skip(type, number);
      }
    }
    if (reader.pos !== reader.len) throw new RangeError("it is cut short");
  } catch (cause) {
    if (cause instanceof AlertFormatError) throw cause;
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new AlertFormatError(`Cannot decode the alert: ${problem}`, { cause });
  }
  // Before 0.31 only the enum is there.
  if (source === "") source = sourceNames[sourceNumber] ?? "plugin";
  return { time, priority, source, rule, output, outputFields, hostname, tags };
}

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

function decodePriority(number: number): Priority {
  const priority = priorities[number];
  if (priority === undefined) {
    throw new AlertFormatError(`Cannot decode the alert: unknown priority ${number}`);
  }
  return priority;
}

function decodeTime(reader: BinaryReader, end: number): AlertTime {
  let seconds = 0;
  let nanos = 0;
  while (reader.pos < end) {
    const [number, type] = reader.tag();
    if (number === 1 && type === WireType.Varint) seconds = Number(reader.int64());
    else if (number === 2 && type === WireType.Varint) nanos = reader.int32();
    else reader.skip(type, number);
  }
  expectEnd(reader, end);
  return toAlertTime(seconds, nanos);
}

function decodeField(reader: BinaryReader, end: number, fields: { [name: string]: string }): void {
  let name = "";
  let value = "";
  while (reader.pos < end) {
    const [number, type] = reader.tag();
    if (number === 1) name = expectText(number, type, reader);
    else if (number === 2) value = expectText(number, type, reader);
    else reader.skip(type, number);
  }
  expectEnd(reader, end);
  if (name === "__proto__") {
    // Assigning would set the prototype instead: the name is the attacker's choice.
    Object.defineProperty(fields, name, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else {
    fields[name] = value;
  }
}

function expect(wanted: WireType, number: number, type: WireType): void {
  if (type !== wanted) {
    throw new AlertFormatError(
      `Cannot decode the alert: field ${number} has wire type ${type}, expected ${wanted}`,
    );
  }
}

function expectText(number: number, type: WireType, reader: BinaryReader): string {
  expect(WireType.LengthDelimited, number, type);
  return reader.string();
}

/** Returns where the nested message ends. */
function expectBytes(number: number, type: WireType, reader: BinaryReader): number {
  expect(WireType.LengthDelimited, number, type);
  const length = reader.uint32();
  const end = reader.pos + length;
  if (end > reader.len) throw new RangeError("it is cut short");
  return end;
}

function expectEnd(reader: BinaryReader, end: number): void {
  if (reader.pos !== end) throw new RangeError("a nested message is longer than its length says");
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    strictUtf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
