/** The same alerts as JSON and over gRPC: what differs, and that wireLosses says so. */
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Alert } from "../lib/alert/alert.ts";
import { field } from "../lib/alert/alert.ts";
import { parseAlert } from "../lib/alert/parse_alert.ts";
import { parseTime } from "../lib/alert/time.ts";
import { decodeAlert, encodeAlert, wireText } from "../lib/alert/wire.ts";
import { wireLosses } from "../lib/alert/wire_loss.ts";
import type { WireLoss } from "../lib/alert/wire_loss.ts";
import { anyAlert, wireAlert } from "./alert_arbitraries.ts";
import { internalLines, readLines, readObjects, readWires } from "./recordings.ts";
import type { PropertiesCase } from "./recordings.ts";

const lines = readLines("mixed-json-output.alerts.jsonl");
const wires = readWires("mixed-json-output.wire.jsonl");

/** The keys whose values are not the same. */
function differences(a: object, b: object): string[] {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].filter((key) => {
    try {
      assert.deepEqual((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]);
      return false;
    } catch {
      return true;
    }
  }).sort();
}

test("both carriers bring the same alerts, in the same order", () => {
  assert.equal(lines.length, 64);
  assert.equal(wires.length, 64);
  for (const [index, line] of lines.entries()) {
    const json = parseAlert(line);
    const wire = decodeAlert(wires[index]!);
    assert.deepEqual(differences(json, wire), ["output", "outputFields"]);
    assert.equal(json.source, "alertgen");
    assert.notEqual(json.hostname, "");
    assert.notDeepEqual(json.tags, []);
  }
});

test("over gRPC the output is the whole JSON line if Falco writes JSON", () => {
  for (const [index, line] of lines.entries()) {
    const { output } = decodeAlert(wires[index]!);
    assert.equal(output, line);
    assert.deepEqual(parseAlert(output), parseAlert(line));
  }
  for (const wire of readWires("mixed.wire.jsonl")) {
    assert.match(decodeAlert(wire).output, /^\d\d:\d\d:\d\d\.\d{9}: [A-Z][a-z]+ [A-Z]+ seq=\d+ /);
  }
});

test("over gRPC the fields are text, and evt.time is not among them", () => {
  /** How often a field was of some kind in JSON, and came as what over gRPC. */
  const seen: Record<string, number> = {};
  for (const [index, line] of lines.entries()) {
    const json = parseAlert(line);
    const wire = decodeAlert(wires[index]!);
    const { "evt.time": time, ...rest } = json.outputFields;
    assert.equal(time, BigInt(json.time.seconds) * 10n ** 9n + BigInt(json.time.nanos));
    assert.deepEqual(Object.keys(wire.outputFields).sort(), Object.keys(rest).sort());
    for (const [name, value] of Object.entries(rest)) {
      const text = wire.outputFields[name];
      assert(typeof text === "string");
      let kind: string = value === null ? "null" : typeof value;
      if (name === "evt.time.iso8601") {
        // Nanoseconds there, the same moment in words here.
        kind = name;
        assert.equal(value, time);
        assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}\+0000$/);
        assert.deepEqual(parseTime(text)?.time, json.time);
      } else {
        assert.equal(text, wireText(value));
        if (value === null) assert.equal(text, "<NA>");
        assert.equal(typeof value === "string", text === value);
      }
      seen[kind] = (seen[kind] ?? 0) + 1;
    }
    assert.equal(field(json, "gen.none"), undefined);
    assert.equal(field(wire, "gen.none"), undefined);
  }
  assert.deepEqual(seen, {
    bigint: 64, // evt.rawtime
    "evt.time.iso8601": 64,
    boolean: 64,
    null: 64,
    number: 64,
    string: 128,
  });
});

/** What really changed on the way, found out without asking wireLosses. */
function changes(alert: Alert): WireLoss[] {
  const arrived = decodeAlert(encodeAlert(alert));
  const found = new Set<WireLoss>();
  const compare = (before: string, after: string | undefined) => {
    if (before === after) return;
    assert.equal(after, before.toWellFormed());
    found.add("surrogate");
  };
  for (const key of differences(alert, arrived)) {
    switch (key) {
      case "message":
      case "omitted":
        assert.equal(key in arrived, false);
        found.add(key);
        break;
      case "source":
        if (alert.source === "") {
          assert.equal(arrived.source, "syscall");
          found.add("source");
        } else compare(alert.source, arrived.source);
        break;
      case "rule":
      case "output":
      case "hostname":
        compare(alert[key], arrived[key]);
        break;
      case "tags":
        assert.equal(alert.tags.length, arrived.tags.length);
        for (const [index, tag] of alert.tags.entries()) compare(tag, arrived.tags[index]);
        break;
      case "outputFields":
        for (const [name, value] of Object.entries(alert.outputFields)) {
          compare(name, name.toWellFormed());
          const after = arrived.outputFields[name.toWellFormed()];
          assert(typeof after === "string");
          compare(wireText(value), after);
          if (value === null) found.add("absent-field");
          else if (typeof value !== "string") found.add("typed-field");
        }
        break;
      default:
        assert.fail(`${key} must not change`);
    }
  }
  return [...found];
}

test("wireLosses names what every recorded line loses over gRPC", () => {
  const all = [
    ...lines,
    ...readObjects<PropertiesCase>("json-properties.jsonl").map((recorded) => recorded.line),
    ...internalLines(),
  ];
  const seen = new Set<string>();
  for (const line of all) {
    const alert = parseAlert(line);
    assert.deepEqual(wireLosses(alert).sort(), changes(alert).sort(), line);
    for (const loss of wireLosses(alert)) seen.add(loss);
  }
  assert.deepEqual([...seen].sort(), ["absent-field", "message", "omitted", "typed-field"]);
  assert.deepEqual(wireLosses(parseAlert(lines[0]!)).sort(), ["absent-field", "typed-field"]);
});

test("wireLosses of an alert that came over gRPC is empty", () => {
  for (const wire of [...wires, ...readWires("mixed.wire.jsonl")]) {
    assert.deepEqual(wireLosses(decodeAlert(wire)), []);
  }
});

test("wireLosses names each loss once", () => {
  const plain = decodeAlert(wires[0]!);
  const cases: [parts: Partial<Alert>, losses: WireLoss[]][] = [
    [{}, []],
    [{ outputFields: { a: "<NA>", b: "", ["__proto__"]: "x" } }, []],
    [{ outputFields: { a: 1, b: 2n ** 64n, c: true, d: [], e: {} } }, ["typed-field"]],
    [{ outputFields: { a: null, b: null } }, ["absent-field"]],
    [{ outputFields: { a: null, b: 1 } }, ["absent-field", "typed-field"]],
    [{ message: "" }, ["message"]],
    [{ omitted: ["output", "tags"] }, ["omitted"]],
    [{ source: "" }, ["source"]],
    [{ source: "\ud800" }, ["surrogate"]],
    [{ rule: "\ud800", output: "\udfff" }, ["surrogate"]],
    [{ hostname: "a\udc00" }, ["surrogate"]],
    [{ tags: ["a", "\ud800"] }, ["surrogate"]],
    [{ outputFields: { "\ud800": "" } }, ["surrogate"]],
    [{ outputFields: { a: "\ud83d" } }, ["surrogate"]],
    [{ outputFields: { a: ["\ud83d"] } }, ["typed-field", "surrogate"]],
    [{ outputFields: { a: { b: "\ud83d" } } }, ["typed-field"]], // JSON escapes it
    [{ outputFields: { a: "🦅" }, tags: ["\ufffd"] }, []],
  ];
  for (const [parts, losses] of cases) {
    assert.deepEqual(wireLosses({ ...plain, ...parts }).sort(), losses.sort());
  }
});

test("wireLosses is empty for exactly the alerts that arrive as they are", () => {
  let intact = 0;
  fc.assert(
    fc.property(fc.oneof(anyAlert, wireAlert), (alert) => {
      const losses = wireLosses(alert);
      const unequal = differences(alert, decodeAlert(encodeAlert(alert)));
      assert.equal(losses.length === 0, unequal.length === 0, `${losses} ${unequal}`);
      assert.equal(new Set(losses).size, losses.length);
      if (losses.length === 0) intact++;
      // Of two names that become the same one only one arrives, and nothing shows of the other.
      const names = Object.keys(alert.outputFields).map((name) => name.toWellFormed());
      if (new Set(names).size < names.length) assert(losses.includes("surrogate"));
      else assert.deepEqual(losses.sort(), changes(alert).sort());
    }),
    { numRuns: 2000 },
  );
  assert(intact > 200, `only ${intact} alerts arrived as they were`);
});
