import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { broadcastReadableStream, EventStream, FalcoError } from "../lib/streams/mod.ts";
import { FilterStream, SinkStream, TapStream, toArray } from "../lib/streams/mod.ts";
import type { Overflow } from "../lib/streams/mod.ts";
import { outcome, probedSources, readers, settled, workFor } from "./stream_probes.ts";

const numbers = Array.from({ length: 30 }, (_, index) => index + 1);

/** Reads items one by one until the end, or until a read has to wait. */
async function readAll<T>(reader: ReadableStreamDefaultReader<T>): Promise<T[]> {
  const items: T[] = [];
  while (true) {
    const read = reader.read();
    const step = await Promise.race([read, settled().then(() => undefined)]);
    if (step === undefined) read.catch(() => {});
    if (step === undefined || step.done) return items;
    items.push(step.value);
  }
}

for (const source of probedSources) {
  test(`broadcastReadableStream() gives every item of ${source.name} to every branch`, async () => {
    const probe = source.make(numbers);
    const branches = broadcastReadableStream(probe.stream, 3);
    await settled();
    assert.equal(probe.pulls, 0);
    const [one, two, three] = await Promise.all([
      toArray(branches[0]!),
      outcome(branches[1]!),
      toArray(branches[2]!.pipeThrough(new FilterStream((n) => n % 2 === 0))),
    ]);
    assert.deepEqual(one, numbers);
    assert.deepEqual(two, { items: numbers });
    assert.deepEqual(three, numbers.filter((n) => n % 2 === 0));
    assert.deepEqual(branches.map(({ dropped }) => dropped), [0, 0, 0]);
    assert.deepEqual(probe.reasons, []);
  });

  test(`broadcastReadableStream() pulls from ${source.name} what the fastest branch reads`, async () => {
    for (const overflow of ["block", "drop-oldest", "drop-newest", "error"] as const) {
      const probe = source.make(numbers);
      const branches = broadcastReadableStream(probe.stream, 2, { overflow });
      const readers = branches.map((branch) => branch.getReader());
      for (let reads = 1; reads <= 5; reads++) {
        assert.equal((await readers[0]!.read()).value, reads);
        await settled();
        assert.equal(probe.pulls, reads);
      }
      for (let reads = 1; reads <= 5; reads++) {
        assert.equal((await readers[1]!.read()).value, reads);
      }
      assert.equal(probe.pulls, 5);
      await Promise.all(readers.map((reader) => reader.cancel()));
    }
  });

  test(`broadcastReadableStream() holds a branch of ${source.name} up with "block"`, async () => {
    const probe = source.make(numbers);
    const [fast, slow] = broadcastReadableStream(probe.stream, 2, { capacity: 4 })
      .map((branch) => branch.getReader());
    assert.deepEqual(await readAll(fast!), [1, 2, 3, 4]);
    // However many turns the slow one has and lets pass.
    for (let turns = 0; turns < 20; turns++) await settled();
    assert.equal(probe.pulls, 4);
    // The slow one takes what it holds, and both go on.
    assert.equal((await slow!.read()).value, 1);
    const rest = await Promise.all([readAll(fast!), readAll(slow!)]);
    assert.equal(rest[1].length, 29);
    await Promise.all([fast!.cancel(), slow!.cancel()]);
  });

  test(`broadcastReadableStream() drops from a slow branch of ${source.name} only`, async () => {
    const cases: { overflow: Overflow; kept: number[]; lost: number[] }[] = [
      { overflow: "drop-oldest", kept: numbers.slice(-4), lost: numbers.slice(0, -4) },
      { overflow: "drop-newest", kept: numbers.slice(0, 4), lost: numbers.slice(4) },
    ];
    for (const { overflow, kept, lost } of cases) {
      const dropped: number[] = [];
      const onDrop = (item: number, branch: number): void => {
        assert.equal(branch, 1);
        dropped.push(item);
      };
      const branches = broadcastReadableStream(source.make(numbers).stream, 2, {
        capacity: 4,
        overflow,
        onDrop,
      });
      assert.deepEqual(await toArray(branches[0]!), numbers);
      assert.deepEqual(branches.map((branch) => branch.dropped), [0, 26]);
      assert.deepEqual(dropped, lost);
      assert.deepEqual(await toArray(branches[1]!), kept);
    }
  });

  test(`broadcastReadableStream() fails only a slow branch of ${source.name} with "error"`, async () => {
    const probe = source.make(numbers);
    const [fast, slow] = broadcastReadableStream(probe.stream, 2, {
      capacity: 4,
      overflow: "error",
    });
    assert.deepEqual(await toArray(fast!), numbers);
    const { items, error } = await outcome(slow!);
    assert.deepEqual(items, [1, 2, 3, 4]);
    assert(error instanceof FalcoError);
    assert.deepEqual(probe.reasons, []);
  });

  test(`broadcastReadableStream() gives the error of ${source.name} to every branch`, async () => {
    const error = new Error("the source broke");
    const probe = source.make([1, 2], { error });
    const results = await Promise.all(broadcastReadableStream(probe.stream, 2).map(outcome));
    for (const result of results) {
      assert.deepEqual(result.items, [1, 2]);
      assert.equal(result.error, error);
    }
  });

  test(`broadcastReadableStream() cancels ${source.name} with its last branch`, async () => {
    const probe = source.make(numbers);
    const branches = broadcastReadableStream(probe.stream, 3, { capacity: 2 });
    const reader = branches[0]!.getReader();
    assert.deepEqual(await readAll(reader), [1, 2]);
    // Branches that leave hold nobody up any more.
    await branches[1]!.cancel("b");
    assert.equal(probe.pulls, 2);
    await branches[2]!.cancel("c");
    await settled();
    assert.equal((await readAll(reader)).length, 27);
    assert.deepEqual(probe.reasons, []);

    const second = source.make(numbers, "hang");
    const [one, two] = broadcastReadableStream(second.stream, 2);
    await two!.cancel("b");
    assert.deepEqual(second.reasons, []);
    await one!.cancel("a");
    await settled();
    assert.deepEqual(second.reasons, [["a", "b"]]);
  });

  test(`broadcastReadableStream() fails with what onDrop throws, on ${source.name}`, async () => {
    const error = new Error("cannot count");
    const probe = source.make(numbers);
    const branches = broadcastReadableStream(probe.stream, 2, {
      capacity: 1,
      overflow: "drop-newest",
      onDrop() {
        throw error;
      },
    });
    const result = await outcome(branches[0]!);
    assert.equal(result.error, error);
    assert.equal((await outcome(branches[1]!)).error, error);
    await settled();
    assert.deepEqual(probe.reasons, [error]);
  });
}

test("broadcastReadableStream() lets slow branches read when the source never waits", async () => {
  for (const overflow of ["block", "drop-oldest", "drop-newest"] as const) {
    let made = 0;
    let cancelled = false;
    const endless = new EventStream<number>({
      pull: () => [++made],
      cancel: () => void (cancelled = true),
    });
    const [fast, slow] = broadcastReadableStream(endless, 2, { capacity: 8, overflow });
    const abort = new AbortController();
    let read = 0;
    const piped = fast!.pipeTo(new SinkStream({ write: () => void read++ }), {
      signal: abort.signal,
    });
    const reader = slow!.getReader();
    for (let reads = 0; reads < 20; reads++) {
      await settled();
      assert.equal((await reader.read()).done, false);
    }
    assert(read > 0);
    // What is not with the fast branch or dropped is held, and that is little.
    const held = made - slow!.dropped - 20;
    assert(held <= 8 + 64 + 1, `${held} items are held with ${overflow}`);
    assert.equal(fast!.dropped, 0);
    abort.abort();
    await assert.rejects(piped);
    await reader.cancel();
    await settled();
    assert.equal(cancelled, true);
  }
});

test("broadcastReadableStream() waits for the source with the last cancel, and hands its error on", async () => {
  const error = new Error("cannot let go");
  const source = new EventStream<number>({
    pull: () => new Promise(() => {}),
    cancel: () => Promise.reject(error),
  });
  const [one, two] = broadcastReadableStream(source, 2);
  await one!.cancel();
  await assert.rejects(() => two!.cancel(), (given) => given === error);
});

test("broadcastReadableStream() refuses what makes no sense", () => {
  const stream = EventStream.from([1]);
  for (const count of [0, -1, 1.5, NaN, Infinity]) {
    assert.throws(() => broadcastReadableStream(stream, count), {
      name: "RangeError",
      message:
        `Cannot broadcast a stream: "count" must be a whole number from 1: current value is "${count}"`,
    });
  }
  assert.throws(() => broadcastReadableStream(stream, 1, { capacity: 0 }), RangeError);
  assert.throws(() => broadcastReadableStream(stream, 1, { overflow: "x" as "block" }), TypeError);
  assert.throws(
    () => broadcastReadableStream(stream, 1, { onDrop: 1 as unknown as () => void }),
    TypeError,
  );
  assert.equal(stream.locked, false);
  stream.getReader();
  assert.throws(() => broadcastReadableStream(stream, 1), TypeError);
});

test("broadcastReadableStream() drops nothing of branches that are read as fast as can be", async () => {
  const many = Array.from({ length: 300 }, (_, index) => index + 1);
  for (const overflow of ["drop-oldest", "drop-newest", "error"] as const) {
    for (const [index, one] of readers.entries()) {
      for (const two of [one, readers[(index + 1) % readers.length]!]) {
        // After 5 ms of work each part of a chain lets everything else have its turn.
        const busy = new TapStream<number>((n) => n % 100 === 7 ? workFor(6) : undefined);
        const branches = broadcastReadableStream(EventStream.from(many).pipeThrough(busy), 2, {
          capacity: 10,
          overflow,
        });
        const items = await Promise.all([one.read(branches[0]!), two.read(branches[1]!)]);
        const dropped = branches.map((branch) => branch.dropped);
        assert.deepEqual([items, dropped], [[many, many], [0, 0]], `${one.name}, ${two.name}`);
      }
    }
  }
});

test("broadcastReadableStream() drops nothing of a branch that is read in turn with others", async () => {
  for (const overflow of ["drop-oldest", "drop-newest", "error"] as const) {
    const branches = broadcastReadableStream(EventStream.from(numbers), 2, {
      capacity: 4,
      overflow,
    });
    const all = toArray(branches[0]!);
    const items: number[] = [];
    for await (const item of branches[1]!) {
      items.push(item);
      // Without turns in between, all others come before the next item is asked for.
      await setImmediate();
    }
    assert.deepEqual([items, await all, branches[1]!.dropped], [numbers, numbers, 0], overflow);
  }
});
