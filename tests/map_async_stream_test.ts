import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compose, EventStream, LimitStream, MapAsyncStream } from "../lib/streams/mod.ts";
import { OperatorStream, SinkStream } from "../lib/streams/mod.ts";
import type { MapAsyncStreamOptions } from "../lib/streams/mod.ts";
import { outcome, probedSources, settled } from "./stream_probes.ts";

/** A function whose calls are settled by hand, in any order. */
function manual() {
  const calls = new Map<number, PromiseWithResolvers<string> & { signal: AbortSignal }>();
  return {
    calls,
    fn(n: number, signal: AbortSignal): Promise<string> {
      const call = { ...Promise.withResolvers<string>(), signal };
      calls.set(n, call);
      return call.promise;
    },
    async settle(...numbers: number[]): Promise<void> {
      for (const n of numbers) calls.get(n)!.resolve(`r${n}`);
      await settled();
    },
    async fail(n: number, error: unknown): Promise<void> {
      calls.get(n)!.reject(error);
      await settled();
    },
    /** The items whose signals were aborted, and the reasons. */
    aborted: () =>
      [...calls].filter(([, { signal }]) => signal.aborted).map(([n, { signal }]) => ({
        n,
        reason: signal.reason as unknown,
      })),
  };
}

/** Runs a MapAsyncStream over 1 to 9; what came out grows in `items`. */
function run(options: MapAsyncStreamOptions, source = probedSources[0]!) {
  const { calls, fn, settle, fail, aborted } = manual();
  const probe = source.make([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const items: string[] = [];
  const abort = new AbortController();
  const done = probe.stream.pipeThrough(new MapAsyncStream(fn, options)).pipeTo(
    new SinkStream({ write: (item) => void items.push(item) }),
    { signal: abort.signal },
  );
  done.catch(() => {});
  return { calls, settle, fail, aborted, probe, items, done, abort };
}

test("MapAsyncStream makes one call at a time by default", async () => {
  const { calls, settle, items, probe } = run({});
  await settled();
  assert.deepEqual([...calls.keys()], [1]);
  assert.equal(probe.pulls, 1);
  await settle(1);
  assert.deepEqual(items, ["r1"]);
  assert.deepEqual([...calls.keys()], [1, 2]);
});

test("MapAsyncStream makes as many calls at a time as it may, and keeps the order", async () => {
  for (const source of probedSources) {
    const { calls, settle, items, done } = run({ concurrency: 3 }, source);
    await settled();
    assert.deepEqual([...calls.keys()], [1, 2, 3]);
    await settle(3);
    // The result of 3 waits for 1 and 2 and is under way until then.
    assert.deepEqual(items, []);
    assert.equal(calls.size, 3);
    await settle(1);
    assert.deepEqual(items, ["r1"]);
    assert.equal(calls.size, 4);
    await settle(2);
    assert.deepEqual(items, ["r1", "r2", "r3"]);
    assert.equal(calls.size, 6);
    await settle(6, 5, 4);
    await settle(9, 8, 7);
    await done;
    assert.deepEqual(items.join(), "r1,r2,r3,r4,r5,r6,r7,r8,r9");
  }
});

test("MapAsyncStream hands on results as they come if they need no order", async () => {
  for (const source of probedSources) {
    const { calls, settle, items, done } = run({ concurrency: 3, ordered: false }, source);
    await settled();
    await settle(3);
    assert.deepEqual(items, ["r3"]);
    assert.deepEqual([...calls.keys()], [1, 2, 3, 4]);
    await settle(2, 4);
    assert.deepEqual(items, ["r3", "r2", "r4"]);
    await settle(1, 5, 6);
    await settle(9, 7, 8);
    await done;
    assert.equal(items.length, 9);
  }
});

test("MapAsyncStream asks for no more than may be under way", async () => {
  for (const source of probedSources) {
    const probe = source.make(Array.from({ length: 100 }, (_, index) => index));
    const { fn, settle, calls } = manual();
    const reader = probe.stream.pipeThrough(new MapAsyncStream(fn, { concurrency: 4 })).getReader();
    await settled();
    assert.equal(probe.pulls, 0);
    const read = reader.read();
    await settled();
    assert.equal(probe.pulls, 4);
    await settle(0, 1, 2, 3);
    assert.equal((await read).value, "r0");
    await settled();
    // Nobody waits for the others: at most the four that may be under way follow.
    assert(probe.pulls <= 8, `${probe.pulls} pulls`);
    await reader.cancel();
    assert(calls.size <= 8);
  }
});

test("MapAsyncStream gives results before a failed call first, if they are ordered", async () => {
  const error = new Error("no answer");
  const { calls, settle, fail, aborted, items, done, probe } = run({ concurrency: 3 });
  await settled();
  await fail(2, error);
  await settle(1);
  assert.deepEqual(items, ["r1"]);
  await assert.rejects(done, (given) => given === error);
  // No call was made for nothing, and the one under way was told.
  assert.deepEqual([...calls.keys()], [1, 2, 3]);
  assert.deepEqual(aborted(), [{ n: 3, reason: error }]);
  await settled();
  assert.deepEqual(probe.reasons, [error]);
  await fail(3, new Error("nobody is to hear of it"));
});

test("MapAsyncStream fails at once if there is no order", async () => {
  const error = new Error("no answer");
  const { fail, aborted, items, done } = run({ concurrency: 3, ordered: false });
  await settled();
  await fail(2, error);
  await assert.rejects(done, (given) => given === error);
  assert.deepEqual(items, []);
  assert.deepEqual(aborted(), [{ n: 1, reason: error }, { n: 3, reason: error }]);
});

test("MapAsyncStream fails with what its function throws", async () => {
  const error = new Error("at once");
  for (const concurrency of [1, 2]) {
    const throws = new MapAsyncStream<number, number>(() => {
      throw error;
    }, { concurrency });
    assert.equal((await outcome(EventStream.from([1]).pipeThrough(throws))).error, error);
  }
});

test("MapAsyncStream aborts the calls under way on every way out", async () => {
  for (const concurrency of [1, 2]) {
    const under = Array.from({ length: concurrency }, (_, index) => index + 2);
    const reason = new Error("enough");
    const one = run({ concurrency });
    await settled();
    await one.settle(1);
    one.abort.abort(reason);
    await assert.rejects(one.done, (given) => given === reason);
    assert.deepEqual(one.aborted(), under.map((n) => ({ n, reason })));

    // The reader leaves while a source hangs.
    const { fn, aborted, settle } = manual();
    const map = new MapAsyncStream(fn, { concurrency });
    const reader = probedSources[0]!.make([1], "hang").stream.pipeThrough(map).getReader();
    const read = reader.read();
    await settled();
    await reader.cancel(reason);
    assert.equal((await read).done, true);
    assert.deepEqual(aborted(), [{ n: 1, reason }]);
    await settle(1);
  }
});

test("MapAsyncStream does not abort calls that are settled", async () => {
  for (const concurrency of [1, 3]) {
    const signals: AbortSignal[] = [];
    const map = new MapAsyncStream<number, number>((n, signal) => {
      signals.push(signal);
      return n === 1 ? 1 : new Promise(() => {});
    }, { concurrency });
    const chain = compose(map, new LimitStream<number>(1));
    const { items } = await outcome(EventStream.from([1, 2, 3]).pipeThrough(chain));
    assert.deepEqual(items, [1]);
    assert.equal(signals[0]!.aborted, false);
    for (const signal of signals.slice(1)) {
      assert.equal((signal.reason as DOMException).name, "AbortError");
    }
  }
});

test("MapAsyncStream calls the stage below one at a time, and counts what it is busy with", async () => {
  for (const ordered of [true, false]) {
    let busy = false;
    let release = (): void => {};
    const slow = new OperatorStream<string, string>((down) => ({
      async push(item) {
        assert.equal(busy, false);
        busy = true;
        await new Promise<void>((resolve) => release = resolve);
        busy = false;
        await down.push(item);
      },
      end() {
        assert.equal(busy, false);
        return down.end();
      },
    }));
    const { calls, fn, settle } = manual();
    const chain = compose(new MapAsyncStream(fn, { concurrency: 2, ordered }), slow);
    const read = outcome(EventStream.from([1, 2, 3, 4]).pipeThrough(chain));
    await settled();
    await settle(1, 2);
    assert.equal(calls.size, 2);
    for (let step = 1; step <= 4; step++) {
      release();
      await settled();
      if (step === 1) assert.equal(calls.size, 3);
      if (step === 2) await settle(3, 4);
    }
    release();
    assert.deepEqual(await read, { items: ["r1", "r2", "r3", "r4"] });
  }
});

test("MapAsyncStream loses nothing, whatever the calls take", async () => {
  const turns = fc.array(fc.nat({ max: 4 }), { maxLength: 30 });
  const settings = fc.record({
    concurrency: fc.integer({ min: 1, max: 6 }),
    ordered: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(turns, settings, async (waits, options) => {
      let running = 0;
      const map = new MapAsyncStream(async (index: number) => {
        assert(++running <= options.concurrency);
        for (let turn = 0; turn < waits[index]!; turn++) await Promise.resolve();
        running--;
        return index;
      }, options);
      const { items, error } = await outcome(
        EventStream.from([...waits.keys()]).pipeThrough(map),
      );
      assert.equal(error, undefined);
      if (!options.ordered) items.sort((a, b) => a - b);
      assert.deepEqual(items, [...waits.keys()]);
    }),
    { numRuns: 100 },
  );
});

test("MapAsyncStream refuses options that make no sense", () => {
  const fn = (n: number): Promise<number> => Promise.resolve(n);
  for (const concurrency of [0, 1.5, NaN, Infinity]) {
    assert.throws(() => new MapAsyncStream(fn, { concurrency }), {
      name: "RangeError",
      message:
        `Cannot create MapAsyncStream: "concurrency" must be a whole number from 1: current value is "${concurrency}"`,
    });
  }
  assert.throws(() => new MapAsyncStream(5 as unknown as typeof fn), TypeError);
});

test("MapAsyncStream makes no call after one has failed, though results are still to come", async () => {
  const error = new Error("no answer");
  const full = run({ concurrency: 3 });
  await settled();
  await full.fail(3, error);
  await full.settle(1);
  assert.deepEqual(full.items, ["r1"]);
  await full.settle(2);
  await assert.rejects(full.done, (given) => given === error);
  assert.deepEqual(full.items, ["r1", "r2"]);
  assert.deepEqual([...full.calls.keys()], [1, 2, 3]);

  // The failed call comes when there is room for more, and the next item after it.
  const { calls, fn, settle, fail } = manual();
  const input = new TransformStream<number, number>(undefined, { highWaterMark: 10 });
  const writer = input.writable.getWriter();
  const read = outcome(input.readable.pipeThrough(new MapAsyncStream(fn, { concurrency: 5 })));
  for (const n of [1, 2]) writer.write(n).catch(() => {});
  await settled();
  await fail(2, error);
  writer.write(3).catch(() => {});
  await settled();
  await settle(1);
  assert.deepEqual(await read, { items: ["r1"], error });
  assert.deepEqual([...calls.keys()], [1, 2]);
});

test("MapAsyncStream lets the source go though its function takes no notice of the signal", async () => {
  for (const source of probedSources) {
    for (const concurrency of [1, 2]) {
      const reason = new Error("enough");
      const probe = source.make([1, 2, 3]);
      const map = new MapAsyncStream(() => new Promise<number>(() => {}), { concurrency });
      const reader = probe.stream.pipeThrough(map).getReader();
      const read = reader.read();
      await settled();
      await reader.cancel(reason);
      assert.equal((await read).done, true);
      await settled();
      assert.deepEqual(probe.reasons, [reason]);
    }
  }
});
