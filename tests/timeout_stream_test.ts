import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../harness/fake_clock.ts";
import { EventStream, TimeoutStream } from "../lib/streams/mod.ts";
import { outcome, probedSources, settled } from "./stream_probes.ts";

/** A stream that somebody else writes into, behind a TimeoutStream. */
function feed(idleMs: number, clock: FakeClock) {
  const reasons: unknown[] = [];
  let controller!: ReadableStreamDefaultController<number>;
  const source = new ReadableStream<number>({
    start: (given) => void (controller = given),
    cancel: (reason) => void reasons.push(reason),
  });
  const reader = source.pipeThrough(new TimeoutStream<number>(idleMs, { clock })).getReader();
  return { controller, reader, reasons };
}

test("TimeoutStream fails when no item comes for idleMs", async () => {
  const clock = new FakeClock();
  const { controller, reader, reasons } = feed(100, clock);
  await settled();
  assert.equal(clock.pending, 0);
  let read = reader.read();
  await settled();
  clock.advance(99);
  controller.enqueue(1);
  assert.equal((await read).value, 1);

  // The time counts from when the next item is asked for.
  read = reader.read();
  read.catch(() => {});
  await settled();
  clock.advance(99);
  await settled();
  assert.deepEqual(reasons, []);
  clock.advance(1);
  const error = await read.catch((error: unknown) => error);
  assert(error instanceof DOMException);
  assert.equal(error.name, "TimeoutError");
  assert.equal(error.message, "Cannot go on: no item came for 100 ms");
  await settled();
  assert.deepEqual(reasons, [error]);
  assert.equal(clock.pending, 0);
  await assert.rejects(() => reader.read(), (given) => given === error);
});

test("TimeoutStream does not count the time that a reader takes", async () => {
  const clock = new FakeClock();
  const { controller, reader } = feed(100, clock);
  const first = reader.read();
  controller.enqueue(1);
  await first;
  clock.advance(1000);
  await settled();
  const second = reader.read();
  clock.advance(99);
  controller.enqueue(2);
  assert.equal((await second).value, 2);
  controller.close();
  assert.equal((await reader.read()).done, true);
  assert.equal(clock.pending, 0);
});

test("TimeoutStream takes its timer back on every way out", async () => {
  const error = new Error("broken");
  for (const source of probedSources) {
    for (const ending of ["end" as const, { error }]) {
      const clock = new FakeClock();
      const { stream } = source.make([1, 2], ending);
      const result = await outcome(stream.pipeThrough(new TimeoutStream(100, { clock })));
      assert.deepEqual(result.items, [1, 2]);
      assert.equal(result.error, ending === "end" ? undefined : error);
      assert.equal(clock.pending, 0);
    }
    for (const left of [[], [1]]) {
      const clock = new FakeClock();
      const { stream } = source.make(left, "hang");
      const reader = stream.pipeThrough(new TimeoutStream(100, { clock })).getReader();
      if (left.length > 0) await reader.read();
      const read = reader.read();
      await settled();
      assert.equal(clock.pending, 1);
      await reader.cancel();
      assert.equal((await read).done, true);
      assert.equal(clock.pending, 0);
    }
  }
});

test("TimeoutStream takes its timer back when a source fails or ends at once", async () => {
  const error = new Error("broken");
  for (const how of ["fails", "ends"]) {
    const clock = new FakeClock();
    let pulls = 0;
    const stream = new EventStream<number>({
      pull() {
        if (++pulls === 1) return Promise.resolve([1]);
        if (how === "fails") throw error;
        return null;
      },
      cancel() {},
    });
    const reader = stream.pipeThrough(new TimeoutStream<number>(100, { clock })).getReader();
    assert.equal((await reader.read()).value, 1);
    assert.equal(clock.pending, 1);
    if (how === "fails") await assert.rejects(reader.read(), (given) => given === error);
    else assert.equal((await reader.read()).done, true);
    assert.equal(clock.pending, 0);
  }
});

test("TimeoutStream counts anew when the clock is set back", async () => {
  let nowMs = 1_000_000;
  const timers: { callback: () => void; delayMs: number }[] = [];
  const clock = {
    now: () => nowMs,
    random: () => 0,
    setTimer(callback: () => void, delayMs: number) {
      timers.push({ callback, delayMs });
      return () => {};
    },
  };
  const { stream } = probedSources[1]!.make<number>([], "hang");
  const reader = stream.pipeThrough(new TimeoutStream(100, { clock })).getReader();
  const read = reader.read();
  read.catch(() => {});
  await settled();
  nowMs = 0;
  timers.shift()!.callback();
  assert.equal(timers[0]!.delayMs, 100);
  nowMs = 100;
  timers.shift()!.callback();
  await assert.rejects(read, { name: "TimeoutError" });
  assert.deepEqual(timers, []);
});

test("TimeoutStream refuses a time that is not above 0", () => {
  for (const idleMs of [0, -1, NaN, Infinity, "5" as unknown as number]) {
    assert.throws(() => new TimeoutStream(idleMs), {
      name: "RangeError",
      message:
        `Cannot create TimeoutStream: "idleMs" must be a number above 0: current value is "${idleMs}"`,
    });
  }
});
