/** Operators at random, of numbers to numbers, every one of the package among them. @module */
import fc from "fast-check";
import { buildAlert } from "../harness/build_alert.ts";
import type { Clock } from "../lib/clock.ts";
import { wait } from "../lib/clock.ts";
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
import { flatten, slow } from "./operator_cases.ts";

/** How to make an operator, with a name to find it by in a counterexample. */
export interface Make {
  readonly name: string;
  readonly make: (clock: Clock) => OperatorStream<number, number>;
  /** It may fail the stream. */
  readonly fails?: boolean;
  /** It drops what it is at work with when something above it fails: how much is a matter of timing. */
  readonly losesOnError?: boolean;
  /** What it does depends on when items come. */
  readonly isTimed?: boolean;
  /** It makes those above it wait for a time. */
  readonly isSlow?: boolean;
}

type Flags = Omit<Make, "name" | "make">;

const error = new Error("7 is refused");
const refuse7 = (n: number): number => {
  if (n === 7) throw error;
  return n;
};
const whole = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
/**
 * Milliseconds for a kind of operator, which no other kind has: where two moments are the same, what
 * comes first is a matter of paths.
 */
const duration = (kind: number): fc.Arbitrary<number> =>
  fc.tuple(whole(1, 9), whole(1, 999)).map(([ms, part]) => ms + (part * 16 + kind) / 16_381);
const named = <A>(
  name: string,
  argument: fc.Arbitrary<A>,
  make: (argument: A, clock: Clock) => OperatorStream<number, number>,
  flags: Flags = {},
): fc.Arbitrary<Make> =>
  argument.map((value) => ({
    name: `${name} ${JSON.stringify(value)}`,
    make: (clock) => make(value, clock),
    ...flags,
  }));
const nothing = fc.constant(0);
const remainder = (m: number) => (n: number): string => `${n % m}`;

/** Makes an operator that puts out the numbers of arrays one by one. */
const flat = (): OperatorStream<number[], number> => new OperatorStream(flatten);

const untimed: readonly fc.Arbitrary<Make>[] = [
  named("filter", whole(1, 4), (m) => new FilterStream<number>((n) => n % m !== 1)),
  named("condition", whole(0, 20), (n) =>
    compose(
      new MapStream((n: number) => buildAlert({ output: `${n}`, outputFields: { "a.b": n } })),
      new FilterStream(`a.b >= ${n}`),
      new RedactStream(["c.d"]),
      new MapStream(({ output }) => Number(output)),
    )),
  named("map", whole(-2, 2), (m) => new MapStream((n: number) => n + m)),
  named(
    "flat map",
    whole(0, 3),
    (times) => new FlatMapStream((n: number) => Array<number>(times).fill(n)),
  ),
  named("map async", nothing, () => new MapAsyncStream((n: number) => Promise.resolve(n))),
  named("tap", nothing, () => new TapStream<number>(() => {})),
  named("batch", whole(1, 5), (size) => compose(new BatchStream<number>(size), flat())),
  named("limit", whole(0, 12), (count) => new LimitStream<number>(count)),
  named("skip", whole(0, 3), (count) => new SkipStream<number>(count)),
  named(
    "take while",
    fc.boolean(),
    (inclusive) => new TakeWhileStream((n: number) => n < 18, { inclusive }),
  ),
  named("scan", whole(1, 30), (m) => new ScanStream((sum: number, n: number) => (sum + n) % m, 0)),
  named("buffer", whole(1, 5), (capacity) => new BufferStream<number>(capacity)),
  named("roomy buffer", nothing, () => new BufferStream<number>(9999, { overflow: "drop-oldest" })),
  named("catch", nothing, () =>
    new CatchStream(
      compose(new MapStream(refuse7), new BatchStream<number>(2), flat()),
      { onError: () => "skip" },
    )),
  named("slow", nothing, () => new OperatorStream(slow)),
  named("refuse 7", nothing, () => new MapStream(refuse7), { fails: true }),
];

const isTimed = true;
const isSlow = true;
const timed: readonly fc.Arbitrary<Make>[] = [
  named(
    "batch for",
    fc.tuple(whole(2, 5), duration(1)),
    ([size, maxWaitMs], clock) =>
      compose(new BatchStream<number>(size, { maxWaitMs, clock }), flat()),
    { isTimed },
  ),
  named(
    "dedupe",
    fc.tuple(whole(1, 9), duration(2)),
    ([m, windowMs], clock) =>
      new DedupeStream<number>(remainder(m), { windowMs, clock, maxKeys: 4 }),
    { isTimed },
  ),
  named(
    "rate limit",
    fc.tuple(whole(1, 4), duration(3)),
    ([limit, intervalMs], clock) => new RateLimitStream<number>({ limit, intervalMs, clock }),
    { isTimed, isSlow },
  ),
  named(
    "rate limit that drops",
    fc.tuple(whole(1, 4), duration(4)),
    ([limit, intervalMs], clock) =>
      new RateLimitStream<number>({ limit, intervalMs, overflow: "drop", clock }),
    { isTimed },
  ),
  named(
    "throttle",
    fc.tuple(whole(1, 3), duration(5), fc.boolean()),
    ([m, ms, leading], clock) =>
      new ThrottleStream<number>(ms, { key: remainder(m), leading, trailing: true, clock }),
    {
      isTimed,
    },
  ),
  named("window", fc.tuple(whole(1, 3), duration(6)), ([m, durationMs], clock) =>
    compose(
      new TumblingWindowStream<number, number>(durationMs, {
        key: remainder(m),
        aggregate: { initial: () => 0, add: (sum, n) => sum + n },
        clock,
      }),
      new MapStream(({ value }) => value),
    ), { isTimed }),
  named("count", fc.tuple(whole(1, 3), duration(7)), ([m, windowMs], clock) =>
    compose(
      new CountByStream<number>(remainder(m), { windowMs, clock }),
      new MapStream(({ count }) => count),
    ), { isTimed }),
  named("count to 2", fc.tuple(whole(1, 3), duration(8)), ([m, windowMs], clock) =>
    compose(
      new CountByStream<number>(remainder(m), { windowMs, threshold: 2, clock }),
      new MapStream(({ key }) => Number(key)),
    ), { isTimed }),
  named("timeout", duration(9), (idleMs, clock) => new TimeoutStream<number>(idleMs, { clock }), {
    isTimed,
    fails: true,
  }),
  named(
    "map async for a time",
    fc.tuple(whole(2, 4), duration(10)),
    ([concurrency, ms], clock) =>
      new MapAsyncStream(async (n: number) => {
        await wait(ms + n % 4, { clock });
        return n;
      }, { concurrency }),
    { isTimed, isSlow, losesOnError: true },
  ),
  named(
    "map async unordered",
    whole(2, 4),
    (concurrency) => new MapAsyncStream((n: number) => n, { concurrency, ordered: false }),
    { losesOnError: true },
  ),
];

/**
 * Leaves out what may rightly make a difference:
 *
 * - what fails above an operator that drops things then,
 * - what is slow below an operator that looks at the time. A fused chain goes on with the items that are
 *   there until a stage has to wait; a pipe has it wait before. So items come at other times.
 */
function comparable(makes: readonly Make[]): readonly Make[] {
  const last = makes.findLastIndex(({ losesOnError }) => losesOnError);
  const firstTimed = makes.findIndex(({ isTimed }) => isTimed);
  return makes.filter(({ fails, isSlow }, index) =>
    (!fails || index >= last) && (!isSlow || index <= firstTimed)
  );
}

const one = fc.oneof(...untimed, ...timed);
const composed = fc.array(one, { maxLength: 8 }).map(comparable).map((makes): Make => ({
  name: `compose(${makes.map(({ name }) => name).join(", ")})`,
  make: (clock) => compose(...makes.map(({ make }) => make(clock))),
  fails: makes.some(({ fails }) => fails),
  losesOnError: makes.some(({ losesOnError }) => losesOnError),
  isTimed: makes.some(({ isTimed }) => isTimed),
  isSlow: makes.some(({ isSlow }) => isSlow),
}));

/** Operators for a chain, first to last. */
export const chains: fc.Arbitrary<readonly Make[]> = fc.array(
  fc.oneof({ weight: 5, arbitrary: one }, { weight: 1, arbitrary: composed }),
  { maxLength: 8 },
).map(comparable);
