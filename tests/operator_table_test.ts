import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../harness/fake_clock.ts";
import {
  BatchStream,
  compose,
  DedupeStream,
  FalcoClosedError,
  FilterStream,
  LimitStream,
  OperatorStream,
  SinkStream,
} from "../lib/streams/mod.ts";
import type { StageFactory } from "../lib/streams/mod.ts";
import { outcome, probedSources, settled } from "./stream_probes.ts";

// Operators that hand on every number as it is, so that one table of rules holds for all of them.
const flatten: StageFactory<number[], number> = (down) => ({
  push: (items) => items.forEach((item) => void down.push(item)),
  end: () => down.end(),
});
const slow: StageFactory<number, number> = (down) => ({
  async push(item) {
    await Promise.resolve();
    await down.push(item);
  },
  end: () => down.end(),
});
const operators: { name: string; make: () => OperatorStream<number, number> }[] = [
  { name: "FilterStream", make: () => new FilterStream((n: number) => n > 0) },
  { name: "DedupeStream", make: () => new DedupeStream<number>(String) },
  { name: "LimitStream", make: () => new LimitStream<number>(1000) },
  {
    name: "BatchStream and its opposite",
    make: () => compose(new BatchStream<number>(1), new OperatorStream(flatten)),
  },
  { name: "an operator that waits", make: () => new OperatorStream(slow) },
  { name: "compose() of nothing", make: () => compose<number>() },
  {
    name: "compose() of all",
    make: () =>
      compose(
        new FilterStream<number>(() => true),
        new OperatorStream(slow),
        new DedupeStream<number>(String),
        compose(new BatchStream<number>(1), new OperatorStream(flatten)),
        new LimitStream<number>(1000),
      ),
  },
];

/** An operator that puts out n for every number and throws at 3. */
function throwsAtThree(error: unknown): OperatorStream<number, number> {
  return new FilterStream((n: number) => {
    if (n === 3) throw error;
    return true;
  });
}

for (const source of probedSources) {
  for (const { name, make } of operators) {
    const title = `${name} on ${source.name}`;

    test(`${title} hands on everything to the end`, async () => {
      const probe = source.make([1, 2, 3]);
      assert.deepEqual(await outcome(probe.stream.pipeThrough(make())), { items: [1, 2, 3] });
      assert.deepEqual(probe.reasons, []);
    });

    test(`${title} pulls only what was asked for`, async () => {
      const probe = source.make([1, 2, 3, 4]);
      const reader = probe.stream.pipeThrough(make()).pipeThrough(make()).getReader();
      for (let reads = 0; reads < 4; reads++) {
        await settled();
        assert.equal(probe.pulls, reads);
        assert.equal((await reader.read()).value, reads + 1);
      }
      assert.equal((await reader.read()).done, true);
    });

    test(`${title} hands a reason up to the source`, async () => {
      const reason = { why: "enough" };
      const before = source.make([1, 2]);
      await before.stream.pipeThrough(make()).cancel(reason);
      await settled();
      assert.equal(before.pulls, 0);
      assert.equal(before.reasons.length, 1);
      assert.equal(before.reasons[0], reason);

      const between = source.make([1, 2]);
      const reader = between.stream.pipeThrough(make()).pipeThrough(make()).getReader();
      await reader.read();
      await reader.cancel(reason);
      await settled();
      assert.equal(between.reasons.length, 1);
      assert.equal(between.reasons[0], reason);

      const waiting = source.make([1], "hang");
      const second = waiting.stream.pipeThrough(make()).getReader();
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
      const probe = source.make([1, 2, 3]);
      for await (const item of probe.stream.pipeThrough(make())) if (item === 2) break;
      await settled();
      assert.deepEqual(probe.reasons, [undefined]);
      assert.equal(probe.pulls, 2);
    });

    test(`${title} gives the source's error after the items before it`, async () => {
      const error = new Error("the source broke");
      const probe = source.make([1, 2], { error });
      const { items, error: given } = await outcome(probe.stream.pipeThrough(make()));
      assert.deepEqual(items, [1, 2]);
      assert.equal(given, error);
      await settled();
      assert.deepEqual(probe.reasons, []);
    });

    test(`${title} gives the error of an operator after it, and of one before it`, async () => {
      for (const order of ["after", "before"]) {
        const error = { thrown: order };
        const probe = source.make([1, 2, 3, 4]);
        const stream = order === "after"
          ? probe.stream.pipeThrough(make()).pipeThrough(throwsAtThree(error))
          : probe.stream.pipeThrough(throwsAtThree(error)).pipeThrough(make());
        const { items, error: given } = await outcome(stream);
        assert.deepEqual(items, [1, 2]);
        assert.equal(given, error);
        await settled();
        assert.equal(probe.reasons.length, 1);
        assert.equal(probe.reasons[0], error);
        assert.equal(probe.pulls, 3);
      }
    });

    test(`${title} fails with the signal's reason when it is aborted`, async () => {
      const reason = new Error("stop it");
      for (const begin of ["before the first read", "while a read waits"]) {
        const abort = new AbortController();
        const probe = source.make([], "hang");
        const reader = probe.stream.pipeThrough(make(), { signal: abort.signal }).getReader();
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
      const through = (stream: ReadableStream<number>): ReadableStream<number> =>
        stream.pipeThrough(new TransformStream<number, number>())
          .pipeThrough(make())
          .pipeThrough(new TransformStream<number, number>())
          .pipeThrough(make());
      const all = source.make([1, 2, 3]);
      assert.deepEqual(await outcome(through(all.stream)), { items: [1, 2, 3] });

      const many = source.make(Array.from({ length: 100 }, (_, index) => index + 1));
      const reader = through(many.stream).getReader();
      await reader.read();
      await settled();
      // Each transform of the platform takes one item for itself.
      assert(many.pulls <= 3, `${many.pulls} pulls for one read`);
      await reader.cancel(reason);
      await settled();
      assert.equal(many.reasons[0], reason);

      const broken = source.make([1, 2], { error: reason });
      assert.equal((await outcome(through(broken.stream))).error, reason);
      const ours = source.make([1, 2, 3]);
      const thrown = through(ours.stream.pipeThrough(throwsAtThree(reason)));
      assert.equal((await outcome(thrown)).error, reason);
      await settled();
      assert.equal(ours.reasons[0], reason);
    });

    test(`${title} passes a sink's error on to the source`, async () => {
      const error = new Error("disk full");
      for (
        const refuse of [() => Promise.reject(error), () => {
          throw error;
        }]
      ) {
        const probe = source.make([1, 2, 3]);
        const sink = new SinkStream<number>({ write: (n) => n === 2 ? refuse() : undefined });
        const piped = probe.stream.pipeThrough(make()).pipeTo(sink);
        await assert.rejects(piped, (given) => given === error);
        await settled();
        assert.equal(probe.reasons.length, 1);
        assert.equal(probe.reasons[0], error);
      }
    });

    test(`${title} is refused for a second pipeline`, async () => {
      const operator = make();
      await outcome(source.make([1]).stream.pipeThrough(operator));
      const second = source.make([2]);
      assert.throws(() => second.stream.pipeThrough(operator), FalcoClosedError);
      assert.equal(second.stream.locked, false);
      assert.throws(() => compose(operator), FalcoClosedError);

      const inUse = make();
      source.make([1]).stream.pipeThrough(inUse);
      assert.throws(() => second.stream.pipeThrough(inUse), TypeError);
      assert.throws(() => compose(inUse), FalcoClosedError);
    });
  }

  test(`OperatorStream.stop() on ${source.name} ends downstream and cancels the source`, async () => {
    const probe = source.make([1, 2, 3], "hang");
    const stream = probe.stream
      .pipeThrough(new FilterStream<number>(() => true))
      .pipeThrough(compose(new LimitStream<number>(2), new BatchStream<number>(5)));
    assert.deepEqual(await outcome(stream), { items: [[1, 2]] });
    await settled();
    assert.equal(probe.pulls, 2);
    assert.deepEqual(probe.reasons, [undefined]);
  });

  test(`OperatorStream takes timers back on every way out of ${source.name}`, async () => {
    const error = new Error("broken");
    const clock = new FakeClock();
    const batch = (): BatchStream<number> => new BatchStream(9, { maxWaitMs: 50, clock });
    const reach = async (): Promise<void> => {
      await settled();
      assert.equal(clock.pending, 1);
    };

    const cancelled = source.make([1], "hang").stream.pipeThrough(batch()).getReader();
    const read = cancelled.read();
    await reach();
    await cancelled.cancel();
    assert.equal((await read).done, true);
    assert.equal(clock.pending, 0);

    const abort = new AbortController();
    const aborted = source.make([1], "hang").stream
      .pipeThrough(batch(), { signal: abort.signal }).getReader().read();
    await reach();
    abort.abort(error);
    await assert.rejects(aborted, (given) => given === error);
    assert.equal(clock.pending, 0);

    for (const ending of ["end" as const, { error }]) {
      await outcome(source.make([1, 2], ending).stream.pipeThrough(batch()));
      assert.equal(clock.pending, 0);
    }
    // A stage above the batch fails, or stops, while the batch waits.
    for (const above of [throwsAtThree(error), new LimitStream<number>(2)]) {
      const probe = source.make([1, 2, 3, 4], "hang");
      await outcome(probe.stream.pipeThrough(compose(above, batch())));
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
    assert.deepEqual(await outcome(probe.stream.pipeThrough(below)), { items: [1] });
    assert.equal(clock.pending, 0);
    await settled();
  });
}
