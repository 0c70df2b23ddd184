/** Runs rivals side by side and prints ratios. @module */
import process from "node:process";

/** One way to do the work of a benchmark. */
export interface Rival {
  readonly name: string;
  /**
   * Does the work once.
   *
   * @returns How many operations that were, and a number that all rivals must agree on.
   */
  run(): Promise<Work> | Work;
}

/** What a rival did. */
export interface Work {
  readonly operations: number;
  /** Proof of the same work: a count or a sum over the results. */
  readonly digest: number;
}

/**
 * Compares rivals: one round to warm up, then rounds in which each runs once, so that a machine that
 * gets slower or faster meets all of them alike.
 *
 * @param question What the benchmark is to answer.
 * @param rivals The first is the one that the others are compared with.
 * @param rounds How often each runs.
 * @throws {Error} If the rivals did not do the same work.
 */
export async function compare(
  question: string,
  rivals: readonly Rival[],
  rounds = 7,
): Promise<void> {
  const perOperation = new Map<string, number[]>();
  let digest: number | undefined;
  for (let round = 0; round <= rounds; round++) {
    for (const rival of rivals) {
      const startedAt = performance.now();
      const work = await rival.run();
      const elapsedMs = performance.now() - startedAt;
      digest ??= work.digest;
      if (work.digest !== digest) {
        throw new Error(`"${rival.name}" did other work: ${work.digest} instead of ${digest}`);
      }
      if (round === 0) continue;
      const times = perOperation.get(rival.name) ?? [];
      times.push(elapsedMs * 1000 / work.operations);
      perOperation.set(rival.name, times);
    }
  }
  const first = perOperation.get(rivals[0]!.name)!;
  const lines = rivals.map(({ name }) => {
    const times = perOperation.get(name)!;
    // Round by round, so that what disturbed a round disturbs both sides of its ratio.
    const ratios = times.map((time, round) => time / first[round]!);
    return `  ${name.padEnd(44)} ${median(times).toFixed(3).padStart(9)} µs   ` +
      `${median(ratios).toFixed(2).padStart(5)} ×   ` +
      `(${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`;
  });
  process.stdout.write(
    `${question}\n  median of ${rounds} rounds; time an operation; ratio to the first, its range\n` +
      `${lines.join("\n")}\n\n`,
  );
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
