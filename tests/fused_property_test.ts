/** Any chain of operators, any input, any micro-batches: what comes out is the same on every path. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Clock } from "../lib/clock.ts";
import { EventStream, SinkStream } from "../lib/streams/mod.ts";
import { chains } from "./operator_arbitraries.ts";
import type { Make } from "./operator_arbitraries.ts";
import { SteppingClock } from "./stepping_clock.ts";
import { paths } from "./stream_paths.ts";
import type { Path } from "./stream_paths.ts";
import { outcome } from "./stream_probes.ts";

/** Items that are there from a moment on. */
interface Step {
  readonly afterMs: number;
  readonly items: readonly number[];
  /** They come in a promise, though they are there. */
  readonly waits: boolean;
}
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 9 })),
    items: fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 9 }),
    waits: fc.boolean(),
  }),
  { maxLength: 8 },
);

/** The same items at the same moments, one by one. */
function oneByOne(steps: readonly Step[]): Step[] {
  return steps.flatMap(({ afterMs, items }) => [
    { afterMs, items: [], waits: true },
    ...items.map((item) => ({ afterMs: 0, items: [item], waits: true })),
  ]);
}

function source(steps: readonly Step[], clock: Clock): EventStream<number> {
  const rest = [...steps];
  let atMs = clock.now();
  return new EventStream<number>({
    pull() {
      const step = rest.shift();
      if (step === undefined) return null;
      atMs += step.afterMs;
      const restMs = atMs - clock.now();
      if (restMs > 0) {
        return new Promise((resolve) => void clock.setTimer(() => resolve(step.items), restMs));
      }
      return step.waits ? Promise.resolve(step.items) : step.items;
    },
    cancel() {},
  });
}

/** Bun gives a test five seconds otherwise. */
const patient = { timeout: 120_000 };

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

/** What a chain makes of the input, in words that are the same for equal outcomes. */
async function run(
  makes: readonly Make[],
  steps: readonly Step[],
  path: Path,
  read: Consumer["read"],
): Promise<unknown> {
  const clock = new SteppingClock();
  const stream = makes.reduce<ReadableStream<number>>(
    (stream, { make }) => path.through(stream, make(clock)),
    source(steps, clock),
  );
  const { items, error } = await clock.until(read(path, stream));
  return { items, error: String(error) };
}

test(
  "any chain gives the same on every path, to every consumer, however the input is cut",
  patient,
  async () => {
    const [fused, native] = paths;
    await fc.assert(
      fc.asyncProperty(chains, steps, async (makes, steps) => {
        const expected = await run(makes, oneByOne(steps), native!, consumers[0]!.read);
        for (const path of [fused!, native!]) {
          for (const { name, read } of consumers) {
            const given = await run(makes, steps, path, read);
            assert.deepEqual(given, expected, `${path.name}, ${name}`);
          }
        }
      }),
      { numRuns: 300 },
    );
  },
);
