import assert from "node:assert/strict";
import { test } from "node:test";
import { BatchStream, compose, OperatorStream, TakeWhileStream } from "../lib/streams/mod.ts";
import { outcome, probedSources, settled } from "./stream_probes.ts";

test("TakeWhileStream ends at the first item that does not fit and cancels the source", async () => {
  for (const source of probedSources) {
    const cases = [
      { inclusive: false, expected: [1, 2] },
      { inclusive: true, expected: [1, 2, 9] },
    ];
    for (const { inclusive, expected } of cases) {
      const seen: number[] = [];
      const probe = source.make([1, 2, 9, 1], "hang");
      const stream = probe.stream.pipeThrough(
        new TakeWhileStream((n: number) => {
          seen.push(n);
          return n < 3;
        }, { inclusive }),
      );
      assert.deepEqual(await outcome(stream), { items: expected });
      await settled();
      assert.deepEqual(probe.reasons, [undefined]);
      assert.equal(probe.pulls, 3);
      assert.deepEqual(seen, [1, 2, 9]);
    }
  }
});

test("TakeWhileStream lets everything through that fits", async () => {
  const probe = probedSources[0]!.make([1, 2]);
  const stream = probe.stream.pipeThrough(new TakeWhileStream(() => true, { inclusive: true }));
  assert.deepEqual(await outcome(stream), { items: [1, 2] });
  assert.deepEqual(probe.reasons, []);
});

test("TakeWhileStream flushes what the stages below hold", async () => {
  const probe = probedSources[0]!.make([1, 2, 9], "hang");
  const chain = compose(
    new TakeWhileStream<number>((n) => n < 3),
    new BatchStream<number>(10),
  );
  assert.deepEqual(await outcome(probe.stream.pipeThrough(chain)), { items: [[1, 2]] });
});

test("TakeWhileStream ends after a slow stage below is done with the last item", async () => {
  const log: string[] = [];
  const slow = new OperatorStream<number, number>((down) => ({
    async push(n) {
      log.push(`begin ${n}`);
      await settled();
      log.push(`end ${n}`);
      await down.push(n);
    },
    end() {
      log.push("end");
      return down.end();
    },
  }));
  const probe = probedSources[0]!.make([1, 9, 1], "hang");
  const chain = compose(new TakeWhileStream<number>((n) => n < 3, { inclusive: true }), slow);
  assert.deepEqual(await outcome(probe.stream.pipeThrough(chain)), { items: [1, 9] });
  assert.deepEqual(log, ["begin 1", "end 1", "begin 9", "end 9", "end"]);
});

test("TakeWhileStream fails with what its predicate throws", async () => {
  const error = new Error("no idea");
  const probe = probedSources[0]!.make([1]);
  const stream = probe.stream.pipeThrough(
    new TakeWhileStream(() => {
      throw error;
    }),
  );
  assert.equal((await outcome(stream)).error, error);
  await settled();
  assert.deepEqual(probe.reasons, [error]);
});

test("TakeWhileStream refuses what is not a function", () => {
  assert.throws(
    () => new TakeWhileStream(1 as unknown as () => boolean),
    new TypeError(
      `Cannot create TakeWhileStream: "predicate" must be a function: current value is "1"`,
    ),
  );
});
