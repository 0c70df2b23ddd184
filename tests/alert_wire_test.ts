/** The gRPC carrier against protobuf's own reader, and against what a real Falco sent. */
import { create, equals, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { DescField, MessageInitShape } from "@bufbuild/protobuf";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { responseSchema } from "../gen/outputs_pb.ts";
import { sourceSchema } from "../gen/schema_pb.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { compareBytes } from "../lib/alert/compare_bytes.ts";
import { priorities } from "../lib/alert/priority.ts";
import { toAlertTime } from "../lib/alert/time.ts";
import { decodeAlert, encodeAlert, wireText } from "../lib/alert/wire.ts";
import type { WireFields } from "../lib/alert/wire.ts";
import { wellFormedText, wireAlert } from "./alert_arbitraries.ts";
import { alertOf } from "./fuzz/decode_both.ts";
import { allWires } from "./recordings.ts";
import { partsOf } from "./wire_parts.ts";

const wires = allWires();

/** An alert whose every part is on the wire. */
const full: Alert = {
  time: { seconds: 1767225600, nanos: 5 },
  priority: "critical",
  source: "okta",
  rule: "the rule",
  output: "the output",
  outputFields: { "a.b": "1", "c.d": "<NA>" },
  hostname: "the host",
  tags: ["x", "y"],
};

/** The fields of a message: number and wire type, in order. */
function tagsOf(bytes: Uint8Array): [number, WireType][] {
  const reader = new BinaryReader(bytes);
  const found: [number, WireType][] = [];
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    found.push(tag);
    reader.skip(tag[1], tag[0]);
  }
  return found;
}

test("decodeAlert reads every recorded message as protobuf's own reader does", () => {
  assert.equal(wires.length, 64 + 64 + 16);
  for (const wire of wires) {
    const onInvalidUtf8 = () => assert.fail("invalid UTF-8");
    const alert = decodeAlert(wire, { onInvalidUtf8 });
    assert.deepEqual(alert, alertOf(fromBinary(responseSchema, wire)));
  }
});

test("encodeAlert gives back every recorded message byte for byte, but for the order of fields", () => {
  for (const wire of wires) {
    const encoded = encodeAlert(decodeAlert(wire));
    const message = fromBinary(responseSchema, wire);
    assert(equals(responseSchema, fromBinary(responseSchema, encoded), message));
    assert.deepEqual(partsOf(encoded), partsOf(wire));
  }
});

test("decodeAlert sorts the output fields by name, as Falco's JSON has them", () => {
  let mixed = 0;
  for (const wire of wires) {
    const names = Object.keys(decodeAlert(wire).outputFields);
    assert.deepEqual(names, names.toSorted(compareBytes));
    const sent = Object.keys(fromBinary(responseSchema, wire).outputFields);
    if (sent.join() !== names.join()) mixed++;
  }
  assert(mixed > wires.length / 2); // a real Falco sends them in any order
});

test("decodeAlert reads any part of a larger buffer", () => {
  for (const wire of wires.slice(0, 3)) {
    const buffer = new Uint8Array(wire.length + 20).fill(0x0a);
    buffer.set(wire, 7);
    assert.deepEqual(decodeAlert(buffer.subarray(7, 7 + wire.length)), decodeAlert(wire));
  }
});

test("decodeAlert reads any message as protobuf's own reader does", () => {
  const message = fc.record({
    time: fc.option(
      fc.record({
        seconds: fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constant(0n)),
        nanos: fc.oneof(fc.integer(), fc.constant(0)),
      }),
      { nil: undefined },
    ),
    priority: fc.integer({ min: 0, max: 7 }),
    sourceDeprecated: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer()),
    rule: wellFormedText,
    output: wellFormedText,
    // protobuf's own reader loses a field called __proto__.
    outputFields: fc.dictionary(
      wellFormedText.filter((name) => name !== "__proto__"),
      wellFormedText,
      {
        noNullPrototype: true,
        maxKeys: 5,
      },
    ),
    hostname: wellFormedText,
    tags: fc.array(wellFormedText, { maxLength: 3 }),
    source: wellFormedText,
  });
  fc.assert(
    fc.property(message, (parts) => {
      const init = parts as MessageInitShape<typeof responseSchema>;
      const bytes = toBinary(responseSchema, create(responseSchema, init));
      const alert = decodeAlert(bytes);
      assert.deepEqual(alert, alertOf(fromBinary(responseSchema, bytes)));
      assert.deepEqual(decodeAlert(encodeAlert(alert)), alert);
    }),
    { numRuns: 1000 },
  );
});

test("encodeAlert writes what protobuf's own reader and decodeAlert read back", () => {
  fc.assert(
    fc.property(wireAlert, (alert) => {
      const bytes = encodeAlert(alert);
      assert.deepEqual(decodeAlert(bytes), alert);
      if (Object.hasOwn(alert.outputFields, "__proto__")) return;
      assert.deepEqual(alertOf(fromBinary(responseSchema, bytes)), alert);
    }),
    { numRuns: 1000 },
  );
});

/** The wire type of a field as a .proto file declares it. */
function wireTypeOf(field: DescField): WireType {
  return field.fieldKind === "enum" ? WireType.Varint : WireType.LengthDelimited;
}

test("encodeAlert uses the numbers and wire types of proto/", () => {
  const declared = responseSchema.fields.map((field) => [field.number, wireTypeOf(field)]);
  assert.equal(declared.length, 9);
  const written = new Map(tagsOf(encodeAlert(full)));
  assert.deepEqual([...written], declared);
  // Each part arrives in the field of its name.
  const message = fromBinary(responseSchema, encodeAlert(full));
  assert.equal(message.time?.seconds, 1767225600n);
  assert.equal(message.time?.nanos, 5);
  assert.equal(message.priority, 2);
  assert.equal(message.sourceDeprecated, 3);
  const { rule, output, outputFields, hostname, tags, source } = full;
  const parts = { rule, output, outputFields, hostname, tags, source };
  for (const [name, value] of Object.entries(parts)) {
    assert.deepEqual(message[name as keyof typeof parts], value, name);
  }
  assert.equal(message.$unknown, undefined);
});

test("decodeAlert takes the numbers of proto/ for the same parts", () => {
  for (const field of responseSchema.fields) {
    const bytes = encodeAlert(full);
    const others = new BinaryWriter();
    const reader = new BinaryReader(bytes);
    while (reader.pos < reader.len) {
      const [number, type] = reader.tag();
      const payload = reader.skip(type, number);
      if (number !== field.number) others.tag(number, type).raw(payload);
    }
    const without = others.finish();
    assert.deepEqual(
      decodeAlert(without),
      alertOf(fromBinary(responseSchema, without)),
      field.name,
    );
    assert.notDeepEqual(fromBinary(responseSchema, without), fromBinary(responseSchema, bytes));
  }
});

test("encodeAlert leaves out what is 0 or empty, as proto3 does", () => {
  const empty: Alert = {
    time: { seconds: 0, nanos: 0 },
    priority: "emergency",
    source: "",
    rule: "",
    output: "",
    outputFields: {},
    hostname: "",
    tags: [],
  };
  assert.deepEqual(encodeAlert(empty), new Uint8Array([0x0a, 0])); // Falco always sends a time
  assert.deepEqual(decodeAlert(encodeAlert(empty)), { ...empty, source: "syscall" });
  assert.deepEqual(decodeAlert(new Uint8Array()), { ...empty, source: "syscall" });
});

test("encodeAlert mends a time that no message can hold", () => {
  const cases = [[1767225600.75, 5.5], [NaN, -1], [-1e300, 1e300], [Infinity, Infinity]];
  for (const [seconds, nanos] of cases as [number, number][]) {
    const { time } = decodeAlert(encodeAlert({ ...full, time: { seconds, nanos } }));
    assert.deepEqual(time, toAlertTime(seconds, nanos));
  }
});

test("encodeAlert writes values as Falco writes them in text", () => {
  const nested = { b: [1, null], a: "x" };
  assert.equal(wireText("<NA>"), "<NA>");
  assert.equal(wireText(null), "<NA>");
  assert.equal(wireText(true), "true");
  assert.equal(wireText(1846.4), "1846.4");
  assert.equal(wireText(1767225600000000005n), "1767225600000000005");
  assert.equal(wireText(["a", 1, null, ["b"]]), "(a,1,<NA>,(b))");
  assert.equal(wireText([]), "()");
  assert.equal(wireText(nested), '{"a":"x","b":[1,null]}');
  const { outputFields } = decodeAlert(encodeAlert({ ...full, outputFields: { nested } }));
  assert.deepEqual(outputFields, { nested: '{"a":"x","b":[1,null]}' });
});

/** What Falco 0.18 to 0.43.1 have on the wire, the newest first. */
const eras: [name: string, fields: WireFields, numbers: number[]][] = [
  ["0.31.0", { hostname: true, tags: true, sourceName: true }, [1, 2, 3, 4, 5, 6, 6, 7, 8, 8, 9]],
  ["0.30.0", { hostname: true, tags: true, sourceName: false }, [1, 2, 3, 4, 5, 6, 6, 7, 8, 8]],
  ["0.19.0", { hostname: true, tags: false, sourceName: false }, [1, 2, 3, 4, 5, 6, 6, 7]],
  ["0.18.0", { hostname: false, tags: false, sourceName: false }, [1, 2, 3, 4, 5, 6, 6]],
];

for (const [name, fields, numbers] of eras) {
  test(`encodeAlert writes the fields of Falco ${name}`, () => {
    const alert: Alert = { ...full, source: "k8s_audit" };
    const bytes = encodeAlert(alert, fields);
    assert.deepEqual(tagsOf(bytes).map(([number]) => number), numbers);
    assert.deepEqual(decodeAlert(bytes), {
      ...alert,
      hostname: fields.hostname ? alert.hostname : "",
      tags: fields.tags ? alert.tags : [],
    });
  });

  test(`encodeAlert numbers the sources as Falco ${name}`, () => {
    const { sourceName } = fields;
    const cases: [source: string, number: number, decoded: string][] = [
      ["syscall", 0, "syscall"],
      ["k8s_audit", 1, "k8s_audit"],
      ["internal", 2, "internal"],
      ["plugin", sourceName ? 3 : 0, sourceName ? "plugin" : "syscall"],
      ["okta", sourceName ? 3 : 0, sourceName ? "okta" : "syscall"],
      ["", 0, "syscall"],
    ];
    for (const [source, number, decoded] of cases) {
      const bytes = encodeAlert({ ...full, source }, fields);
      assert.equal(fromBinary(responseSchema, bytes).sourceDeprecated, number, source);
      assert.equal(decodeAlert(bytes).source, decoded, source);
    }
  });
}

test("decodeAlert names the source by its number if there is no name", () => {
  for (const { number, name } of sourceSchema.values) {
    const bytes = new BinaryWriter().tag(3, WireType.Varint).int32(number).finish();
    assert.equal(decodeAlert(bytes).source, name.toLowerCase());
  }
  for (const unknown of [4, 99, -1]) {
    const bytes = new BinaryWriter().tag(3, WireType.Varint).int32(unknown).finish();
    assert.equal(decodeAlert(bytes).source, "plugin");
  }
});

test("decodeAlert reads every priority by its number", () => {
  for (const [number, priority] of priorities.entries()) {
    const bytes = new BinaryWriter().tag(2, WireType.Varint).int32(number).finish();
    assert.equal(decodeAlert(bytes).priority, priority);
    assert.equal(fromBinary(responseSchema, encodeAlert({ ...full, priority })).priority, number);
  }
});
