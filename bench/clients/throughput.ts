/** How fast each client reads what is queued, and what it costs. @module */
import process from "node:process";
import type { Rig, Rival, Wire } from "./rig.ts";
import { median, table } from "./table.ts";

/** What to measure. */
export interface Plan {
  readonly wire: Wire;
  readonly count: number;
  readonly rounds: number;
}

/** What a client printed: one call of `get`, after another that warmed up. */
export interface GetResult {
  readonly alerts: number;
  readonly digest: number;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakMiB: number;
}

const WARM_UP = 20_000;

/**
 * Runs each client once a round, and prints a table with client-go, the first, as the measure.
 *
 * @param rig The server.
 * @param rivals The clients.
 * @param plan How much and how often.
 * @returns Every single result, by client.
 */
export async function measureThroughput(
  rig: Rig,
  rivals: readonly Rival[],
  { wire, count, rounds }: Plan,
): Promise<Record<string, GetResult[]>> {
  const results: Record<string, GetResult[]> = {};
  for (let round = 0; round < rounds; round++) {
    for (const rival of rivals) {
      await rig.tell(`get ${WARM_UP} ${count}`);
      const result = await rig.run(rival, wire) as GetResult;
      (results[rival.name] ??= []).push(result);
      if (result.alerts !== count) throw new Error(`${rival.name} got ${result.alerts} alerts`);
      const first = results[rivals[0]!.name]![0]!;
      if (result.digest !== first.digest) throw new Error(`${rival.name} got other alerts`);
    }
  }
  const base = results[rivals[0]!.name]!;
  const rows = Object.entries(results).map(([name, runs]) => {
    const rate = (run: GetResult) => run.alerts / run.wallMs * 1000;
    const cpu = (run: GetResult) => run.cpuMs * 1000 / run.alerts;
    // Round by round, so that what disturbed a round disturbs both sides of its ratio.
    const rates = runs.map((run, round) => rate(run) / rate(base[round]!));
    const cpus = runs.map((run, round) => cpu(run) / cpu(base[round]!));
    return [
      name,
      Math.round(median(runs.map(rate))).toLocaleString("en"),
      `${median(rates).toFixed(2)} (${Math.min(...rates).toFixed(2)}-${
        Math.max(...rates).toFixed(2)
      })`,
      median(runs.map(cpu)).toFixed(2),
      `${median(cpus).toFixed(2)} (${Math.min(...cpus).toFixed(2)}-${
        Math.max(...cpus).toFixed(2)
      })`,
      Math.round(Math.max(...runs.map((run) => run.peakMiB))).toString(),
    ];
  });
  process.stdout.write(
    `get over ${wire}: ${count} alerts, median of ${rounds} rounds, ratios to ${
      rivals[0]!.name
    }\n` +
      table(["client", "alerts/s", "ratio", "CPU µs", "ratio", "peak MiB"], rows) + "\n",
  );
  return results;
}
