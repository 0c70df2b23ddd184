import assert from "node:assert/strict";
import { test } from "node:test";
import { compose, EventStream, FilterStream, FlatMapStream } from "../lib/streams/mod.ts";
import { LimitStream, OperatorStream } from "../lib/streams/mod.ts";
import { outcome, probedSources, settled } from "./stream_probes.ts";

test("FlatMapStream hands on none, one or many items of each, in order", async () => {
  for (const source of probedSources) {
    const stream = source.make([0, 1, 3]).stream.pipeThrough(
      new FlatMapStream((n: number) => Array.from({ length: n }, (_, index) => `${n}.${index}`)),
    );
    assert.deepEqual(await outcome(stream), { items: ["1.0", "3.0", "3.1", "3.2"] });
  }
});

test("FlatMapStream takes strings, sets and generators", async () => {
  const makers = ["ab", new Set(["a", "b"]), ["a", "b"].values()];
  for (const maker of makers) {
    const stream = EventStream.from([1]).pipeThrough(new FlatMapStream(() => maker));
    assert.deepEqual(await outcome(stream), { items: ["a", "b"] });
  }
});

/** An endless generator that says when it was left. */
function endless() {
  const log = { made: 0, left: false };
  function* numbers(): Generator<number> {
    try {
      while (true) yield ++log.made;
    } finally {
      log.left = true;
    }
  }
  return { log, numbers };
}

test("FlatMapStream leaves an endless iterable when a stage below has enough", async () => {
  const { log, numbers } = endless();
  const chain = compose(new FlatMapStream<number, number>(numbers), new LimitStream<number>(3));
  const probe = probedSources[0]!.make([1, 2], "hang");
  assert.deepEqual(await outcome(probe.stream.pipeThrough(chain)), { items: [1, 2, 3] });
  assert.deepEqual(log, { made: 3, left: true });
  await settled();
  assert.deepEqual(probe.reasons, [undefined]);
});

test("FlatMapStream leaves the iterable when a stage below throws, now or later", async () => {
  const error = new Error("broken below");
  const refuse = new FilterStream<number>((n) => {
    if (n === 2) throw error;
    return true;
  });
  const refuseLater = new OperatorStream<number, number>((down) => ({
    push: (n) => n === 2 ? Promise.reject(error) : down.push(n),
    end: () => down.end(),
  }));
  for (const below of [refuse, refuseLater]) {
    const { log, numbers } = endless();
    const chain = compose(new FlatMapStream<number, number>(numbers), below);
    const result = await outcome(EventStream.from([1]).pipeThrough(chain));
    assert.deepEqual(result.items, [1]);
    assert.equal(result.error, error);
    assert.equal(log.left, true);
  }
});

test("FlatMapStream waits for a slow stage below, and goes no further when the reader leaves", async () => {
  const { log, numbers } = endless();
  let release = (): void => {};
  const slow = new OperatorStream<number, number>((down) => ({
    async push(n) {
      await new Promise<void>((resolve) => release = resolve);
      await down.push(n);
    },
    end: () => down.end(),
  }));
  const chain = compose(new FlatMapStream<number, number>(numbers), slow);
  const reader = EventStream.from([1]).pipeThrough(chain).getReader();
  const read = reader.read();
  await settled();
  assert.equal(log.made, 1);
  release();
  assert.equal((await read).value, 1);
  await settled();
  assert.equal(log.made, 2);
  await reader.cancel();
  release();
  await settled();
  assert.deepEqual(log, { made: 2, left: true });
});

test("FlatMapStream fails with what its function or the iterable throws", async () => {
  const error = new Error("no more");
  function* broken(): Generator<number> {
    yield 1;
    throw error;
  }
  const result = await outcome(EventStream.from([1]).pipeThrough(new FlatMapStream(broken)));
  assert.deepEqual(result.items, [1]);
  assert.equal(result.error, error);
  const throws = new FlatMapStream<number, number>(() => {
    throw error;
  });
  assert.equal((await outcome(EventStream.from([1]).pipeThrough(throws))).error, error);
});

test("FlatMapStream refuses what cannot be iterated", async () => {
  for (const value of [undefined, null, 5, {}]) {
    const flat = new FlatMapStream<number, number>(() => value as unknown as number[]);
    const { error } = await outcome(EventStream.from([1]).pipeThrough(flat));
    assert(error instanceof TypeError);
    assert.match(
      error.message,
      /^Cannot go through what was made of an item: .* cannot be iterated/,
    );
  }
  assert.throws(() => new FlatMapStream(null as unknown as () => []), TypeError);
});
