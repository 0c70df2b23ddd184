/** The rules of operator_table_test.ts for the operators that change nothing, or can be undone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BufferStream,
  CatchStream,
  compose,
  CountByStream,
  FalcoClosedError,
  FilterStream,
  FlatMapStream,
  MapAsyncStream,
  MapStream,
  RateLimitStream,
  ScanStream,
  SinkStream,
  SkipStream,
  TakeWhileStream,
  TapStream,
  ThrottleStream,
  TimeoutStream,
} from "../lib/streams/mod.ts";
import type { CountResult, OperatorStream } from "../lib/streams/mod.ts";
import { paths } from "./stream_paths.ts";
import { outcome, probedSources, settled } from "./stream_probes.ts";

type Numbers = OperatorStream<number, number>;

interface Case {
  readonly name: string;
  readonly make: () => Numbers;
  /** It asks for items before they are wanted. */
  readonly readsAhead?: boolean;
  /** It drops what it is at work with when something above it fails. */
  readonly isConcurrent?: boolean;
  /** It cannot be composed. */
  readonly isApart?: boolean;
}

const cases: readonly Case[] = [
  { name: "TapStream", make: () => new TapStream(() => {}) },
  { name: "FlatMapStream", make: () => new FlatMapStream((n: number) => [n]) },
  { name: "SkipStream", make: () => new SkipStream<number>(0) },
  { name: "TakeWhileStream", make: () => new TakeWhileStream((n: number) => n < 1000) },
  { name: "ScanStream", make: () => new ScanStream((_: number, n: number) => n, 0) },
  { name: "MapAsyncStream", make: () => new MapAsyncStream((n: number) => Promise.resolve(n)) },
  {
    name: "MapAsyncStream, concurrent",
    make: () => new MapAsyncStream(slowly, { concurrency: 3 }),
    readsAhead: true,
    isConcurrent: true,
  },
  {
    name: "MapAsyncStream, concurrent and unordered",
    make: () => new MapAsyncStream((n: number) => n, { concurrency: 3, ordered: false }),
    readsAhead: true,
    isConcurrent: true,
  },
  { name: "TimeoutStream", make: () => new TimeoutStream<number>(60_000), isApart: true },
  {
    name: "BufferStream",
    make: () => new BufferStream<number>(2),
    readsAhead: true,
    isApart: true,
  },
  { name: "ThrottleStream", make: () => new ThrottleStream<number>(1000, { key: String }) },
  {
    name: "RateLimitStream",
    make: () => new RateLimitStream<number>({ limit: 1000, intervalMs: 60_000 }),
  },
  {
    name: "CatchStream",
    make: () =>
      new CatchStream(
        compose(new TapStream<number>(() => {}), new MapAsyncStream((n: number) => slowly(n))),
        { onError: () => "fail" },
      ),
  },
  {
    name: "CountByStream and its opposite",
    make: () =>
      compose(
        new CountByStream<number>(String, { threshold: 1 }),
        new MapStream<CountResult, number>(({ key }) => Number(key)),
      ),
  },
  {
    name: "compose() of many",
    make: () =>
      compose(
        new TapStream<number>(() => {}),
        new FlatMapStream<number, number>((n) => new Set([n])),
        new MapAsyncStream<number, number>((n) => Promise.resolve(n)),
        new SkipStream<number>(0),
        new TakeWhileStream<number>((n) => n < 1000),
      ),
  },
];

async function slowly(n: number): Promise<number> {
  await Promise.resolve();
  return n;
}

for (const { name: pathName, through, items, to } of paths) {
  for (const source of probedSources) {
    for (const { name, make, readsAhead, isConcurrent, isApart } of cases) {
      const title = `${name} on ${source.name}, ${pathName}`;
      const thrower = (error: unknown): Numbers =>
        new FilterStream((n: number) => {
          if (n === 3) throw error;
          return true;
        });

      test(`${title} hands on everything to the end`, async () => {
        for (const numbers of [[], [1, 2, 3]]) {
          const probe = source.make(numbers);
          assert.deepEqual(await outcome(items(through(probe.stream, make()))), { items: numbers });
          assert.deepEqual(probe.reasons, []);
        }
      });

      test(`${title} pulls nothing before the first read, and little after it`, async () => {
        const probe = source.make(Array.from({ length: 50 }, (_, index) => index));
        const reader = through(through(probe.stream, make()), make()).getReader();
        await settled();
        assert.equal(probe.pulls, 0);
        for (let reads = 1; reads < 5; reads++) {
          assert.equal((await reader.read()).value, reads - 1);
          await settled();
          if (!readsAhead) assert.equal(probe.pulls, reads);
          // Two operators, each with two or three of its own, and what is between them.
          else assert(probe.pulls <= reads + 8, `${probe.pulls} pulls for ${reads} reads`);
        }
        await reader.cancel();
      });

      test(`${title} hands a reason up to the source`, async () => {
        const reason = { why: "enough" };
        const before = source.make([1, 2]);
        await through(before.stream, make()).cancel(reason);
        await settled();
        assert.equal(before.pulls, 0);
        assert.deepEqual(before.reasons, [reason]);

        const waiting = source.make([1], "hang");
        const reader = through(through(waiting.stream, make()), make()).getReader();
        await reader.read();
        const read = reader.read();
        await settled();
        await reader.cancel(reason);
        assert.equal((await read).done, true);
        await settled();
        assert.equal(waiting.reasons.length, 1);
        assert.equal(waiting.reasons[0], reason);
      });

      test(`${title} cancels the source when for await is left`, async () => {
        const probe = source.make([1, 2, 3], "hang");
        for await (const item of items(through(probe.stream, make()))) if (item === 2) break;
        await settled();
        assert.deepEqual(probe.reasons, [undefined]);
      });

      test(`${title} gives errors after the items before them`, async () => {
        const error = new Error("the source broke");
        const broken = source.make([1, 2], { error });
        const result = await outcome(items(through(broken.stream, make())));
        assert.deepEqual(result.items, [1, 2].slice(0, isConcurrent ? result.items.length : 2));
        assert.equal(result.error, error);
        assert.deepEqual(broken.reasons, []);

        for (const order of ["after", "before"]) {
          const probe = source.make([1, 2, 3, 4], "hang");
          const stream = order === "after"
            ? through(through(probe.stream, make()), thrower(error))
            : through(through(probe.stream, thrower(error)), make());
          const { items: given, error: thrown } = await outcome(items(stream));
          const lost = isConcurrent && order === "before";
          assert.deepEqual(given, [1, 2].slice(0, lost ? given.length : 2));
          assert.equal(thrown, error);
          await settled();
          assert.equal(probe.reasons.length, 1);
          assert.equal(probe.reasons[0], error);
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

      test(`${title} passes a sink's error on to the source`, async () => {
        const error = new Error("disk full");
        const probe = source.make([1, 2, 3], "hang");
        const sink = new SinkStream<number>({
          write: (n) => n === 2 ? Promise.reject(error) : undefined,
        });
        const piped = to(through(probe.stream, make()), sink);
        await assert.rejects(piped, (given) => given === error);
        await settled();
        assert.equal(probe.reasons.length, 1);
        assert.equal(probe.reasons[0], error);
      });

      test(`${title} is refused for a second pipeline`, async () => {
        const operator = make();
        await outcome(items(through(source.make([1]).stream, operator)));
        const second = source.make([2]);
        assert.throws(() => through(second.stream, operator), FalcoClosedError);
        assert.equal(second.stream.locked, false);
        const refusal = isApart ? TypeError : FalcoClosedError;
        assert.throws(() => compose(operator), refusal);

        const inUse = make();
        through(source.make([1]).stream, inUse);
        assert.throws(() => through(second.stream, inUse), TypeError);
      });
    }
  }
}
