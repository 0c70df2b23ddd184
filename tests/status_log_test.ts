import assert from "node:assert/strict";
import { test } from "node:test";
import type { Status } from "../lib/client/status.ts";
import { StatusLog } from "../lib/client/status_log.ts";
import { settled } from "./stream_probes.ts";

function connecting(attempt: number): Status {
  return { type: "connecting", atMs: attempt, address: "unix:///falco.sock", attempt };
}

const open: Status = {
  type: "open",
  atMs: 5,
  address: "unix:///falco.sock",
  service: "falco.outputs.service/sub",
};
const gap: Status = { type: "gap", atMs: 6, lostMs: 3, received: 2 };
const closed: Status = { type: "closed", atMs: 7, error: undefined };

test("StatusLog gives every reader everything from its beginning on", async () => {
  const log = new StatusLog();
  const first = log.stream();
  log.report(connecting(1));
  log.report(open);
  const second = log.stream();
  log.report(gap);
  log.report(closed);
  assert.deepEqual(await Array.fromAsync(first), [connecting(1), open, gap, closed]);
  assert.deepEqual(await Array.fromAsync(second), [open, gap, closed]);
  assert.equal(log.missed, 0);
});

test("StatusLog gives a late reader the current state, which is not the gap", async () => {
  const log = new StatusLog();
  log.report(open);
  log.report(gap);
  const reader = log.stream().getReader();
  assert.deepEqual(await reader.read(), { done: false, value: open });
  await reader.cancel();
});

test("StatusLog ends after closed, for those that come later too", async () => {
  const log = new StatusLog();
  log.report(open);
  log.report(closed);
  log.report(connecting(9));
  assert.deepEqual(await Array.fromAsync(log.stream()), [closed]);
});

test("StatusLog wakes a reader that waits", async () => {
  const log = new StatusLog();
  const reader = log.stream().getReader();
  const read = reader.read();
  await settled();
  log.report(open);
  assert.deepEqual((await read).value, open);
  const next = reader.read();
  await settled();
  log.report(closed);
  assert.deepEqual((await next).value, closed);
  assert.equal((await reader.read()).done, true);
});

test("StatusLog lets a waiting reader leave", async () => {
  const log = new StatusLog();
  const reader = log.stream().getReader();
  const read = reader.read();
  await settled();
  await reader.cancel();
  assert.equal((await read).done, true);
  log.report(open);
  assert.equal(log.missed, 0);
});

test("StatusLog drops the oldest for a reader that does not read, and counts them", async () => {
  const log = new StatusLog();
  const idle = log.stream();
  const left = log.stream();
  await left.cancel();
  const seen: Status[] = [];
  const reading = (async () => {
    for await (const status of log.stream()) seen.push(status);
  })();
  for (let attempt = 1; attempt <= 300; attempt++) {
    log.report(connecting(attempt));
    if (attempt % 100 === 0) await settled();
  }
  assert.equal(log.missed, 44);
  log.report(closed);
  await reading;
  assert.equal(seen.length, 301);
  const rest = await Array.fromAsync(idle);
  assert.equal(rest.length, 256);
  assert.deepEqual(rest[0], connecting(46));
  assert.deepEqual(rest.at(-1), closed);
  assert.equal(log.missed, 45);
});
