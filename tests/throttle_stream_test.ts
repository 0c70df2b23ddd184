import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../harness/fake_clock.ts";
import { compose, EventStream, OperatorStream, ThrottleStream } from "../lib/streams/mod.ts";
import type { ThrottleStreamOptions } from "../lib/streams/mod.ts";
import { outcome, settled } from "./stream_probes.ts";
import { busyFlag, written } from "./written_stream.ts";

/** A ThrottleStream of 100 ms with a clock at hand. */
function throttled(options: ThrottleStreamOptions<string> = {}) {
  const clock = new FakeClock(1_000_000);
  const dropped: string[] = [];
  const operator = new ThrottleStream<string>(100, {
    clock,
    onDrop: (item) => void dropped.push(item),
    ...options,
  });
  const stream = written(operator);
  return {
    ...stream,
    clock,
    dropped,
    operator,
    async advance(ms: number): Promise<void> {
      clock.advance(ms);
      await settled();
    },
  };
}

test("ThrottleStream lets the first item of an interval through and drops the others", async () => {
  const { items, write, advance, dropped, operator, clock, close } = throttled();
  await write("a", "b");
  assert.equal(clock.pending, 0);
  await advance(99);
  await write("c");
  await advance(1);
  await write("d", "e");
  await advance(1000);
  await write("f");
  await close();
  assert.deepEqual(items, ["a", "d", "f"]);
  assert.deepEqual(dropped, ["b", "c", "e"]);
  assert.equal(operator.dropped, 3);
});

test("ThrottleStream hands on the last item of an interval at its end with trailing", async () => {
  const { items, write, advance, dropped, close, clock } = throttled({ trailing: true });
  await write("a", "b", "c");
  await advance(99);
  assert.deepEqual(items, ["a"]);
  await advance(1);
  assert.deepEqual(items, ["a", "c"]);
  // The next interval began with "c".
  await advance(50);
  await write("d");
  assert.deepEqual(items, ["a", "c"]);
  await advance(50);
  assert.deepEqual(items, ["a", "c", "d"]);
  await advance(100);
  await write("e");
  assert.deepEqual(items, ["a", "c", "d", "e"]);
  await close();
  assert.deepEqual(dropped, ["b"]);
  assert.equal(clock.pending, 0);
});

test("ThrottleStream hands on only the last item with trailing and without leading", async () => {
  const { items, write, advance, dropped, close } = throttled({ leading: false, trailing: true });
  await write("a");
  assert.deepEqual(items, []);
  await advance(60);
  await write("b");
  await advance(40);
  assert.deepEqual(items, ["b"]);
  await advance(100);
  await write("c");
  assert.deepEqual(items, ["b"]);
  // What is held comes out at the end.
  await close();
  assert.deepEqual(items, ["b", "c"]);
  assert.deepEqual(dropped, ["a"]);
});

test("ThrottleStream has intervals for each key", async () => {
  const { items, write, advance, dropped, close } = throttled({
    key: (text) => text[0]!,
    trailing: true,
  });
  await write("a1", "b1", "a2");
  await advance(50);
  await write("b2", "c1", "b3");
  await advance(50);
  assert.deepEqual(items, ["a1", "b1", "c1", "a2", "b3"]);
  await write("a3", "c2");
  await close();
  assert.deepEqual(items.slice(5), ["c2", "a3"]);
  assert.deepEqual(dropped, ["b2"]);
});

test("ThrottleStream forgets the key whose interval began first, and loses nothing by it", async () => {
  const { items, write, dropped, clock, close } = throttled({
    key: (text) => text[0]!,
    trailing: true,
    maxKeys: 2,
  });
  await write("a1", "a2", "b1", "b2", "c1");
  assert.deepEqual(items, ["a1", "b1", "a2", "c1"]);
  assert.equal(clock.pending, 1);
  await write("a3");
  assert.deepEqual(items.slice(4), ["b2", "a3"]);
  await close();
  assert.deepEqual(dropped, []);
});

test("ThrottleStream takes timers back on every way out", async () => {
  const error = new Error("broken");
  const left = throttled({ trailing: true, key: (text) => text[0]! });
  await left.write("a1", "a2", "b1", "b2");
  assert.equal(left.clock.pending, 2);
  await left.leave(error);
  await assert.rejects(left.done, (given) => given === error);
  assert.equal(left.clock.pending, 0);

  const broken = throttled({
    trailing: true,
    key(text) {
      if (text === "x") throw error;
      return "";
    },
  });
  await broken.write("a1", "a2", "x");
  await assert.rejects(broken.done, (given) => given === error);
  assert.equal(broken.clock.pending, 0);
});

test("ThrottleStream calls the stage below one at a time, timers or not", async () => {
  const clock = new FakeClock();
  const flag = busyFlag();
  const slow = new OperatorStream<string, string>((down, context) => ({
    async push(item) {
      await flag.enter();
      await down.push(item);
      context.wake();
    },
    end() {
      assert.equal(flag.busy, false);
      return down.end();
    },
  }));
  const throttle = new ThrottleStream<string>(100, {
    clock,
    trailing: true,
    key: (text) => text[0]!,
  });
  const { items, write, close } = written(compose(throttle, slow));
  await write("a1", "a2", "b1", "b2");
  for (let turn = 0; turn < 4; turn++) await settled();
  clock.advance(100);
  await write("c1");
  for (let turn = 0; turn < 8; turn++) await settled();
  await close();
  assert.deepEqual(items, ["a1", "b1", "a2", "b2", "c1"]);
});

test("ThrottleStream begins anew when the clock is set back", async () => {
  const times = [1000, 500, 550];
  const clock = { now: () => times.shift()!, random: () => 0, setTimer: () => () => {} };
  const throttle = new ThrottleStream<number>(100, { clock });
  const result = await outcome(EventStream.from([1, 2, 3]).pipeThrough(throttle));
  assert.deepEqual(result, { items: [1, 2] });
});

test("ThrottleStream hands on what is held first if its timer is late", async () => {
  let nowMs = 0;
  const clock = { now: () => nowMs, random: () => 0, setTimer: () => () => {} };
  const items = (function* () {
    yield "a";
    yield "b";
    nowMs = 150;
    yield "c";
  })();
  const throttle = new ThrottleStream<string>(100, { clock, trailing: true });
  assert.deepEqual(await outcome(EventStream.from(items).pipeThrough(throttle)), {
    items: ["a", "b", "c"],
  });
  assert.equal(throttle.dropped, 0);
});

test("ThrottleStream refuses options that make no sense", async () => {
  for (const intervalMs of [0, -1, NaN, Infinity]) {
    assert.throws(() => new ThrottleStream(intervalMs), RangeError);
  }
  assert.throws(() => new ThrottleStream(1, { maxKeys: 0 }), RangeError);
  assert.throws(() => new ThrottleStream(1, { leading: false }), {
    name: "TypeError",
    message:
      'Cannot create ThrottleStream: without "leading" and "trailing" nothing would get through',
  });
  assert.throws(() => new ThrottleStream(1, { key: 1 as unknown as () => string }), TypeError);
  const keyless = new ThrottleStream<number>(1, { key: () => 5 as unknown as string });
  const { error } = await outcome(EventStream.from([1]).pipeThrough(keyless));
  assert(error instanceof TypeError);
  assert.match(error.message, /its key is "5"/);
});
