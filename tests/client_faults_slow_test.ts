/** Servers that are slow, stand still, or send what no Falco sends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeFalco } from "../harness/fake_falco.ts";
import { connect } from "../lib/client/connect.ts";
import { FalcoConnectError, FalcoRpcError } from "../lib/errors.ts";
import type { AlertFormatError } from "../lib/errors.ts";
import { callsOf, rejection } from "./client_probes.ts";
import { push, rules, testFaults } from "./fault_probes.ts";
import { Story } from "./reconnect_probes.ts";
import { outcome, settled } from "./stream_probes.ts";
import { until } from "./waits.ts";

// Not over TLS: its handshake would take seconds.
test("Alerts arrive whole from a server that sends a byte at a time", async () => {
  const fake = await FakeFalco.start({ tls: false, faults: [{ type: "split", bytes: 1 }] });
  const falco = connect(fake.address);
  try {
    push(fake, 0, 1);
    const { items, error } = await outcome(falco.outputs.get());
    assert.deepEqual([items.map(({ rule }) => rule), error], [rules(0, 1), undefined]);
  } finally {
    await falco.close();
    await fake[Symbol.asyncDispose]();
  }
});

testFaults(
  "Alerts and the version arrive whole from a server that sends a few bytes at a time",
  [{ type: "split", bytes: 23 }],
  async ({ fake, falco }) => {
    push(fake, 0, 2);
    const { items, error } = await outcome(falco.outputs.get());
    assert.deepEqual([items.map(({ rule }) => rule), error], [rules(0, 2), undefined]);
    assert.equal((await falco.version()).version, "0.43.1");
    push(fake, 2, 3);
    const alerts = falco.outputs.subscribe();
    const reader = alerts.getReader();
    assert.equal((await reader.read()).value?.rule, "r2");
    await reader.cancel();
    assert.equal(alerts.stats().reconnects, 0);
  },
);

testFaults(
  "Alerts of a slow server come one by one, in order, without more requests than polls",
  [{ type: "delay", ms: 700, times: 3 }],
  async ({ fake, falco, clock }) => {
    push(fake, 0, 3);
    const alerts = falco.outputs.subscribe({ minPollMs: 5_000, maxPollMs: 5_000 });
    const reader = alerts.getReader();
    for (const rule of rules(0, 3)) {
      const read = reader.read();
      await until("both wait", () => clock.pending === 2);
      clock.advance(700);
      assert.equal((await read).value?.rule, rule);
    }
    assert.equal(alerts.stats().polls, 1);
    assert.deepEqual([alerts.stats().reconnects, fake.requests[0]?.requests], [0, 1]);
    await reader.cancel();
  },
);

testFaults(
  "A call that stands still can be left, and leaves nothing open",
  [
    { type: "stall", onCall: 1, afterAlerts: 1 },
    { type: "truncate", then: "silence", onCall: 2 },
    { type: "zero-window", onConnection: 2 },
  ],
  async ({ fake, falco }) => {
    push(fake, 0, 9);
    for (const what of ["stall", "half an alert"]) {
      const controller = new AbortController();
      const reader = falco.outputs.get({ signal: controller.signal }).getReader();
      if (what === "stall") assert.equal((await reader.read()).value?.rule, "r0");
      const read = rejection(reader.read());
      await until(what, () => fake.faults.length === (what === "stall" ? 1 : 2));
      await settled();
      const reason = new Error("enough");
      controller.abort(reason);
      assert.equal(await read, reason);
      await until("the call is over", () => callsOf(fake, "get").every(({ open }) => !open));
    }
    // The connection is still good for others.
    assert.equal((await falco.version()).version, "0.43.1");
    assert.equal(fake.connections, 1);
    assert.deepEqual(
      (await outcome(falco.outputs.get())).items.map(({ rule }) => rule),
      rules(2, 9),
    );
  },
);

testFaults(
  "A subscription that may send no request waits, keeps to its polls, and can be left",
  [{ type: "zero-window" }],
  async ({ fake, falco, clock }) => {
    const alerts = falco.outputs.subscribe({ maxPollMs: 1000 });
    const reader = alerts.getReader();
    const read = reader.read();
    await until("the call is there", () => callsOf(fake, "sub").length === 1);
    for (let second = 0; second < 5; second++) {
      await until("it waits", () => clock.pending === 1);
      clock.advance(1000);
      await settled();
    }
    const { polls } = alerts.stats();
    assert(polls <= 10, `${polls} polls`);
    await reader.cancel();
    assert.deepEqual(await read, { done: true, value: undefined });
    await until("the call is over", () => !callsOf(fake, "sub")[0]!.open);
  },
);

testFaults(
  "A server that says nothing at all is given up in time",
  [{ type: "truncate", afterBytes: 1, then: "silence", times: 1_000_000 }],
  async ({ fake, falco, clock }) => {
    const failed = rejection(falco.version());
    await until("it waits", () => clock.pending === 1 && fake.faults.length === 1);
    await settled();
    clock.advance(1000);
    const error = await failed;
    assert(error instanceof FalcoConnectError);
    assert.equal(error.reason, "timeout");
    // A subscription tries again.
    const alerts = falco.outputs.subscribe();
    const story = new Story(alerts);
    const reader = alerts.getReader();
    const read = reader.read();
    for (let n = 1; n <= 3; n++) {
      await until("it waits", () => clock.pending === 1 && fake.faults.length === 1 + n);
      await settled();
      clock.advance(1000);
      const { delayMs, error } = await story.nth("reconnecting", n);
      assert(error instanceof FalcoConnectError && error.reason === "timeout", String(error));
      await until("the back-off is set", () => clock.pending === 1);
      clock.advance(delayMs);
    }
    await reader.cancel();
    await read;
    assert.equal(alerts.stats().polls, 0);
  },
  { connectTimeoutMs: 1000 },
);

testFaults(
  "A stream whose bytes stop within a frame waits for the rest, and can be left",
  // Far enough for the handshake over TLS, and in the middle of the alerts.
  [{ type: "truncate", afterBytes: 40_000, then: "silence" }],
  async ({ fake, falco, clock }) => {
    push(fake, 0, 500);
    const alerts = falco.outputs.subscribe();
    const reader = alerts.getReader();
    const seen: string[] = [];
    let isWaiting = false;
    const reading = (async () => {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        seen.push(value.rule);
      }
    })();
    await until("no more comes", () => {
      const before = seen.length;
      if (isWaiting && fake.faults.length === 1 && before > 0) return true;
      isWaiting = clock.pending === 1;
      return false;
    });
    await settled();
    await settled();
    assert(seen.length > 20 && seen.length < 500, `${seen.length}`);
    assert.deepEqual(seen, rules(0, seen.length));
    await alerts.close();
    await reading;
    const { received, reconnects, invalid } = alerts.stats();
    assert.deepEqual([received, reconnects, invalid], [seen.length, 0, 0]);
  },
);

testFaults(
  "Alerts that are not what they should be are replaced, skipped and counted",
  [
    { type: "alter", to: "invalid-utf8", afterAlerts: 1 },
    { type: "alter", to: "no-protobuf", afterAlerts: 2 },
    { type: "alter", to: "unknown-field", afterAlerts: 3 },
    { type: "alter", to: "unknown-priority", afterAlerts: 4 },
  ],
  async ({ fake, falco }) => {
    push(fake, 0, 6);
    const invalid: string[] = [];
    const alerts = falco.outputs.subscribe({
      onInvalid: (error: AlertFormatError) => void invalid.push(error.message),
    });
    const reader = alerts.getReader();
    const seen = [];
    for (let count = 0; count < 4; count++) seen.push((await reader.read()).value!);
    await reader.cancel();
    assert.deepEqual(seen.map(({ rule }) => rule), ["r0", "r1", "r3", "r5"]);
    assert.equal(seen[1]?.output, "a\ufffd\ufffdb");
    assert.equal(invalid.length, 2);
    assert.match(invalid[1]!, /priority.*99|99.*priority/);
    const stats = alerts.stats();
    assert.deepEqual([stats.received, stats.invalid, stats.lossyText], [4, 2, 1]);
    assert.equal(fake.faults.filter(({ real }) => real).length, 0);
  },
);

for (
  const { to, message } of [
    {
      to: "oversized",
      message:
        /: the message has \d+ bytes, 4194304 are allowed\. That alert is lost; raise maxMessageBytes of connect\(\) for others like it$/,
    },
    {
      to: "compressed",
      message:
        /: the message is compressed\. Falco sends nothing of that kind: check the address, and what/,
    },
  ] as const
) {
  testFaults(
    `An alert that is ${to} ends the call with status 8`,
    [{ type: "alter", to, onCall: 1, afterAlerts: 2 }, {
      type: "alter",
      to,
      onCall: 2,
      afterAlerts: 2,
    }],
    async ({ fake, falco, clock }) => {
      push(fake, 0, 8);
      const { items, error } = await outcome(falco.outputs.get());
      assert.deepEqual(items.map(({ rule }) => rule), rules(0, 2));
      assert(error instanceof FalcoRpcError, String(error));
      assert.equal(error.status, 8);
      assert.match(error.message, message);
      await until("Falco knows", () => callsOf(fake, "get").every(({ open }) => !open));
      fake.reset();
      push(fake, 10, 16);
      const alerts = falco.outputs.subscribe();
      const story = new Story(alerts);
      const reader = alerts.getReader();
      const first = (await reader.read()).value?.rule;
      assert.equal(first, "r10");
      const rest = (async () => {
        while (!(await reader.read()).done);
      })();
      const reconnecting = await story.nth("reconnecting", 1);
      assert.match(String(reconnecting.error?.message), message);
      await reader.cancel();
      await rest;
      await until("nothing is left", () => clock.pending === 0);
    },
  );
}

testFaults(
  "Alerts that Falco lost are missing, and nobody can know",
  [{ type: "lose", afterAlerts: 1, times: 2 }],
  async ({ fake, falco }) => {
    push(fake, 0, 5);
    const { items, error } = await outcome(falco.outputs.get());
    assert.deepEqual([items.map(({ rule }) => rule), error], [["r0", "r2", "r4"], undefined]);
    assert.deepEqual(fake.faults.map(({ lostAlerts }) => lostAlerts), [1, 1]);
  },
);
