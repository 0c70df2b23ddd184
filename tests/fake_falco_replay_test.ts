import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { expandScenario } from "../harness/expand_scenario.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import type { Scenario } from "../harness/scenario.ts";
import { scenarios } from "../harness/scenarios/mod.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { FalcoClosedError } from "../lib/errors.ts";
import { alerts, GET, isSettled, rules, wires, withFake } from "./fake_falco_clients.ts";
import type { Scene } from "./fake_falco_clients.ts";
import { until, within } from "./waits.ts";

const [wire] = wires;

/** Runs a test with a fake whose clock stands still. */
function withClock(body: (scene: Scene & { clock: FakeClock }) => Promise<void>): Promise<void> {
  const clock = new FakeClock(1_000_000);
  return withFake(wire!, (scene) => body({ ...scene, clock }), { clock });
}

/** Alerts `a1`, `a2` and so on at these moments, in seconds. */
function at(...moments: readonly number[]): Alert[] {
  return moments.map((moment, index) => {
    const seconds = Math.floor(moment);
    return buildAlert({
      rule: `a${index + 1}`,
      time: { seconds, nanos: Math.round((moment - seconds) * 1e9) },
    });
  });
}

for (const wire of wires) {
  describe(`FakeFalco.replay() over ${wire.name}`, () => {
    it("queues a scenario in order and says how many alerts it was", () =>
      withFake(wire, async ({ fake, dial }) => {
        const expected = [...expandScenario(scenarios.cryptoMiner)];
        assert.ok(expected.length > 3);
        assert.equal(await fake.replay(scenarios.cryptoMiner), expected.length);
        assert.equal(fake.queueDepth, expected.length);
        assert.deepEqual(await dial().get(), expected.map(({ rule }) => rule));
      }));

    it("waits for readers while maxQueued alerts are queued", () =>
      withFake(wire, async ({ fake, dial }) => {
        const replayed = fake.replay(alerts(1, 100), { maxQueued: 3 });
        await until("it is full", () => fake.queueDepth === 3);
        assert.equal(await isSettled(replayed), false);
        assert.equal(fake.queueDepth, 3);
        const client = dial();
        const got: string[] = [];
        while (got.length < 100) {
          const get = await client.call(GET);
          get.request();
          get.halfClose();
          await get.end();
          got.push(...get.here());
          assert.ok(fake.queueDepth <= 3);
        }
        assert.deepEqual(got, rules(1, 100));
        assert.equal(await within("the replay", replayed), 100);
      }));
  });
}

describe("FakeFalco.replay()", () => {
  it("takes arrays, other iterables and generators", () =>
    withFake(wire!, async ({ fake, dial }) => {
      async function* later() {
        for (const alert of alerts(5, 6)) yield await Promise.resolve(alert);
      }
      assert.equal(await fake.replay(alerts(1, 2)), 2);
      assert.equal(await fake.replay(new Set(alerts(3, 4))), 2);
      assert.equal(await fake.replay(later()), 2);
      assert.equal(await fake.replay([]), 0);
      assert.deepEqual(await dial().get(), rules(1, 6));
    }));

  it("keeps the alerts' times, whatever the speed", () =>
    withClock(async ({ fake, dial, clock }) => {
      const replayed = fake.replay(at(50, 60), { speed: 1 });
      await until("it waits", () => clock.pending === 1);
      clock.advance(10_000);
      await replayed;
      assert.deepEqual(await dial().get(), rules(1, 2));
    }));

  it('makes no pauses by default, or with speed "max"', () =>
    withClock(async ({ fake, clock }) => {
      assert.equal(await fake.replay(at(0, 3_600, 7_200)), 3);
      assert.equal(await fake.replay(at(0, 3_600), { speed: "max" }), 2);
      assert.equal(clock.pending, 0);
    }));

  for (
    const { speed, pausesMs } of [
      { speed: 1, pausesMs: [1_000, 250, 3_600_000] },
      { speed: 10, pausesMs: [100, 25, 360_000] },
      { speed: 0.5, pausesMs: [2_000, 500, 7_200_000] },
    ]
  ) {
    it(`makes the pauses between the alerts' times at speed ${speed}`, () =>
      withClock(async ({ fake, clock }) => {
        const replayed = fake.replay(at(7, 8, 8.25, 3_608.25), { speed });
        await until("the first is there", () => fake.queueDepth === 1);
        for (const [index, pauseMs] of pausesMs.entries()) {
          await until("it waits", () => clock.pending === 1);
          clock.advance(pauseMs - 0.5);
          assert.equal(clock.pending, 1);
          assert.equal(fake.queueDepth, index + 1);
          clock.advance(0.5);
          await until("the next is there", () => fake.queueDepth === index + 2);
        }
        assert.equal(await within("the replay", replayed), 4);
        assert.equal(clock.pending, 0);
      }));
  }

  it("makes no pause where times stand still or go back, and counts on from there", () =>
    withClock(async ({ fake, clock }) => {
      const replayed = fake.replay(at(100, 100, 40, 41), { speed: 1 });
      await until("it waits", () => clock.pending === 1);
      assert.equal(fake.queueDepth, 3);
      clock.advance(1_000);
      assert.equal(await within("the replay", replayed), 4);
    }));

  it("paces a scenario by its own times", () =>
    withClock(async ({ fake, clock }) => {
      const scenario: Scenario = {
        version: 1,
        name: "three",
        alerts: [{ repeat: 3, everyMs: 500, priority: "notice", rule: "r", output: "o" }],
      };
      const replayed = fake.replay(scenario, { speed: 1 });
      for (let count = 1; count < 3; count++) {
        await until("it waits", () => clock.pending === 1 && fake.queueDepth === count);
        clock.advance(500);
      }
      assert.equal(await within("the replay", replayed), 3);
    }));

  for (const bad of [0, -1, NaN]) {
    it(`refuses ${bad} as speed and as maxQueued`, () =>
      withFake(wire!, async ({ fake }) => {
        await assert.rejects(fake.replay(alerts(1), { speed: bad }), {
          name: "RangeError",
          message: `Cannot replay as "speed" must be "max" or above 0: it is ${bad}`,
        });
        await assert.rejects(fake.replay(alerts(1), { maxQueued: bad }), {
          name: "RangeError",
          message: `Cannot replay as "maxQueued" must be above 0: it is ${bad}`,
        });
        assert.equal(fake.queueDepth, 0);
      }));
  }

  it("ends with the reason of its signal before the first alert, in a pause, and when full", () =>
    withClock(async ({ fake, clock }) => {
      const reason = new Error("enough");
      await assert.rejects(fake.replay(alerts(1), { signal: AbortSignal.abort(reason) }), reason);
      assert.equal(fake.queueDepth, 0);
      const pausing = new AbortController();
      const paused = fake.replay(at(1, 2), { speed: 1, signal: pausing.signal });
      await until("it waits", () => clock.pending === 1);
      pausing.abort(reason);
      await assert.rejects(paused, reason);
      assert.equal(clock.pending, 0);
      assert.equal(fake.queueDepth, 1);
      const filling = new AbortController();
      const full = fake.replay(alerts(2, 9), { maxQueued: 3, signal: filling.signal });
      await until("it is full", () => fake.queueDepth === 3);
      assert.equal(await isSettled(full), false);
      filling.abort(reason);
      await assert.rejects(full, reason);
      assert.equal(fake.queueDepth, 3);
    }));

  it("closes its source when it ends early", () =>
    withFake(wire!, async ({ fake }) => {
      const controller = new AbortController();
      let closed = false;
      function* source() {
        try {
          yield* alerts(1);
          controller.abort();
          yield* alerts(2, 9);
        } finally {
          closed = true;
        }
      }
      const { signal } = controller;
      await assert.rejects(fake.replay(source(), { signal }), { name: "AbortError" });
      assert.equal(closed, true);
      assert.equal(fake.queueDepth, 1);
    }));

  it("fails with the error of its source, and keeps what came before", () =>
    withFake(wire!, async ({ fake }) => {
      const error = new Error("bad line");
      function* source() {
        yield* alerts(1, 2);
        throw error;
      }
      await assert.rejects(fake.replay(source()), error);
      assert.equal(fake.queueDepth, 2);
    }));

  for (const end of ["stop", "kill"] as const) {
    it(`ends with an error at ${end}(), in a pause and when full`, () =>
      withClock(async ({ fake, clock }) => {
        const paused = fake.replay(at(1, 2), { speed: 1 });
        await until("it waits", () => clock.pending === 1);
        const full = fake.replay(alerts(2, 9), { maxQueued: 3 });
        await until("it is full", () => fake.queueDepth === 3);
        const checks = [paused, full].map((one) => assert.rejects(one, FalcoClosedError));
        await fake[end]();
        await within("the replays' ends", Promise.all(checks));
        assert.equal(clock.pending, 0);
        await assert.rejects(fake.replay(alerts(1)), FalcoClosedError);
      }));
  }

  it("goes on through a reload", () =>
    withFake(wire!, async ({ fake, dial }) => {
      const replayed = fake.replay(alerts(1, 9), { maxQueued: 5 });
      await until("it is full", () => fake.queueDepth === 5);
      await fake.reload();
      const got: string[] = [];
      const client = dial();
      while (got.length < 9) got.push(...await client.get());
      assert.deepEqual(got, rules(1, 9));
      assert.equal(await within("the replay", replayed), 9);
    }));

  it("needs no real time at any speed", async () => {
    const clock = new FakeClock();
    const fake = await FakeFalco.start({ clock });
    try {
      const replayed = fake.replay(scenarios.noisyStorm, { speed: 1 });
      let done = false;
      void replayed.then(() => done = true);
      await until("it is over", () => {
        clock.advance(60_000);
        return done;
      });
      assert.equal(fake.queueDepth, await replayed);
    } finally {
      await fake[Symbol.asyncDispose]();
    }
  });
});
