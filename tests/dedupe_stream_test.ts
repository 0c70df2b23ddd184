import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../harness/fake_clock.ts";
import { DedupeStream, EventStream } from "../lib/streams/mod.ts";
import type { DedupeStreamOptions } from "../lib/streams/mod.ts";
import { outcome } from "./stream_probes.ts";

/** Sends text at given times, and says which were let through. */
async function kept(
  timeline: readonly (readonly [number, string])[],
  options: DedupeStreamOptions<string> = {},
): Promise<string[]> {
  let nowMs = 0;
  const clock = { now: () => nowMs, random: () => 0, setTimer: () => () => {} };
  function* items(): Generator<string> {
    for (const [at, text] of timeline) {
      nowMs = at;
      yield text;
    }
  }
  const dedupe = new DedupeStream<string>((text) => text, { clock, ...options });
  const result: string[] = [];
  for await (const text of EventStream.from(items()).pipeThrough(dedupe)) {
    result.push(`${nowMs} ${text}`);
  }
  assert.equal(dedupe.dropped, timeline.length - result.length);
  return result;
}

test("DedupeStream drops equal keys, counts them, and hands them to onDuplicate", async () => {
  const duplicates: string[] = [];
  const dedupe = new DedupeStream<string>((text) => text.toLowerCase(), {
    clock: new FakeClock(),
    onDuplicate: (text) => void duplicates.push(text),
  });
  assert.equal(dedupe.dropped, 0);
  const stream = EventStream.from(["a", "B", "A", "b", "c", "a"]).pipeThrough(dedupe);
  assert.deepEqual(await outcome(stream), { items: ["a", "B", "c"] });
  assert.deepEqual(duplicates, ["A", "b", "a"]);
  assert.equal(dedupe.dropped, 3);
});

test("DedupeStream counts the window from the item that was kept", async () => {
  const timeline = [0, 400, 800, 999, 1000, 1001, 1999, 2000, 5000]
    .map((at) => [at, "a"] as const);
  // A window that slid with each duplicate would keep nothing after 0 and before 5000.
  assert.deepEqual(await kept(timeline, { windowMs: 1000 }), ["0 a", "1000 a", "2000 a", "5000 a"]);
});

test("DedupeStream keeps a key for 60 s if nothing else is said", async () => {
  const timeline = [[0, "a"], [59_999, "a"], [60_000, "a"]] as const;
  assert.deepEqual(await kept(timeline), ["0 a", "60000 a"]);
});

test("DedupeStream with an endless window lets a key through once", async () => {
  const timeline = [[0, "a"], [1e12, "a"]] as const;
  assert.deepEqual(await kept(timeline, { windowMs: Infinity }), ["0 a"]);
});

test("DedupeStream forgets the key that was seen longest ago when the table is full", async () => {
  const timeline = [
    [0, "a"],
    [1, "b"],
    [2, "a"], // dropped, and seen: b is the oldest now
    [3, "c"], // b goes
    [4, "a"], // dropped
    [5, "b"], // let through again; c goes
    [6, "c"], // let through again
  ] as const;
  assert.deepEqual(await kept(timeline, { maxKeys: 2 }), ["0 a", "1 b", "3 c", "5 b", "6 c"]);
});

test("DedupeStream does not prolong the window of a key that it moves in the table", async () => {
  const timeline = [[0, "a"], [900, "a"], [1000, "a"]] as const;
  assert.deepEqual(await kept(timeline, { windowMs: 1000, maxKeys: 1 }), ["0 a", "1000 a"]);
});

test("DedupeStream lets keys of a future that was taken back through", async () => {
  const timeline = [[5000, "a"], [1000, "a"], [1500, "a"]] as const;
  assert.deepEqual(await kept(timeline, { windowMs: 1000 }), ["5000 a", "1000 a"]);
});

test("DedupeStream takes any key for a name", async () => {
  const names = ["__proto__", "constructor", "", "__proto__", ""];
  assert.deepEqual(await kept(names.map((name) => [0, name] as const)), [
    "0 __proto__",
    "0 constructor",
    "0 ",
  ]);
});

test("DedupeStream fails if onDuplicate throws, or the key is no string", async () => {
  const error = new Error("no more");
  const refuses = new DedupeStream<string>(String, {
    onDuplicate() {
      throw error;
    },
  });
  const first = await outcome(EventStream.from(["a", "a"]).pipeThrough(refuses));
  assert.deepEqual(first, { items: ["a"], error });

  const keyless = new DedupeStream<{ id?: string }>((item) => item.id as string);
  const second = await outcome(EventStream.from([{ id: "1" }, {}]).pipeThrough(keyless));
  assert.deepEqual(second.items, [{ id: "1" }]);
  assert.deepEqual(
    second.error,
    new TypeError('Cannot dedupe an item: its key is "undefined". Return a string for every item'),
  );
});

test("DedupeStream refuses options out of range", () => {
  const refused: DedupeStreamOptions<string>[] = [
    { windowMs: 0 },
    { windowMs: -1 },
    { windowMs: NaN },
    { maxKeys: 0 },
    { maxKeys: 1.5 },
    { maxKeys: Infinity },
  ];
  for (const options of refused) {
    assert.throws(() => new DedupeStream<string>(String, options), RangeError);
  }
  assert.throws(() => new DedupeStream<string>("rule" as unknown as () => string), TypeError);
  assert.throws(
    () => new DedupeStream<string>(String, { onDuplicate: 5 as never }),
    new TypeError(
      'Cannot create DedupeStream: "onDuplicate" must be a function: current value is "5"',
    ),
  );
});
