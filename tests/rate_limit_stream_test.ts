import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../harness/fake_clock.ts";
import { EventStream, RateLimitStream } from "../lib/streams/mod.ts";
import type { RateLimitStreamOptions } from "../lib/streams/mod.ts";
import { outcome, probedSources, settled } from "./stream_probes.ts";
import { written } from "./written_stream.ts";

/** A RateLimitStream with a clock at hand. */
function limited(options: RateLimitStreamOptions<string>) {
  const clock = new FakeClock(1_000_000);
  const operator = new RateLimitStream<string>({ clock, ...options });
  const stream = written(operator);
  return {
    ...stream,
    clock,
    operator,
    async advance(ms: number): Promise<void> {
      clock.advance(ms);
      await settled();
    },
  };
}

test("RateLimitStream lets a burst through and holds what is above the rate", async () => {
  const { items, write, advance, clock, close } = limited({ limit: 2, intervalMs: 1000 });
  await write("a", "b", "c", "d");
  assert.deepEqual(items, ["a", "b"]);
  assert.equal(clock.pending, 1);
  await advance(499);
  assert.deepEqual(items, ["a", "b"]);
  await advance(1);
  assert.deepEqual(items, ["a", "b", "c"]);
  await advance(500);
  assert.deepEqual(items, ["a", "b", "c", "d"]);
  assert.equal(clock.pending, 0);
  // Rest fills the bucket, but not above the burst.
  await advance(60_000);
  await write("e", "f", "g");
  assert.deepEqual(items.slice(4), ["e", "f"]);
  await advance(500);
  await close();
  assert.deepEqual(items.slice(4), ["e", "f", "g"]);
});

test("RateLimitStream drops what is above the rate if it may, and counts it", async () => {
  const dropped: string[] = [];
  const { items, write, advance, operator, clock, close } = limited({
    limit: 3,
    intervalMs: 1000,
    burst: 1,
    overflow: "drop",
    onDrop: (item) => void dropped.push(item),
  });
  await write("a", "b");
  // Three in a second: each third of it brings one, though thirds do not add up.
  for (const item of ["c", "d", "e"]) {
    await advance(1000 / 3);
    await write(item, `${item}!`);
  }
  await close();
  assert.deepEqual(items, ["a", "c", "d", "e"]);
  assert.deepEqual(dropped, ["b", "c!", "d!", "e!"]);
  assert.equal(operator.dropped, 4);
  assert.equal(clock.pending, 0);
});

test("RateLimitStream lets an item through whenever one is due, whatever fractions add up to", async () => {
  for (let limit = 1; limit <= 100; limit++) {
    const clock = new FakeClock(1_000_000);
    const source = (function* () {
      for (let item = 0; item < 50; item++) {
        yield item;
        clock.advance(1000 / limit);
      }
    })();
    const operator = new RateLimitStream<number>({ limit, burst: 1, overflow: "drop", clock });
    // The clock itself rounds, by less than a thousandth of a millisecond in all.
    const { items } = await outcome(EventStream.from(source).pipeThrough(operator));
    assert(items.length >= 49, `${items.length} of 50 with a limit of ${limit}`);
  }
});

test("RateLimitStream has a bucket for each key, and forgets the one seen longest ago", async () => {
  const { items, write, close } = limited({
    limit: 1,
    intervalMs: 60_000,
    key: (text) => text[0]!,
    overflow: "drop",
    maxKeys: 2,
  });
  await write("a1", "b1", "a2", "b2");
  assert.deepEqual(items, ["a1", "b1"]);
  // "a" was seen last, so "b" goes, though the bucket of "a" was made first.
  await write("b3", "a3", "c1", "a4", "b4");
  await close();
  assert.deepEqual(items, ["a1", "b1", "c1", "b4"]);
});

test("RateLimitStream blocks all keys when one has to wait", async () => {
  const { items, write, advance, close } = limited({
    limit: 1,
    intervalMs: 100,
    key: (text) => text[0]!,
  });
  await write("a1", "a2", "b1");
  assert.deepEqual(items, ["a1"]);
  await advance(100);
  assert.deepEqual(items, ["a1", "a2", "b1"]);
  await close();
});

test("RateLimitStream asks the source for nothing while it holds an item", async () => {
  const clock = new FakeClock();
  for (const source of probedSources) {
    const probe = source.make([1, 2, 3, 4]);
    const limit = new RateLimitStream<number>({ limit: 1, clock });
    const reader = probe.stream.pipeThrough(limit).getReader();
    await reader.read();
    const read = reader.read();
    await settled();
    assert.equal(probe.pulls, 2);
    assert.equal(clock.pending, 1);
    clock.advance(1000);
    assert.equal((await read).value, 2);
    await reader.cancel();
  }
});

test("RateLimitStream takes its timer back on every way out", async () => {
  const reason = new Error("enough");
  for (const source of probedSources) {
    const clock = new FakeClock();
    const probe = source.make([1, 2, 3], "hang");
    const limit = new RateLimitStream<number>({ limit: 1, clock });
    const reader = probe.stream.pipeThrough(limit).getReader();
    await reader.read();
    const read = reader.read();
    await settled();
    assert.equal(clock.pending, 1);
    await reader.cancel(reason);
    assert.equal((await read).done, true);
    assert.equal(clock.pending, 0);
    await settled();
    assert.deepEqual(probe.reasons, [reason]);
  }
});

test("RateLimitStream neither stalls nor opens when the clock is set back", async () => {
  const clock = { nowMs: 1e12, now: () => clock.nowMs, random: () => 0, setTimer: () => () => {} };
  const source = function* () {
    yield 1;
    yield 2;
    clock.nowMs = 0;
    yield 3;
    clock.nowMs = 1000;
    yield 4;
  };
  const limit = new RateLimitStream<number>({ limit: 2, overflow: "drop", clock });
  const result = await outcome(EventStream.from(source()).pipeThrough(limit));
  assert.deepEqual(result, { items: [1, 2, 4] });
});

test("RateLimitStream never lets more through than burst and rate allow", async () => {
  const settings = fc.record({
    limit: fc.integer({ min: 1, max: 5 }),
    burst: fc.integer({ min: 1, max: 5 }),
    gaps: fc.array(fc.nat({ max: 400 }), { maxLength: 40 }),
  });
  await fc.assert(
    fc.asyncProperty(settings, async ({ limit, burst, gaps }) => {
      const clock = new FakeClock();
      const source = (function* () {
        for (const gap of gaps) {
          clock.advance(gap);
          yield clock.now();
        }
      })();
      const limiter = new RateLimitStream<number>({ limit, burst, overflow: "drop", clock });
      const { items } = await outcome(EventStream.from(source).pipeThrough(limiter));
      assert.equal(items.length + limiter.dropped, gaps.length);
      for (const [first, from] of items.entries()) {
        for (const [index, to] of items.slice(first).entries()) {
          assert(index + 1 <= burst + (to - from) * limit / 1000 + 1e-6);
        }
      }
    }),
    { numRuns: 100 },
  );
});

test("RateLimitStream refuses options that make no sense", () => {
  for (const limit of [0, 1.5, NaN, Infinity, undefined as unknown as number]) {
    assert.throws(() => new RateLimitStream({ limit }), {
      name: "RangeError",
      message:
        `Cannot create RateLimitStream: "limit" must be a whole number from 1: current value is "${limit}"`,
    });
  }
  assert.throws(() => new RateLimitStream({ limit: 1, intervalMs: 0 }), RangeError);
  assert.throws(() => new RateLimitStream({ limit: 1, burst: 0 }), RangeError);
  assert.throws(() => new RateLimitStream({ limit: 1, maxKeys: 0 }), RangeError);
  assert.throws(() => new RateLimitStream({ limit: 1, overflow: "error" as "drop" }), TypeError);
  assert.throws(
    () => new RateLimitStream({ limit: 1, key: "a" as unknown as () => "" }),
    TypeError,
  );
});
