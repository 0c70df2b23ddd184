/**
 * How many bytes a chain leaves to the garbage collector for each alert.
 *
 * V8 counts what is in use as it hands memory out, so the count before and after some work differ by
 * what the work took, unless the collector ran in between, which shows as too little. So: many short
 * windows of work, and the median of what they took. A window costs something of its own (streams are
 * made, the question itself takes memory), so two lengths of work are measured, and the difference
 * counts. Objects of a known size are measured as well, to show that the method works.
 *
 * @module
 */
import process from "node:process";
import type { Bench } from "./bench.ts";
import { below, measurement, spreadOf } from "./measurement.ts";
import { ways } from "./stream_rivals.ts";
import type { WayName } from "./stream_rivals.ts";
import { batchChain } from "./stream_work.ts";
import type { Chain } from "./stream_work.ts";
import { makeInput } from "./streams.ts";

const PER_PULL = 64;
/** Micro-batches in a window; the most wasteful rival takes some 100 kB in the longer one. */
const SHORT = 2;
const LONG = 10;

interface Wasteful {
  readonly name: string;
  readonly isOurs: boolean;
  /** Does the work for some micro-batches, and gives the sum of what came out. */
  readonly work: (pulls: number) => Promise<number>;
}

/** Filter, map and batch, all ways. */
export async function benchGarbage(bench: Bench): Promise<void> {
  if (bench.runtime === "Bun") {
    bench.note("Not measured on Bun: JavaScriptCore does not count memory as it hands it out.");
    return;
  }
  const windows = bench.isQuick ? 3 : 61;
  const pulls = makeInput(LONG).pulls;
  const chainOf = (count: number): Chain => batchChain(100, { pulls, count });
  const rivals = Object.entries(ways).map(([name, way]): Wasteful => ({
    name,
    isOurs: (name as WayName) === "fused, pipeTo(SinkStream)",
    async work(count) {
      const chain = chainOf(count);
      let digest = 0;
      await way(chain, (rows) => {
        digest += chain.sizeOf(rows);
      });
      return digest;
    },
  }));
  // So that what is printed is what one finds in a program that has run for a while.
  for (const { work } of rivals) {
    for (let run = 0; run < (bench.isQuick ? 1 : 2000); run++) await work(LONG);
  }
  const values = new Map<string, number[]>(rivals.map(({ name }) => [name, []]));
  const digests = new Set<number>();
  for (let round = 0; round < bench.rounds; round++) {
    for (const { name, work } of rivals) {
      const short: number[] = [];
      const long: number[] = [];
      for (let window = 0; window < windows; window++) {
        short.push(await bytesOf(() => work(SHORT)));
        long.push(await bytesOf(async () => void digests.add(await work(LONG))));
      }
      const bytes = spreadOf(long).median - spreadOf(short).median;
      values.get(name)!.push(bytes / ((LONG - SHORT) * PER_PULL));
    }
  }
  const [digest, other] = [...digests];
  if (other !== undefined) throw new Error(`Cannot compare: a rival did other work, ${other}`);
  const known = await measureKnown(windows);
  bench.note(
    `Check of the method: an object with four numbers, 7 words of 8 bytes, shows as ${
      known.toFixed(1)
    } B.`,
  );
  bench.add(measurement(`Bytes an alert: filter, map, batch of 100; ${PER_PULL} alerts a pull`, {
    unit: "B",
    digest: digest!,
    results: rivals.map(({ name, isOurs }) => ({
      name,
      goal: isOurs ? below(300) : undefined,
      values: values.get(name)!,
    })),
  }));
}

/** The bytes of an object of known size. */
async function measureKnown(windows: number): Promise<number> {
  const objects = new Array<unknown>(LONG * PER_PULL).fill(undefined);
  const make = (count: number): Promise<void> => {
    for (let x = 0; x < count; x++) objects[x] = { a: x, b: x, c: x, d: x };
    return Promise.resolve();
  };
  const short: number[] = [];
  const long: number[] = [];
  for (let window = 0; window < 10 * windows; window++) {
    short.push(await bytesOf(() => make(SHORT * PER_PULL)));
    long.push(await bytesOf(() => make(LONG * PER_PULL)));
  }
  return (spreadOf(long).median - spreadOf(short).median) / ((LONG - SHORT) * PER_PULL);
}

async function bytesOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage().heapUsed;
  await work();
  return process.memoryUsage().heapUsed - before;
}
