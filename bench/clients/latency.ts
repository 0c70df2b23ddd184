/** How soon an alert reaches its reader, and what waiting for one costs. @module */
import process from "node:process";
import type { Rig, Rival } from "./rig.ts";
import { quantile, table } from "./table.ts";

/** What a client printed about a subscription. */
interface WatchResult {
  readonly latenciesMs: readonly number[];
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** Alerts a second, and how many of them. */
const loads: readonly [rate: number, count: number][] = [[1, 20], [100, 1000], [1000, 10_000]];
const IDLE_MS = 20_000;

/**
 * Measures subscriptions over the unix socket: this client with its defaults, and client-go's
 * `OutputsWatch` with the intervals that its users give it.
 *
 * @param rig The server. It stamps an alert with the time when it queues it.
 * @param rivals The clients; those that have no subscription are left out.
 * @returns Every latency, by client and rate.
 */
export async function measureLatency(
  rig: Rig,
  rivals: readonly Rival[],
): Promise<Record<string, unknown>> {
  const watchers = rivals.flatMap((rival): { rival: Rival; name: string; watch: string[] }[] => {
    if (rival.name === "client-go") {
      return ["1s", "100ms"].map((every) => ({
        rival,
        name: `client-go, ${every}`,
        watch: ["--watch", every, "--count"],
      }));
    }
    return rival.name.startsWith("ours") ? [{ rival, name: rival.name, watch: ["--watch"] }] : [];
  });
  const results: Record<string, Record<string, unknown>> = {};
  const rows: string[][] = [];
  for (const { rival, name, watch } of watchers) {
    const cells = [name];
    const all: Record<string, unknown> = results[name] = {};
    for (const [rate, count] of loads) {
      const result = await rig.run(
        rival,
        "unix",
        [...watch, String(count)],
        () => void rig.tell(`push ${rate} ${count}`),
      ) as WatchResult;
      all[`${rate}/s`] = result;
      const { latenciesMs } = result;
      cells.push(
        `${quantile(latenciesMs, 0.5).toFixed(1)} / ${quantile(latenciesMs, 0.99).toFixed(1)}`,
      );
    }
    const idleArgs = watch.length === 1 ? [] : [...watch, "0"];
    const idle = await rig.run(rival, "unix", [...idleArgs, "--idle", idleOf(name)]) as WatchResult;
    all["idle"] = { wallMs: idle.wallMs, cpuMs: idle.cpuMs };
    cells.push(`${(idle.cpuMs / idle.wallMs * 100).toFixed(2)} %`);
    rows.push(cells);
  }
  process.stdout.write(
    "from push in the server to the reader, in ms: median / p99; CPU of an idle subscription\n" +
      table(["client", ...loads.map(([rate]) => `${rate} alerts/s`), "idle"], rows) + "\n",
  );
  return results;
}

function idleOf(name: string): string {
  return name.startsWith("client-go") ? `${IDLE_MS}ms` : String(IDLE_MS);
}
