import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BufferStream,
  EventStream,
  OverflowError,
  TapStream,
  toArray,
} from "../lib/streams/mod.ts";
import type { BufferStreamOptions } from "../lib/streams/mod.ts";
import { outcome, probedSources, readers, settled, workFor } from "./stream_probes.ts";
import type { Ending, ProbedSource } from "./stream_probes.ts";

const numbers = Array.from({ length: 20 }, (_, index) => index + 1);

/** Reads one item of 1 to 20 through a buffer, and lets the source go on for as long as it can. */
async function afterOneRead(
  source: ProbedSource,
  capacity: number,
  options: BufferStreamOptions<number>,
  ending: Ending = "hang",
) {
  const probe = source.make(numbers, ending);
  const buffer = new BufferStream<number>(capacity, options);
  const reader = probe.stream.pipeThrough(buffer).getReader();
  await settled();
  assert.equal(probe.pulls, 0);
  assert.equal((await reader.read()).value, 1);
  for (let round = 0; round < 5; round++) await settled();
  return { probe, buffer, reader };
}

async function rest<T>(reader: ReadableStreamDefaultReader<T>): Promise<T[]> {
  const items: T[] = [];
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    items.push(step.value);
  }
  return items;
}

for (const source of probedSources) {
  test(`BufferStream holds capacity items of ${source.name} and then blocks`, async () => {
    for (const capacity of [1, 3]) {
      const { probe, buffer, reader } = await afterOneRead(source, capacity, {}, "end");
      // One was read, and the operator in front of the buffer holds no more than one.
      assert(probe.pulls >= 1 + capacity && probe.pulls <= 2 + capacity, `${probe.pulls} pulls`);
      assert.deepEqual(await rest(reader), numbers.slice(1));
      assert.equal(buffer.dropped, 0);
      assert.deepEqual(probe.reasons, []);
    }
  });

  test(`BufferStream takes more of ${source.name} as soon as there is room`, async () => {
    const { probe, reader } = await afterOneRead(source, 3, {});
    const { pulls } = probe;
    await reader.read();
    await settled();
    // What waited is on its way to the reader, and as much can be taken.
    assert.equal(probe.pulls, pulls + 3);
    await reader.cancel();
  });

  test(`BufferStream drops the oldest or the newest items of ${source.name}`, async () => {
    const cases = [
      { overflow: "drop-oldest", kept: [18, 19, 20], dropped: numbers.slice(1, 17) },
      { overflow: "drop-newest", kept: [2, 3, 4], dropped: numbers.slice(4) },
    ] as const;
    for (const { overflow, kept, dropped } of cases) {
      const seen: number[] = [];
      const onDrop = (item: number): void => void seen.push(item);
      const run = await afterOneRead(source, 3, { overflow, onDrop }, "end");
      assert.equal(run.probe.pulls, 21);
      assert.equal(run.buffer.dropped, 16);
      assert.deepEqual(seen, dropped);
      assert.deepEqual(await rest(run.reader), kept);
    }
  });

  test(`BufferStream fails when there is no room for an item of ${source.name}`, async () => {
    const { probe, reader } = await afterOneRead(source, 2, { overflow: "error" });
    assert.equal((await reader.read()).value, 2);
    assert.equal((await reader.read()).value, 3);
    const error = await reader.read().catch((error: unknown) => error);
    assert(error instanceof OverflowError);
    assert.equal(error.capacity, 2);
    assert.match(error.message, /^Cannot hold an item for a slow reader: 2 are waiting already/);
    await settled();
    assert.deepEqual(probe.reasons, [error]);
  });

  test(`BufferStream gives the error of ${source.name} after what it holds`, async () => {
    const error = new Error("the source broke");
    const { reader } = await afterOneRead(source, 100, {}, { error });
    for (const expected of numbers.slice(1)) assert.equal((await reader.read()).value, expected);
    await assert.rejects(() => reader.read(), (given) => given === error);
  });

  test(`BufferStream drops what it holds of ${source.name} when the reader leaves`, async () => {
    const reason = new Error("enough");
    const { probe, reader, buffer } = await afterOneRead(source, 3, {});
    await reader.cancel(reason);
    await settled();
    assert.deepEqual(probe.reasons, [reason]);
    assert.equal((await reader.read()).done, true);
    assert.equal(buffer.dropped, 0);
  });

  test(`BufferStream fails with what onDrop throws, on ${source.name}`, async () => {
    const error = new Error("cannot count");
    const onDrop = (): void => {
      throw error;
    };
    const { probe, reader } = await afterOneRead(source, 1, { overflow: "drop-newest", onDrop });
    assert.equal((await reader.read()).value, 2);
    await assert.rejects(() => reader.read(), (given) => given === error);
    await settled();
    assert.deepEqual(probe.reasons, [error]);
  });
}

test("BufferStream drops nothing before readers that give others a turn have had theirs", async () => {
  for (const overflow of ["drop-oldest", "drop-newest", "error"] as const) {
    for (const { name, read } of readers) {
      const buffer = new BufferStream<number>(3, { overflow });
      // After 5 ms of work each part of a chain lets everything else have its turn.
      const busy = new TapStream<number>((n) => n % 7 === 0 ? workFor(6) : undefined);
      const items = await read(EventStream.from(numbers).pipeThrough(busy).pipeThrough(buffer));
      assert.deepEqual([items, buffer.dropped], [numbers, 0], `${name}, ${overflow}`);
    }
  }
});

test("BufferStream lets a slow reader have its turn when the source never waits", async () => {
  let made = 0;
  const endless = new EventStream<number>({ pull: () => [++made], cancel() {} });
  const buffer = new BufferStream<number>(10, { overflow: "drop-oldest" });
  const reader = endless.pipeThrough(buffer).getReader();
  for (let reads = 0; reads < 20; reads++) {
    await settled();
    assert.equal((await reader.read()).done, false);
  }
  assert(buffer.dropped > 0);
  await reader.cancel();
});

test("BufferStream holds what is in it, and no more, however much is dropped", async () => {
  const count = 100_000;
  const buffer = new BufferStream<number>(1000, { overflow: "drop-oldest" });
  let last = 0;
  const source = EventStream.from(Array.from({ length: count }, (_, index) => index));
  const reader = source.pipeThrough(new TapStream((n) => void (last = n))).pipeThrough(buffer)
    .getReader();
  await reader.read();
  while (last < count - 1) await settled();
  await settled();
  assert.equal(buffer.dropped, count - 1001);
  assert.deepEqual(await rest(reader), Array.from({ length: 1000 }, (_, n) => count - 1000 + n));
});

test("BufferStream can be the last operator before toArray() and between others", async () => {
  const stream = EventStream.from(numbers)
    .pipeThrough(new TapStream(() => {}))
    .pipeThrough(new BufferStream(5))
    .pipeThrough(new TapStream(() => {}));
  assert.deepEqual(await toArray(stream), numbers);
  assert.deepEqual(await outcome(EventStream.from([]).pipeThrough(new BufferStream(5))), {
    items: [],
  });
});

test("BufferStream refuses options that make no sense", () => {
  for (const capacity of [0, -1, 1.5, NaN, Infinity]) {
    assert.throws(() => new BufferStream(capacity), {
      name: "RangeError",
      message:
        `Cannot create BufferStream: "capacity" must be a whole number from 1: current value is "${capacity}"`,
    });
  }
  assert.throws(() => new BufferStream(1, { overflow: "drop" as "block" }), {
    name: "TypeError",
    message:
      'Cannot create BufferStream: "overflow" must be one of "block", "drop-oldest", "drop-newest", "error": current value is "drop"',
  });
  assert.throws(() => new BufferStream(1, { onDrop: 1 as unknown as () => void }), TypeError);
});
