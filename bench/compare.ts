/** Runs rivals in turns and says how they compare. @module */
import { measurement } from "./measurement.ts";
import type { Goal, Measurement } from "./measurement.ts";

/** One way to do the work of a benchmark. */
export interface Rival {
  /** What it is called in the results. */
  readonly name: string;
  /** What is hoped for. */
  readonly goal?: Goal | undefined;
  /**
   * Does the work once.
   *
   * @returns How many operations that were, and a proof that all rivals must agree on.
   */
  run(): Promise<Work> | Work;
}

/** What a rival did. */
export interface Work {
  readonly operations: number;
  /** Proof of the same work: a count or a sum over the results. */
  readonly digest: number;
}

/** How long to measure. */
export interface CompareOptions {
  /** How often each rival has its turn. At least 1. */
  readonly rounds: number;
  /** How long a turn takes at least, in milliseconds, or the clock would be too coarse for the fast ones. */
  readonly turnMs: number;
  /** How long each rival warms up, in milliseconds; twice, once before and once after the others. */
  readonly warmUpMs: number;
}

interface Lane {
  readonly rival: Rival;
  /** How often it does its work in a turn. */
  runs: number;
  /** Microseconds an operation, one for each round. */
  readonly values: number[];
}

/**
 * Compares rivals: all warm up, then each has a turn in every round, so that a machine that gets
 * slower or faster meets all of them alike. Each round begins with another rival.
 *
 * @param question What the benchmark is to answer.
 * @param rivals The first is the one that the others are compared with.
 * @param options How long to measure.
 * @returns Microseconds an operation.
 * @throws {Error} If the rivals did not do the same work.
 */
export async function compare(
  question: string,
  rivals: readonly Rival[],
  options: CompareOptions,
): Promise<Measurement> {
  const { rounds, turnMs, warmUpMs } = options;
  const lanes = rivals.map((rival): Lane => ({ rival, runs: 1, values: [] }));
  const digests: number[] = [];
  // Twice, for what one rival teaches the compiler can undo what it made for another.
  for (let pass = 0; pass < 2; pass++) {
    for (const lane of lanes) lane.runs = await warmUp(lane.rival, { turnMs, warmUpMs, digests });
  }
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < lanes.length; turn++) {
      const lane = lanes[(round + turn) % lanes.length]!;
      lane.values.push(await takeTurn(lane, digests));
    }
  }
  return measurement(question, {
    unit: "µs",
    digest: digests[0]!,
    results: lanes.map(({ rival, values }) => ({ name: rival.name, goal: rival.goal, values })),
  });
}

interface WarmUp {
  readonly turnMs: number;
  readonly warmUpMs: number;
  readonly digests: number[];
}

async function warmUp(rival: Rival, { turnMs, warmUpMs, digests }: WarmUp): Promise<number> {
  const startedAt = performance.now();
  let fastest = Infinity;
  do {
    const before = performance.now();
    const { digest } = await rival.run();
    checkDigest(rival, digest, digests);
    fastest = Math.min(fastest, performance.now() - before);
  } while (performance.now() - startedAt < warmUpMs);
  return Math.max(1, Math.ceil(turnMs / Math.max(fastest, 0.001)));
}

async function takeTurn({ rival, runs }: Lane, digests: number[]): Promise<number> {
  let operations = 0;
  const startedAt = performance.now();
  for (let run = 0; run < runs; run++) {
    const work = await rival.run();
    checkDigest(rival, work.digest, digests);
    operations += work.operations;
  }
  return (performance.now() - startedAt) * 1000 / operations;
}

function checkDigest({ name }: Rival, digest: number, digests: number[]): void {
  const expected = digests[0] ?? digest;
  if (digests.length === 0) digests.push(digest);
  if (digest !== expected) {
    throw new Error(
      `Cannot compare "${name}": it did other work, ${digest} instead of ${expected}`,
    );
  }
}
