import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStream, SkipStream } from "../lib/streams/mod.ts";
import { outcome, probedSources } from "./stream_probes.ts";

test("SkipStream drops the first items and lets the others through", async () => {
  const cases = [
    { count: 0, expected: [1, 2, 3] },
    { count: 2, expected: [3] },
    { count: 3, expected: [] },
    { count: 4, expected: [] },
  ];
  for (const { count, expected } of cases) {
    for (const source of probedSources) {
      const stream = source.make([1, 2, 3]).stream.pipeThrough(new SkipStream(count));
      assert.deepEqual(await outcome(stream), { items: expected });
    }
  }
});

test("SkipStream pulls as many as it skips, and the one that is wanted", async () => {
  const probe = probedSources[0]!.make([1, 2, 3, 4]);
  const reader = probe.stream.pipeThrough(new SkipStream<number>(2)).getReader();
  assert.equal((await reader.read()).value, 3);
  assert.equal(probe.pulls, 3);
  await reader.cancel();
});

test("SkipStream gives an error among the skipped items", async () => {
  const error = new Error("broken");
  const probe = probedSources[0]!.make([1], { error });
  const result = await outcome(probe.stream.pipeThrough(new SkipStream(5)));
  assert.deepEqual(result.items, []);
  assert.equal(result.error, error);
});

test("SkipStream refuses a count that is no whole number from 0", () => {
  for (const count of [-1, 1.5, NaN, Infinity, "2" as unknown as number]) {
    assert.throws(
      () => new SkipStream(count),
      new RangeError(
        `Cannot create SkipStream: "count" must be a whole number from 0: current value is "${count}"`,
      ),
    );
  }
  assert(EventStream.from([1]).pipeThrough(new SkipStream(0)) instanceof ReadableStream);
});
