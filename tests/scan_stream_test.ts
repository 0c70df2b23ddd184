import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStream, ScanStream } from "../lib/streams/mod.ts";
import { outcome } from "./stream_probes.ts";

test("ScanStream hands on one value for each item, each made of the last", async () => {
  const calls: [number, string][] = [];
  const scan = new ScanStream((total: number, text: string) => {
    calls.push([total, text]);
    return total + text.length;
  }, 10);
  const stream = EventStream.from(["a", "bc", ""]).pipeThrough(scan);
  assert.deepEqual(await outcome(stream), { items: [11, 13, 13] });
  assert.deepEqual(calls, [[10, "a"], [11, "bc"], [13, ""]]);
});

test("ScanStream of nothing is nothing, and undefined is a value", async () => {
  const count = (): ScanStream<number, number> => new ScanStream((n) => n + 1, 0);
  assert.deepEqual(await outcome(EventStream.from<number>([]).pipeThrough(count())), { items: [] });
  const last = new ScanStream<number, number | undefined>((_, n) => n > 1 ? undefined : n, 5);
  const stream = EventStream.from([1, 2]).pipeThrough(last);
  assert.deepEqual(await outcome(stream), { items: [1, undefined] });
});

test("ScanStream fails with what its function throws, after the values before", async () => {
  const error = new Error("overflow");
  const scan = new ScanStream<number, number>((sum, n) => {
    if (n === 3) throw error;
    return sum + n;
  }, 0);
  const result = await outcome(EventStream.from([1, 2, 3, 4]).pipeThrough(scan));
  assert.deepEqual(result.items, [1, 3]);
  assert.equal(result.error, error);
});

test("ScanStream refuses what is not a function", () => {
  assert.throws(() => new ScanStream(undefined as unknown as () => number, 0), {
    name: "TypeError",
    message: `Cannot create ScanStream: "fn" must be a function: current value is "undefined"`,
  });
});
