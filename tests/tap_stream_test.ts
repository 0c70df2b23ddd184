import assert from "node:assert/strict";
import { test } from "node:test";
import { compose, EventStream, OperatorStream, TapStream } from "../lib/streams/mod.ts";
import { outcome } from "./stream_probes.ts";

test("TapStream calls its function before the stages below, once for each item", async () => {
  const log: string[] = [];
  const below = new OperatorStream<number, number>((down) => ({
    push(n) {
      log.push(`below ${n}`);
      return down.push(n);
    },
    end: () => down.end(),
  }));
  const chain = compose(new TapStream<number>((n) => void log.push(`tap ${n}`)), below);
  const stream = EventStream.from([1, 2]).pipeThrough(chain);
  assert.deepEqual(await outcome(stream), { items: [1, 2] });
  assert.deepEqual(log, ["tap 1", "below 1", "tap 2", "below 2"]);
});

test("TapStream hands on the very same item and ignores what its function returns", async () => {
  const item = { name: "a" };
  const { items } = await outcome(
    EventStream.from([item]).pipeThrough(new TapStream<object>(() => ({ name: "b" }))),
  );
  assert.equal(items[0], item);
});

test("TapStream fails with what its function throws, after the items before", async () => {
  const error = new Error("no ink");
  const tap = new TapStream<number>((n) => {
    if (n === 2) throw error;
  });
  const result = await outcome(EventStream.from([1, 2, 3]).pipeThrough(tap));
  assert.deepEqual(result.items, [1]);
  assert.equal(result.error, error);
});

test("TapStream refuses what is not a function", () => {
  assert.throws(
    () => new TapStream("x" as unknown as () => void),
    new TypeError(`Cannot create TapStream: "fn" must be a function: current value is "x"`),
  );
});
