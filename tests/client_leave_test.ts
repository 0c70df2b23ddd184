/** Every way to leave a subscription: the server sees it, and the stream says it as documented. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createNetServer } from "node:net";
import { test } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import type { FakeFalco } from "../harness/fake_falco.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { connect } from "../lib/client/connect.ts";
import type { Subscription } from "../lib/client/subscription.ts";
import { SinkStream } from "../lib/streams/engine/sink_stream.ts";
import { LimitStream } from "../lib/streams/limit_stream.ts";
import { MapAsyncStream } from "../lib/streams/map_async_stream.ts";
import { toArray } from "../lib/streams/terminals.ts";
import { callsOf, rejection, roundTrip, testOnWires, withServer } from "./client_probes.ts";
import { outcome, settled } from "./stream_probes.ts";
import { until } from "./waits.ts";

function pushNumbered(fake: FakeFalco, count: number): void {
  for (let index = 0; index < count; index++) fake.push(buildAlert({ rule: `rule ${index}` }));
}

/** Waits until the only subscription has ended on the server's side. */
async function ended(fake: FakeFalco): Promise<void> {
  assert.equal(callsOf(fake, "sub").length, 1);
  await until("the call is over", () => !callsOf(fake, "sub")[0]!.open);
}

testOnWires("Subscription ends with break out of for await", async ({ fake, falco, clock }) => {
  pushNumbered(fake, 1);
  const alerts = falco.outputs.subscribe();
  for await (const alert of alerts) {
    assert.equal(alert.rule, "rule 0");
    break;
  }
  await ended(fake);
  assert.equal(await alerts.closed, undefined);
  assert.equal(alerts.locked, false);
  assert.equal(clock.pending, 0);
});

testOnWires("Subscription ends with an error thrown in for await", async ({ fake, falco }) => {
  pushNumbered(fake, 1);
  const alerts = falco.outputs.subscribe();
  const mine = new Error("mine");
  const failed = rejection((async () => {
    for await (const _ of alerts) throw mine;
  })());
  assert.equal(await failed, mine);
  await ended(fake);
  assert.equal(await alerts.closed, undefined);
});

testOnWires(
  "Subscription ends with cancel() of a reader that waits",
  async ({ fake, falco, clock }) => {
    const alerts = falco.outputs.subscribe();
    const reader = alerts.getReader();
    const read = reader.read();
    await roundTrip(falco);
    assert.equal(clock.pending, 1);
    await reader.cancel("a reason");
    assert.deepEqual(await read, { done: true, value: undefined });
    await reader.closed;
    await ended(fake);
    assert.equal(await alerts.closed, undefined);
    assert.equal(clock.pending, 0);
  },
);

/** Ways to read three alerts and leave. */
const leavings: Record<string, (alerts: Subscription, arrived: () => Promise<void>) => unknown> = {
  async "cancel()"(alerts, arrived) {
    const reader = alerts.getReader();
    for (let index = 0; index < 3; index++) await reader.read();
    await arrived();
    await reader.cancel();
  },
  async "break"(alerts, arrived) {
    let read = 0;
    for await (const _ of alerts) {
      if (++read < 3) continue;
      await arrived();
      break;
    }
  },
  async "the end of a pipe"(alerts, arrived) {
    let read = 0;
    const some = new MapAsyncStream(async (alert: Alert) => {
      if (++read === 3) await arrived();
      return alert;
    }, { concurrency: 1 });
    assert.equal(
      (await toArray(alerts.pipeThrough(some).pipeThrough(new LimitStream(3)))).length,
      3,
    );
  },
  async "a sink that fails"(alerts, arrived) {
    let read = 0;
    const sink = new SinkStream<Alert>({
      async write() {
        if (++read < 3) return;
        await arrived();
        throw new Error("enough");
      },
    });
    await assert.rejects(alerts.pipeTo(sink), /enough/);
  },
  async "a sink of the platform that fails"(alerts, arrived) {
    let read = 0;
    const sink = new WritableStream<Alert>({
      async write() {
        if (++read < 3) return;
        await arrived();
        throw new Error("enough");
      },
    }, { highWaterMark: 1 });
    await assert.rejects(alerts.pipeTo(sink), /enough/);
  },
};

for (const [way, leave] of Object.entries(leavings)) {
  testOnWires(`Subscription says how many alerts ${way} threw away`, async ({ fake, falco }) => {
    pushNumbered(fake, 200);
    const alerts = falco.outputs.subscribe();
    // All of them fit into the windows on their way, so all have arrived by then.
    await leave(alerts, async () => {
      await roundTrip(falco);
      assert.equal(alerts.stats().dropped, 0);
    });
    assert.equal(alerts.stats().dropped, 197);
    await ended(fake);
    assert.equal(callsOf(fake, "sub")[0]!.alerts, 200);
  });
}

testOnWires("Subscription ends with the pipe that reads it", async ({ fake, falco }) => {
  pushNumbered(fake, 10);
  const alerts = falco.outputs.subscribe();
  const { items } = await outcome(alerts.pipeThrough(new LimitStream(3)));
  assert.deepEqual(items.map(({ rule }) => rule), ["rule 0", "rule 1", "rule 2"]);
  await ended(fake);
  assert.equal(await alerts.closed, undefined);
});

testOnWires("Subscription ends with the signal of a pipe", async ({ fake, falco }) => {
  const alerts = falco.outputs.subscribe();
  const controller = new AbortController();
  const failed = rejection(alerts.pipeTo(new WritableStream(), { signal: controller.signal }));
  await roundTrip(falco);
  const reason = new Error("enough");
  controller.abort(reason);
  assert.equal(await failed, reason);
  await ended(fake);
});

testOnWires(
  "Subscription fails with the reason of its signal while it waits",
  async ({ fake, falco, clock }) => {
    const controller = new AbortController();
    const alerts = falco.outputs.subscribe({ signal: controller.signal });
    const failed = rejection(alerts.getReader().read());
    await roundTrip(falco);
    const reason = new Error("enough");
    controller.abort(reason);
    assert.equal(await failed, reason);
    assert.equal(await alerts.closed, reason);
    await ended(fake);
    assert.equal(clock.pending, 0);
  },
);

testOnWires(
  "Subscription fails with the reason of its signal between reads",
  async ({ fake, falco }) => {
    pushNumbered(fake, 200);
    const controller = new AbortController();
    const alerts = falco.outputs.subscribe({ signal: controller.signal });
    const reader = alerts.getReader();
    assert.equal((await reader.read()).value?.rule, "rule 0");
    await roundTrip(falco);
    controller.abort("any value");
    // Nobody has to read on for the server to learn of it.
    await ended(fake);
    assert.equal(await alerts.closed, "any value" as unknown as Error);
    const { received, dropped } = alerts.stats();
    assert.equal(received + dropped, 200);
    // The stream held what had been received, and hands it out first.
    for (let index = 1; index < received; index++) {
      assert.equal((await reader.read()).value?.rule, `rule ${index}`);
    }
    assert.equal(await rejection(reader.read()), "any value");
    assert.equal(await rejection(reader.closed), "any value");
  },
);

testOnWires("Subscription never opens if its signal has fired already", async ({ fake, falco }) => {
  const reason = new Error("before");
  const alerts = falco.outputs.subscribe({ signal: AbortSignal.abort(reason) });
  // Without a read, too.
  assert.equal(await alerts.closed, reason);
  assert.equal(await rejection(alerts.getReader().read()), reason);
  await roundTrip(falco);
  assert.equal(callsOf(fake, "sub").length, 0);
});

testOnWires(
  "Subscription never opens if its signal fires before the first read",
  async ({ fake, falco }) => {
    const controller = new AbortController();
    const alerts = falco.outputs.subscribe({ signal: controller.signal });
    controller.abort();
    assert.equal(await alerts.closed, controller.signal.reason);
    assert.equal(await rejection(alerts.getReader().read()), controller.signal.reason);
    await roundTrip(falco);
    assert.equal(callsOf(fake, "sub").length, 0);
  },
);

test("Subscription does not wait for the connection once its reader has left", async () => {
  const server = createNetServer(); // accepts, and never says a word
  await withServer(server, "unix", async (address) => {
    const falco = connect(address, { clock: new FakeClock() });
    try {
      const connection = once(server, "connection");
      const controller = new AbortController();
      const aborted = falco.outputs.subscribe({ signal: controller.signal });
      const failed = rejection(aborted.getReader().read());
      await connection;
      const reason = new Error("enough");
      controller.abort(reason);
      assert.equal(await failed, reason);
      assert.equal(await aborted.closed, reason);

      const cancelled = falco.outputs.subscribe();
      const reader = cancelled.getReader();
      const read = reader.read();
      await reader.cancel();
      assert.equal((await read).done, true);

      const closed = falco.outputs.subscribe();
      const waiting = closed.getReader().read();
      await closed.close();
      assert.equal((await waiting).done, true);
      assert.equal(await closed.closed, undefined);
    } finally {
      await falco.close();
    }
  });
});

testOnWires("Subscription cancels a call that comes too late", async ({ fake, falco }) => {
  fake.push(buildAlert());
  const alerts = falco.outputs.subscribe();
  const reader = alerts.getReader();
  await settled();
  void reader.read();
  // The connection is only being opened by now.
  await reader.cancel();
  await roundTrip(falco);
  // It may have been cancelled before its headers were sent.
  assert(callsOf(fake, "sub").length <= 1);
  assert(callsOf(fake, "sub").every((call) => !call.open && call.requests === 0));
  assert.equal(fake.queueDepth, 1);
});

testOnWires("Subscription.close() ends it while a reader waits", async ({ fake, falco, clock }) => {
  const alerts = falco.outputs.subscribe();
  const reader = alerts.getReader();
  const read = reader.read();
  await roundTrip(falco);
  await alerts.close();
  assert.deepEqual(await read, { done: true, value: undefined });
  assert.equal(await alerts.closed, undefined);
  await ended(fake);
  assert.equal(clock.pending, 0);
  await alerts.close();
});

testOnWires("Subscription.close() leaves the reader what has arrived", async ({ fake, falco }) => {
  pushNumbered(fake, 200);
  const alerts = falco.outputs.subscribe();
  const reader = alerts.getReader();
  await reader.read();
  await roundTrip(falco);
  await alerts.close();
  await ended(fake);
  for (let index = 1; index < 200; index++) {
    assert.equal((await reader.read()).value?.rule, `rule ${index}`);
  }
  assert.equal((await reader.read()).done, true);
  const { received, dropped } = alerts.stats();
  assert.deepEqual([received, dropped], [200, 0]);
});

testOnWires("Subscription counts what close() left and nobody read", async ({ fake, falco }) => {
  pushNumbered(fake, 200);
  const controller = new AbortController();
  const alerts = falco.outputs.subscribe({ signal: controller.signal });
  const reader = alerts.getReader();
  await reader.read();
  await roundTrip(falco);
  await alerts.close();
  // It is over: the signal comes too late to make it fail.
  controller.abort();
  await reader.cancel();
  assert.equal(alerts.stats().dropped, 199);
});

testOnWires("Subscription.close() before the first read opens nothing", async ({ fake, falco }) => {
  const alerts = falco.outputs.subscribe();
  await alerts.close();
  assert.deepEqual((await outcome(alerts)).items, []);
  await roundTrip(falco);
  assert.equal(callsOf(fake, "sub").length, 0);
});

testOnWires("Subscription can be disposed of", async ({ fake, falco }) => {
  const alerts = falco.outputs.subscribe();
  const read = alerts.getReader().read();
  await roundTrip(falco);
  await alerts[Symbol.asyncDispose]();
  assert.equal((await read).done, true);
  await ended(fake);
});

for (const way of ["close", "asyncDispose"] as const) {
  testOnWires(`FalcoClient ends its subscription with ${way}`, async ({ fake, falco, clock }) => {
    const alerts = falco.outputs.subscribe();
    const reader = alerts.getReader();
    const read = reader.read();
    await roundTrip(falco);
    await (way === "close" ? falco.close() : falco[Symbol.asyncDispose]());
    assert.equal((await read).done, true);
    assert.equal(await alerts.closed, undefined);
    await ended(fake);
    await until("the connection is closed", () => fake.connections === 0);
    assert.equal(clock.pending, 0);
  });
}

testOnWires("Subscription keeps nothing of a signal that outlives it", async ({ fake, falco }) => {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners++;
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners--;
    removeEventListener.apply(signal, args);
  };
  for (let round = 0; round < 3; round++) {
    fake.push(buildAlert());
    for await (const _ of falco.outputs.subscribe({ signal })) break;
    await Array.fromAsync(falco.outputs.get({ signal }));
  }
  assert.equal(listeners, 0);
});
