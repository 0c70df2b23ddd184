import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../harness/fake_clock.ts";
import { EventStream, TumblingWindowStream } from "../lib/streams/mod.ts";
import type { TumblingWindowStreamOptions } from "../lib/streams/mod.ts";
import { outcome, settled } from "./stream_probes.ts";
import { written } from "./written_stream.ts";

type Item = readonly [number, string];
type Options = Partial<TumblingWindowStreamOptions<Item, string>>;

const texts = { initial: () => "", add: (value: string, [, text]: Item) => value + text };

/** Windows of 100 ms by the items' own time, as "key start-end value", with "..." if not complete. */
async function windows(items: readonly Item[], options: Options = {}) {
  const late: string[] = [];
  const operator = new TumblingWindowStream<Item, string>(100, {
    timestamp: ([time]) => time,
    aggregate: texts,
    onLate: ([, text]) => void late.push(text),
    ...options,
  });
  const result = await outcome(EventStream.from(items).pipeThrough(operator));
  assert.equal(result.error, undefined);
  assert.equal(operator.late, late.length);
  const results = result.items.map(({ key, start, end, value, isComplete }) =>
    `${key}${start}-${end} ${value}${isComplete ? "" : "..."}`
  );
  return { results, late };
}

test("TumblingWindowStream puts items together by their own time", async () => {
  assert.deepEqual(await windows([[100, "a"], [199, "b"], [200, "c"], [450, "d"]]), {
    results: ["100-200 ab", "200-300 c", "400-500 d..."],
    late: [],
  });
  assert.deepEqual(await windows([]), { results: [], late: [] });
  assert.deepEqual((await windows([[-1, "a"], [0, "b"]])).results, ["-100-0 a", "0-100 b..."]);
});

test("TumblingWindowStream waits for late items as long as it should, and drops later ones", async () => {
  const items: Item[] = [[110, "a"], [230, "b"], [190, "c"], [249, "d"], [150, "e"]];
  assert.deepEqual(await windows(items), {
    results: ["100-200 a", "200-300 bd..."],
    late: ["c", "e"],
  });
  assert.deepEqual(await windows(items, { latenessMs: 50 }), {
    results: ["100-200 ace...", "200-300 bd..."],
    late: [],
  });
  assert.deepEqual(await windows([...items, [250, "f"], [199, "g"]], { latenessMs: 50 }), {
    results: ["100-200 ace", "200-300 bdf..."],
    late: ["g"],
  });
});

test("TumblingWindowStream never opens again what is over, and orders windows by their end", async () => {
  const items: Item[] = [[260, "a"], [205, "b"], [199, "c"]];
  assert.deepEqual(await windows(items, { latenessMs: 50 }), {
    results: ["200-300 ab..."],
    late: ["c"],
  });
  const reversed: Item[] = [[250, "a"], [150, "b"], [600, "c"]];
  assert.deepEqual((await windows(reversed, { latenessMs: 200 })).results, [
    "100-200 b",
    "200-300 a",
    "600-700 c...",
  ]);
});

test("TumblingWindowStream has windows for each key, which close together", async () => {
  const items: Item[] = [[110, "b1"], [120, "a1"], [130, "b2"], [210, "a2"], [305, "c1"]];
  const { results } = await windows(items, { key: ([, text]) => text[0]! });
  assert.deepEqual(results, [
    "b100-200 b1b2",
    "a100-200 a1",
    "a200-300 a2",
    "c300-400 c1...",
  ]);
});

test("TumblingWindowStream hands the oldest window on early when the table is full", async () => {
  const items: Item[] = [[110, "a1"], [120, "b1"], [130, "c1"], [140, "a2"], [200, "z"]];
  const { results } = await windows(items, { key: ([, text]) => text[0]!, maxWindows: 2 });
  assert.deepEqual(results, [
    "a100-200 a1...",
    "b100-200 b1...",
    "c100-200 c1",
    "a100-200 a2",
    "z200-300 z...",
  ]);
});

test("TumblingWindowStream closes windows of arrival by the clock, while the source hangs", async () => {
  const clock = new FakeClock(1_000_050);
  const { items, write, close } = written(
    new TumblingWindowStream<string, string>(100, {
      clock,
      aggregate: { initial: () => "", add: (all, text) => all + text },
    }),
  );
  await settled();
  assert.equal(clock.pending, 0);
  await write("a", "b");
  assert.equal(clock.pending, 1);
  clock.advance(49);
  await write("c");
  assert.deepEqual(items, []);
  clock.advance(1);
  await settled();
  assert.deepEqual(items.splice(0), [
    { key: "", start: 1_000_000, end: 1_000_100, value: "abc", isComplete: true },
  ]);
  assert.equal(clock.pending, 0);
  clock.advance(500);
  await write("d");
  await close();
  assert.deepEqual(items, [
    { key: "", start: 1_000_600, end: 1_000_700, value: "d", isComplete: false },
  ]);
  assert.equal(clock.pending, 0);
});

test("TumblingWindowStream of arrival goes on at its pace when the clock is set back", async () => {
  let nowMs = 1_000_050;
  const timers: { callback: () => void; delayMs: number }[] = [];
  const clock = {
    now: () => nowMs,
    random: () => 0,
    setTimer(callback: () => void, delayMs: number) {
      timers.push({ callback, delayMs });
      return () => {};
    },
  };
  const { items, write, close } = written(
    new TumblingWindowStream<string, string>(100, {
      clock,
      aggregate: { initial: () => "", add: (all, text) => all + text },
    }),
  );
  await write("a");
  assert.equal(timers[0]!.delayMs, 50);
  nowMs = 0;
  await write("b");
  timers.shift()!.callback();
  await write("c");
  assert.equal(timers[0]!.delayMs, 100);
  timers.shift()!.callback();
  await close();
  assert.deepEqual(items.map(({ start, value }) => `${start} ${value}`), [
    "1000000 ab",
    "1000100 c",
  ]);
});

test("TumblingWindowStream takes its timer back and drops windows when the reader leaves", async () => {
  const clock = new FakeClock();
  const aggregate = { initial: () => 0, add: (count: number) => count + 1 };
  const { items, write, leave, done } = written(
    new TumblingWindowStream<string, number>(100, { clock, aggregate }),
  );
  await write("a");
  assert.equal(clock.pending, 1);
  await leave("enough");
  await assert.rejects(done, (reason) => reason === "enough");
  assert.equal(clock.pending, 0);
  assert.deepEqual(items, []);
});

test("TumblingWindowStream fails with what its functions throw, and with nonsense", async () => {
  const error = new Error("no");
  const fail = (): never => {
    throw error;
  };
  const cases: Options[] = [
    { key: fail },
    { timestamp: fail },
    { aggregate: { initial: fail, add: () => "" } },
    { aggregate: { initial: () => "", add: fail } },
  ];
  for (const options of cases) {
    const operator = new TumblingWindowStream<Item, string>(100, { aggregate: texts, ...options });
    const result = await outcome(EventStream.from<Item>([[1, "a"]]).pipeThrough(operator));
    assert.equal(result.error, error);
  }
  for (const time of [NaN, Infinity, "5" as unknown as number]) {
    const operator = new TumblingWindowStream<Item, string>(100, {
      aggregate: texts,
      timestamp: () => time,
    });
    const { error } = await outcome(EventStream.from<Item>([[1, "a"]]).pipeThrough(operator));
    assert(error instanceof TypeError);
  }
});

test("TumblingWindowStream has every item in one window, or counts it as late", async () => {
  const times = fc.array(fc.nat({ max: 1000 }), { maxLength: 50 });
  const limits = fc.record({
    latenessMs: fc.nat({ max: 300 }),
    maxWindows: fc.integer({ min: 1, max: 6 }),
  });
  await fc.assert(
    fc.asyncProperty(times, limits, async (times, limits) => {
      const operator = new TumblingWindowStream<number, number[]>(100, {
        ...limits,
        timestamp: (time) => time,
        key: (time) => String(time % 3),
        aggregate: { initial: () => [], add: (all, time) => [...all, time] },
      });
      const { items, error } = await outcome(EventStream.from(times).pipeThrough(operator));
      assert.equal(error, undefined);
      for (const { key, start, end, value } of items) {
        assert(value.every((time) => time >= start && time < end && String(time % 3) === key));
      }
      assert.equal(items.flatMap(({ value }) => value).length + operator.late, times.length);
      const latest = times.map((time, index) => Math.max(...times.slice(0, index + 1)) - time);
      if (latest.every((lag) => lag <= limits.latenessMs)) assert.equal(operator.late, 0);
    }),
    { numRuns: 200 },
  );
});

test("TumblingWindowStream refuses options that make no sense", () => {
  const make = (durationMs: number, options: Options = {}) =>
    new TumblingWindowStream<Item, string>(durationMs, { aggregate: texts, ...options });
  for (const durationMs of [0, -1, NaN, Infinity]) {
    assert.throws(() => make(durationMs), RangeError);
  }
  assert.throws(() => make(1, { maxWindows: 0 }), RangeError);
  assert.throws(() => make(1, { timestamp: () => 1, latenessMs: -1 }), RangeError);
  assert.throws(() => make(1, { latenessMs: 5 }), {
    name: "TypeError",
    message:
      'Cannot create TumblingWindowStream: "latenessMs" means nothing for the time of arrival. Give "timestamp" too',
  });
  assert.throws(() => make(1, { aggregate: undefined as unknown as typeof texts }), TypeError);
  assert.throws(() => make(1, { key: 5 as unknown as () => "" }), TypeError);
});
