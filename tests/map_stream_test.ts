import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStream, MapStream } from "../lib/streams/mod.ts";
import { outcome, probedSources } from "./stream_probes.ts";

test("MapStream hands on what the function makes of each item, in order", async () => {
  for (const source of probedSources) {
    const asked: number[] = [];
    const map = new MapStream((n: number) => {
      asked.push(n);
      return `n${n}`;
    });
    assert.deepEqual(await outcome(source.make([1, 2, 3]).stream.pipeThrough(map)), {
      items: ["n1", "n2", "n3"],
    });
    assert.deepEqual(asked, [1, 2, 3]);
  }
});

test("MapStream hands on anything, undefined and promises among it", async () => {
  const promise = Promise.resolve(1);
  const made = [undefined, null, promise, 0];
  const reader = EventStream.from([0, 1, 2, 3]).pipeThrough(new MapStream((n) => made[n]))
    .getReader();
  for (const value of made) assert.equal((await reader.read()).value, value);
});

test("MapStream fails with what the function throws", async () => {
  const error = { thrown: true };
  const map = new MapStream((n: number) => {
    if (n === 2) throw error;
    return n;
  });
  const result = await outcome(EventStream.from([1, 2, 3]).pipeThrough(map));
  assert.deepEqual(result.items, [1]);
  assert.equal(result.error, error);
});

test("MapStream refuses what is no function", () => {
  assert.throws(
    () => new MapStream("rule" as unknown as () => string),
    new TypeError('Cannot create MapStream: "fn" must be a function: current value is "rule"'),
  );
});
