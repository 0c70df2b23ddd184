/** A reader that has read before gives the same alerts as one that has not. */
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Alert } from "../lib/alert/alert.ts";
import { AlertReader, decodeAlert } from "../lib/alert/decode_alert.ts";
import { encodeAlert } from "../lib/alert/wire.ts";
import { frameMessage, MessageSplitter } from "../lib/transport/message_splitter.ts";
import { wireAlert } from "./alert_arbitraries.ts";
import { CountingReader, decodeBoth } from "./fuzz/decode_both.ts";
import { fieldEntry, join } from "./fuzz/mutate.ts";
import { allWires } from "./recordings.ts";

const wires = allWires();

/** An alert of a rule with these fields. */
function alertWith(outputFields: { [name: string]: string }, rule = "r"): Alert {
  const time = { seconds: 1, nanos: 2 };
  const rest = { output: "o", hostname: "h", tags: [], source: "syscall" };
  return { time, priority: "notice", rule, outputFields, ...rest };
}

test("AlertReader reads all recorded messages as decodeAlert does, in any order, again and again", () => {
  const expected = wires.map((wire) => decodeAlert(wire));
  const reader = new AlertReader();
  const order = fc.shuffledSubarray([...wires.keys()], { minLength: 1 });
  fc.assert(fc.property(order, (indexes) => {
    for (const at of indexes) assert.deepEqual(reader.decode(wires[at]!), expected[at]);
  }));
});

test("AlertReader and protobuf's own reader agree on any alert", () => {
  const reader = new CountingReader();
  fc.assert(
    fc.property(wireAlert, (alert) => {
      const bytes = encodeAlert(alert);
      assert.deepEqual(reader.decode(bytes), alert);
      assert.equal(decodeBoth(bytes, reader), "alert");
    }),
    { numRuns: 2000 },
  );
});

test("AlertReader and protobuf's own reader agree on any bytes that both accept", () => {
  const reader = new CountingReader();
  // Tags of known fields, so that some of it gets through.
  const tag = fc.constantFrom(0x0a, 0x10, 0x18, 0x22, 0x2a, 0x32, 0x3a, 0x42, 0x4a, 0x50, 0x52);
  const part = fc.tuple(tag, fc.uint8Array({ maxLength: 6 })).map(([first, rest]) =>
    join(Uint8Array.of(first, rest.length), rest)
  );
  const built = fc.array(part, { maxLength: 6 }).map((parts) => join(...parts));
  const count = { alert: 0, refused: 0 };
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 24 }), built), (bytes) => {
      count[decodeBoth(bytes, reader)]++;
    }),
    { numRuns: 10_000 },
  );
  assert(count.alert > 500 && count.refused > 500, JSON.stringify(count));
});

test("Frames split at every position give the same alerts", () => {
  const some = [wires[0]!, wires[70]!, new Uint8Array(), wires.at(-1)!];
  const whole = join(...some.map(frameMessage));
  const expected = some.map((message) => decodeAlert(message));
  const reader = new AlertReader();
  for (let at = 0; at <= whole.length; at++) {
    const splitter = new MessageSplitter(65536);
    const alerts = [whole.subarray(0, at), whole.subarray(at)]
      .flatMap((chunk) => splitter.push(chunk).map((message) => reader.decode(message)));
    assert.deepEqual(alerts, expected, `split at ${at}`);
  }
});

test("AlertReader keeps the fields of a rule apart from those of another message of it", () => {
  const reader = new AlertReader();
  const cases = [
    { a: "1", b: "2" },
    { b: "3", a: "4" },
    { a: "5" },
    { a: "6", c: "7" },
    { b: "8", c: "9" },
    {},
    { a: "1", b: "2", c: "3" },
    { 7: "x", a: "1", __proto__x: "y" },
    { b: "2", a: "1" },
  ];
  for (let round = 0; round < 3; round++) {
    for (const fields of cases) {
      for (const rule of ["r", "s", ""]) {
        const alert = alertWith(fields, rule);
        const read = reader.decode(encodeAlert(alert));
        assert.deepEqual(read, alert);
        assert.deepEqual(Object.keys(read.outputFields), Object.keys(fields).sort());
      }
    }
  }
});

test("AlertReader gives each alert fields of its own", () => {
  const reader = new AlertReader();
  const read = () => reader.decode(encodeAlert(alertWith({ a: "1" }))).outputFields;
  const [first, second, third] = [read(), read(), read()] as { [name: string]: string }[];
  first!["a"] = "changed";
  second!["b"] = "added";
  assert.deepEqual(third, { a: "1" });
  assert.deepEqual(read(), { a: "1" });
});

test("AlertReader takes the last of a field that comes twice, where the rule is known too", () => {
  const reader = new AlertReader();
  const entry = (name: string, value: string) => fieldEntry(name, value);
  const rule = encodeAlert(alertWith({}));
  for (let round = 0; round < 2; round++) {
    reader.decode(join(rule, entry("a", "1"), entry("b", "2")));
    const twice = reader.decode(join(rule, entry("a", "1"), entry("a", "3"), entry("b", "2")));
    assert.deepEqual(twice.outputFields, { a: "3", b: "2" });
    // As many as the rule has, but not all of them.
    const short = reader.decode(join(rule, entry("a", "1"), entry("a", "4")));
    assert.deepEqual(short.outputFields, { a: "4" });
  }
});

test("AlertReader makes __proto__ an own field however often it comes", () => {
  const reader = new AlertReader();
  const rule = encodeAlert(alertWith({}));
  for (let round = 0; round < 5; round++) {
    const bytes = join(rule, fieldEntry("__proto__", `${round}`), fieldEntry("b", "2"));
    const { outputFields } = reader.decode(bytes);
    assert.equal(Object.getPrototypeOf(outputFields), Object.prototype);
    assert.deepEqual(Object.entries(outputFields), [["__proto__", `${round}`], ["b", "2"]]);
  }
});

test("AlertReader reads on as before after more names, rules and lengths than it keeps", () => {
  const reader = new AlertReader();
  const usual = alertWith({ "proc.name": "bash", "user.name": "root" });
  for (let at = 0; at < 3000; at++) {
    const alert = at % 3 === 0 ? usual : alertWith(
      { [`name.${at}`]: `${at}`, [`other.${at}`]: "x", [`a`.repeat(120 + at % 12)]: "long" },
      `rule ${at}`,
    );
    assert.deepEqual(reader.decode(encodeAlert(alert)), alert);
  }
});

test("AlertReader reads any alerts with a memory that is always full", () => {
  const name = fc.oneof(
    fc.constantFrom("a", "b", "c", "d", "e", "__proto__"),
    fc.nat(12).map((length) => "a".repeat(length)),
  );
  const fields = fc.array(fc.tuple(name, fc.constantFrom("1", "2")), { maxLength: 3 });
  const alert = fc.tuple(fields, fc.constantFrom("", "r", "s")).map(([entries, rule]) =>
    alertWith(Object.fromEntries(entries), rule)
  );
  const memory = fc.record({ texts: fc.constantFrom(0, 1, 2, 4, 8, 16), bytes: fc.nat(60) });
  fc.assert(
    fc.property(memory, fc.array(alert, { maxLength: 40 }), (kept, alerts) => {
      const reader = new AlertReader({}, kept);
      for (const one of alerts) assert.deepEqual(reader.decode(encodeAlert(one)), one);
    }),
    { numRuns: 2000 },
  );
});

test("AlertReader tells names apart that have the same ends and length", () => {
  const reader = new AlertReader();
  const names = ["a", "b", "ab", "ba", "aaaa", "aaab", "baaa"];
  for (let at = 0; at < 200; at++) names.push(`head${String(at).padStart(7, "-")}tail`);
  for (let round = 0; round < 2; round++) {
    for (const name of names) {
      const alert = alertWith({ [name]: name }, name);
      assert.deepEqual(reader.decode(encodeAlert(alert)), alert);
    }
  }
});

test("AlertReader reads messages of any length, long ones between short ones", () => {
  const reader = new AlertReader();
  for (const length of [0, 1, 3900, 4096, 5, 16_000, 16_384, 17_000, 7, 300_000, 12]) {
    for (const letter of ["x", "é", "🦅"]) {
      const alert = alertWith({ a: letter.repeat(length), b: letter });
      assert.deepEqual(reader.decode(encodeAlert(alert)), alert);
    }
  }
});

test("AlertReader never reads what the message before left behind", () => {
  const reader = new AlertReader();
  const long = encodeAlert(alertWith({ a: "left behind", b: "as well" }));
  for (let length = 0; length < long.length; length++) {
    reader.decode(long);
    const part = long.subarray(0, length);
    const attempt = (decode: () => Alert): unknown => {
      try {
        return decode();
      } catch (error) {
        return (error as Error).message;
      }
    };
    assert.deepEqual(attempt(() => reader.decode(part)), attempt(() => decodeAlert(part)));
  }
});

test("AlertReader may be given bytes that change afterwards", () => {
  const reader = new AlertReader();
  const bytes = encodeAlert(alertWith({ a: "some text of more than a few bytes" }));
  const alert = reader.decode(bytes);
  const expected = decodeAlert(bytes);
  bytes.fill(0xff);
  reader.decode(encodeAlert(alertWith({ z: "something else altogether, and longer than that" })));
  assert.deepEqual(alert, expected);
});

test("AlertReader counts text that is no UTF-8 each time, as value and as name", () => {
  const reader = new CountingReader();
  const bytes = join(
    Uint8Array.of(0x22, 2, 0x61, 0xff),
    Uint8Array.of(0x32, 8, 0x0a, 2, 0x62, 0xff, 0x12, 2, 0x63, 0xff),
  );
  for (let round = 1; round <= 3; round++) {
    const { rule, outputFields } = reader.decode(bytes);
    assert.equal(rule, "a\ufffd");
    assert.deepEqual(outputFields, { "b\ufffd": "c\ufffd" });
    assert.equal(reader.mended, round * 3);
  }
});
