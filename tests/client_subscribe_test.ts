import assert from "node:assert/strict";
import { buildAlert } from "../harness/build_alert.ts";
import type { FakeFalco } from "../harness/fake_falco.ts";
import { Subscription } from "../lib/client/subscription.ts";
import { EventStream } from "../lib/streams/engine/event_stream.ts";
import { callsOf, roundTrip, testOnWires } from "./client_probes.ts";

/** The requests that the only subscription has sent. */
function requests(fake: FakeFalco): number {
  const calls = callsOf(fake, "sub");
  assert.equal(calls.length, 1);
  return calls[0]!.requests;
}

function pushNumbered(fake: FakeFalco, from: number, to: number): void {
  for (let index = from; index < to; index++) fake.push(buildAlert({ rule: `rule ${index}` }));
}

testOnWires("outputs.subscribe() opens the call with the first read", async ({ fake, falco }) => {
  const alerts = falco.outputs.subscribe();
  assert(alerts instanceof Subscription);
  assert(alerts instanceof EventStream);
  await roundTrip(falco);
  assert.equal(callsOf(fake, "sub").length, 0);
  void alerts.getReader().read();
  await roundTrip(falco);
  assert.equal(callsOf(fake, "sub").length, 1);
});

testOnWires(
  "Subscription asks at once, without a tick of the clock",
  async ({ fake, falco, clock }) => {
    const alerts = falco.outputs.subscribe();
    const read = alerts.getReader().read();
    await roundTrip(falco);
    assert.equal(requests(fake), 1);
    assert.equal(clock.pending, 1);
    // Falco does not answer a request that finds nothing: the next one does it.
    fake.push(buildAlert());
    await roundTrip(falco);
    assert.equal(fake.queueDepth, 1);
    clock.advance(10);
    assert.deepEqual(await read, { done: false, value: buildAlert() });
    assert.equal(requests(fake), 2);
  },
);

testOnWires("Subscription brings the backlog, then live alerts", async ({ fake, falco, clock }) => {
  pushNumbered(fake, 0, 3);
  const alerts = falco.outputs.subscribe();
  const reader = alerts.getReader();
  const next = async (): Promise<string | undefined> => (await reader.read()).value?.rule;
  for (const rule of ["rule 0", "rule 1", "rule 2"]) assert.equal(await next(), rule);
  assert.equal(requests(fake), 1);
  const live = next();
  await roundTrip(falco);
  pushNumbered(fake, 3, 5);
  clock.advance(10);
  assert.equal(await live, "rule 3");
  assert.equal(await next(), "rule 4");
  assert.deepEqual(alerts.stats(), {
    received: 5,
    polls: 2,
    reconnects: 0,
    gaps: 0,
    invalid: 0,
    lossyText: 0,
    dropped: 0,
    missedStatuses: 0,
  });
  const [call] = callsOf(fake, "sub");
  assert.deepEqual([call?.alerts, call?.open, call?.halfClosed], [5, true, false]);
});

testOnWires(
  "Subscription asks an idle Falco less and less often",
  async ({ fake, falco, clock }) => {
    const alerts = falco.outputs.subscribe();
    void alerts.getReader().read();
    await roundTrip(falco);
    let expected = 1;
    assert.equal(requests(fake), expected);
    for (const interval of [10, 20, 40, 80, 160, 320, 640, 1000, 1000]) {
      clock.advance(interval - 1);
      await roundTrip(falco);
      assert.equal(requests(fake), expected, `before ${interval} ms`);
      clock.advance(1);
      await roundTrip(falco);
      assert.equal(requests(fake), ++expected, `after ${interval} ms`);
    }
    assert.equal(alerts.stats().polls, expected);
    assert.equal(callsOf(fake, "sub")[0]!.halfClosed, false);
  },
);

testOnWires("Subscription is quick again after alerts", async ({ fake, falco, clock }) => {
  const reader = falco.outputs.subscribe().getReader();
  const first = reader.read();
  await roundTrip(falco);
  for (const interval of [10, 20, 40, 80, 160, 320, 640]) {
    clock.advance(interval);
    await roundTrip(falco);
  }
  fake.push(buildAlert());
  clock.advance(1000);
  await first;
  assert.equal(requests(fake), 9);
  void reader.read();
  await roundTrip(falco);
  for (
    const [interval, expected] of [[9, 9], [1, 10], [9, 10], [1, 11], [19, 11], [1, 12]] as const
  ) {
    clock.advance(interval);
    await roundTrip(falco);
    assert.equal(requests(fake), expected);
  }
});

testOnWires("Subscription does not ask while nobody reads", async ({ fake, falco, clock }) => {
  fake.push(buildAlert());
  const alerts = falco.outputs.subscribe();
  const reader = alerts.getReader();
  await reader.read();
  pushNumbered(fake, 0, 10);
  await roundTrip(falco);
  assert.equal(clock.pending, 0);
  for (let hour = 0; hour < 3; hour++) {
    clock.advance(3_600_000);
    await roundTrip(falco);
  }
  assert.equal(requests(fake), 1);
  assert.equal(fake.queueDepth, 10);
  assert.equal(alerts.stats().polls, 1);
  // A reader that comes back is served at once: the pause is long over.
  assert.equal((await reader.read()).value?.rule, "rule 0");
  assert.equal(requests(fake), 2);
});

testOnWires(
  "Subscription leaves a backlog to Falco while nobody reads",
  async ({ fake, falco, clock }) => {
    const count = 20_000;
    pushNumbered(fake, 0, count);
    const alerts = falco.outputs.subscribe();
    const reader = alerts.getReader();
    await reader.read();
    for (let round = 0; round < 5; round++) {
      await roundTrip(falco);
      clock.advance(10_000);
    }
    const depth = fake.queueDepth;
    assert(depth > count - 3000, `${count - depth} alerts have left the queue`);
    await roundTrip(falco);
    assert.equal(fake.queueDepth, depth);
    assert.equal(requests(fake), 1);
    // Nothing is lost or out of order once the reader goes on; more come while it does.
    let next = 1;
    while (next < count + 100) {
      if (next === 10_000) pushNumbered(fake, count, count + 100);
      const read = reader.read();
      if (next >= count) {
        await roundTrip(falco);
        clock.advance(10);
      }
      const { value } = await read;
      if (value?.rule !== `rule ${next}`) assert.fail(`${value?.rule} came in place of ${next}`);
      next++;
    }
    const { received, dropped } = alerts.stats();
    assert.deepEqual([received, dropped], [count + 100, 0]);
  },
);

testOnWires("Subscription polls at the pace of its options", async ({ fake, falco, clock }) => {
  const alerts = falco.outputs.subscribe({ minPollMs: 100, maxPollMs: 150 });
  void alerts.getReader().read();
  await roundTrip(falco);
  for (const [interval, expected] of [[99, 1], [1, 2], [149, 2], [1, 3], [150, 4]] as const) {
    clock.advance(interval);
    await roundTrip(falco);
    assert.equal(requests(fake), expected);
  }
});

testOnWires(
  "outputs.subscribe() checks its options before anything else",
  async ({ fake, falco }) => {
    assert.throws(() => falco.outputs.subscribe({ minPollMs: 0 }), RangeError);
    assert.throws(() => falco.outputs.subscribe({ minPollMs: 20, maxPollMs: 10 }), RangeError);
    // The failed ones do not stand in the way.
    fake.push(buildAlert());
    for await (const alert of falco.outputs.subscribe()) {
      assert.deepEqual(alert, buildAlert());
      break;
    }
  },
);

testOnWires(
  "outputs.subscribe() refuses a second one while the first is open",
  async ({ fake, falco }) => {
    const refused = (): void =>
      assert.throws(() => falco.outputs.subscribe(), (error) => {
        assert(error instanceof TypeError);
        assert.match(error.message, /^Cannot subscribe to (unix|https):.+ twice: /);
        assert.match(error.message, /broadcastReadableStream$/);
        return true;
      });
    const first = falco.outputs.subscribe();
    refused();
    fake.push(buildAlert());
    const reader = first.getReader();
    await reader.read();
    refused();
    await reader.cancel();
    const second = falco.outputs.subscribe();
    refused();
    fake.push(buildAlert());
    assert.deepEqual(await second.getReader().read(), { done: false, value: buildAlert() });
    await second.close();
    await falco.outputs.subscribe().cancel();
    await falco.outputs.subscribe({ signal: AbortSignal.abort() }).closed;
    falco.outputs.subscribe();
  },
);

testOnWires(
  "outputs.get() works beside a subscription, and takes its share",
  async ({ fake, falco }) => {
    const alerts = falco.outputs.subscribe();
    const read = alerts.getReader().read();
    await roundTrip(falco);
    pushNumbered(fake, 0, 3);
    const got = await Array.fromAsync(falco.outputs.get());
    assert.deepEqual(got.map(({ rule }) => rule), ["rule 0", "rule 1", "rule 2"]);
    assert.equal(alerts.stats().received, 0);
    await alerts.close();
    assert.equal((await read).done, true);
    assert.equal(fake.connections, 1);
  },
);
