import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../harness/fake_clock.ts";
import {
  BatchStream,
  compose,
  FalcoClosedError,
  FilterStream,
  LimitStream,
  OperatorStream,
  SinkStream,
} from "../lib/streams/mod.ts";
import { flatten, operatorCases } from "./operator_cases.ts";
import { paths } from "./stream_paths.ts";
import type { Path } from "./stream_paths.ts";
import { outcome, probedSources, settled } from "./stream_probes.ts";
import type { ProbedSource } from "./stream_probes.ts";

/** An operator that puts out n for every number and throws at 3. */
function throwsAtThree(error: unknown): OperatorStream<number, number> {
  return new FilterStream((n: number) => {
    if (n === 3) throw error;
    return true;
  });
}

const ways: { path: Path; source: ProbedSource; way: string }[] = paths.flatMap((path) =>
  probedSources.map((source) => ({ path, source, way: `${source.name}, ${path.name}` }))
);

for (const { path, source, way } of ways) {
  const { through } = path;

  for (const { name, make, readsAhead, losesOnError } of operatorCases) {
    const title = `${name} on ${way}`;

    test(`${title} hands on everything to the end`, async () => {
      for (const items of [[], [0], [1, 2, 3]]) {
        const probe = source.make(items);
        assert.deepEqual(await outcome(path.items(through(probe.stream, make()))), { items });
        assert.deepEqual(probe.reasons, []);
      }
    });

    test(`${title} pulls only what was asked for`, async () => {
      const probe = source.make(Array.from({ length: 100 }, (_, index) => index));
      const reader = through(through(probe.stream, make()), make()).getReader();
      for (let reads = 0; reads < 5; reads++) {
        await settled();
        // Two operators, each with some items of its own, and what is between them.
        if (readsAhead && reads > 0) assert(probe.pulls <= reads + 40, `${probe.pulls} pulls`);
        else assert.equal(probe.pulls, reads);
        assert.equal((await reader.read()).value, reads);
      }
      await reader.cancel();
    });

    test(`${title} hands a reason up to the source`, async () => {
      const reason = { why: "enough" };
      const before = source.make([1, 2]);
      await through(before.stream, make()).cancel(reason);
      await settled();
      assert.equal(before.pulls, 0);
      assert.equal(before.reasons.length, 1);
      assert.equal(before.reasons[0], reason);

      const between = source.make([1, 2], "hang");
      const reader = through(through(between.stream, make()), make()).getReader();
      await reader.read();
      await reader.cancel(reason);
      await settled();
      assert.equal(between.reasons.length, 1);
      assert.equal(between.reasons[0], reason);

      const waiting = source.make([1], "hang");
      const second = through(waiting.stream, make()).getReader();
      await second.read();
      const read = second.read();
      await settled();
      await second.cancel(reason);
      assert.equal((await read).done, true);
      await settled();
      assert.equal(waiting.reasons.length, 1);
      assert.equal(waiting.reasons[0], reason);
    });

    test(`${title} cancels the source when for await is left`, async () => {
      const probe = source.make([1, 2, 3], "hang");
      for await (const item of path.items(through(probe.stream, make()))) if (item === 2) break;
      await settled();
      assert.deepEqual(probe.reasons, [undefined]);
      if (!readsAhead) assert.equal(probe.pulls, 2);
    });

    test(`${title} gives the source's error after the items before it`, async () => {
      const error = new Error("the source broke");
      const probe = source.make([1, 2], { error });
      const { items, error: given } = await outcome(path.items(through(probe.stream, make())));
      assert.deepEqual(items, [1, 2].slice(0, losesOnError ? items.length : 2));
      assert.equal(given, error);
      await settled();
      assert.deepEqual(probe.reasons, []);
    });

    test(`${title} gives the error of an operator after it, and of one before it`, async () => {
      for (const order of ["after", "before"]) {
        const error = { thrown: order };
        const probe = source.make([1, 2, 3, 4], "hang");
        const stream = order === "after"
          ? through(through(probe.stream, make()), throwsAtThree(error))
          : through(through(probe.stream, throwsAtThree(error)), make());
        const { items, error: given } = await outcome(path.items(stream));
        const isLost = losesOnError && order === "before";
        assert.deepEqual(items, [1, 2].slice(0, isLost ? items.length : 2));
        assert.equal(given, error);
        await settled();
        assert.equal(probe.reasons.length, 1);
        assert.equal(probe.reasons[0], error);
        if (!readsAhead) assert.equal(probe.pulls, 3);
      }
    });

    test(`${title} fails with the signal's reason when it is aborted`, async () => {
      const reason = new Error("stop it");
      for (const begin of ["before the first read", "while a read waits"]) {
        const abort = new AbortController();
        const probe = source.make([], "hang");
        const reader = through(probe.stream, make(), { signal: abort.signal }).getReader();
        const read = begin === "while a read waits" ? reader.read() : undefined;
        await settled();
        abort.abort(reason);
        await assert.rejects(read ?? reader.read(), (given) => given === reason);
        await settled();
        assert.equal(probe.reasons.length, 1);
        assert.equal(probe.reasons[0], reason);
      }
    });

    test(`${title} mixes with transforms of the platform`, async () => {
      const reason = new Error("enough");
      const mixed = (stream: ReadableStream<number>): ReadableStream<number> => {
        const first = through(stream.pipeThrough(new TransformStream<number, number>()), make());
        return through(first.pipeThrough(new TransformStream<number, number>()), make());
      };
      const all = source.make([1, 2, 3]);
      assert.deepEqual(await outcome(path.items(mixed(all.stream))), { items: [1, 2, 3] });

      const many = source.make(Array.from({ length: 100 }, (_, index) => index + 1));
      const reader = mixed(many.stream).getReader();
      await reader.read();
      await settled();
      // Each transform of the platform takes one item for itself.
      assert(many.pulls <= (readsAhead ? 40 : 3), `${many.pulls} pulls for one read`);
      await reader.cancel(reason);
      await settled();
      assert.equal(many.reasons[0], reason);

      const broken = source.make([1, 2], { error: reason });
      assert.equal((await outcome(path.items(mixed(broken.stream)))).error, reason);
      const ours = source.make([1, 2, 3], "hang");
      const thrown = mixed(through(ours.stream, throwsAtThree(reason)));
      assert.equal((await outcome(path.items(thrown))).error, reason);
      await settled();
      assert.equal(ours.reasons[0], reason);
    });

    test(`${title} ends early with an operator after it, and with one before it`, async () => {
      for (const order of ["after", "before"]) {
        const probe = source.make([1, 2, 3], "hang");
        const limit = new LimitStream<number>(2);
        const stream = order === "after"
          ? through(through(probe.stream, make()), limit)
          : through(through(probe.stream, limit), make());
        assert.deepEqual(await outcome(path.items(stream)), { items: [1, 2] });
        await settled();
        assert.deepEqual(probe.reasons, [undefined]);
        if (!readsAhead) assert.equal(probe.pulls, 2);
      }
    });

    test(`${title} passes a sink's error on to the source`, async () => {
      const error = new Error("disk full");
      for (
        const refuse of [() => Promise.reject(error), () => {
          throw error;
        }]
      ) {
        const probe = source.make([1, 2, 3], "hang");
        const sink = new SinkStream<number>({ write: (n) => n === 2 ? refuse() : undefined });
        const piped = path.to(through(probe.stream, make()), sink);
        await assert.rejects(piped, (given) => given === error);
        await settled();
        assert.equal(probe.reasons.length, 1);
        assert.equal(probe.reasons[0], error);
      }
    });

    test(`${title} is refused for a second pipeline`, async () => {
      const operator = make();
      await outcome(path.items(through(source.make([1]).stream, operator)));
      const second = source.make([2]);
      assert.throws(() => through(second.stream, operator), FalcoClosedError);
      assert.equal(second.stream.locked, false);
      assert.throws(() => compose(operator), FalcoClosedError);

      const inUse = make();
      through(source.make([1]).stream, inUse);
      assert.throws(() => through(second.stream, inUse), TypeError);
      assert.throws(() => compose(inUse), FalcoClosedError);
    });
  }

  test(`OperatorStream.stop() on ${way} ends downstream and cancels the source`, async () => {
    const probe = source.make([1, 2, 3], "hang");
    const stream = through(
      through(probe.stream, new FilterStream<number>(() => true)),
      compose(new LimitStream<number>(2), new BatchStream<number>(5)),
    );
    assert.deepEqual(await outcome(path.items(stream)), { items: [[1, 2]] });
    await settled();
    assert.equal(probe.pulls, 2);
    assert.deepEqual(probe.reasons, [undefined]);
  });

  test(`OperatorStream takes timers back on every way out of ${way}`, async () => {
    const error = new Error("broken");
    const clock = new FakeClock();
    const batch = (): BatchStream<number> => new BatchStream(9, { maxWaitMs: 50, clock });
    const reach = async (): Promise<void> => {
      await settled();
      assert.equal(clock.pending, 1);
    };

    const cancelled = through(source.make([1], "hang").stream, batch()).getReader();
    const read = cancelled.read();
    await reach();
    await cancelled.cancel();
    assert.equal((await read).done, true);
    assert.equal(clock.pending, 0);

    const abort = new AbortController();
    const aborted = through(source.make([1], "hang").stream, batch(), {
      signal: abort.signal,
    }).getReader().read();
    await reach();
    abort.abort(error);
    await assert.rejects(aborted, (given) => given === error);
    assert.equal(clock.pending, 0);

    for (const ending of ["end" as const, { error }]) {
      await outcome(path.items(through(source.make([1, 2], ending).stream, batch())));
      assert.equal(clock.pending, 0);
    }
    // A stage above the batch fails, or stops, while the batch waits.
    for (const above of [throwsAtThree(error), new LimitStream<number>(2)]) {
      const probe = source.make([1, 2, 3, 4], "hang");
      await outcome(path.items(through(probe.stream, compose(above, batch()))));
      assert.equal(clock.pending, 0);
    }
    // A stage below stops while the batch is about to take the next item.
    const tight = new BatchStream<number>(9, {
      maxWaitMs: 50,
      maxBytes: 3,
      sizeOf: () => 2,
      clock,
    });
    const below = compose(tight, new OperatorStream(flatten), new LimitStream<number>(1));
    const probe = source.make([1, 2, 3, 4], "hang");
    assert.deepEqual(await outcome(path.items(through(probe.stream, below))), { items: [1] });
    assert.equal(clock.pending, 0);
    await settled();
  });
}
