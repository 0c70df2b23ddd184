/** Replays that are held, stepped and moved. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import type { PlayOptions } from "../harness/fake_falco_options.ts";
import type { Fault } from "../harness/faults/fault.ts";
import { Player } from "../harness/player.ts";
import type { Scenario } from "../harness/scenario.ts";
import type { Replayable } from "../harness/timeline.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { until } from "./waits.ts";

/** Alerts `a0`, `a1` and so on at these seconds after a moment. */
function at(...seconds: readonly number[]): Alert[] {
  return seconds.map((second, index) => {
    const time = { seconds: 1_000 + Math.floor(second), nanos: (second % 1) * 1e9 };
    return buildAlert({ rule: `a${index}`, time });
  });
}

function play(source: Replayable, options: PlayOptions = {}) {
  const clock = new FakeClock();
  const seen: string[] = [];
  const pushed: Alert[] = [];
  const end = new AbortController();
  const player = new Player(
    {
      depth: () => 0,
      push(alert) {
        seen.push(alert.rule);
        pushed.push(alert);
      },
      inject: ({ type }: Fault) => void seen.push(`!${type}`),
      whenBelow: () => Promise.resolve(),
    },
    source,
    { signal: end.signal, clock, ...options },
  );
  return { player, clock, seen, pushed, end };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await setImmediate();
}

describe("Player", () => {
  it("plays to the end and says how many there were", async () => {
    const { player, seen, clock } = play(at(0, 100, 7_000));
    assert.equal(await player.done, 3);
    assert.deepEqual(seen, ["a0", "a1", "a2"]);
    assert.equal(player.position, 3);
    assert.equal(clock.pending, 0);
  });

  it("waits at first if it shall, and goes on when told", async () => {
    const { player, seen } = play(at(0, 1, 2), { paused: true });
    await turns();
    assert.deepEqual([seen, player.paused], [[], true]);
    player.resume();
    assert.equal(player.paused, false);
    assert.equal(await player.done, 3);
  });

  it("keeps what is left of a wait while it is held", async () => {
    const { player, seen, clock } = play(at(0, 10), { speed: 2 });
    await until("it waits", () => clock.pending === 1);
    clock.advance(3_000);
    player.pause();
    await turns();
    assert.equal(clock.pending, 0);
    clock.advance(60_000);
    player.resume();
    await until("it waits", () => clock.pending === 1);
    clock.advance(1_999);
    await turns();
    assert.deepEqual(seen, ["a0"]);
    clock.advance(1);
    assert.equal(await player.done, 2);
  });

  it("steps, at once and by as many as asked, and is held then", async () => {
    const { player, seen, clock } = play(at(0, 10, 20, 30, 40), { speed: 1 });
    await until("it waits", () => clock.pending === 1);
    assert.equal(await player.step(), 1);
    assert.deepEqual([seen, player.paused], [["a0", "a1"], true]);
    assert.equal(await player.step(2), 2);
    await turns();
    assert.deepEqual(seen, ["a0", "a1", "a2", "a3"]);
    assert.equal(clock.pending, 0);
    assert.equal(await player.step(9), 1);
    assert.equal(await player.done, 5);
    assert.equal(await player.step(), 0);
    for (const count of [0, 1.5, NaN]) assert.throws(() => player.step(count), RangeError);
  });

  it("skips to a time", async () => {
    const { player, seen, clock } = play(at(0, 10, 20, 30), { speed: 1 });
    await until("it waits", () => clock.pending === 1);
    await player.seek(20_000);
    await until("it waits for the last", () => clock.pending === 1 && seen.length === 2);
    assert.deepEqual(seen, ["a0", "a2"]);
    clock.advance(10_000);
    assert.equal(await player.done, 3);
    assert.equal(player.position, 4);
    await player.seek(0); // too late to matter
  });

  it("goes back where it can", async () => {
    const { player, seen } = play(at(0, 10, 20, 30), { paused: true });
    await player.step(3);
    await player.seek(10_000);
    assert.equal(player.position, 1);
    await player.step();
    await player.seek(0);
    await player.step();
    await player.seek(25_000);
    player.resume();
    assert.equal(await player.done, 6);
    assert.deepEqual(seen, ["a0", "a1", "a2", "a1", "a0", "a3"]);
    for (const toMs of [-1, NaN, Infinity]) assert.throws(() => player.seek(toMs), RangeError);
  });

  it("goes forward in what can be read only once, and not back", async () => {
    async function* once() {
      yield* at(0, 10, 20, 30);
    }
    for (const source of [once(), at(0, 10, 20, 30).values()]) {
      const { player, seen } = play(source, { paused: true });
      await player.step();
      await player.seek(15_000);
      await player.step();
      assert.throws(() => player.seek(20_000), {
        name: "TypeError",
        message:
          "Cannot seek back: these alerts can be read only once. Play an array or a scenario",
      });
      player.resume();
      await player.done;
      assert.deepEqual(seen, ["a0", "a2", "a3"]);
    }
  });

  it("ends with the reason of its signal, whatever it waits for", async () => {
    for (const options of [{ paused: true }, { speed: 1 }]) {
      const { player, end, clock } = play(at(0, 10), options);
      await turns();
      const reason = new Error("enough");
      end.abort(reason);
      await assert.rejects(player.done, reason);
      assert.equal(clock.pending, 0);
      assert.equal(await player.step(), 0);
    }
  });

  it("gives a step that a later one replaces what it has", async () => {
    const { player } = play(at(0, 10, 20), { paused: true });
    const first = player.step(2);
    const second = player.step(1);
    assert.equal(await first, 0);
    assert.equal(await second, 1);
  });

  it("moves all times, in the fields and in the text, to where they shall be", async () => {
    const rebaseTo = Date.UTC(2030, 5, 1, 12) + 0.25;
    const alerts = [
      ...at(0.5, 3_600.75),
      buildAlert({ rule: "plain", output: "no time", time: { seconds: 900, nanos: 999_999_999 } }),
    ];
    const { player, pushed } = play(alerts, { rebaseTo });
    await player.done;
    const base = Date.UTC(2030, 5, 1, 12) / 1000;
    assert.deepEqual(pushed.map(({ time }) => time), [
      { seconds: base, nanos: 250_000 },
      { seconds: base + 3_600, nanos: 250_250_000 },
      { seconds: base - 100, nanos: 500_249_999 },
    ]);
    assert(pushed[0]!.output.startsWith("12:00:00.000250000: Notice A shell"));
    assert(pushed[1]!.output.startsWith("13:00:00.250250000: Notice A shell"));
    assert.equal(pushed[2]!.output, "no time");
    assert.throws(() => play([], { rebaseTo: NaN }), RangeError);
  });

  it("takes the seed", async () => {
    const scenario: Scenario = {
      version: 1,
      name: "n",
      alerts: [{ priority: "notice", rule: "r", output: "o", jitterMs: 1_000 }],
    };
    const times = async (options: PlayOptions) => {
      const { player, pushed } = play(scenario, options);
      await player.done;
      return pushed[0]!.time;
    };
    assert.deepEqual(await times({ seed: 0 }), await times({}));
    assert.notDeepEqual(await times({ seed: 1 }), await times({}));
  });

  const alert = { priority: "notice", rule: "a", output: "o" } as const;
  const withFaults: Scenario = {
    version: 1,
    name: "n",
    start: "2026-01-01T00:00:00.5Z",
    alerts: [{ ...alert, afterMs: 1_000, repeat: 3, everyMs: 1_000 }],
    faults: [
      { type: "restart", afterMs: 9_000 },
      { type: "drop", afterMs: 1_500, times: 2 },
      { type: "reset", code: 8, onCall: 2, times: 2 },
      { type: "lose", afterMs: 2_000, afterAlerts: 1, times: 2 },
    ],
  };

  it("arms the faults of a scenario at their times, on the time of its alerts", async () => {
    const { player, seen } = play(withFaults);
    assert.equal(await player.done, 3);
    assert.deepEqual(seen, ["!reset", "a", "!drop", "!lose", "a", "!drop", "a", "!restart"]);
    const slow = play(withFaults, { speed: 1 });
    await until("it waits", () => slow.clock.pending === 1);
    slow.clock.advance(1_000);
    await until("it waits", () => slow.clock.pending === 1);
    slow.clock.advance(499);
    await turns();
    assert.deepEqual(slow.seen, ["!reset", "a"]);
    slow.clock.advance(1);
    await until("it is armed", () => slow.seen.length === 3);
    slow.end.abort();
    await assert.rejects(slow.player.done);
  });

  it("arms them without their time, and once for each of its occasions", async () => {
    const faults: Fault[] = [];
    const player = new Player(
      {
        depth: () => 0,
        push: () => {},
        inject: (fault) => void faults.push(fault),
        whenBelow: () => Promise.resolve(),
      },
      withFaults,
      { signal: new AbortController().signal },
    );
    await player.done;
    assert.deepEqual(faults, [
      { type: "reset", code: 8, onCall: 2, times: 2 },
      { type: "drop" },
      { type: "lose", afterAlerts: 1, times: 2 },
      { type: "drop" },
      { type: "restart" },
    ]);
  });
});
