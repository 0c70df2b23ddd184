import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../harness/fake_clock.ts";
import { CountByStream, EventStream } from "../lib/streams/mod.ts";
import type { CountByStreamOptions } from "../lib/streams/mod.ts";
import { outcome, settled } from "./stream_probes.ts";
import { written } from "./written_stream.ts";

type Item = readonly [number, string];

/** Counts within 100 ms by the items' own time, as "key*count start-end". */
async function counts(items: readonly Item[], options: CountByStreamOptions<Item> = {}) {
  const late: string[] = [];
  const forgotten: string[] = [];
  const operator = new CountByStream<Item>(([, text]) => text, {
    windowMs: 100,
    timestamp: ([time]) => time,
    onLate: ([time, text]) => void late.push(`${text}@${time}`),
    onForget: (key) => void forgotten.push(key),
    ...options,
  });
  const result = await outcome(EventStream.from(items).pipeThrough(operator));
  assert.equal(result.error, undefined);
  assert.equal(operator.late, late.length);
  assert.equal(operator.forgotten, forgotten.length);
  const results = result.items.map(({ key, count, start, end }) =>
    `${key}*${count} ${start}-${end}`
  );
  return { results, late, forgotten };
}

test("CountByStream counts by key and window without a threshold", async () => {
  const items: Item[] = [[0, "a"], [10, "b"], [99, "a"], [100, "a"], [50, "b"], [230, "b"]];
  assert.deepEqual(await counts(items), {
    results: ["a*2 0-100", "b*1 0-100", "a*1 100-200", "b*1 200-300"],
    late: ["b@50"],
    forgotten: [],
  });
  assert.deepEqual((await counts(items, { latenessMs: 50 })).results, [
    "a*2 0-100",
    "b*2 0-100",
    "a*1 100-200",
    "b*1 200-300",
  ]);
});

test("CountByStream closes windows of arrival by a timer, and takes it back", async () => {
  const clock = new FakeClock(1_000_000);
  const stream = written(new CountByStream<string>((text) => text, { clock }));
  await stream.write("a", "b", "a");
  assert.equal(clock.pending, 1);
  const start = Math.floor(1_000_000 / 60_000) * 60_000;
  clock.advance(60_000);
  await settled();
  assert.deepEqual(stream.items, [
    { key: "a", count: 2, start, end: start + 60_000 },
    { key: "b", count: 1, start, end: start + 60_000 },
  ]);
  await stream.write("c");
  await stream.leave("enough");
  assert.equal(clock.pending, 0);
});

test("CountByStream says when a threshold is reached, wherever the span begins", async () => {
  const items: Item[] = [[90, "a"], [95, "b"], [120, "a"], [189, "a"], [300, "a"], [399, "a"]];
  assert.deepEqual(await counts(items, { threshold: 3 }), {
    results: ["a*3 90-189"],
    late: [],
    forgotten: [],
  });
  // Exactly windowMs apart is too far.
  assert.deepEqual((await counts([[0, "a"], [50, "a"], [100, "a"]], { threshold: 3 })).results, []);
  assert.deepEqual((await counts([[0, "a"], [50, "a"], [99, "a"]], { threshold: 3 })).results, [
    "a*3 0-99",
  ]);
});

test("CountByStream counts no item twice, and every item with a threshold of 1", async () => {
  const items: Item[] = [0, 1, 2, 3, 4, 5, 6].map((time) => [time, "a"]);
  assert.deepEqual((await counts(items, { threshold: 3 })).results, ["a*3 0-2", "a*3 3-5"]);
  assert.equal((await counts(items, { threshold: 1 })).results.length, 7);
});

test("CountByStream takes items out of order with a threshold, if they are not too late", async () => {
  const items: Item[] = [[100, "a"], [250, "a"], [160, "a"], [170, "a"], [100, "a"]];
  assert.deepEqual(await counts(items, { threshold: 3 }), {
    results: ["a*3 160-250"],
    late: [],
    forgotten: [],
  });
  const late: Item[] = [[300, "a"], [190, "a"], [195, "a"], [199, "a"]];
  assert.deepEqual(await counts(late, { threshold: 3 }), {
    results: [],
    late: ["a@190", "a@195", "a@199"],
    forgotten: [],
  });
  assert.deepEqual((await counts(late, { threshold: 3, latenessMs: 20 })).results, ["a*3 190-199"]);
});

test("CountByStream forgets the key that was seen longest ago, and says so", async () => {
  const items: Item[] = [[0, "a"], [1, "b"], [2, "a"], [3, "c"], [4, "b"], [5, "a"]];
  assert.deepEqual(await counts(items, { threshold: 3, maxKeys: 2 }), {
    results: [],
    late: [],
    forgotten: ["b", "a", "c"],
  });
  assert.deepEqual((await counts(items, { threshold: 3, maxKeys: 3 })).results, ["a*3 0-5"]);
});

test("CountByStream counts anew when the clock is set back", async () => {
  const times = [1000, 1001, 10, 11, 12];
  const clock = { now: () => times.shift()!, random: () => 0, setTimer: () => () => {} };
  const operator = new CountByStream<string>((text) => text, {
    windowMs: 100,
    threshold: 3,
    clock,
  });
  const result = await outcome(EventStream.from(["a", "a", "a", "a", "a"]).pipeThrough(operator));
  assert.deepEqual(result, { items: [{ key: "a", count: 3, start: 10, end: 12 }] });
  assert.equal(operator.late, 0);
});

test("CountByStream finds as many spans as a search through all items would", async () => {
  const steps = fc.array(fc.nat({ max: 60 }), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 5 }), async (steps, threshold) => {
      let time = 0;
      const times = steps.map((step) => time += step);
      const expected: string[] = [];
      let open: number[] = [];
      for (const now of times) {
        open = [...open, now].filter((one) => now - one < 100);
        if (open.length < threshold) continue;
        expected.push(`a*${threshold} ${open[0]}-${now}`);
        open = [];
      }
      const { results } = await counts(times.map((one) => [one, "a"]), { threshold });
      assert.deepEqual(results, expected);
    }),
    { numRuns: 200 },
  );
});

test("CountByStream fails with nonsense and refuses options that make no sense", async () => {
  const key = (text: string): string => text;
  for (const threshold of [undefined, 2]) {
    const keyless = new CountByStream<number>((n) => n as unknown as string, {
      ...(threshold === undefined ? {} : { threshold }),
    });
    const { error } = await outcome(EventStream.from([1]).pipeThrough(keyless));
    assert(error instanceof TypeError);
  }
  assert.throws(() => new CountByStream(5 as unknown as typeof key), TypeError);
  for (const threshold of [0, 1.5, NaN]) {
    assert.throws(() => new CountByStream(key, { threshold }), {
      name: "RangeError",
      message:
        `Cannot create CountByStream: "threshold" must be a whole number from 1: current value is "${threshold}"`,
    });
  }
  assert.throws(() => new CountByStream(key, { windowMs: 0 }), RangeError);
  assert.throws(() => new CountByStream(key, { maxKeys: 0 }), RangeError);
  assert.throws(() => new CountByStream(key, { latenessMs: 1 }), TypeError);
});
