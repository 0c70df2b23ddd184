/** Subscriptions that outlive their Falco. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { connect } from "../lib/client/connect.ts";
import type { Subscription } from "../lib/client/subscription.ts";
import { FalcoConnectError } from "../lib/errors.ts";
import { callsOf, rejection, roundTrip, withSocketPath } from "./client_probes.ts";
import { passBackoff, Story, testAtPlace } from "./reconnect_probes.ts";
import { settled } from "./stream_probes.ts";
import { until } from "./waits.ts";

function pushNumbered(fake: FakeFalco, from: number, to: number): void {
  for (let index = from; index < to; index++) fake.push(buildAlert({ rule: `rule ${index}` }));
}

testAtPlace("Subscription goes on after Falco was killed", async ({ start, falco, clock }) => {
  const first = await start();
  pushNumbered(first, 0, 2);
  const alerts = falco.outputs.subscribe();
  const story = new Story(alerts);
  const reader = alerts.getReader();
  for (const rule of ["rule 0", "rule 1"]) assert.equal((await reader.read()).value?.rule, rule);
  const third = reader.read();
  await roundTrip(falco);
  clock.advance(5);
  await first.kill();
  const reconnecting = await story.nth("reconnecting", 1);
  const second = await start();
  pushNumbered(second, 2, 3);
  await passBackoff(clock, reconnecting);
  assert.equal((await third).value?.rule, "rule 2");
  await reader.cancel();
  await story.told;

  const { error, delayMs } = reconnecting;
  assert(error instanceof FalcoConnectError);
  assert.equal(error.reason, "lost");
  assert(delayMs >= 250 && delayMs < 500 && Number.isInteger(delayMs), `${delayMs}`);
  const { address } = falco;
  const service = "falco.outputs.service/sub";
  const again = 1005 + delayMs;
  assert.deepEqual(story.all, [
    { type: "connecting", atMs: 1000, address, attempt: 1 },
    { type: "open", atMs: 1000, address, service },
    // The connection had not lasted long enough to count as healthy.
    { type: "reconnecting", atMs: 1005, attempt: 2, delayMs, error },
    { type: "connecting", atMs: again, address, attempt: 2 },
    { type: "open", atMs: again, address, service },
    { type: "gap", atMs: again, lostMs: delayMs, received: 2 },
    { type: "closed", atMs: again, error: undefined },
  ]);
  assert.deepEqual(alerts.stats(), {
    received: 3,
    polls: 2,
    reconnects: 1,
    gaps: 1,
    invalid: 0,
    lossyText: 0,
    dropped: 0,
    missedStatuses: 0,
  });
});

testAtPlace("Subscription goes on after Falco stopped in order", async (place) => {
  const { start, falco, clock } = place;
  const first = await start();
  pushNumbered(first, 0, 1);
  const alerts = falco.outputs.subscribe();
  const story = new Story(alerts);
  const reader = alerts.getReader();
  await reader.read();
  const next = reader.read();
  await roundTrip(falco);
  const stopped = first.stop();
  clock.advance(10); // the next request, which Falco answers with the end of the call
  await stopped;
  const reconnecting = await story.nth("reconnecting", 1);
  assert.equal(reconnecting.error, undefined);
  const second = await start();
  pushNumbered(second, 1, 2);
  await passBackoff(clock, reconnecting);
  assert.equal((await next).value?.rule, "rule 1");
  assert.equal(story.types, "connecting open reconnecting connecting open gap");
  await reader.cancel();
  assert.equal(await alerts.closed, undefined);
});

testAtPlace("Subscription waits for a Falco that is not there yet", async (place) => {
  const { start, falco, clock } = place;
  const alerts = falco.outputs.subscribe();
  const story = new Story(alerts);
  const reader = alerts.getReader();
  const read = reader.read();
  for (let n = 1; n <= 8; n++) {
    const reconnecting = await story.nth("reconnecting", n);
    assert.equal(reconnecting.attempt, n + 1);
    assert.equal((reconnecting.error as FalcoConnectError).reason, "refused");
    const upper = Math.min(250 * 2 ** n, 30_000);
    assert(reconnecting.delayMs >= 250 && reconnecting.delayMs <= upper);
    if (n === 8) pushNumbered(await start(), 0, 1);
    await passBackoff(clock, reconnecting);
  }
  assert.equal((await read).value?.rule, "rule 0");
  // It had never been open, so nothing can have been missed.
  assert.match(story.types, /^connecting (reconnecting connecting ){8}open$/);
  assert.deepEqual(story.of("connecting").map(({ attempt }) => attempt), [
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
  ]);
  const { reconnects, gaps } = alerts.stats();
  assert.deepEqual([reconnects, gaps], [8, 0]);
  await reader.cancel();
});

test("Subscription waits for a socket file that is not there yet, nor its folder", async () => {
  await withSocketPath(async (path) => {
    const clock = new FakeClock();
    const falco = connect(`${path}/falco.sock`, { clock });
    const alerts = falco.outputs.subscribe();
    const story = new Story(alerts);
    const reader = alerts.getReader();
    const read = reader.read();
    const reconnecting = await story.nth("reconnecting", 1);
    assert.equal((reconnecting.error as FalcoConnectError).reason, "not-found");
    const fake = await FakeFalco.start({ listen: `unix://${path}/falco.sock` });
    try {
      pushNumbered(fake, 0, 1);
      await passBackoff(clock, reconnecting);
      assert.equal((await read).value?.rule, "rule 0");
    } finally {
      await falco.close();
      await fake.stop();
    }
  });
});

test("Subscription follows a Falco that took over the socket of another", async () => {
  await withSocketPath(async (path) => {
    const listen = `unix://${path}`;
    const first = await FakeFalco.start({ listen });
    const clock = new FakeClock();
    const falco = connect(listen, { clock });
    const alerts = falco.outputs.subscribe();
    const story = new Story(alerts);
    const reader = alerts.getReader();
    const read = reader.read();
    await roundTrip(falco);
    const second = await FakeFalco.start({ listen });
    try {
      pushNumbered(second, 0, 1);
      await first.kill();
      await passBackoff(clock, await story.nth("reconnecting", 1));
      assert.equal((await read).value?.rule, "rule 0");
    } finally {
      await falco.close();
      await second.stop();
      await first.kill();
    }
  });
});

testAtPlace(
  "Subscription brings all that a restarted Falco has queued, in order",
  async (place) => {
    const { start, falco, clock } = place;
    const first = await start();
    pushNumbered(first, 0, 10);
    const alerts = falco.outputs.subscribe();
    const story = new Story(alerts);
    const read: string[] = [];
    const reading = (async () => {
      for await (const { rule } of alerts) if (read.push(rule) === 510) break;
    })();
    await until("the first ten are read", () => read.length === 10);
    await first.kill();
    const reconnecting = await story.nth("reconnecting", 1);
    const second = await start();
    pushNumbered(second, 10, 510);
    await passBackoff(clock, reconnecting);
    await reading;
    await story.told;
    assert.deepEqual(read, Array.from({ length: 510 }, (_, index) => `rule ${index}`));
    assert.equal(story.types, "connecting open reconnecting connecting open gap closed");
    assert.equal((await story.nth("gap", 1)).received, 10);
    const { received, reconnects, gaps, dropped } = alerts.stats();
    assert.deepEqual([received, reconnects, gaps, dropped], [510, 1, 1, 0]);
    assert.equal(callsOf(second, "sub").length, 1);
  },
);

testAtPlace("Subscription is quick again after a healthy period", async (place) => {
  const { start, falco, clock } = place;
  const alerts = falco.outputs.subscribe({ reconnect: { healthyAfterMs: 500 } });
  const story = new Story(alerts);
  const reader = alerts.getReader();
  const read = reader.read();
  let n = 0;
  for (; n < 5; n++) await passBackoff(clock, await story.nth("reconnecting", n + 1));
  await story.nth("reconnecting", ++n);
  const attempts: number[] = [];
  for (const lastedMs of [499, 500, 500]) {
    const fake = await start();
    await passBackoff(clock, story.of("reconnecting").at(-1)!);
    await story.nth("open", attempts.length + 1);
    await roundTrip(falco);
    for (let ms = 0; ms < lastedMs; ms++) clock.advance(1);
    await fake.kill();
    const reconnecting = await story.nth("reconnecting", ++n);
    attempts.push(reconnecting.attempt);
    if (reconnecting.attempt === 1) assert(reconnecting.delayMs <= 500);
  }
  assert.deepEqual(attempts, [8, 1, 1]);
  await reader.cancel();
  await read;
});

testAtPlace("Subscription gives up after maxAttempts", async ({ falco, clock, start }) => {
  const alerts = falco.outputs.subscribe({ reconnect: { maxAttempts: 3 } });
  const story = new Story(alerts);
  const failed = rejection(alerts.getReader().read());
  for (const n of [1, 2]) await passBackoff(clock, await story.nth("reconnecting", n));
  const error = await failed;
  assert(error instanceof FalcoConnectError);
  assert.equal(error.reason, "refused");
  assert.equal(await alerts.closed, error);
  await story.told;
  assert.deepEqual(story.all.at(-1), { type: "closed", atMs: clock.now(), error });
  assert.equal(story.of("connecting").length, 3);

  // After a loss, the attempt that led to it counts as well unless it had become healthy.
  const fake = await start();
  const second = falco.outputs.subscribe({ reconnect: { maxAttempts: 2, healthyAfterMs: 0 } });
  const secondStory = new Story(second);
  const lost = rejection(second.getReader().read());
  await roundTrip(falco);
  await fake.kill();
  await passBackoff(clock, await secondStory.nth("reconnecting", 1));
  await passBackoff(clock, await secondStory.nth("reconnecting", 2));
  assert.equal((await lost as FalcoConnectError).reason, "refused");
  await secondStory.told;
  assert.deepEqual(secondStory.of("connecting").map(({ attempt }) => attempt), [1, 1, 2]);
});

testAtPlace("Subscription ends in order if maxAttempts is used up by clean ends", async (place) => {
  const { falco, clock, start } = place;
  const fake = await start();
  const alerts = falco.outputs.subscribe({ reconnect: { maxAttempts: 1 } });
  const read = alerts.getReader().read();
  await roundTrip(falco);
  const stopped = fake.stop();
  clock.advance(10);
  assert.equal((await read).done, true);
  assert.equal(await alerts.closed, undefined);
  await stopped;
});

testAtPlace("Subscription without reconnect fails on the first attempt", async ({ falco }) => {
  const alerts = falco.outputs.subscribe({ reconnect: false });
  const story = new Story(alerts);
  const error = await rejection(alerts.getReader().read());
  assert.equal((error as FalcoConnectError).reason, "refused");
  await story.told;
  assert.equal(story.types, "connecting closed");
});

const leaving: readonly {
  way: string;
  leave(alerts: Subscription, controller: AbortController, close: () => Promise<void>): unknown;
  /** What the reader gets that waits. */
  error?: string;
}[] = [
  { way: "Subscription.close()", leave: (alerts) => alerts.close() },
  { way: "FalcoClient.close()", leave: (_alerts, _controller, close) => close() },
  { way: "its signal", leave: (_, controller) => controller.abort("enough"), error: "enough" },
];

for (const { way, leave, error } of leaving) {
  testAtPlace(`Subscription leaves at once with ${way} during back-off`, async (place) => {
    const { falco, clock } = place;
    const controller = new AbortController();
    const alerts = falco.outputs.subscribe({ signal: controller.signal });
    const story = new Story(alerts);
    const read = alerts.getReader().read();
    const settledRead = error === undefined ? read : rejection(read);
    await story.nth("reconnecting", 1);
    await settled();
    assert.equal(clock.pending, 1);
    await leave(alerts, controller, () => falco.close());
    assert.deepEqual(await settledRead, error ?? { done: true, value: undefined });
    assert.equal(clock.pending, 0);
    assert.equal(await alerts.closed, error);
    await story.told;
    assert.deepEqual(story.all.at(-1), { type: "closed", atMs: 1000, error });
  });
}

testAtPlace("Subscription leaves at once with its reader during back-off", async (place) => {
  const { falco, clock } = place;
  for (const way of ["cancel", "return"] as const) {
    const alerts = falco.outputs.subscribe();
    const story = new Story(alerts);
    if (way === "cancel") {
      const reader = alerts.getReader();
      const read = reader.read();
      await story.nth("reconnecting", 1);
      await settled();
      assert.equal(clock.pending, 1);
      await reader.cancel();
      assert.equal((await read).done, true);
    } else {
      const controller = new AbortController();
      const { signal } = controller;
      const piped = rejection(alerts.pipeTo(new WritableStream(), { signal }));
      await story.nth("reconnecting", 1);
      await settled();
      controller.abort("enough");
      assert.equal(await piped, "enough");
    }
    assert.equal(clock.pending, 0);
    assert.equal(await alerts.closed, undefined);
    await story.told;
    assert.equal(story.types, "connecting reconnecting closed");
  }
});
