import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PollPacer } from "../lib/client/poll_pacer.ts";
import type { PollOptions } from "../lib/client/poll_pacer.ts";

/** The waits between requests if nothing ever comes. */
function idleWaits(pacer: PollPacer, count: number, start: number): number[] {
  let now = start;
  return Array.from({ length: count }, () => {
    assert.equal(pacer.delay(now), 0);
    pacer.asked(now);
    const wait = pacer.delay(now);
    now += wait;
    return wait;
  });
}

test("PollPacer asks at once, then less and less often", () => {
  assert.deepEqual(
    idleWaits(new PollPacer(), 9, 5000),
    [10, 20, 40, 80, 160, 320, 640, 1000, 1000],
  );
});

test("PollPacer keeps to its bounds", () => {
  const waits = (options: PollOptions): number[] => idleWaits(new PollPacer(options), 4, 1);
  assert.deepEqual(waits({ minPollMs: 3, maxPollMs: 7 }), [3, 6, 7, 7]);
  assert.deepEqual(waits({ minPollMs: 5, maxPollMs: 5 }), [5, 5, 5, 5]);
  assert.deepEqual(waits({ maxPollMs: 15 }), [10, 15, 15, 15]);
  assert.deepEqual(waits({ minPollMs: 400 }), [400, 800, 1000, 1000]);
  assert.deepEqual(waits({ maxPollMs: Infinity }), [10, 20, 40, 80]);
});

test("PollPacer counts the wait from the last request", () => {
  const pacer = new PollPacer();
  pacer.asked(100);
  assert.equal(pacer.delay(100), 10);
  assert.equal(pacer.delay(104), 6);
  assert.equal(pacer.delay(109.5), 0.5);
  assert.equal(pacer.delay(110), 0);
  assert.equal(pacer.delay(9999), 0);
});

test("PollPacer is quick again after alerts", () => {
  const pacer = new PollPacer();
  idleWaits(pacer, 8, 0);
  pacer.received(10_000);
  assert.equal(pacer.delay(10_000), 10);
  assert.equal(pacer.delay(10_010), 0);
  assert.deepEqual(idleWaits(pacer, 3, 10_010), [10, 20, 40]);
});

test("PollPacer does not ask while alerts keep coming", () => {
  const pacer = new PollPacer();
  pacer.asked(0);
  for (let now = 0; now < 1000; now += 9) {
    pacer.received(now);
    assert.equal(pacer.delay(now + 9), 1);
  }
});

test("PollPacer does not wait for a clock that was set back", () => {
  const pacer = new PollPacer();
  idleWaits(pacer, 8, 3_600_000);
  assert.equal(pacer.delay(0), 0);
  pacer.asked(0);
  assert.equal(pacer.delay(0), 1000);
  pacer.received(7_200_000);
  assert.equal(pacer.delay(0), 0);
});

test("PollPacer never waits longer than the highest bound, nor less than the lowest", () => {
  const steps = fc.array(fc.tuple(fc.nat(3000), fc.boolean()), { maxLength: 50 });
  fc.assert(fc.property(steps, (given) => {
    const pacer = new PollPacer({ minPollMs: 10, maxPollMs: 1000 });
    let now = 0;
    for (const [elapsed, isAlert] of given) {
      now += elapsed;
      const delay = pacer.delay(now);
      assert(delay >= 0 && delay <= 1000);
      if (isAlert) pacer.received(now);
      else if (delay === 0) pacer.asked(now);
      else continue;
      assert(pacer.delay(now) >= 10);
    }
  }));
});

const badOptions: readonly { options: PollOptions; message: RegExp }[] = [
  { options: { minPollMs: 0 }, message: /"minPollMs" must be at least 1: it is 0$/ },
  { options: { minPollMs: -1 }, message: /"minPollMs" must be at least 1: it is -1$/ },
  { options: { minPollMs: NaN }, message: /"minPollMs" must be at least 1: it is NaN$/ },
  { options: { maxPollMs: 0.5 }, message: /"maxPollMs" must be at least 1: it is 0.5$/ },
  { options: { maxPollMs: NaN }, message: /"maxPollMs" must be at least 1: it is NaN$/ },
  { options: { maxPollMs: 9 }, message: /"minPollMs" \(10\) is above "maxPollMs" \(9\)$/ },
  {
    options: { minPollMs: 2000 },
    message: /"minPollMs" \(2000\) is above "maxPollMs" \(1000\)$/,
  },
];

for (const { options, message } of badOptions) {
  test(`PollPacer refuses ${Object.entries(options).join(" ")}`, () => {
    assert.throws(() => new PollPacer(options), (error) => {
      assert(error instanceof RangeError);
      assert.match(error.message, message);
      assert.match(error.message, /^Cannot subscribe as /);
      return true;
    });
  });
}
