/** Operators that the tables of rules are run for. @module */
import { buildAlert } from "../harness/build_alert.ts";
import type { Alert } from "../lib/alert/alert.ts";
import {
  BatchStream,
  BufferStream,
  CatchStream,
  compose,
  CountByStream,
  DedupeStream,
  FilterStream,
  FlatMapStream,
  LimitStream,
  MapAsyncStream,
  MapStream,
  OperatorStream,
  RateLimitStream,
  RedactStream,
  ScanStream,
  SkipStream,
  TakeWhileStream,
  TapStream,
  ThrottleStream,
  TimeoutStream,
  TumblingWindowStream,
} from "../lib/streams/mod.ts";
import type {
  CountResult,
  RedactStreamOptions,
  StageFactory,
  WindowResult,
} from "../lib/streams/mod.ts";

/** Makes items of arrays of them. */
export const flatten: StageFactory<number[], number> = (down, context) => ({
  push(items) {
    let index = 0;
    const next = (): void | Promise<void> => {
      while (index < items.length) {
        const wait = down.push(items[index++]!);
        if (wait === undefined) continue;
        return wait.then(() => {
          // What came of it need not wait for the others.
          context.wake();
          return next();
        });
      }
    };
    return next();
  },
  end: () => down.end(),
});

/** Hands on every item, a little later. */
export const slow: StageFactory<number, number> = (down) => ({
  async push(item) {
    await Promise.resolve();
    await down.push(item);
  },
  end: () => down.end(),
});

/** An operator that hands on every number from 0 as it is, so that one table of rules holds for all. */
export interface OperatorCase {
  readonly name: string;
  make(): OperatorStream<number, number>;
  /** It asks for items before they are wanted. */
  readonly readsAhead?: boolean;
  /** It drops what it is at work with when something above it fails. */
  readonly losesOnError?: boolean;
}

const slowly = (n: number): Promise<number> => Promise.resolve().then(() => n);

/** Operators that undo what goes before. */
const asAlert = (): MapStream<number, Alert> =>
  new MapStream((n) => buildAlert({ priority: "critical", output: `${n}`, outputFields: {} }));
const asNumber = (): MapStream<Alert, number> => new MapStream((alert) => Number(alert.output));
// Without a field to hash: WebCrypto answers when it likes, and the tables count turns.
const redacted = (options: RedactStreamOptions): OperatorStream<number, number> =>
  compose(asAlert(), new RedactStream(["user.name"], options), asNumber());

/** A number, and a moment later the time alone: a window of 1 ms with the number in it is over then. */
interface Moment {
  readonly at: number;
  readonly numbers: readonly number[];
}
const moments = (): FlatMapStream<number, Moment> =>
  new FlatMapStream((n) => [{ at: 2 * n, numbers: [n] }, { at: 2 * n + 1, numbers: [] }]);

/** Every operator, alone or with what undoes it. */
export const operatorCases: readonly OperatorCase[] = [
  { name: "FilterStream", make: () => new FilterStream((n: number) => n >= 0) },
  {
    name: "FilterStream with a condition",
    make: () => compose(asAlert(), new FilterStream("alert.priority >= warning"), asNumber()),
  },
  { name: "MapStream", make: () => new MapStream((n: number) => n) },
  { name: "MapAsyncStream", make: () => new MapAsyncStream((n: number) => Promise.resolve(n)) },
  {
    name: "MapAsyncStream, concurrent",
    make: () => new MapAsyncStream(slowly, { concurrency: 3 }),
    readsAhead: true,
    losesOnError: true,
  },
  {
    name: "MapAsyncStream, concurrent and unordered",
    make: () => new MapAsyncStream((n: number) => n, { concurrency: 3, ordered: false }),
    readsAhead: true,
    losesOnError: true,
  },
  { name: "FlatMapStream", make: () => new FlatMapStream((n: number) => [n]) },
  { name: "TapStream", make: () => new TapStream(() => {}) },
  {
    name: "BatchStream and its opposite",
    make: () => compose(new BatchStream<number>(1), new OperatorStream(flatten)),
  },
  { name: "DedupeStream", make: () => new DedupeStream<number>(String) },
  {
    name: "RateLimitStream that blocks",
    make: () => new RateLimitStream<number>({ limit: 1000, intervalMs: 60_000 }),
  },
  {
    name: "RateLimitStream that drops",
    make: () => new RateLimitStream<number>({ limit: 1000, key: String, overflow: "drop" }),
  },
  { name: "ThrottleStream", make: () => new ThrottleStream<number>(1000, { key: String }) },
  { name: "LimitStream", make: () => new LimitStream<number>(1000) },
  { name: "SkipStream", make: () => new SkipStream<number>(0) },
  { name: "TakeWhileStream", make: () => new TakeWhileStream((n: number) => n < 1000) },
  { name: "ScanStream", make: () => new ScanStream((_: number, n: number) => n, 0) },
  {
    name: "TumblingWindowStream and its opposite",
    make: () =>
      compose(
        moments(),
        new TumblingWindowStream<Moment, number[]>(1, {
          timestamp: ({ at }) => at,
          aggregate: { initial: () => [], add: (all, { numbers }) => [...all, ...numbers] },
        }),
        new FlatMapStream(({ value }: WindowResult<number[]>) => value),
      ),
  },
  {
    name: "CountByStream and its opposite",
    make: () =>
      compose(
        moments(),
        new CountByStream<Moment>(({ numbers }) => numbers.join(), {
          windowMs: 1,
          timestamp: ({ at }) => at,
        }),
        new FlatMapStream(({ key }: CountResult) => key === "" ? [] : [Number(key)]),
      ),
  },
  {
    name: "CountByStream with a threshold, and its opposite",
    make: () =>
      compose(
        new CountByStream<number>(String, { threshold: 1 }),
        new MapStream<CountResult, number>(({ key }) => Number(key)),
      ),
  },
  { name: "TimeoutStream", make: () => new TimeoutStream<number>(60_000) },
  {
    name: "BufferStream",
    make: () => new BufferStream<number>(2),
    readsAhead: true,
  },
  {
    name: "CatchStream",
    make: () =>
      new CatchStream(
        compose(new TapStream<number>(() => {}), new MapAsyncStream((n: number) => slowly(n))),
        { onError: () => "fail" },
      ),
  },
  { name: "RedactStream", make: () => redacted({}) },
  {
    name: "RedactStream with hashes",
    make: () => redacted({ hashKey: "secret" }),
    readsAhead: true,
    losesOnError: true,
  },
  { name: "an operator that waits", make: () => new OperatorStream(slow) },
  { name: "compose() of nothing", make: () => compose<number>() },
  {
    name: "compose() of many",
    make: () =>
      compose(
        new FilterStream<number>(() => true),
        new OperatorStream(slow),
        new DedupeStream<number>(String),
        new TimeoutStream<number>(60_000),
        compose(
          new MapStream<number, string>(String),
          new MapStream<string, number>(Number),
          new BatchStream<number>(1),
          new OperatorStream(flatten),
        ),
        compose<number>(new TapStream(() => {}), new TimeoutStream(60_000), new LimitStream(1000)),
      ),
  },
  {
    name: "compose() of stages around a BufferStream",
    make: () =>
      compose<number>(
        new MapStream((n) => n + 1),
        new BufferStream(2),
        new MapStream((n) => n - 1),
        new OperatorStream(slow),
      ),
    readsAhead: true,
  },
];
