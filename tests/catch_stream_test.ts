import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../harness/fake_clock.ts";
import {
  BatchStream,
  BufferStream,
  CatchStream,
  compose,
  EventStream,
} from "../lib/streams/mod.ts";
import {
  FalcoClosedError,
  FlatMapStream,
  LimitStream,
  MapAsyncStream,
} from "../lib/streams/mod.ts";
import { MapStream, OperatorStream, ThrottleStream } from "../lib/streams/mod.ts";
import { outcome, probedSources, settled } from "./stream_probes.ts";
import { written } from "./written_stream.ts";

const error = new Error("no 2");
const skip = { onError: () => "skip" as const };

function notTwo(n: number): number {
  if (n === 2) throw error;
  return n;
}

test("CatchStream skips the item of an error if onError says so", async () => {
  for (const source of probedSources) {
    const makers: (() => OperatorStream<number, number>)[] = [
      () => new MapStream(notTwo),
      () => new MapAsyncStream((n: number) => Promise.resolve(notTwo(n))),
      () => compose(new MapStream((n: number) => n), new MapAsyncStream(notTwo)),
    ];
    for (const make of makers) {
      const told: unknown[] = [];
      const caught = new CatchStream(make(), {
        onError(error, item) {
          told.push([error, item]);
          return "skip";
        },
      });
      const probe = source.make([1, 2, 3, 2]);
      assert.deepEqual(await outcome(probe.stream.pipeThrough(caught)), { items: [1, 3] });
      assert.deepEqual(told, [[error, 2], [error, 2]]);
      assert.equal(caught.skipped, 2);
      assert.deepEqual(probe.reasons, []);
    }
  }
});

test("CatchStream fails if onError says so, or throws", async () => {
  const other = new Error("cannot decide");
  const cases = [
    { onError: () => "fail" as const, expected: error },
    { onError: () => undefined as unknown as "fail", expected: error },
    {
      onError(): never {
        throw other;
      },
      expected: other,
    },
  ];
  for (const { onError, expected } of cases) {
    for (const source of probedSources) {
      const caught = new CatchStream(new MapStream(notTwo), { onError });
      const probe = source.make([1, 2, 3]);
      const result = await outcome(probe.stream.pipeThrough(caught));
      assert.deepEqual(result.items, [1]);
      assert.equal(result.error, expected);
      assert.equal(caught.skipped, 0);
      await settled();
      assert.deepEqual(probe.reasons, [expected]);
    }
  }
});

test("CatchStream keeps what was handed on for an item before its error", async () => {
  const both = new FlatMapStream<number, number>(function* (n) {
    yield 10 * n;
    yield notTwo(n);
  });
  const stream = EventStream.from([1, 2, 3]).pipeThrough(new CatchStream(both, skip));
  assert.deepEqual(await outcome(stream), { items: [10, 1, 20, 30, 3] });
});

test("CatchStream gives the item that was going in, and the operator keeps its state", async () => {
  const told: number[] = [];
  const chain = compose(
    new BatchStream<number>(2),
    new MapStream((batch: number[]) => batch.map(notTwo)),
  );
  const caught = new CatchStream(chain, {
    onError(_, item) {
      told.push(item);
      return "skip";
    },
  });
  const stream = EventStream.from([2, 3, 4, 5, 6]).pipeThrough(caught);
  assert.deepEqual(await outcome(stream), { items: [[4, 5], [6]] });
  assert.deepEqual(told, [3]);
});

test("CatchStream does not catch errors of the source, of the end, of others, of timers", async () => {
  const never = {
    onError(): never {
      throw new Error("nobody is to ask");
    },
  };
  const pass = (): CatchStream<number, number> => new CatchStream(new MapStream((n) => n), never);
  const broken = probedSources[0]!.make([1], { error });
  assert.equal((await outcome(broken.stream.pipeThrough(pass()))).error, error);

  for (const below of [new MapStream(notTwo), new MapAsyncStream(notTwo)]) {
    const result = await outcome(EventStream.from([1, 2, 3]).pipeThrough(compose(pass(), below)));
    assert.deepEqual(result.items, [1]);
    assert.equal(result.error, error);
  }

  const atEnd = new OperatorStream<number, number>((down) => ({
    push: (n) => down.push(n),
    end() {
      throw error;
    },
  }));
  assert.equal(
    (await outcome(EventStream.from([1]).pipeThrough(new CatchStream(atEnd, never)))).error,
    error,
  );

  const clock = new FakeClock();
  const timed = compose(
    new BatchStream<number>(9, { maxWaitMs: 10, clock }),
    new MapStream((batch: number[]) => batch.map(notTwo)),
  );
  const { write, done } = written(new CatchStream(timed, never));
  await write(2);
  clock.advance(10);
  await assert.rejects(done, (given) => given === error);

  const concurrent = new MapAsyncStream(notTwo, { concurrency: 2 });
  const result = await outcome(
    EventStream.from([1, 2, 3]).pipeThrough(new CatchStream(concurrent, never)),
  );
  assert.deepEqual(result.items, [1]);
  assert.equal(result.error, error);
});

test("CatchStream goes on after an error below a stage with timers inside", async () => {
  const clock = new FakeClock();
  const throttle = new ThrottleStream<number>(10, { clock, key: String, trailing: true });
  const chain = compose(throttle, new MapAsyncStream(notTwo));
  const { items, write, close } = written(new CatchStream(chain, skip));
  await write(1, 2, 3);
  await write(1, 3);
  clock.advance(10);
  await settled();
  await close();
  assert.deepEqual(items, [1, 3, 1, 3]);
});

test("CatchStream ends when an operator in it has enough", async () => {
  for (const source of probedSources) {
    const chains = [
      () => compose(new MapStream(notTwo), new LimitStream<number>(2), new BatchStream<number>(5)),
      () => compose(new LimitStream<number>(3), new MapStream(notTwo), new BatchStream<number>(5)),
    ];
    for (const chain of chains) {
      const probe = source.make([1, 2, 3, 4], "hang");
      const outer = compose(new CatchStream(chain(), skip), new BatchStream<number[]>(5));
      assert.deepEqual(await outcome(probe.stream.pipeThrough(outer)), { items: [[[1, 3]]] });
      await settled();
      assert.deepEqual(probe.reasons, [undefined]);
    }
    const none = source.make([1], "hang");
    const nothing = new CatchStream(new LimitStream<number>(0), skip);
    assert.deepEqual(await outcome(none.stream.pipeThrough(nothing)), { items: [] });
  }
});

test("CatchStream takes the timers of its operator back when the reader leaves", async () => {
  const clock = new FakeClock();
  const batch = new BatchStream<number>(9, { maxWaitMs: 10, clock });
  const { write, leave } = written(new CatchStream(batch, skip));
  await write(1);
  assert.equal(clock.pending, 1);
  await leave("enough");
  assert.equal(clock.pending, 0);
});

test("CatchStream refuses what it cannot wrap", () => {
  const used = new MapStream(notTwo);
  compose(used);
  assert.throws(() => new CatchStream(used, skip), FalcoClosedError);
  assert.throws(() => new CatchStream(new BufferStream<number>(1), skip), TypeError);
  const foreign = new TransformStream() as unknown as OperatorStream<number, number>;
  assert.throws(() => new CatchStream(foreign, skip), TypeError);
  const options = {} as unknown as typeof skip;
  assert.throws(() => new CatchStream(new MapStream(notTwo), options), {
    name: "TypeError",
    message:
      'Cannot create CatchStream: "onError" must be a function: current value is "undefined"',
  });
});

test("CatchStream hands on what its operator puts out by a timer, while the source hangs", async () => {
  const clock = new FakeClock();
  const batch = new BatchStream<number>(9, { maxWaitMs: 10, clock });
  const { items, write, close } = written(new CatchStream(batch, skip));
  await write(1);
  clock.advance(10);
  await settled();
  assert.deepEqual(items, [[1]]);
  await close();
});
