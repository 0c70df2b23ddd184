/** The names that the package offers: adding or losing one is a decision, not an accident. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";

const expected: Record<string, readonly string[]> = {
  "../mod.ts": [
    "AlertFormatError",
    "BatchStream",
    "DedupeStream",
    "EventStream",
    "FalcoClosedError",
    "FalcoConnectError",
    "FalcoError",
    "FalcoRpcError",
    "FilterStream",
    "JsonLinesSink",
    "LimitStream",
    "OperatorStream",
    "SinkStream",
    "Subscription",
    "comparePriorities",
    "compose",
    "connect",
    "field",
    "formatAlert",
    "isAtLeast",
    "messageOf",
    "parseAlert",
    "parsePriority",
    "priorities",
    "systemClock",
    "wait",
  ],
  "../lib/streams/mod.ts": [
    "BatchStream",
    "DedupeStream",
    "EventStream",
    "FalcoClosedError",
    "FalcoError",
    "FilterStream",
    "LimitStream",
    "OperatorStream",
    "SinkStream",
    "compose",
  ],
  "../harness/mod.ts": [
    "FakeClock",
    "FakeFalco",
    "FixtureError",
    "buildAlert",
    "expandScenario",
    "makeCertificates",
    "makeTempFolder",
    "openFixture",
    "parseScenario",
    "scenarioFixture",
    "scenarios",
    "writeCertificates",
  ],
  "../cli/main.ts": ["main"],
};

describe("public names", () => {
  for (const [path, names] of Object.entries(expected)) {
    it(`of ${path}`, async () => {
      assert.deepEqual(Object.keys(await import(path)).sort(), names);
    });
  }
});
