/** The log between a gateway's sources and its clients: positions, bounds, counts. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AlertLog } from "../gateway/alert_log.ts";
import type { AlertLogOptions, LogCursor } from "../gateway/alert_log.ts";
import { frameMessage } from "../lib/transport/message_splitter.ts";

const framed = (number: number, length = 4): Uint8Array => {
  const message = new Uint8Array(length);
  new DataView(message.buffer).setUint32(0, number);
  return frameMessage(message);
};

function logOf(options: Partial<AlertLogOptions>, count = 0): AlertLog {
  const log = new AlertLog({
    maxAlerts: 100,
    maxBytes: 1e9,
    replay: 0,
    overflow: "drop-oldest",
    ...options,
  });
  for (let at = 0; at < count; at++) log.append(framed(at));
  return log;
}

/** All that a cursor has, one by one. */
function popAll(cursor: LogCursor): number[] {
  const numbers: number[] = [];
  for (let message = cursor.tryPop(); message !== undefined; message = cursor.tryPop()) {
    numbers.push(new DataView(message.buffer, message.byteOffset).getUint32(0));
  }
  return numbers;
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe("AlertLog", () => {
  it("gives a cursor what comes after it, one by one or in runs, the same", () => {
    const log = logOf({ maxAlerts: 1000 });
    const [one, other] = [log.open(true), log.open(true)];
    for (let at = 0; at < 300; at++) log.append(framed(at));
    assert.deepEqual(popAll(one), range(0, 299));
    const run = other.tryPopRun()!;
    assert.equal(run.count, 300);
    const expected = range(0, 299).flatMap((at) => [...framed(at)]);
    assert.deepEqual([...run.bytes], expected);
    assert.equal(other.tryPopRun(), undefined);
    assert.equal(other.tryPop(), undefined);
    assert.equal(log.delivered, 600);
    assert.deepEqual(popAll(log.open(true)), []);
  });

  it("makes runs of 64 KiB, and gives clients that are level the same one", () => {
    const log = logOf({ maxAlerts: 1000 });
    const [one, other] = [log.open(true), log.open(true)];
    for (let at = 0; at < 200; at++) log.append(framed(at, 995));
    log.append(framed(200, 200_000));
    const counts: number[] = [];
    for (;;) {
      const run = one.tryPopRun();
      if (run === undefined) break;
      assert(other.tryPopRun()!.bytes === run.bytes);
      counts.push(run.count);
    }
    assert.deepEqual(counts, [65, 65, 65, 5, 1]);
  });

  it("keeps what somebody may still want, and little more", () => {
    const log = logOf({ replay: 10, maxAlerts: 1000 }, 500);
    assert(log.end - log.first <= 10 + 64);
    const slow = log.open(true);
    for (let at = 500; at < 900; at++) log.append(framed(at));
    assert.equal(slow.depth, 410);
    assert.deepEqual(popAll(slow), range(490, 899));
    slow.close();
    for (let at = 900; at < 1000; at++) log.append(framed(at));
    assert(log.end - log.first <= 10 + 64);
    assert(log.bytes <= (10 + 64) * 9);
  });

  it("counts what a cursor missed while it is there, and when it is closed", () => {
    const log = logOf({ maxAlerts: 10 });
    const cursor = log.open(true);
    for (let at = 0; at < 25; at++) log.append(framed(at));
    assert.equal(log.dropped, 15);
    assert.equal(cursor.depth, 10);
    assert.deepEqual(popAll(cursor), range(15, 24));
    for (let at = 25; at < 40; at++) log.append(framed(at));
    cursor.close();
    cursor.close();
    assert.equal(log.dropped, 20);
    assert.equal(cursor.tryPop(), undefined);
    assert.equal(log.depth, 0);
  });

  it("with block waits for cursors that hold, and takes from those that do not", async () => {
    const log = logOf({ overflow: "block", maxAlerts: 10 });
    const getter = log.open(false);
    for (let at = 0; at < 30; at++) {
      log.append(framed(at));
      assert(!log.isBlocked);
    }
    assert.deepEqual(popAll(getter), range(20, 29));
    const holding = log.open(true);
    for (let at = 30; at < 40; at++) log.append(framed(at));
    assert(log.isBlocked);
    // One more of each source may come; it is not lost.
    log.append(framed(40));
    const room = log.room();
    assert.equal(holding.tryPopRun()!.count, 11);
    await room;
    assert(!log.isBlocked);
    assert.equal(log.dropped, 20);
  });

  it("with block has a bound in bytes, and lets a single large alert through", () => {
    const log = logOf({ overflow: "block", maxBytes: 1000 });
    const cursor = log.open(true);
    log.append(framed(1, 5000));
    assert(log.isBlocked);
    assert.equal(cursor.tryPopRun()!.bytes.length, 5005);
    assert(!log.isBlocked);
  });

  it("with disconnect closes a cursor before it would miss something", () => {
    const log = logOf({ overflow: "disconnect", maxAlerts: 3 });
    let lost = 0;
    const cursor = log.open(true, () => lost++);
    for (let at = 0; at < 3; at++) log.append(framed(at));
    assert.equal(lost, 0);
    log.append(framed(3));
    log.append(framed(4));
    assert.equal(lost, 1);
    assert.deepEqual(popAll(cursor), []);
  });

  it("gives nothing once it is finished, and says what was left", async () => {
    const log = logOf({ overflow: "block", maxAlerts: 3 });
    const cursors = [log.open(true), log.open(true), log.open(false)];
    for (let at = 0; at < 4; at++) log.append(framed(at));
    cursors[0]!.tryPop();
    const waits = [log.room(), log.drained()];
    assert.equal(log.finish(), 3 + 4);
    await Promise.all(waits);
    for (const cursor of [...cursors, log.open(true)]) assert.deepEqual(popAll(cursor), []);
    assert.equal(log.bytes, 0);
  });
});
