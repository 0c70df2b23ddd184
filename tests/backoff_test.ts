import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../harness/fake_clock.ts";
import { Backoff } from "../lib/client/backoff.ts";
import type { ReconnectOptions } from "../lib/client/backoff.ts";
import type { Clock } from "../lib/clock.ts";

function drawing(random: number): Clock {
  return { now: () => 0, random: () => random, setTimer: () => () => {} };
}

function waits(backoff: Backoff, count: number): (number | undefined)[] {
  return Array.from({ length: count }, () => backoff.next());
}

test("Backoff doubles the upper bound of each wait up to maxDelayMs", () => {
  assert.deepEqual(waits(new Backoff({}, drawing(0)), 3), [250, 250, 250]);
  const highest = waits(new Backoff({}, drawing(1 - 2 ** -53)), 9);
  assert.deepEqual(highest, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
  const between = waits(new Backoff({ minDelayMs: 100, maxDelayMs: 400 }, drawing(0.5)), 3);
  assert.deepEqual(between, [150, 250, 250]);
});

test("Backoff draws different waits for different clients", () => {
  const of = (seed: number) => waits(new Backoff({}, new FakeClock(0, { seed })), 8);
  assert.deepEqual(of(1), of(1));
  assert.notDeepEqual(of(1), of(2));
});

test("Backoff survives any number of waits", () => {
  const backoff = new Backoff({}, drawing(0.5));
  for (let index = 0; index < 5000; index++) assert(backoff.next()! <= 30_000);
  assert.equal(backoff.attempt, 5001);
});

test("Backoff counts attempts from 1, and from 1 again after reset()", () => {
  const backoff = new Backoff({}, drawing(0.999));
  assert.equal(backoff.attempt, 1);
  backoff.next();
  backoff.next();
  assert.equal(backoff.attempt, 3);
  backoff.reset();
  assert.equal(backoff.next(), 500);
  assert.equal(backoff.attempt, 1);
  backoff.next();
  assert.equal(backoff.attempt, 2);
});

test("Backoff ends after maxAttempts", () => {
  const backoff = new Backoff({ maxAttempts: 2 }, drawing(0));
  assert.deepEqual(waits(backoff, 3), [250, undefined, undefined]);
  assert.equal(backoff.attempt, 2);
  backoff.reset();
  // After a healthy period the first of the two is still to come.
  assert.deepEqual(waits(backoff, 3), [250, 250, undefined]);
  assert.equal(new Backoff({ maxAttempts: 1 }, drawing(0)).next(), undefined);
});

test("Backoff has defaults that its documentation names", () => {
  assert.equal(new Backoff({}, drawing(0)).healthyAfterMs, 10_000);
  // A long shortest wait moves the longest one along.
  assert.equal(new Backoff({ minDelayMs: 60_000 }, drawing(0.5)).next(), 60_000);
});

const refused: readonly (readonly [ReconnectOptions, string])[] = [
  [{ minDelayMs: 0 }, 'Cannot reconnect as "minDelayMs" must be finite and at least 1: it is 0'],
  [
    { minDelayMs: NaN },
    'Cannot reconnect as "minDelayMs" must be finite and at least 1: it is NaN',
  ],
  [
    { maxDelayMs: Infinity },
    'Cannot reconnect as "maxDelayMs" must be finite and at least 1: it is Infinity',
  ],
  [
    { healthyAfterMs: -1 },
    'Cannot reconnect as "healthyAfterMs" must be finite and at least 0: it is -1',
  ],
  [{ maxAttempts: 0 }, 'Cannot reconnect as "maxAttempts" must be a whole number from 1: it is 0'],
  [
    { maxAttempts: 1.5 },
    'Cannot reconnect as "maxAttempts" must be a whole number from 1: it is 1.5',
  ],
  [
    { minDelayMs: 500, maxDelayMs: 100 },
    'Cannot reconnect as "minDelayMs" (500) is above "maxDelayMs" (100)',
  ],
];

for (const [options, message] of refused) {
  test(`Backoff refuses ${JSON.stringify(options)} (${message.slice(-12)})`, () => {
    assert.throws(() => new Backoff(options, drawing(0)), { name: "RangeError", message });
  });
}
