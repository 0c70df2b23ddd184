import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../harness/fake_clock.ts";
import { systemClock, wait } from "../lib/clock.ts";
import { rejection } from "./client_probes.ts";

test("systemClock tells the time of the machine", () => {
  const before = Date.now();
  const now = systemClock.now();
  assert(now >= before && now <= Date.now());
});

test("systemClock draws numbers from 0 to below 1", () => {
  const numbers = Array.from({ length: 100 }, () => systemClock.random());
  assert(numbers.every((one) => one >= 0 && one < 1));
  assert(new Set(numbers).size > 90);
});

test("systemClock.setTimer() fires once, later", async () => {
  let fired = 0;
  await new Promise<void>((resolve) => {
    systemClock.setTimer(() => {
      fired++;
      resolve();
    }, 1);
    assert.equal(fired, 0);
  });
  assert.equal(fired, 1);
});

test("systemClock.setTimer() takes 0 and less for as soon as possible", async () => {
  for (const delayMs of [0, -1, -Infinity]) {
    await new Promise<void>((resolve) => void systemClock.setTimer(resolve, delayMs));
  }
});

test("systemClock.setTimer() does not fire what was taken back, nor at once what is far away", async () => {
  const fired: string[] = [];
  const cancels = [
    systemClock.setTimer(() => fired.push("taken back"), 0),
    // The platform would take these for 1 ms.
    systemClock.setTimer(() => fired.push("2^31"), 2 ** 31),
    systemClock.setTimer(() => fired.push("never"), Infinity),
  ];
  cancels[0]!();
  await new Promise<void>((resolve) => void systemClock.setTimer(resolve, 5));
  for (const cancel of [...cancels, ...cancels]) cancel();
  assert.deepEqual(fired, []);
});

test("systemClock.setTimer() waits in parts for what is beyond the platform", () => {
  const { setTimeout, clearTimeout } = globalThis;
  const set: { readonly callback: () => void; readonly delayMs: number }[] = [];
  const cleared: unknown[] = [];
  let fired = 0;
  try {
    globalThis.setTimeout = ((callback: () => void, delayMs: number) =>
      set.push({ callback, delayMs })) as unknown as typeof setTimeout;
    globalThis.clearTimeout = (id) =>
      void cleared.push(id);
    const cancel = systemClock.setTimer(() => fired++, 2 ** 32);
    for (const part of set) part.callback();
    assert.deepEqual(set.map(({ delayMs }) => delayMs), [2 ** 31 - 1, 2 ** 31 - 1, 2]);
    assert.equal(fired, 1);
    cancel();
    assert.deepEqual(cleared, [3]);
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
  }
});

test("wait() resolves after the delay", async () => {
  await wait(1);
  const clock = new FakeClock();
  let done = false;
  const waiting = wait(10, { clock }).then(() => done = true);
  clock.advance(9);
  await Promise.resolve();
  assert.equal(done, false);
  clock.advance(1);
  await waiting;
});

test("wait() rejects with the reason of its signal, and takes the timer back", async () => {
  const clock = new FakeClock();
  const controller = new AbortController();
  const waiting = rejection(wait(10, { clock, signal: controller.signal }));
  assert.equal(clock.pending, 1);
  const reason = { any: "value" };
  controller.abort(reason);
  assert.equal(await waiting, reason);
  assert.equal(clock.pending, 0);
});

test("wait() sets no timer if the signal has fired already", async () => {
  const clock = new FakeClock();
  const reason = new Error("before");
  assert.equal(await rejection(wait(10, { clock, signal: AbortSignal.abort(reason) })), reason);
  assert.equal(clock.pending, 0);
});

test("wait() lets go of the signal once it is over", async () => {
  const clock = new FakeClock();
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const count = (method: "addEventListener" | "removeEventListener", change: number): void => {
    const original = signal[method].bind(signal) as (...args: unknown[]) => void;
    signal[method] = (...args: unknown[]) => {
      listeners += change;
      original(...args);
    };
  };
  count("addEventListener", 1);
  count("removeEventListener", -1);
  const waiting = wait(10, { clock, signal });
  assert.equal(listeners, 1);
  clock.advance(10);
  await waiting;
  assert.equal(listeners, 0);
  controller.abort();
});
