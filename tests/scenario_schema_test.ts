/** Editors and the parser must say the same of a scenario file. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { Ajv } from "ajv";
import { parse, stringify } from "yaml";
import { faultKinds } from "../harness/faults/fault_rules.ts";
import type { FaultType } from "../harness/faults/fault.ts";
import { parseScenario } from "../harness/parse_scenario.ts";
import { scenarioSchema } from "../harness/scenario_rules.ts";
import { scenarios } from "../harness/scenarios/mod.ts";

const file = new URL("../harness/scenario.schema.json", import.meta.url);
const written: object = JSON.parse(readFileSync(file, "utf8"));
const validate = new Ajv({ allErrors: true }).compile(written);

function parserAccepts(text: string): boolean {
  try {
    parseScenario(text);
    return true;
  } catch {
    return false;
  }
}

const alert = { priority: "notice", rule: "r", output: "o" };
const scenario = { version: 1, name: "n", alerts: [alert] };
const withAlert = (keys: object) => ({ ...scenario, alerts: [alert, { ...alert, ...keys }] });
const withFault = (fault: unknown) => ({ ...scenario, faults: [fault] });

/** The least that each kind of fault takes. */
const faults: readonly object[] = [
  { type: "refuse" },
  { type: "drop" },
  { type: "lose" },
  { type: "delay", ms: 0.5 },
  { type: "stall" },
  { type: "truncate" },
  { type: "split", bytes: 1 },
  { type: "reset", code: 8 },
  { type: "goaway", code: 0 },
  { type: "status", status: 14 },
  { type: "trailers", trailers: {} },
  { type: "alter", to: "oversized" },
  { type: "zero-window" },
  { type: "certificate", is: "expired" },
  { type: "socket" },
  { type: "restart" },
];

const good: readonly object[] = [
  scenario,
  {
    ...scenario,
    description: "d",
    falcoVersion: "0.30.0",
    seed: -7,
    hostname: "h",
    source: "internal",
  },
  ...["2026-01-01T00:00:00Z", "2026-01-01 00:00:00.000000001+02:00", "2026-01-01t00:00:00z"]
    .map((start) => ({ ...scenario, start })),
  { ...scenario, faults: [] },
  ...["notice", "Notice", "NOTICE", "info", "Informational", "eMERGENCY"]
    .map((priority) => withAlert({ priority })),
  withAlert({ afterMs: 1.5, repeat: 1_000_000, everyMs: 0, jitterMs: 250 }),
  withAlert({ output_fields: { a: null, b: [1, { c: "d" }] }, tags: ["x"], source: "s" }),
  ...faults.map(withFault),
  withFault({ type: "reset", code: 2 ** 32 - 1, afterMs: 5, onCall: 2, afterAlerts: 3, times: 4 }),
  withFault({ type: "drop", onConnection: 2 }),
  withFault({ type: "stall", afterBytes: 100, forMs: 5, onConnection: 1 }),
  withFault({ type: "truncate", then: "silence", method: "get" }),
  withFault({ type: "goaway", code: 11, text: "too_many_pings" }),
  withFault({ type: "status", status: 999, message: "m" }),
  withFault({ type: "trailers", trailers: { "grpc-status": ["0", "13"], "grpc-message": "%zz" } }),
  ...Object.values(scenarios),
];

const bad: readonly unknown[] = [
  null,
  [],
  {},
  { ...scenario, version: 2 },
  { ...scenario, version: "1" },
  { ...scenario, alerts: [] },
  { ...scenario, alerts: {} },
  { version: 1, name: "n" },
  { version: 1, alerts: [alert] },
  { ...scenario, title: "t" },
  { ...scenario, name: 5 },
  { ...scenario, falcoVersion: "0.43" },
  { ...scenario, start: "yesterday" },
  { ...scenario, seed: 1.5 },
  { ...scenario, seed: "7" },
  { ...scenario, faults: {} },
  { ...scenario, alerts: [{ rule: "r", output: "o" }] },
  ...["loud", "notices", "", 5].map((priority) => withAlert({ priority })),
  ...[-1, "1", null].flatMap((ms) =>
    ["afterMs", "everyMs", "jitterMs"].map((key) => withAlert({ [key]: ms }))
  ),
  ...[0, 1.5, 1_000_001].map((repeat) => withAlert({ repeat })),
  withAlert({ tags: "x" }),
  withAlert({ tags: [5] }),
  withAlert({ output_fields: [] }),
  withAlert({ outputFields: {} }),
  withFault({}),
  withFault("drop"),
  withFault({ type: "explode" }),
  ...faults.map((fault) => withFault({ ...fault, colour: "red" })),
  ...faults.map((fault) => withFault({ ...fault, times: 0 })),
  ...faults.filter((fault) => Object.keys(fault).length > 1)
    .map((fault) => withFault({ type: (fault as { type: string }).type })),
  withFault({ type: "delay", ms: -1 }),
  withFault({ type: "split", bytes: 0 }),
  withFault({ type: "split", bytes: 1, afterAlerts: 1 }),
  withFault({ type: "reset", code: 2 ** 32 }),
  withFault({ type: "reset", code: 8, onConnection: 1 }),
  withFault({ type: "status", status: -1 }),
  withFault({ type: "status", status: "unavailable" }),
  withFault({ type: "trailers", trailers: { "Grpc-Status": "0" } }),
  withFault({ type: "trailers", trailers: { ":status": "0" } }),
  withFault({ type: "trailers", trailers: { "grpc-status": 0 } }),
  withFault({ type: "trailers", trailers: { "grpc-message": "a\nb" } }),
  withFault({ type: "trailers", trailers: { "grpc-status": ["0", 1] } }),
  withFault({ type: "trailers", trailers: [] }),
  withFault({ type: "alter", to: "nonsense" }),
  withFault({ type: "alter", to: "oversized", bytes: 2 ** 40 }),
  withFault({ type: "certificate", is: "old" }),
  withFault({ type: "certificate", is: "expired", afterMs: 1 }),
  withFault({ type: "truncate", then: "explode" }),
  withFault({ type: "drop", method: "subscribe" }),
];

describe("scenario.schema.json", () => {
  it("is what `deno task schema` writes", () => {
    assert.deepEqual(written, JSON.parse(JSON.stringify(scenarioSchema())));
  });

  it("knows every kind of fault that the tests know", () => {
    const kinds = faults.map((fault) => (fault as { type: FaultType }).type);
    assert.deepEqual(kinds, Object.keys(faultKinds));
  });

  for (const value of good) {
    it(`accepts, as the parser does, ${JSON.stringify(value).slice(0, 160)}`, () => {
      const text = stringify(value);
      assert(parserAccepts(text), text);
      assert(validate(parse(text)), JSON.stringify(validate.errors));
    });
  }

  for (const value of bad) {
    it(`refuses, as the parser does, ${JSON.stringify(value).slice(0, 160)}`, () => {
      const text = stringify(value);
      assert(!parserAccepts(text), text);
      assert(!validate(parse(text)), text);
    });
  }

  it("lets through only what it says that it cannot know", () => {
    const known: readonly object[] = [
      { ...scenario, start: "2026-02-30T00:00:00Z" },
      withFault({ type: "drop", onConnection: 1, onCall: 1 }),
      withFault({ type: "stall", afterBytes: 1, afterAlerts: 1 }),
      withFault({ type: "stall", onConnection: 1 }),
      withFault({ type: "restart", times: 2 }),
      withFault({ type: "status", status: 0, method: "version", afterAlerts: 1 }),
    ];
    for (const value of known) {
      assert(!parserAccepts(stringify(value)), stringify(value));
      assert(validate(value));
    }
  });
});
