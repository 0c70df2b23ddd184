/** version() and get(): at once, or when Falco is ready. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { FalcoClosedError, FalcoConnectError } from "../lib/errors.ts";
import { connect } from "../lib/client/connect.ts";
import { rejection } from "./client_probes.ts";
import { passAll, testAtPlace } from "./reconnect_probes.ts";
import { outcome, settled } from "./stream_probes.ts";
import { until } from "./waits.ts";

testAtPlace("version() and get() fail at once by default", async ({ falco, clock }) => {
  for (const waitForReady of [undefined, false] as const) {
    const options = waitForReady === undefined ? {} : { waitForReady };
    assert.equal((await rejection(falco.version(options)) as FalcoConnectError).reason, "refused");
    const { error } = await outcome(falco.outputs.get(options));
    assert.equal((error as FalcoConnectError).reason, "refused");
  }
  assert.equal(clock.pending, 0);
});

testAtPlace("version() and get() wait for Falco with waitForReady", async (place) => {
  const { start, falco, clock } = place;
  const version = falco.version({ waitForReady: true });
  const alerts = Array.fromAsync(falco.outputs.get({ waitForReady: { maxDelayMs: 1000 } }));
  const before = clock.now();
  await until("some attempts have failed", () => {
    clock.advance(100);
    return clock.now() > before + 10_000;
  });
  const fake = await start();
  fake.push(buildAlert({ rule: "at last" }));
  assert.equal((await passAll(clock, version)).minor, 43);
  assert.deepEqual((await passAll(clock, alerts)).map(({ rule }) => rule), ["at last"]);
});

testAtPlace("get() does not start over once Falco has answered", async (place) => {
  const { start, falco } = place;
  const fake = await start();
  for (let index = 0; index < 5000; index++) fake.push(buildAlert());
  const reader = falco.outputs.get({ waitForReady: true }).getReader();
  await reader.read();
  await fake.kill();
  const error = await rejection((async () => {
    while (!(await reader.read()).done);
  })());
  assert.equal((error as FalcoConnectError).reason, "lost");
});

testAtPlace("waitForReady gives up after maxAttempts", async ({ falco, clock }) => {
  const waitForReady = { maxAttempts: 2, minDelayMs: 100, maxDelayMs: 100 };
  const failed = rejection(falco.version({ waitForReady }));
  const got = outcome(falco.outputs.get({ waitForReady }));
  assert.equal((await passAll(clock, failed) as FalcoConnectError).reason, "refused");
  assert.equal(((await passAll(clock, got)).error as FalcoConnectError).reason, "refused");
});

testAtPlace("waitForReady ends with its signal, or the client", async ({ falco, clock }) => {
  const controller = new AbortController();
  const { signal } = controller;
  const version = rejection(falco.version({ waitForReady: true, signal }));
  const alerts = outcome(falco.outputs.get({ waitForReady: true, signal }));
  await until("both wait", () => clock.pending === 2);
  await settled();
  controller.abort("enough");
  assert.equal(await version, "enough");
  assert.deepEqual(await alerts, { items: [], error: "enough" });
  assert.equal(clock.pending, 0);

  const other = new AbortController();
  const closedVersion = rejection(falco.version({ waitForReady: true, signal: other.signal }));
  const closedAlerts = outcome(falco.outputs.get({ waitForReady: true }));
  await until("both wait", () => clock.pending === 2);
  await settled();
  await falco.close();
  assert(await closedVersion instanceof FalcoClosedError);
  assert.deepEqual(await closedAlerts, { items: [] });
  assert.equal(clock.pending, 0);
});

test("waitForReady does not wait for what cannot come", async () => {
  const tls = { ca: "/nowhere/ca.crt", cert: "/nowhere/client.crt", key: "/nowhere/client.key" };
  const falco = connect("https://localhost:5060", { tls });
  const error = await rejection(falco.version({ waitForReady: true }));
  assert.equal((error as FalcoConnectError).reason, "tls");
  assert(
    ((await outcome(falco.outputs.get({ waitForReady: true }))).error) instanceof FalcoConnectError,
  );
  assert(((await outcome(falco.outputs.subscribe())).error) instanceof FalcoConnectError);
  await falco.close();
});
