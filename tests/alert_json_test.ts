/** Falco's JSON line to an alert and back: what Falco wrote, and whatever else can be in an alert. */
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Alert, FieldValue } from "../lib/alert/alert.ts";
import { formatAlert, formatValue } from "../lib/alert/format_alert.ts";
import { alertFromJson, parseAlert } from "../lib/alert/parse_alert.ts";
import { parseJson } from "../lib/alert/parse_json.ts";
import { AlertFormatError } from "../lib/errors.ts";
import { anyAlert, anyText } from "./alert_arbitraries.ts";
import { internalLines, readLines, readObjects } from "./recordings.ts";
import type { PropertiesCase } from "./recordings.ts";

const mixed = readLines("mixed-json-output.alerts.jsonl");
const properties = readObjects<PropertiesCase>("json-properties.jsonl");

/** A line in Falco's key order, with `parts` for its parts; undefined leaves a key out. */
function lineOf(parts: Record<string, string | undefined> = {}): string {
  const all: Record<string, string | undefined> = {
    hostname: '"h"',
    output: '"o"',
    output_fields: "{}",
    priority: '"Debug"',
    rule: '"r"',
    source: '"s"',
    tags: "[]",
    time: '"2026-01-01T00:00:00.000000000Z"',
    ...parts,
  };
  const members = Object.keys(all).filter((key) => all[key] !== undefined);
  return `{${members.map((key) => `${JSON.stringify(key)}:${all[key]}`).join(",")}}`;
}

/** Parses a line without any repair. */
function parseClean(line: string): Alert {
  return parseAlert(line, {
    onRepair: (repair) => assert.fail(`${repair} in ${line}`),
  });
}

test("parseAlert and formatAlert give back every recorded line byte for byte", () => {
  assert.equal(mixed.length, 64);
  for (const line of mixed) assert.equal(formatAlert(parseClean(line)), line);
});

test("parseAlert and formatAlert give back the lines of every configuration", () => {
  assert.equal(properties.length, 23);
  const switched = properties.filter((recorded) => recorded.case.startsWith("output="));
  assert.equal(new Set(switched.map((recorded) => recorded.case)).size, 16);
  for (const { case: name, line } of properties) {
    assert.equal(formatAlert(parseClean(line)), line, name);
  }
});

test("parseAlert remembers what the configuration left out", () => {
  for (const { case: name, config, line } of properties) {
    const isOff = (key: string) => config[`json_include_${key}_property`] === false;
    const omitted = ["output", "output_fields", "tags"].filter(isOff);
    const alert = parseAlert(line);
    assert.deepEqual(alert.omitted, omitted.length === 0 ? undefined : omitted, name);
    const hasMessage = config["json_include_message_property"] === true;
    assert.equal(alert.message, hasMessage ? "generated (seq=1 text=a0)" : undefined, name);
  }
});

test("formatAlert changes nothing but the spelling of floats in Falco's alerts about itself", () => {
  const lines = internalLines();
  assert.equal(lines.length, 8);
  const respelled = new Set<string>();
  for (const line of lines) {
    const written = formatAlert(parseClean(line));
    const expected = line.replace(/(?<=:-?\d+)\.0(?=[,}])/g, (spelling, offset: number) => {
      respelled.add(/[\d.]*$/.exec(line.slice(0, offset))![0] + spelling);
      return "";
    });
    assert.equal(written, expected);
  }
  assert.deepEqual([...respelled].sort(), ["0.0", "20.0"]);
});

test("parseAlert reads each part of a recorded line", () => {
  const alert = parseAlert(mixed[0]!);
  assert.deepEqual(alert, {
    time: { seconds: 1795215899, nanos: 111828221 },
    priority: "alert",
    source: "alertgen",
    rule: "Generated ALERT",
    output: '23:04:59.111828221: Alert ALERT seq=1 text=tick none=<NA> even=false utf8=q"uote\\ ' +
      "back\nline é€ 🦅 t=2026-11-20T23:04:59.111828221+0000 raw=1795215899111828221",
    outputFields: {
      "evt.rawtime": 1795215899111828221n,
      "evt.time": 1795215899111828221n,
      "evt.time.iso8601": 1795215899111828221n,
      "gen.even": false,
      "gen.none": null,
      "gen.seq": 1,
      "gen.text": "tick",
      "gen.utf8": 'q"uote\\ back\nline é€ 🦅',
    },
    hostname: "vm",
    tags: ["p1", "test"],
  });
});

test("parseAlert keeps every digit of an integer", () => {
  const cases: [string, FieldValue][] = [
    ["0", 0],
    ["-1", -1],
    ["9007199254740991", 9007199254740991],
    ["9007199254740992", 9007199254740992n],
    ["9007199254740993", 9007199254740993n],
    ["-9007199254740993", -9007199254740993n],
    ["1767225600000000005", 1767225600000000005n],
    ["18446744073709551615", 18446744073709551615n],
    ["1234567890123456789012345678901234567890", 1234567890123456789012345678901234567890n],
  ];
  for (const [text, value] of cases) {
    const line = lineOf({ output_fields: `{"n":${text}}` });
    const alert = parseAlert(line);
    assert.deepEqual(alert.outputFields, { n: value });
    assert.equal(formatAlert(alert), line);
  }
});

test("formatAlert writes numbers so that they are read again as they were", () => {
  const cases: [FieldValue, string][] = [
    [20.5, "20.5"],
    [-0, "-0"],
    [1e-7, "1e-7"],
    [5e-324, "5e-324"],
    [1e16, "1e+16"], // as digits it would be an exact integer
    [9007199254740994, "9.007199254740994e+15"],
    [1e21, "1e+21"],
    [1.7976931348623157e308, "1.7976931348623157e+308"],
    [-1e99, "-1e+99"],
  ];
  for (const [value, text] of cases) {
    assert.equal(formatValue(value), text);
    assert.deepEqual(parseJson(text), value);
    assert.deepEqual(parseJson(`[${text},1767225600000000005]`), [value, 1767225600000000005n]);
  }
});

test("formatAlert writes null for what JSON has no number for", () => {
  const alert = alertFromJson(parseJson(lineOf()));
  const outputFields = { a: NaN, b: Infinity, c: [-Infinity, 1], d: { e: NaN } };
  const line = lineOf({ output_fields: '{"a":null,"b":null,"c":[null,1],"d":{"e":null}}' });
  assert.equal(formatAlert({ ...alert, outputFields }), line);
});

test("parseAlert reads the lines of older Falcos, which lack keys", () => {
  const withoutHostname = parseClean(lineOf({ hostname: undefined })); // before 0.33
  assert.equal(withoutHostname.hostname, "");
  assert.equal("omitted" in withoutHostname, false);
  assert.equal(formatAlert(withoutHostname), lineOf({ hostname: undefined }));

  const oldest = lineOf({ hostname: undefined, source: undefined, tags: undefined }); // before 0.30
  const alert = parseClean(oldest);
  assert.equal(alert.source, "");
  assert.deepEqual(alert.tags, []);
  assert.deepEqual(alert.omitted, ["tags"]);
  assert.equal(formatAlert(alert), oldest);

  // jsoncpp, up to 0.38, put output_fields last.
  const { output_fields: fields, ...rest } = JSON.parse(lineOf());
  const reordered = JSON.stringify({ ...rest, output_fields: fields });
  assert.equal(formatAlert(parseClean(reordered)), lineOf());
});

test("parseAlert ignores keys it does not know, and blanks", () => {
  const plain = parseClean(lineOf());
  assert.deepEqual(parseClean(lineOf({ uuid: '"u"', x: "[{}]", constructor: "1" })), plain);
  assert.deepEqual(parseClean(lineOf({ ["__proto__"]: "{}" })), plain);
  const spaced = lineOf().replaceAll(/(?<=[{,])(?=")/g, " \r\n");
  assert.deepEqual(parseClean(` \t${spaced} \n`), plain);
});

test("parseAlert makes own fields of the names that objects inherit", () => {
  const before = Reflect.ownKeys(Object.prototype);
  const names = ["__proto__", "constructor", "hasOwnProperty", "toString", "valueOf"];
  // Once as JSON.parse reads it, once with its reviver, which a long integer brings in.
  for (const extra of ["", ',"zz":1767225600000000005']) {
    const members = names.map((name) => `"${name}":{"polluted":"yes"}`).join(",");
    const line = lineOf({ output_fields: `{${members}${extra}}` });
    const alert = parseAlert(line);
    assert.deepEqual(Object.keys(alert.outputFields).slice(0, names.length), names);
    assert.equal(Object.getPrototypeOf(alert.outputFields), Object.prototype);
    assert.equal((alert.outputFields as Record<string, unknown>)["polluted"], undefined);
    assert.equal(formatAlert(alert), line);
  }
  assert.deepEqual(Reflect.ownKeys(Object.prototype), before);
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
});

test("parseAlert takes nothing from a __proto__ in the line for a part of the alert", () => {
  const line = `{"__proto__":${lineOf()}}`;
  assert.throws(
    () => parseAlert(line),
    new AlertFormatError('Cannot read the alert: it has no "rule"'),
  );
});

test("parseAlert takes nothing for a part of the alert that the line does not have itself", () => {
  const line = lineOf({ hostname: undefined, output_fields: undefined });
  const parts = { hostname: "x", message: "x", output_fields: { a: 1 }, outputFields: {} };
  const clean = parseClean(line);
  let found: Alert | undefined;
  try {
    for (const [key, value] of Object.entries(parts)) {
      Object.defineProperty(Object.prototype, key, { value, configurable: true });
    }
    found = parseClean(line);
  } finally {
    for (const key of Object.keys(parts)) Reflect.deleteProperty(Object.prototype, key);
  }
  assert.deepEqual(found, clean);
});

test("parseAlert keeps half surrogate pairs, and formatAlert escapes them", () => {
  const line = lineOf({ output: '"a\\ud800b"', output_fields: '{"\\udfff":"\\ud83d"}' });
  const alert = parseAlert(line);
  assert.equal(alert.output, "a\ud800b");
  assert.deepEqual(alert.outputFields, { "\udfff": "\ud83d" });
  assert.equal(formatAlert(alert), line);
});

test("formatAlert orders the names of fields as C++ orders their bytes", () => {
  const names = ["", "10", "9", "A", "Z", "a", "a.b", "ab", "\u007f", "é", "\ud7ff", "\ue000"];
  names.push("\uffff", "\u{10000}", "\u{1f985}", "\u{1f985}a", "\u{10ffff}");
  const outputFields = Object.fromEntries(names.toReversed().map((name) => [name, name]));
  const nested = { outer: outputFields };
  const written = names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(name)}`).join(",");
  assert.equal(formatValue(outputFields), `{${written}}`);
  assert.equal(formatValue(nested), `{"outer":{${written}}}`);
  assert.notDeepEqual(names.toSorted(), names, "JavaScript's own order would do as well");
});

test("parseAlert and formatAlert: every alert survives, and its line stays the same", () => {
  fc.assert(
    fc.property(anyAlert, (alert) => {
      const line = formatAlert(alert);
      assert.equal(line.includes("\n"), false);
      const parsed = parseClean(line);
      assert.deepEqual(parsed, alert);
      assert.equal(formatAlert(parsed), line);
    }),
    { numRuns: 2000 },
  );
});

test("an alert survives structuredClone and spread", () => {
  const names = ["__proto__", "constructor", "7", "a"];
  const outputFields = Object.fromEntries(names.map((name) => [name, [{ name, at: 2n ** 60n }]]));
  const special = { ...parseAlert(mixed[0]!), outputFields };
  for (const alert of [special, ...mixed.map((line) => parseAlert(line))]) {
    for (const copy of [structuredClone(alert), { ...alert }]) {
      assert.deepEqual(copy, alert);
      assert.equal(formatAlert(copy), formatAlert(alert));
    }
  }
});

test("parseJson reads what JSON.parse reads, on both of its ways", () => {
  fc.assert(
    fc.property(fc.json().filter((text) => !/\d{16}/.test(text)), (text) => {
      assert.deepEqual(parseJson(text), JSON.parse(text));
      // The long integer brings in the reviver, which must not change anything else.
      assert.deepEqual(parseJson(`[${text},1767225600000000005]`), [
        JSON.parse(text),
        1767225600000000005n,
      ]);
    }),
  );
  fc.assert(fc.property(anyText, (text) => parseJson(JSON.stringify(text)) === text));
});
