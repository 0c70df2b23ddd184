import assert from "node:assert/strict";
import { test } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { scenarios } from "../harness/scenarios/mod.ts";
import { expandScenario } from "../harness/expand_scenario.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { decodeAlert, encodeAlert } from "../lib/alert/wire.ts";
import { connect } from "../lib/client/connect.ts";
import { EventStream } from "../lib/streams/engine/event_stream.ts";
import { callsOf, rejection, roundTrip, testOnWires } from "./client_probes.ts";
import { until } from "./waits.ts";

function numbered(count: number): Alert[] {
  return Array.from({ length: count }, (_, index) => buildAlert({ rule: `rule ${index}` }));
}

testOnWires("outputs.get() drains the queue, and ends", async ({ fake, falco }) => {
  const pushed = [...expandScenario(scenarios.containerEscape)];
  fake.push(...pushed);
  // On the wire, all fields are text.
  const alerts = pushed.map((alert) => decodeAlert(encodeAlert(alert)));
  const stream = falco.outputs.get();
  assert(stream instanceof EventStream);
  assert.deepEqual(await Array.fromAsync(stream), alerts);
  assert.equal(fake.queueDepth, 0);
  const [call] = callsOf(fake, "get");
  assert.deepEqual(
    { ...call },
    {
      method: "falco.outputs.service/get",
      connection: 1,
      requests: 1,
      emptyPulls: 0,
      alerts: alerts.length,
      halfClosed: true,
      waiting: false,
      open: false,
      status: 0,
    },
  );
});

testOnWires("outputs.get() ends at once if nothing is queued", async ({ fake, falco }) => {
  assert.deepEqual(await Array.fromAsync(falco.outputs.get()), []);
  fake.push(buildAlert());
  assert.equal((await Array.fromAsync(falco.outputs.get())).length, 1);
  assert.deepEqual(await Array.fromAsync(falco.outputs.get()), []);
  assert.equal(callsOf(fake, "get").length, 3);
});

testOnWires("outputs.get() opens the call with the first read", async ({ fake, falco }) => {
  fake.push(buildAlert());
  const stream = falco.outputs.get();
  await roundTrip(falco);
  assert.equal(callsOf(fake, "get").length, 0);
  assert.equal(fake.queueDepth, 1);
  const reader = stream.getReader();
  assert.deepEqual(await reader.read(), { done: false, value: buildAlert() });
  assert.equal(callsOf(fake, "get").length, 1);
  assert.equal((await reader.read()).done, true);
});

testOnWires("outputs.get() gives up nothing that was never read", async ({ fake, falco }) => {
  fake.push(buildAlert());
  await falco.outputs.get().cancel();
  await roundTrip(falco);
  assert.equal(callsOf(fake, "get").length, 0);
  assert.equal(fake.queueDepth, 1);
});

testOnWires("outputs.get() calls share the queue", async ({ fake, falco }) => {
  const alerts = numbered(2000);
  fake.push(...alerts);
  const parts = await Promise.all(
    Array.from({ length: 4 }, () => Array.fromAsync(falco.outputs.get())),
  );
  const rules = parts.map((part) => part.map((alert) => Number(alert.rule.slice(5))));
  for (const part of rules) assert.deepEqual(part, part.toSorted((a, b) => a - b));
  assert.deepEqual(rules.flat().toSorted((a, b) => a - b), alerts.map((_, index) => index));
  assert.equal(fake.connections, 1);
});

testOnWires("outputs.get() keeps the order of 20,000 alerts", async ({ fake, falco }) => {
  const count = 20_000;
  fake.push(...numbered(count));
  let next = 0;
  for await (const { rule } of falco.outputs.get()) {
    if (rule !== `rule ${next}`) assert.fail(`${rule} came in place of ${next}`);
    next++;
  }
  assert.equal(next, count);
});

testOnWires("outputs.get() ends its call on break", async ({ fake, falco }) => {
  fake.push(...numbered(5000));
  for await (const alert of falco.outputs.get()) {
    assert.equal(alert.rule, "rule 0");
    break;
  }
  await until("the call is over", () => !callsOf(fake, "get")[0]!.open);
  assert(fake.queueDepth > 0);
  assert.equal((await falco.version()).minor, 43);
});

testOnWires("outputs.get() fails with the reason of its signal", async ({ fake, falco }) => {
  fake.push(...numbered(5000));
  const controller = new AbortController();
  const reason = new Error("enough");
  let read = 0;
  const failed = rejection((async () => {
    for await (const _ of falco.outputs.get({ signal: controller.signal })) {
      if (++read === 100) controller.abort(reason);
    }
  })());
  assert.equal(await failed, reason);
  assert(read < 5000);
  await until("the call is over", () => !callsOf(fake, "get")[0]!.open);
});

testOnWires("outputs.get() ends with close(), after what has arrived", async ({ fake, falco }) => {
  fake.push(...numbered(5000));
  const reader = falco.outputs.get().getReader();
  await reader.read();
  await roundTrip(falco);
  await falco.close();
  let read = 1;
  while (!(await reader.read()).done) read++;
  assert(read >= 200 && read < 5000, `${read} were read`);
});

test("outputs.get() opens nothing as long as nobody reads", async () => {
  const falco = connect("unix:///nowhere");
  falco.outputs.get();
  await falco.close();
});
