/** What a chain of operators costs, beside other ways to write one and beside no streams at all. @module */
import type { Bench } from "./bench.ts";
import { makeAlertPool } from "./alert_pool.ts";
import type { Rival } from "./compare.ts";
import { atLeast } from "./measurement.ts";
import type { Goal } from "./measurement.ts";
import { ways } from "./stream_rivals.ts";
import type { WayName } from "./stream_rivals.ts";
import { batchChain, plainChain } from "./stream_work.ts";
import type { Chain, ChainLength } from "./stream_work.ts";

const PER_PULL = 64;
const lengths: readonly ChainLength[] = [1, 3, 8];

/** Filter, map and batch. */
export async function benchStreams(bench: Bench): Promise<void> {
  const goals = {
    "native TransformStreams": atLeast(bench.runtime === "Deno" ? 20 : 15),
    "closures that push": atLeast(bench.runtime === "Bun" ? 0.3 : 0.5),
  };
  const chain = batchChain(100, makeInput(bench.isQuick ? 20 : 1000));
  await bench.compare(
    `Filter, map, batch of 100; ${PER_PULL} alerts a pull`,
    rivalsFor(chain, goals),
  );
}

/** Filters and maps in turn. */
export async function benchChains(bench: Bench): Promise<void> {
  const input = makeInput(bench.isQuick ? 20 : 1000);
  for (const length of lengths) {
    const operators = length === 1 ? "A filter alone" : `A chain of ${length} filters and maps`;
    const goals = length === 8 ? { "native TransformStreams": atLeast(25) } : {};
    await bench.compare(
      `${operators}; ${PER_PULL} alerts a pull`,
      rivalsFor(plainChain(length, input), goals),
    );
  }
}

/** What a source hands over. */
export function makeInput(count: number): Pick<Chain, "pulls" | "count"> {
  const pool = makeAlertPool(16 * PER_PULL);
  const pulls = Array.from(
    { length: 16 },
    (_, pull) => pool.slice(pull * PER_PULL, (pull + 1) * PER_PULL),
  );
  return { pulls, count };
}

/** All ways to run a chain, each giving the sum of the sizes of what comes out. */
export function rivalsFor(
  chain: Chain,
  goals: { readonly [name in WayName]?: Goal },
): Rival[] {
  return Object.entries(ways).map(([name, way]) => ({
    name,
    goal: goals[name as WayName],
    async run() {
      let digest = 0;
      await way(chain, (output) => {
        digest += chain.sizeOf(output);
      });
      return { operations: chain.count * PER_PULL, digest };
    },
  }));
}
