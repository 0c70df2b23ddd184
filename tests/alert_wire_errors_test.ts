/** Bytes that no Falco should send: decodeAlert gives an alert or an AlertFormatError, nothing else. */
import { fromBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { responseSchema } from "../gen/outputs_pb.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { field } from "../lib/alert/alert.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { priorities } from "../lib/alert/priority.ts";
import { decodeAlert, encodeAlert } from "../lib/alert/wire.ts";
import { AlertFormatError } from "../lib/errors.ts";
import { allWires } from "./recordings.ts";

const wires = allWires();

/** The shortest recorded message that has every field. */
const recorded = wires.toSorted((a, b) => a.length - b.length)
  .find((wire) => decodeAlert(wire).tags.length > 0)!;

/** A message, by hand. */
function messageOf(write: (writer: BinaryWriter) => BinaryWriter): Uint8Array {
  return write(new BinaryWriter()).finish();
}

/** A field that is text, with any bytes in it. */
function textField(number: number, bytes: readonly number[]): Uint8Array {
  return messageOf((writer) =>
    writer.tag(number, WireType.LengthDelimited).bytes(Uint8Array.from(bytes))
  );
}

/** Decodes, and counts the strings that were no UTF-8. */
function decodeCounting(bytes: Uint8Array): { alert: Alert; invalid: number } {
  let invalid = 0;
  const alert = decodeAlert(bytes, { onInvalidUtf8: () => void invalid++ });
  return { alert, invalid };
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Decodes what may be no message; anything but an AlertFormatError fails the test. */
function tryDecode(bytes: Uint8Array): Alert | undefined {
  try {
    return decodeAlert(bytes);
  } catch (error) {
    assert(error instanceof AlertFormatError, String(error));
    assert.match(error.message, /^Cannot decode the alert: \S/);
    return undefined;
  }
}

test("decodeAlert mends bytes that are no UTF-8, and reports each string once", () => {
  const cases: [bytes: number[], text: string, invalid: number][] = [
    [[0x61, 0xff, 0x62], "a\ufffdb", 1],
    [[0xff, 0xfe, 0xfd], "\ufffd\ufffd\ufffd", 1],
    [[0x61, 0xc3], "a\ufffd", 1],
    [[0xe2, 0x82, 0x61], "\ufffda", 1],
    [[0xf0, 0x9f, 0xa6], "\ufffd", 1],
    [[0xed, 0xa0, 0x80], "\ufffd\ufffd\ufffd", 1], // half a surrogate pair
    [[0xc0, 0x80], "\ufffd\ufffd", 1], // NUL, overlong
    [[0xf4, 0x90, 0x80, 0x80], "\ufffd\ufffd\ufffd\ufffd", 1], // beyond U+10FFFF
    [[0xef, 0xbf, 0xbd, 0xff], "\ufffd\ufffd", 1],
    [[0xef, 0xbf, 0xbd], "\ufffd", 0], // really U+FFFD
    [[0xef, 0xbb, 0xbf, 0x61], "\ufeffa", 0], // the byte order mark is text like any other
    [[0xf0, 0x9f, 0xa6, 0x85], "🦅", 0],
    [[0x00, 0x1b, 0x7f], "\0\x1b\x7f", 0],
  ];
  for (const [bytes, text, invalid] of cases) {
    const found = decodeCounting(textField(5, bytes));
    assert.deepEqual([found.alert.output, found.invalid], [text, invalid]);
    // The long way, which a reader may take for text that is not short.
    const padded = decodeCounting(textField(5, [...Array(300).fill(0x2e), ...bytes]));
    assert.deepEqual([padded.alert.output, padded.invalid], [".".repeat(300) + text, invalid]);
  }
});

test("decodeAlert counts bad strings wherever they are", () => {
  const bad = [0x61, 0xff];
  const entry = (name: readonly number[], value: readonly number[]) =>
    textField(6, [...textField(1, name), ...textField(2, value)]);
  const bytes = concat(
    ...[4, 5, 7, 8, 8, 9].map((number) => textField(number, bad)),
    entry(bad, bad),
    entry([0x62], bad),
    entry([0x63], [0xef, 0xbf, 0xbd]),
  );
  const { alert, invalid } = decodeCounting(bytes);
  assert.equal(invalid, 9);
  const { rule, output, hostname, tags, source, outputFields } = alert;
  const mended = "a\ufffd";
  assert.deepEqual([rule, output, hostname, source], [mended, mended, mended, mended]);
  assert.deepEqual(tags, [mended, mended]);
  assert.deepEqual(outputFields, { [mended]: mended, b: mended, c: "\ufffd" });
  assert.deepEqual(decodeAlert(bytes), alert);
});

test("decodeAlert skips fields it does not know", () => {
  const known = decodeAlert(recorded);
  const unknown = messageOf((writer) =>
    writer.tag(10, WireType.Varint).uint64(2n ** 64n - 1n)
      .tag(11, WireType.Bit64).fixed64(7)
      .tag(12, WireType.LengthDelimited).string("new in Falco 0.99")
      .tag(13, WireType.StartGroup).tag(4, WireType.Varint).int32(1).tag(13, WireType.EndGroup)
      .tag(14, WireType.Bit32).fixed32(7)
      .tag(536870911, WireType.Varint).bool(true)
  );
  assert.deepEqual(decodeAlert(concat(unknown, recorded, unknown)), known);
  // In the nested messages as well.
  const nested = concat(
    textField(1, [...unknown, 0x08, 0x05, ...unknown]),
    textField(6, [...unknown, ...textField(1, [0x61]), ...unknown, ...textField(2, [0x62])]),
  );
  const { time, outputFields } = decodeAlert(nested);
  assert.deepEqual(time, { seconds: 5, nanos: 0 });
  assert.deepEqual(outputFields, { a: "b" });
});

test("decodeAlert takes the last of what is there twice", () => {
  const entry = (name: string, value: string) =>
    messageOf((writer) =>
      writer.tag(6, WireType.LengthDelimited).fork()
        .tag(1, WireType.LengthDelimited).string(name)
        .tag(2, WireType.LengthDelimited).string(value).join()
    );
  const names = ["a", "__proto__"];
  const entries = names.flatMap((name) => [entry(name, "old"), entry(name, "new")]);
  const twice = concat(textField(4, [0x61]), textField(4, [0x62]), ...entries);
  const { rule, outputFields } = decodeAlert(twice);
  assert.equal(rule, "b");
  assert.deepEqual(Object.entries(outputFields), [["__proto__", "new"], ["a", "new"]]);
});

test("decodeAlert makes an own field of each name that objects inherit", () => {
  const before = Reflect.ownKeys(Object.prototype);
  const names = ["", "__proto__", "constructor", "hasOwnProperty", "toString", "valueOf"];
  const outputFields = Object.fromEntries(names.map((name) => [name, `<${name}>`]));
  const alert = decodeAlert(encodeAlert({ ...decodeAlert(recorded), outputFields }));
  assert.deepEqual(Object.entries(alert.outputFields), Object.entries(outputFields));
  assert.equal(Object.getPrototypeOf(alert.outputFields), Object.prototype);
  for (const name of names) assert.equal(field(alert, name), `<${name}>`);
  assert.deepEqual(Reflect.ownKeys(Object.prototype), before);
});

test("decodeAlert reads a field without name or value as empty", () => {
  const empty = textField(6, []);
  assert.deepEqual(decodeAlert(empty).outputFields, { "": "" });
  assert.deepEqual(decodeAlert(textField(6, [...textField(1, [0x61])])).outputFields, { a: "" });
  assert.deepEqual(decodeAlert(textField(6, [...textField(2, [0x61])])).outputFields, { "": "a" });
});

test("decodeAlert refuses priorities that Falco does not have", () => {
  for (const number of [8, -1, 99, 2147483647, -2147483648]) {
    const bytes = messageOf((writer) => writer.tag(2, WireType.Varint).int32(number));
    const message = `Cannot decode the alert: unknown priority ${number}`;
    assert.throws(() => decodeAlert(bytes), new AlertFormatError(message));
  }
});

test("decodeAlert holds times to what can be written", () => {
  const cases: [seconds: bigint, nanos: number, text: string][] = [
    [253402300799n, 999999999, "9999-12-31T23:59:59.999999999Z"],
    [253402300800n, 0, "9999-12-31T23:59:59.000000000Z"],
    [2n ** 63n - 1n, 2147483647, "9999-12-31T23:59:59.999999999Z"],
    [-62135596800n, 0, "0001-01-01T00:00:00.000000000Z"],
    [-62135596801n, 5, "0001-01-01T00:00:00.000000005Z"],
    [-(2n ** 63n), -2147483648, "0001-01-01T00:00:00.000000000Z"],
    [0n, 1000000000, "1970-01-01T00:00:00.999999999Z"],
    [-1n, -1, "1969-12-31T23:59:59.000000000Z"],
  ];
  for (const [seconds, nanos, text] of cases) {
    const bytes = messageOf((writer) =>
      writer.tag(1, WireType.LengthDelimited).fork()
        .tag(1, WireType.Varint).int64(seconds).tag(2, WireType.Varint).int32(nanos).join()
    );
    assert.equal(JSON.parse(formatAlert(decodeAlert(bytes))).time, text);
  }
});

test("decodeAlert refuses a field with another wire type", () => {
  const payloads: [type: WireType, payload: number[]][] = [
    [WireType.Varint, [0x01]],
    [WireType.Bit64, [0, 0, 0, 0, 0, 0, 0, 0]],
    [WireType.LengthDelimited, [0x00]],
    [WireType.StartGroup, []],
    [WireType.Bit32, [0, 0, 0, 0]],
  ];
  for (const { number, fieldKind } of responseSchema.fields) {
    const wanted = fieldKind === "enum" ? WireType.Varint : WireType.LengthDelimited;
    for (const [type, payload] of payloads) {
      const end = type === WireType.StartGroup ? [number << 3 | WireType.EndGroup] : [];
      const bytes = Uint8Array.from([number << 3 | type, ...payload, ...end]);
      if (type === wanted) {
        decodeAlert(bytes);
        continue;
      }
      const message = `Cannot decode the alert: field ${number} has wire type ${type}, ` +
        `expected ${wanted}`;
      assert.throws(() => decodeAlert(bytes), new AlertFormatError(message));
    }
  }
  // In an entry of output_fields the same.
  assert.throws(() => decodeAlert(textField(6, [0x08, 0x01])), AlertFormatError);
  assert.throws(() => decodeAlert(textField(6, [0x15, 0, 0, 0, 0])), AlertFormatError);
});

test("decodeAlert refuses bad tags, lengths and varints", () => {
  const many = Array(10).fill(0x80);
  const cases: Record<string, number[]> = {
    "field number 0": [0x00, 0x00],
    "wire type 6": [0x26, 0x00],
    "wire type 7": [0x27, 0x00],
    "an end without a group": [0x54],
    "a group that does not end": [0x53, 0x08, 0x01],
    "a group that ends as another": [0x53, 0x5c],
    "a tag that is cut": [0x80],
    "a tag that is too long": [0xa2, 0x80, 0x80, 0x80, 0x80, 0x00, 0x00],
    "a tag of ten bytes and more": [...many, 0x01],
    "text longer than the message": [0x22, 0x05, 0x61],
    "text of 4 GiB": [0x22, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x61],
    "text with a length that is cut": [0x22, 0x80],
    "text with a length that never ends": [0x22, ...many, 0x01, 0x61],
    "an unknown field longer than the message": [0x52, 0x05, 0x61],
    "an unknown field that is cut": [0x51, 0x00],
    "an unknown varint that is cut": [0x50, 0x80],
    "a priority that is cut": [0x10],
    "a priority that never ends": [0x10, ...many, 0x80],
    "a time longer than the message": [0x0a, 0x04, 0x08, 0x05],
    "a time that runs over its end": [0x0a, 0x02, 0x08, 0x80, 0x01],
    "a field longer than the message": [0x32, 0x06, 0x0a, 0x01, 0x61],
    "a field's name that runs over its end": [0x32, 0x03, 0x0a, 0x05, 0x61, 0x61, 0x61, 0x61, 0x61],
    "a field's value that runs over its end": [0x32, 0x02, 0x12, 0x01, 0x61],
    "an unknown part that runs over a field's end": [0x32, 0x02, 0x1a, 0x01, 0x61],
  };
  for (const [name, bytes] of Object.entries(cases)) {
    assert.equal(tryDecode(Uint8Array.from(bytes)), undefined, name);
    // Nor behind a good message.
    assert.equal(tryDecode(concat(recorded, Uint8Array.from(bytes))), undefined, name);
  }
});

test("decodeAlert reads varints of ten bytes and refuses those of eleven", () => {
  const ten = [...Array(9).fill(0xff), 0x7f];
  assert.equal(decodeAlert(Uint8Array.from([0x18, ...ten])).source, "plugin"); // -1
  // Beyond 64 bits nothing counts.
  const { time } = decodeAlert(Uint8Array.from([0x0a, 11, 0x08, ...ten]));
  assert.deepEqual(time, { seconds: -1, nanos: 0 });
  const eleven = [...Array(10).fill(0x80), 0x00];
  for (const bytes of [[0x18, ...eleven], [0x50, ...eleven], [0x0a, 12, 0x08, ...eleven]]) {
    assert.equal(tryDecode(Uint8Array.from(bytes)), undefined);
  }
});

test("decodeAlert merges a time that comes in two parts, as protobuf has it", () => {
  const bytes = Uint8Array.from([0x0a, 2, 0x08, 5, 0x0a, 2, 0x10, 7, 0x0a, 0]);
  assert.deepEqual(decodeAlert(bytes).time, { seconds: 5, nanos: 7 });
});

test("decodeAlert refuses groups below 99 others, as protobuf's own reader does", () => {
  const nested = (depth: number) =>
    Uint8Array.from([...Array(depth).fill(0x53), ...Array(depth).fill(0x54)]);
  for (const depth of [1, 98, 99, 100]) {
    const read = tryDecode(nested(depth)) !== undefined;
    assert.equal(read, depth <= 99, `${depth}`);
    if (read) fromBinary(responseSchema, nested(depth));
    else assert.throws(() => fromBinary(responseSchema, nested(depth)));
  }
});

test("decodeAlert survives groups of any depth", () => {
  assert.equal(tryDecode(new Uint8Array(1_000_000).fill(0x53)), undefined);
});

test("decodeAlert says why, and keeps the error below", () => {
  assert.throws(() => decodeAlert(Uint8Array.from([0x22, 0x05, 0x61])), (error) => {
    return error instanceof AlertFormatError && error.cause instanceof RangeError &&
      error.message === `Cannot decode the alert: ${error.cause.message}`;
  });
});

test("decodeAlert of a message that is cut anywhere gives an alert or an AlertFormatError", () => {
  let decoded = 0;
  for (let length = 0; length < recorded.length; length++) {
    const part = recorded.subarray(0, length);
    const alert = tryDecode(part);
    if (alert === undefined) continue;
    decoded++;
    // Then the cut is between two fields, and protobuf's own reader can read it too.
    assert.equal(fromBinary(responseSchema, part).rule, alert.rule);
  }
  const fields = 7 + decodeAlert(recorded).tags.length +
    Object.keys(decodeAlert(recorded).outputFields).length;
  assert.equal(decoded, fields);
});

test("decodeAlert of any bytes gives an alert or an AlertFormatError, and touches no prototype", () => {
  const before = Reflect.ownKeys(Object.prototype);
  const byte = fc.integer({ min: 0, max: 255 });
  const random = fc.uint8Array({ maxLength: 64 });
  // Random bytes break early; a real message with a few other bytes gets further.
  const bent = fc.tuple(
    fc.constantFrom(...wires.slice(0, 8), recorded),
    fc.array(fc.tuple(fc.nat(), byte), { minLength: 1, maxLength: 4 }),
  ).map(([wire, changes]) => {
    const bytes = Uint8Array.from(wire);
    for (const [at, value] of changes) bytes[at % bytes.length] = value;
    return bytes;
  });
  // Fields of any kind with any content, the lengths right.
  const part = fc.tuple(
    fc.integer({ min: 1, max: 10 }),
    fc.oneof(random, fc.constantFrom(Uint8Array.from([0x0a, 9, ...encode("__proto__"), 0x12, 0]))),
  ).map(([number, content]) => textField(number, [...content]));
  const built = fc.array(part, { maxLength: 6 }).map((parts) => concat(...parts));
  let alerts = 0;
  fc.assert(
    fc.property(fc.oneof(random, bent, built), (bytes) => {
      const alert = tryDecode(bytes);
      if (alert === undefined) return;
      alerts++;
      assert(priorities.includes(alert.priority));
      assert.equal(Object.getPrototypeOf(alert.outputFields), Object.prototype);
      // Whatever was read can be written and read again.
      assert.deepEqual(decodeAlert(encodeAlert(alert)), alert);
    }),
    { numRuns: 20_000 },
  );
  assert(alerts > 1000, `only ${alerts} alerts came out`);
  assert.deepEqual(Reflect.ownKeys(Object.prototype), before);
});

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
