import assert from "node:assert/strict";
import { test } from "node:test";
import { LaterOutput } from "../lib/streams/later_output.ts";
import { settled } from "./stream_probes.ts";

/** A LaterOutput above a stage that takes each item only when it is released. */
function output() {
  const log: string[] = [];
  const releases: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  const down = {
    push(item: string) {
      log.push(item);
      return new Promise<void>((resolve, reject) => releases.push({ resolve, reject }));
    },
    end: () => void log.push("end"),
  };
  const context = {
    stop: () => void log.push("stop"),
    fail: (error: unknown) => void log.push(`fail ${error}`),
    wake: () => void log.push("wake"),
  };
  return {
    log,
    later: new LaterOutput<string>(down, context),
    async release(error?: unknown): Promise<void> {
      const { resolve, reject } = releases.shift()!;
      if (error === undefined) resolve();
      else reject(error);
      await settled();
    },
  };
}

test("LaterOutput calls the stage below in order, one at a time, whoever pushes", async () => {
  const { log, later, release } = output();
  later.pushLater("a");
  const pushed = later.push("b");
  later.pushLater("c");
  const ended = later.end();
  await settled();
  assert.deepEqual(log.splice(0), ["a", "wake"]);
  await release();
  assert.deepEqual(log.splice(0), ["wake", "b"]);
  await release();
  await pushed;
  assert.deepEqual(log.splice(0), ["c", "wake"]);
  await release();
  await ended;
  assert.deepEqual(log, ["wake", "end"]);
});

test("LaterOutput wakes the reader between items that are pushed together", async () => {
  const { log, later, release } = output();
  const pushed = later.pushAll(["a", "b"]);
  assert.deepEqual(log.splice(0), ["a"]);
  await release();
  assert.deepEqual(log.splice(0), ["wake", "b"]);
  await release();
  await pushed;
});

test("LaterOutput pushes nothing after cancel(), nor what waits for its turn", async () => {
  const { log, later, release } = output();
  const pushed = later.pushAll(["a", "b"]);
  later.pushLater("c");
  later.cancel();
  await release();
  await pushed;
  assert.equal(later.push("d"), undefined);
  assert.equal(later.end(), undefined);
  assert.deepEqual(log.filter((entry) => entry !== "wake"), ["a"]);
});

test("LaterOutput tells the caller of an error, and the context if there is none", async () => {
  const error = new Error("broken");
  const { log, later, release } = output();
  const pushed = later.push("a");
  const caught = assert.rejects(Promise.resolve(pushed), (given) => given === error);
  await release(error);
  await caught;
  later.pushLater("b");
  later.failLater("after b");
  await release("b is refused");
  assert.deepEqual(log, ["a", "b", "wake", "fail b is refused", "fail after b"]);
});
