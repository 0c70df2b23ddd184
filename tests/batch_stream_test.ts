import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FakeClock } from "../harness/fake_clock.ts";
import { estimateBytes } from "../lib/streams/estimate_bytes.ts";
import { BatchStream, compose, EventStream, OperatorStream } from "../lib/streams/mod.ts";
import type { BatchStreamOptions } from "../lib/streams/mod.ts";
import { outcome, probedSources, settled } from "./stream_probes.ts";

/** A stream that somebody else writes into, and what has come out of a BatchStream behind it. */
function feed(size: number, options: BatchStreamOptions<number>) {
  const input = new TransformStream<number, number>(undefined, { highWaterMark: 100 });
  const writer = input.writable.getWriter();
  const batches: number[][] = [];
  const done = input.readable.pipeThrough(new BatchStream(size, options)).pipeTo(
    new WritableStream({ write: (batch) => void batches.push(batch) }),
  );
  return {
    batches,
    done,
    close: () => writer.close(),
    async write(...items: number[]): Promise<void> {
      for (const item of items) writer.write(item);
      await settled();
    },
  };
}

test("BatchStream makes batches of size and a last one of what is left", async () => {
  for (const source of probedSources) {
    const batches = source.make([1, 2, 3, 4, 5]).stream.pipeThrough(new BatchStream(2));
    assert.deepEqual(await outcome(batches), { items: [[1, 2], [3, 4], [5]] });
    const exact = source.make([1, 2]).stream.pipeThrough(new BatchStream(2));
    assert.deepEqual(await outcome(exact), { items: [[1, 2]] });
    const empty = source.make([]).stream.pipeThrough(new BatchStream(2));
    assert.deepEqual(await outcome(empty), { items: [] });
  }
});

test("BatchStream pulls no more than the batch that is asked for", async () => {
  for (const source of probedSources) {
    const probe = source.make([1, 2, 3, 4, 5, 6, 7]);
    const reader = probe.stream.pipeThrough(new BatchStream(3)).getReader();
    assert.deepEqual((await reader.read()).value, [1, 2, 3]);
    await settled();
    assert.equal(probe.pulls, 3);
    await reader.cancel();
  }
});

test("BatchStream flushes maxWaitMs after the first item of the batch", async () => {
  const clock = new FakeClock();
  const { batches, done, close, write } = feed(10, { maxWaitMs: 100, clock });
  await settled();
  assert.equal(clock.pending, 0);
  await write(1);
  clock.advance(99);
  await write(2);
  assert.deepEqual(batches, []);
  clock.advance(1);
  await settled();
  assert.deepEqual(batches, [[1, 2]]);
  assert.equal(clock.pending, 0);

  // The time counts from the next first item, not from the last flush.
  clock.advance(1000);
  await write(3);
  clock.advance(99);
  await settled();
  assert.equal(batches.length, 1);
  clock.advance(1);
  await settled();
  assert.deepEqual(batches, [[1, 2], [3]]);
  await close();
  await done;
  assert.deepEqual(batches, [[1, 2], [3]]);
});

test("BatchStream takes its timer back when a batch is full", async () => {
  const clock = new FakeClock();
  const { batches, done, close, write } = feed(2, { maxWaitMs: 100, clock });
  await write(1);
  clock.advance(50);
  await write(2);
  assert.deepEqual(batches, [[1, 2]]);
  assert.equal(clock.pending, 0);
  await write(3);
  clock.advance(99);
  await settled();
  assert.equal(batches.length, 1);
  clock.advance(1);
  await settled();
  assert.deepEqual(batches, [[1, 2], [3]]);
  await write(4);
  await close();
  await done;
  assert.deepEqual(batches, [[1, 2], [3], [4]]);
  assert.equal(clock.pending, 0);
});

test("BatchStream flushes before maxBytes is exceeded, and a larger item alone", async () => {
  const cases = [
    { sizes: [4, 4, 4], expected: [[4, 4], [4]] },
    { sizes: [4, 6, 1], expected: [[4, 6], [1]] },
    { sizes: [3, 11, 3, 3], expected: [[3], [11], [3, 3]] },
    { sizes: [11, 12, 1], expected: [[11], [12], [1]] },
    { sizes: [0, 10, 0], expected: [[0, 10], [0]] },
  ];
  for (const { sizes, expected } of cases) {
    const measured: number[] = [];
    const batch = new BatchStream<number>(100, {
      maxBytes: 10,
      sizeOf(item) {
        measured.push(item);
        return item;
      },
    });
    const { items } = await outcome(EventStream.from(sizes).pipeThrough(batch));
    assert.deepEqual(items, expected);
    assert.deepEqual(measured, sizes);
  }
});

test("BatchStream measures items as JSON if it is not told how", async () => {
  const items = ["aaaa", "bbbb", "cccc"];
  const stream = EventStream.from(items).pipeThrough(new BatchStream(100, { maxBytes: 13 }));
  assert.deepEqual(await outcome(stream), { items: [["aaaa", "bbbb"], ["cccc"]] });
});

/** An operator that takes each batch only when it is released, and says if calls overlap. */
function slowStage() {
  const log: string[] = [];
  let release: (() => void) | undefined;
  const operator = new OperatorStream<number[], number[]>((down) => ({
    async push(batch) {
      assert.equal(release, undefined);
      log.push(`begin ${batch}`);
      await new Promise<void>((resolve) => release = resolve);
      release = undefined;
      log.push(`end ${batch}`);
      await down.push(batch);
    },
    end() {
      assert.equal(release, undefined);
      log.push("end");
      return down.end();
    },
  }));
  return {
    log,
    operator,
    async release(): Promise<void> {
      release?.();
      await settled();
    },
  };
}

test("BatchStream waits for a stage below that is busy with the batch of a timer", async () => {
  const clock = new FakeClock();
  const { log, operator, release } = slowStage();
  const chain = compose(new BatchStream<number>(2, { maxWaitMs: 10, clock }), operator);
  const writer = chain.writable.getWriter();
  const read = outcome(chain.readable);
  writer.write(1);
  await settled();
  clock.advance(10);
  writer.write(2);
  writer.write(3);
  writer.write(4);
  await settled();
  assert.deepEqual(log.splice(0), ["begin 1"]);
  await release();
  assert.deepEqual(log.splice(0), ["end 1", "begin 2,3"]);
  await release();
  // The end comes while a batch of the timer is under way.
  clock.advance(10);
  await settled();
  writer.close();
  await settled();
  assert.deepEqual(log.splice(0), ["end 2,3", "begin 4"]);
  await release();
  assert.deepEqual(await read, { items: [[1], [2, 3], [4]] });
  assert.deepEqual(log, ["end 4", "end"]);
  assert.equal(clock.pending, 0);
});

test("BatchStream waits for a stage below that is busy with a batch cut by maxBytes", async () => {
  const { log, operator, release } = slowStage();
  const batch = new BatchStream<number>(9, { maxBytes: 10, sizeOf: (item) => item });
  const read = outcome(EventStream.from([4, 11, 3, 3]).pipeThrough(compose(batch, operator)));
  await settled();
  for (const step of ["4", "11", "3,3"]) {
    assert.deepEqual(log.splice(0), [`begin ${step}`]);
    await release();
    assert.equal(log.shift(), `end ${step}`);
  }
  assert.deepEqual(await read, { items: [[4], [11], [3, 3]] });
  assert.deepEqual(log, ["end"]);
});

test("BatchStream fails if sizeOf throws or returns nonsense", async () => {
  const error = new Error("cannot measure");
  const throws = new BatchStream<number>(9, {
    maxBytes: 9,
    sizeOf() {
      throw error;
    },
  });
  assert.equal((await outcome(EventStream.from([1]).pipeThrough(throws))).error, error);
  for (const size of [NaN, -1, undefined as unknown as number]) {
    const nonsense = new BatchStream<number>(9, { maxBytes: 9, sizeOf: () => size });
    const { error } = await outcome(EventStream.from([1]).pipeThrough(nonsense));
    assert.deepEqual(
      error,
      new TypeError(`Cannot batch an item: "sizeOf" returned "${size}". Return a number from 0`),
    );
  }
});

test("BatchStream refuses options out of range", () => {
  for (const size of [0, -1, 1.5, NaN, Infinity]) {
    assert.throws(() => new BatchStream(size), {
      name: "RangeError",
      message:
        `Cannot create BatchStream: "size" must be a whole number from 1: current value is "${size}"`,
    });
  }
  for (const maxWaitMs of [-1, NaN, Infinity]) {
    assert.throws(() => new BatchStream(1, { maxWaitMs }), RangeError);
  }
  for (const maxBytes of [0, -1, NaN]) {
    assert.throws(() => new BatchStream(1, { maxBytes }), RangeError);
  }
  assert.throws(() => new BatchStream(1, { sizeOf: 8 as unknown as () => number }), TypeError);
});

test("BatchStream loses nothing and keeps the order, however the input is cut", async () => {
  const cuts = fc.array(fc.array(fc.nat({ max: 30 }), { maxLength: 10 }), { maxLength: 10 });
  const limits = fc.record({
    size: fc.integer({ min: 1, max: 8 }),
    maxBytes: fc.option(fc.integer({ min: 1, max: 40 }), { nil: Infinity }),
    // After how many pulls the clock moves on far enough for the timer.
    waits: fc.array(fc.boolean(), { maxLength: 10 }),
  });
  await fc.assert(
    fc.asyncProperty(cuts, limits, async (microBatches, { size, maxBytes, waits }) => {
      const clock = new FakeClock();
      let pulls = 0;
      const source = new EventStream<number>({
        pull() {
          if (waits[pulls]) clock.advance(10);
          return microBatches[pulls++] ?? null;
        },
        cancel() {},
      });
      const batch = new BatchStream<number>(size, {
        maxBytes,
        sizeOf: (item) => item,
        maxWaitMs: 10,
        clock,
      });
      const { items: batches, error } = await outcome(source.pipeThrough(batch));
      assert.equal(error, undefined);
      assert.deepEqual(batches.flat(), microBatches.flat());
      for (const items of batches) {
        assert(items.length >= 1 && items.length <= size);
        assert(items.length === 1 || items.reduce((sum, item) => sum + item, 0) <= maxBytes);
      }
      assert.equal(clock.pending, 0);
    }),
    { numRuns: 100 },
  );
});

test("estimateBytes() is exact for plain text and never below the JSON", () => {
  const encoder = new TextEncoder();
  const length = (value: unknown): number => encoder.encode(JSON.stringify(value)).length;
  for (const value of ["", "abc", 'a"\\', "é", "€", 12.5, -1, true, false, null, [], [1], {}]) {
    assert(estimateBytes(value) - length(value) <= (typeof value === "object" ? 1 : 0));
  }
  assert.equal(estimateBytes(12345678901234567890n), 20);
  assert.equal(estimateBytes(new Uint8Array(7)), 7);
  fc.assert(
    fc.property(fc.jsonValue(), (value) => assert(estimateBytes(value) >= length(value))),
    { numRuns: 200 },
  );
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assert(estimateBytes(text) >= length(text));
    }),
    { numRuns: 200 },
  );
});

test("estimateBytes() stops at its limit, in deep and in endless values too", () => {
  const endless: unknown[] = [];
  endless.push(endless);
  assert(estimateBytes(endless, 100) > 100);
  let deep: unknown = null;
  for (let level = 0; level < 100_000; level++) deep = [deep];
  assert.equal(estimateBytes(deep), 300_004);
});
