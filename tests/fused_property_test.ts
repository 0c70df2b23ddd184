/** Any chain of operators, any input, any micro-batches: what comes out is the same on every path. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  BatchStream,
  compose,
  DedupeStream,
  EventStream,
  FilterStream,
  LimitStream,
  MapStream,
  OperatorStream,
  SinkStream,
} from "../lib/streams/mod.ts";
import { flatten, slow } from "./operator_cases.ts";
import { paths } from "./stream_paths.ts";
import type { Path } from "./stream_paths.ts";
import { outcome } from "./stream_probes.ts";

/** How to make an operator, with a name to find it by in a counterexample. */
interface Make {
  readonly name: string;
  readonly make: () => OperatorStream<number, number>;
}

const error = new Error("7 is refused");
const repeat = (): OperatorStream<number, number> =>
  new OperatorStream<number, number>((down) => ({
    async push(item) {
      await down.push(item);
      await down.push(item + 1);
    },
    end: () => down.end(),
  }));
const oneOperator: fc.Arbitrary<Make> = fc.oneof(
  fc.integer({ min: 1, max: 4 }).map((m) => ({
    name: `filter ${m}`,
    make: () => new FilterStream<number>((n) => n % m !== 1),
  })),
  fc.integer({ min: -2, max: 2 }).map((m) => ({
    name: `map ${m}`,
    make: () => new MapStream((n: number) => n + m),
  })),
  fc.integer({ min: 1, max: 5 }).map((size) => ({
    name: `batch ${size}`,
    make: () => compose(new BatchStream<number>(size), new OperatorStream(flatten)),
  })),
  fc.integer({ min: 1, max: 9 }).map((m) => ({
    name: `dedupe ${m}`,
    make: () => new DedupeStream<number>((n) => `${n % m}`),
  })),
  fc.integer({ min: 0, max: 12 }).map((count) => ({
    name: `limit ${count}`,
    make: () => new LimitStream<number>(count),
  })),
  fc.constant({ name: "slow", make: () => new OperatorStream(slow) }),
  fc.constant({ name: "repeat", make: repeat }),
  fc.constant({
    name: "refuse 7",
    make: () =>
      new MapStream((n: number) => {
        if (n === 7) throw error;
        return n;
      }),
  }),
);
const composed: fc.Arbitrary<Make> = fc.array(oneOperator, { maxLength: 10 }).map((makes) => ({
  name: `compose(${makes.map(({ name }) => name)})`,
  make: () => compose(...makes.map(({ make }) => make())),
}));
const chain = fc.array(
  fc.oneof({ weight: 4, arbitrary: oneOperator }, { weight: 1, arbitrary: composed }),
  { maxLength: 10 },
);
const microBatches = fc.array(
  fc.record({
    items: fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 9 }),
    waits: fc.boolean(),
  }),
  { maxLength: 8 },
);
type MicroBatches = typeof microBatches extends fc.Arbitrary<infer T> ? T : never;

function source(steps: MicroBatches): EventStream<number> {
  const rest = [...steps];
  return new EventStream<number>({
    pull() {
      const step = rest.shift();
      if (step === undefined) return null;
      return step.waits ? Promise.resolve(step.items) : step.items;
    },
    cancel() {},
  });
}

interface Consumer {
  readonly name: string;
  read(path: Path, stream: ReadableStream<number>): Promise<{ items: number[]; error?: unknown }>;
}

const consumers: readonly Consumer[] = [
  { name: "for await", read: (path, stream) => outcome(path.items(stream)) },
  {
    name: "pipeTo",
    async read(path, stream) {
      const items: number[] = [];
      try {
        await path.to(stream, new SinkStream({ write: (item) => void items.push(item) }));
        return { items };
      } catch (error) {
        return { items, error };
      }
    },
  },
  {
    name: "getReader",
    async read(_path, stream) {
      const reader = stream.getReader();
      const items: number[] = [];
      try {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) return { items };
          items.push(value);
        }
      } catch (error) {
        return { items, error };
      }
    },
  },
];

test("any chain gives the same on every path, to every consumer, however the input is cut", async () => {
  await fc.assert(
    fc.asyncProperty(chain, microBatches, async (makes, steps) => {
      const whole = steps.flatMap(({ items }) => items);
      const expected = await outcome(
        paths[1]!.items(
          makes.reduce<ReadableStream<number>>(
            (stream, { make }) => paths[1]!.through(stream, make()),
            ReadableStream.from(whole),
          ),
        ),
      );
      for (const path of paths) {
        for (const { name, read } of consumers) {
          const stream = makes.reduce<ReadableStream<number>>(
            (stream, { make }) => path.through(stream, make()),
            source(steps),
          );
          assert.deepEqual(await read(path, stream), expected, `${path.name}, ${name}`);
        }
      }
    }),
    { numRuns: 300 },
  );
});
