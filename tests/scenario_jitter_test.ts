/** What a scenario draws at random, and that it draws the same every time. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { expandScenario } from "../harness/expand_scenario.ts";
import { openFixture } from "../harness/fixtures/open_fixture.ts";
import type { Scenario, ScenarioAlert } from "../harness/scenario.ts";
import { scenarios } from "../harness/scenarios/mod.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import { runCli } from "./run_cli.ts";

const alert: ScenarioAlert = { priority: "notice", rule: "r", output: "o" };

function withAlerts(...alerts: Partial<ScenarioAlert>[]): Scenario {
  return { version: 1, name: "n", alerts: alerts.map((keys) => ({ ...alert, ...keys })) };
}

/** The times of the alerts, in milliseconds after the start. */
function timesOf(scenario: Scenario, seed?: number): number[] {
  return [...expandScenario(scenario, { seed })].map(({ time }) =>
    (time.seconds - Date.UTC(2026, 0) / 1000) * 1000 + time.nanos / 1e6
  );
}

describe("expandScenario() with jitter", () => {
  const jittered = withAlerts({ afterMs: 1000, repeat: 200, everyMs: 100, jitterMs: 50 });

  it("adds from 0 to jitterMs to each delay, anew", () => {
    const times = timesOf(jittered);
    const gaps = times.map((time, index) => time - (times[index - 1] ?? 900));
    assert(gaps.every((gap) => gap >= 100 - 1e-6 && gap <= 150), String(gaps));
    assert(Math.min(...gaps) < 105 && Math.max(...gaps) > 145, String(gaps));
    assert(new Set(gaps).size > 150);
  });

  it("gives the same alerts with the same seed, and others with another", () => {
    assert.deepEqual(timesOf(jittered), timesOf(jittered));
    assert.deepEqual(timesOf(jittered), timesOf(jittered, 0));
    assert.deepEqual(timesOf({ ...jittered, seed: 7 }), timesOf(jittered, 7));
    assert.deepEqual(timesOf({ ...jittered, seed: 7 }, 0), timesOf(jittered));
    assert.notDeepEqual(timesOf(jittered, 7), timesOf(jittered));
  });

  it("draws the same on every runtime", () => {
    assert.deepEqual(
      timesOf(withAlerts({ repeat: 3, jitterMs: 1000 }), 42).map((ms) => ms.toFixed(6)),
      [
        "128.483301",
        "162.016942",
        "237.114987",
      ],
    );
  });

  it("draws nothing for alerts without jitter", () => {
    const [, , plain] = timesOf(withAlerts({}, { afterMs: 1 }, { afterMs: 1, jitterMs: 9 }));
    const [, , first] = timesOf(withAlerts({}, {}, { afterMs: 2, jitterMs: 9 }));
    assert.equal(plain, first);
  });

  it("refuses jitter and seeds that are none", () => {
    for (const jitterMs of [-1, NaN, Infinity]) {
      assert.throws(() => expandScenario(withAlerts({ jitterMs })), {
        name: "RangeError",
        message:
          `Cannot expand the scenario as "jitterMs" of alert 1 must be 0 or more: it is ${jitterMs}`,
      });
    }
    for (const seed of [1.5, NaN, 2 ** 53]) {
      const error = { name: "RangeError", message: /"seed" must be a whole number: it is / };
      assert.throws(() => expandScenario(jittered, { seed }), error);
      assert.throws(() => expandScenario({ ...jittered, seed }), error);
    }
  });

  it("leaves the bundled scenarios as they are, whatever the seed", () => {
    for (const scenario of Object.values(scenarios)) {
      assert.deepEqual([...expandScenario(scenario, { seed: 5 })], [...expandScenario(scenario)]);
    }
  });
});

describe("scenario files with a seed and with faults", () => {
  const text = `version: 1
name: n
alerts: [{ priority: notice, rule: r, output: o, repeat: 3, jitterMs: 1000 }]
faults: [{ type: reset, code: 8 }, { type: drop }]
`;

  async function withFile(run: (file: string) => Promise<void>): Promise<void> {
    const folder = await makeTempFolder();
    try {
      writeFileSync(`${folder.path}/s.yaml`, text);
      await run(`${folder.path}/s.yaml`);
    } finally {
      await folder.remove();
    }
  }

  it("openFixture() hands on the seed and the faults", () =>
    withFile(async (file) => {
      const times = async (seed?: number) => {
        const alerts = [];
        for await (const { time } of (await openFixture(file, { seed })).alerts()) {
          alerts.push(time);
        }
        return alerts;
      };
      assert.deepEqual(await times(), await times(0));
      assert.notDeepEqual(await times(), await times(1));
      assert.deepEqual((await openFixture(file)).faults, [
        { type: "reset", code: 8 },
        { type: "drop" },
      ]);
    }));

  it("replay draws from --seed, prints the same each time, and says that faults are left out", () =>
    withFile(async (file) => {
      const runs = [];
      for (const seed of [[], [], ["--seed", "0"], ["--seed", "1"]]) {
        runs.push(await runCli(["replay", file, ...seed]));
      }
      const [first, again, zero, one] = runs.map(({ stdout }) => stdout);
      assert.equal(first?.split("\n").length, 4);
      assert.equal(again, first);
      assert.equal(zero, first);
      assert.notEqual(one, first);
      for (const { status, stderr } of runs) {
        assert.equal(status, 0);
        assert(stderr.includes(`${file}: its 2 faults are left out; fake --fixture plays them\n`));
      }
    }));
});
