import assert from "node:assert/strict";
import { test } from "node:test";
import {
  EventStream,
  FilterStream,
  LimitStream,
  mergeReadableStreams,
} from "../lib/streams/mod.ts";
import { outcome, probedSources, settled } from "./stream_probes.ts";

for (const source of probedSources) {
  test(`mergeReadableStreams() hands on every item of ${source.name}, each in its order`, async () => {
    const streams = [[1, 2, 3], [], [11], [21, 22]].map((items) => source.make(items).stream);
    const { items, error } = await outcome(mergeReadableStreams(...streams));
    assert.equal(error, undefined);
    assert.deepEqual([...items].sort((a, b) => a - b), [1, 2, 3, 11, 21, 22]);
    for (const tens of [0, 10, 20]) {
      const own = items.filter((n) => n > tens && n < tens + 10);
      assert.deepEqual(own, [...own].sort());
    }
  });

  test(`mergeReadableStreams() of 100 pulls from each ${source.name} what is read`, async () => {
    const probes = Array.from(
      { length: 100 },
      (_, index) => source.make(Array.from({ length: 10 }, () => index)),
    );
    const reader = mergeReadableStreams(probes.map(({ stream }) => stream)).getReader();
    await settled();
    assert(probes.every(({ pulls }) => pulls === 0));
    const seen = new Array<number>(100).fill(0);
    for (let reads = 0; reads < 500; reads++) {
      seen[(await reader.read()).value!]!++;
      await settled();
      // No source is more than one item ahead of what was read of it, and none is left behind.
      for (const [index, { pulls }] of probes.entries()) {
        assert(pulls <= seen[index]! + 1);
        assert(seen[index]! >= Math.floor((reads + 1) / 100) - 1);
      }
    }
    await reader.cancel();
  });

  test(`mergeReadableStreams() cancels every ${source.name} that has not ended`, async () => {
    const reason = { why: "enough" };
    const probes = [source.make([1], "hang"), source.make([2]), source.make([3], "hang")];
    const reader = mergeReadableStreams(...probes.map(({ stream }) => stream)).getReader();
    for (let reads = 0; reads < 3; reads++) await reader.read();
    const read = reader.read();
    await settled();
    await reader.cancel(reason);
    assert.equal((await read).done, true);
    assert.deepEqual(probes.map(({ reasons }) => reasons), [[reason], [], [reason]]);
  });

  test(`mergeReadableStreams() fails when ${source.name} does, and cancels the others`, async () => {
    const error = new Error("host gone");
    const probes = [source.make([1], "hang"), source.make([2], { error })];
    const result = await outcome(mergeReadableStreams(...probes.map(({ stream }) => stream)));
    assert.deepEqual(result.items, [1, 2]);
    assert.equal(result.error, error);
    await settled();
    assert.deepEqual(probes.map(({ reasons }) => reasons), [[error], []]);
  });

  test(`mergeReadableStreams() goes on without ${source.name} that fails if it may`, async () => {
    const error = new Error("host gone");
    const told: unknown[] = [];
    const decide = (given: unknown, index: number) => {
      told.push([given, index]);
      return "drop-source" as const;
    };
    for (const onError of ["drop-source" as const, decide]) {
      const streams = [source.make([1, 2, 3]).stream, source.make([11], { error }).stream];
      const { items, ...end } = await outcome(mergeReadableStreams(streams, { onError }));
      assert.deepEqual(items.sort((a, b) => a - b), [1, 2, 3, 11]);
      assert.deepEqual(end, {});
    }
    assert.deepEqual(told, [[error, 1]]);
    const all = [source.make([], { error }).stream];
    assert.deepEqual(await outcome(mergeReadableStreams(all, { onError: "drop-source" })), {
      items: [],
    });
  });
}

test("mergeReadableStreams() fails if onError says so, or throws", async () => {
  const error = new Error("host gone");
  const other = new Error("cannot decide");
  const broken = () => probedSources[0]!.make<number>([], { error }).stream;
  const says = await outcome(mergeReadableStreams([broken()], { onError: () => "fail" }));
  assert.equal(says.error, error);
  const hanging = probedSources[0]!.make<number>([], "hang");
  const throws = await outcome(mergeReadableStreams([hanging.stream, broken()], {
    onError() {
      throw other;
    },
  }));
  assert.equal(throws.error, other);
  await settled();
  assert.deepEqual(hanging.reasons, [other]);
});

test("mergeReadableStreams() does not wait for a source that hangs", async () => {
  const hanging = probedSources[0]!.make<number>([], "hang");
  const busy = probedSources[0]!.make([1, 2, 3], "hang");
  const merged = mergeReadableStreams(hanging.stream, busy.stream);
  const { items } = await outcome(merged.pipeThrough(new LimitStream(3)));
  assert.deepEqual(items, [1, 2, 3]);
  await settled();
  assert.equal(hanging.pulls, 1);
  assert.deepEqual(hanging.reasons, [undefined]);
});

test("mergeReadableStreams() waits for every source to be cancelled, and says if one cannot", async () => {
  const error = new Error("cannot let go");
  let release = (): void => {};
  const slow = new EventStream<number>({
    pull: () => new Promise(() => {}),
    cancel: () => new Promise<void>((resolve) => release = resolve),
  });
  const stuck = new EventStream<number>({
    pull: () => new Promise(() => {}),
    cancel: () => Promise.reject(error),
  });
  let over = false;
  const cancelled = mergeReadableStreams(stuck, slow).cancel().finally(() => over = true);
  cancelled.catch(() => {});
  await settled();
  assert.equal(over, false);
  release();
  await assert.rejects(cancelled, (given) => given === error);
});

test("mergeReadableStreams() of nothing is empty, and it can be piped on", async () => {
  assert.deepEqual(await outcome(mergeReadableStreams()), { items: [] });
  assert.deepEqual(await outcome(mergeReadableStreams([])), { items: [] });
  const merged = mergeReadableStreams(EventStream.from([1, 2]))
    .pipeThrough(new FilterStream((n) => n > 1));
  assert.deepEqual(await outcome(merged), { items: [2] });
});

test("mergeReadableStreams() refuses streams it cannot have, and locks none then", () => {
  const free = EventStream.from([1]);
  const locked = EventStream.from([2]);
  locked.getReader();
  assert.throws(() => mergeReadableStreams(free, locked), TypeError);
  assert.equal(free.locked, false);
  assert.throws(() => mergeReadableStreams([free, {} as ReadableStream<number>]), {
    message: 'Cannot merge streams: "streams[1]" is not a ReadableStream',
  });
  assert.equal(free.locked, false);
  assert.throws(() => mergeReadableStreams([free], { onError: "skip" as "fail" }), TypeError);
  assert.equal(free.locked, false);
});
