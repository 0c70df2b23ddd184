/**
 * The gRPC carrier, read: `falco.outputs.response` to an {@linkcode Alert}.
 *
 * Read field by field rather than through the generated message: Falco puts raw bytes of system calls
 * into protobuf strings (measured on 0.43.1), which a conforming decoder refuses, and an alert must
 * not be lost for that. The numbers are those of proto/, checked by a test.
 *
 * @module
 */
import { WireType } from "@bufbuild/protobuf/wire";
import { AlertFormatError } from "../errors.ts";
import type { Alert, AlertTime } from "./alert.ts";
import { FieldTable } from "./field_table.ts";
import { priorities } from "./priority.ts";
import type { Priority } from "./priority.ts";
import { sourceNames } from "./source_names.ts";
import { toAlertTime } from "./time.ts";
import { TextCache } from "./text_cache.ts";
import type { CachedText } from "./text_cache.ts";
import { WireReader } from "./wire_reader.ts";

const { Varint, LengthDelimited } = WireType;

/** What a reader of many alerts keeps from one to the next. */
const MANY: Kept = {
  // Falco's own rules name about 200 fields, 100 rules and 100 tags; its metrics 100 more.
  texts: 1024,
  bytes: 16 * 1024,
};

/** What {@linkcode decodeAlert} keeps. */
const NOTHING: Kept = { texts: 0, bytes: 0 };

interface Kept {
  readonly texts: number;
  readonly bytes: number;
}

/** Options of {@linkcode AlertReader} and {@linkcode decodeAlert}. */
export interface DecodeAlertOptions {
  /** Called for each string that was not UTF-8; its bad bytes read as U+FFFD. */
  onInvalidUtf8?: () => void;
}

/**
 * Decodes one `falco.outputs.response` after another.
 *
 * It remembers the names, rules, tags and hosts of the alerts before, at most 1,024 texts of at most
 * 128 bytes and the fields of 256 rules, which makes it about five times as fast as
 * {@linkcode decodeAlert}. So keep one for each stream of alerts.
 */
export class AlertReader {
  readonly #reader: WireReader;
  readonly #fields: FieldTable;

  /**
   * @param options `onInvalidUtf8` counts strings that had to be mended.
   * @param kept How many texts, and the length of a message, to keep memory for.
   */
  constructor(options: DecodeAlertOptions = {}, kept: Kept = MANY) {
    const texts = new TextCache(kept.texts);
    this.#reader = new WireReader(texts, kept.bytes, options.onInvalidUtf8);
    this.#fields = new FieldTable(texts);
  }

  /**
   * Decodes a message.
   *
   * Unknown fields are skipped. Every field's value is text, as Falco sends it; what it had no value
   * for stays `<NA>` here and reads as `undefined` through `field()`. The fields are in the order of
   * Falco's JSON, sorted by name: that of the message is random.
   *
   * @param message One message. It is copied.
   * @returns The alert.
   * @throws {AlertFormatError} If the bytes are no such message.
   */
  decode(message: Uint8Array): Alert {
    try {
      return this.#decode(message);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw new AlertFormatError(`Cannot decode the alert: ${cause.message}`, { cause });
    }
  }

  #decode(message: Uint8Array): Alert {
    const reader = this.#reader;
    reader.load(message);
    this.#fields.clear();
    let time: AlertTime = { seconds: 0, nanos: 0 };
    let priority: Priority = "emergency"; // 0, which is never on the wire
    let sourceNumber = 0;
    let source = "";
    let rule = "";
    let output = "";
    let hostname = "";
    const tags: string[] = [];
    while (reader.pos < reader.length) {
      const tag = reader.tag();
      switch (tag >>> 3) {
        case 1:
          expect(LengthDelimited, tag);
          time = this.#time(time);
          break;
        case 2:
          expect(Varint, tag);
          priority = toPriority(reader.uint32() | 0);
          break;
        case 3:
          expect(Varint, tag);
          sourceNumber = reader.uint32() | 0;
          break;
        case 4:
          expect(LengthDelimited, tag);
          rule = reader.cachedText().text;
          break;
        case 5:
          expect(LengthDelimited, tag);
          output = reader.text();
          break;
        case 6:
          expect(LengthDelimited, tag);
          this.#field();
          break;
        case 7:
          expect(LengthDelimited, tag);
          hostname = reader.cachedText().text;
          break;
        case 8:
          expect(LengthDelimited, tag);
          tags.push(reader.cachedText().text);
          break;
        case 9:
          expect(LengthDelimited, tag);
          source = reader.cachedText().text;
          break;
        default:
          reader.skip(tag);
      }
    }
    // Before 0.31 only the enum is there.
    if (source === "") source = sourceNames[sourceNumber] ?? "plugin";
    const outputFields = this.#fields.build(rule);
    return { time, priority, source, rule, output, outputFields, hostname, tags };
  }

  /** A second time in a message changes what it has of the first, as protobuf has it. */
  #time({ seconds, nanos }: AlertTime): AlertTime {
    const reader = this.#reader;
    const end = reader.end();
    while (reader.pos < end) {
      const tag = reader.tag();
      if (tag === (1 << 3 | Varint)) seconds = reader.int64();
      else if (tag === (2 << 3 | Varint)) nanos = reader.uint32() | 0;
      else {
        if (tag >>> 3 <= 2) expect(Varint, tag);
        reader.skip(tag);
      }
    }
    expectEnd(reader.pos, end);
    return toAlertTime(seconds, nanos);
  }

  #field(): void {
    const reader = this.#reader;
    const end = reader.end();
    let name = NO_NAME;
    let value = "";
    while (reader.pos < end) {
      const tag = reader.tag();
      if (tag === (1 << 3 | LengthDelimited)) name = reader.cachedText();
      else if (tag === (2 << 3 | LengthDelimited)) value = reader.text();
      else {
        if (tag >>> 3 <= 2) expect(LengthDelimited, tag);
        reader.skip(tag);
      }
    }
    expectEnd(reader.pos, end);
    this.#fields.add(name, value);
  }
}

/** The name of a field that has none. */
const NO_NAME: CachedText = Object.freeze({ text: "", id: -1 });

/**
 * Decodes a single `falco.outputs.response`; for more of them make an {@linkcode AlertReader}.
 *
 * @param bytes One message.
 * @param options `onInvalidUtf8` counts strings that had to be mended.
 * @returns The alert, as {@linkcode AlertReader.decode} returns it.
 * @throws {AlertFormatError} If the bytes are no such message.
 */
export function decodeAlert(bytes: Uint8Array, options: DecodeAlertOptions = {}): Alert {
  return new AlertReader(options, NOTHING).decode(bytes);
}

function toPriority(number: number): Priority {
  const priority = priorities[number];
  if (priority === undefined) throw new RangeError(`unknown priority ${number}`);
  return priority;
}

function expect(wanted: WireType, tag: number): void {
  if ((tag & 7) !== wanted) {
    throw new RangeError(`field ${tag >>> 3} has wire type ${tag & 7}, expected ${wanted}`);
  }
}

function expectEnd(pos: number, end: number): void {
  if (pos !== end) throw new RangeError("a nested message is longer than its length says");
}
