import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../harness/fake_clock.ts";
import { wait } from "../lib/clock.ts";

test("FakeClock stands still until it is told to move", () => {
  assert.equal(new FakeClock().now(), 0);
  const clock = new FakeClock(1000);
  assert.equal(clock.now(), 1000);
  clock.advance(5);
  assert.equal(clock.now(), 1005);
  clock.advance(0.5);
  assert.equal(clock.now(), 1005.5);
  clock.advanceTo(2000);
  assert.equal(clock.now(), 2000);
});

test("FakeClock never goes back", () => {
  const clock = new FakeClock(1000);
  clock.advanceTo(999);
  clock.advance(-10);
  assert.equal(clock.now(), 1000);
});

test("FakeClock fires timers in order of time, then of creation", () => {
  const clock = new FakeClock(100);
  const log: string[] = [];
  const set = (name: string, delayMs: number): void => {
    clock.setTimer(() => log.push(`${name} ${clock.now()}`), delayMs);
  };
  set("late", 30);
  set("first", 10);
  set("second", 10);
  set("at once", 0);
  set("overdue", -5);
  set("beyond", 31);
  assert.equal(clock.pending, 6);
  assert.deepEqual(log, []);
  clock.advance(30);
  assert.deepEqual(log, ["at once 100", "overdue 100", "first 110", "second 110", "late 130"]);
  assert.equal(clock.now(), 130);
  assert.equal(clock.pending, 1);
});

test("FakeClock fires what is due without moving", () => {
  const clock = new FakeClock();
  let fired = 0;
  clock.setTimer(() => fired++, 0);
  clock.setTimer(() => fired++, NaN);
  clock.advance(-1);
  assert.equal(fired, 2);
  assert.equal(clock.now(), 0);
});

test("FakeClock fires timers that callbacks set, if they are due by then", () => {
  const clock = new FakeClock();
  const times: number[] = [];
  const tick = (): void => {
    times.push(clock.now());
    clock.setTimer(tick, 10);
  };
  clock.setTimer(tick, 10);
  clock.advance(35);
  assert.deepEqual(times, [10, 20, 30]);
  assert.equal(clock.now(), 35);
  clock.advance(5);
  assert.deepEqual(times, [10, 20, 30, 40]);
});

test("FakeClock can be advanced from a callback", () => {
  const clock = new FakeClock();
  const log: string[] = [];
  clock.setTimer(() => {
    clock.advance(100);
    log.push(`outer ${clock.now()}`);
  }, 10);
  clock.setTimer(() => log.push(`inner ${clock.now()}`), 50);
  clock.setTimer(() => log.push(`rest ${clock.now()}`), 115);
  clock.advance(20);
  assert.deepEqual(log, ["inner 50", "outer 110"]);
  assert.equal(clock.now(), 110);
  clock.advance(5);
  assert.deepEqual(log, ["inner 50", "outer 110", "rest 115"]);
});

test("FakeClock takes timers back, once and before they fire", () => {
  const clock = new FakeClock();
  const log: string[] = [];
  const cancelA = clock.setTimer(() => log.push("a"), 10);
  const cancelB = clock.setTimer(() => {
    log.push("b");
    cancelC();
  }, 10);
  const cancelC = clock.setTimer(() => log.push("c"), 10);
  cancelA();
  cancelA();
  assert.equal(clock.pending, 2);
  clock.advance(10);
  cancelB();
  assert.deepEqual(log, ["b"]);
  assert.equal(clock.pending, 0);
});

test("FakeClock goes on after a callback that throws", () => {
  const clock = new FakeClock();
  const log: string[] = [];
  clock.setTimer(() => {
    throw new Error("mine");
  }, 10);
  clock.setTimer(() => log.push("next"), 20);
  assert.throws(() => clock.advance(30), /mine/);
  assert.equal(clock.now(), 10);
  clock.advanceTo(30);
  assert.deepEqual(log, ["next"]);
});

test("FakeClock.random() depends on the seed alone", () => {
  const draw = (seed?: number): number[] => {
    const clock = seed === undefined ? new FakeClock() : new FakeClock(5, { seed });
    return Array.from({ length: 1000 }, () => clock.random());
  };
  assert.deepEqual(draw(), draw(0));
  assert.deepEqual(draw(7), draw(7));
  assert.notDeepEqual(draw(7), draw(8));
  // The same numbers on every runtime and for ever: replays depend on them.
  assert.deepEqual(draw(0).slice(0, 3).map((n) => Math.floor(n * 1000)), [392, 850, 684]);
  for (const seed of [0, 1, -1, 2 ** 40]) {
    const numbers = draw(seed);
    assert(numbers.every((n) => n >= 0 && n < 1));
    const mean = numbers.reduce((sum, n) => sum + n, 0) / numbers.length;
    assert(mean > 0.45 && mean < 0.55, `the mean of seed ${seed} is ${mean}`);
    assert.equal(new Set(numbers).size, numbers.length);
  }
});

test("FakeClock serves wait()", async () => {
  const clock = new FakeClock();
  const abort = new AbortController();
  const done = wait(10, { clock });
  const aborted = wait(20, { clock, signal: abort.signal });
  clock.advance(10);
  await done;
  abort.abort(new Error("enough"));
  await assert.rejects(aborted, /enough/);
  assert.equal(clock.pending, 0);
});

test("FakeClock refuses times and seeds that are none", () => {
  for (const time of [NaN, Infinity, -Infinity]) {
    assert.throws(() => new FakeClock(time), RangeError);
    assert.throws(() => new FakeClock().advance(time), RangeError);
    assert.throws(() => new FakeClock().advanceTo(time), RangeError);
  }
  for (const seed of [1.5, NaN, Infinity]) {
    assert.throws(() => new FakeClock(0, { seed }), RangeError);
  }
});
