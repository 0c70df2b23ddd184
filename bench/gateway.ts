/** What a gateway costs: from JSON lines in to the last of 1, 10 and 100 subscribers. @module */
import process from "node:process";
import { Worker } from "node:worker_threads";
import { startGateway } from "../gateway/gateway.ts";
import { expandScenario } from "../harness/expand_scenario.ts";
import { scenarios } from "../harness/scenarios/mod.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import type { Bench } from "./bench.ts";
import type { SubscriberTarget } from "./gateway_sink.ts";
import { measurement } from "./measurement.ts";

/** Rounds of what takes seconds. */
const MAX_ROUNDS = 3;

/** Lines in one piece, as a pipe hands them over. */
const CHUNK_BYTES = 65_536;

/** Alerts to one, ten and a hundred subscribers; nothing is dropped, and every one gets all. */
export async function benchGateway(bench: Bench): Promise<void> {
  const count = bench.isQuick ? 500 : 20_000;
  const results: { name: string; values: number[] }[] = [];
  const notes: string[] = [];
  let digest: number | undefined;
  for (const subscribers of bench.isQuick ? [1, 10] : [1, 10, 100]) {
    const values: number[] = [];
    let peak = 0;
    for (let round = 0; round < Math.min(bench.rounds, MAX_ROUNDS); round++) {
      const { microseconds, bytes, mebibytes } = await pass(count, subscribers);
      values.push(microseconds / count);
      peak = Math.max(peak, mebibytes);
      digest ??= bytes / subscribers;
      if (bytes / subscribers !== digest) throw new Error(`Cannot compare: ${bytes} bytes came`);
    }
    const name = `${subscribers} ${subscribers === 1 ? "subscriber" : "subscribers"}`;
    results.push({ name, values });
    const fastest = Math.min(...values);
    notes.push(
      `${name}: at best ${rate(1e6 / fastest)} alerts a second in, ` +
        `${rate(subscribers * 1e6 / fastest)} out; at most ${peak} MiB in the process, its ` +
        "subscribers included.",
    );
  }
  const question = `An alert from a line of JSON to the last subscriber over a unix socket, of ${
    count.toLocaleString("en")
  }`;
  bench.add(measurement(question, { unit: "µs", digest: digest!, results }));
  for (const note of notes) bench.note(note);
}

function rate(value: number): string {
  return (Math.round(value / 100) * 100).toLocaleString("en");
}

async function pass(
  count: number,
  subscribers: number,
): Promise<{ microseconds: number; bytes: number; mebibytes: number }> {
  const folder = await makeTempFolder();
  const path = `${folder.path}/gateway.sock`;
  const begun = Promise.withResolvers<void>();
  const gateway = await startGateway({
    version: 1,
    sources: [{ name: "lines", type: "stdin" }],
    listeners: [{ name: "out", address: `unix://${path}`, queue: { overflow: "block" } }],
    drainMs: 0,
  }, { stdin: linesAfter(begun.promise, count) });
  const workerData: SubscriberTarget = { path, subscribers, count };
  const sink = new Worker(new URL("./gateway_sink.ts", import.meta.url), { workerData });
  let peak = 0;
  const timer = setInterval(() => peak = Math.max(peak, process.memoryUsage().rss), 50);
  try {
    const done = new Promise<number>((resolve, reject) => {
      sink.once("message", resolve);
      sink.once("error", reject);
    });
    const all = `falco_gateway_listener_subscribers{listener="out"} ${subscribers}\n`;
    while (!gateway.metrics().includes(all)) await new Promise((resolve) => setTimeout(resolve, 5));
    const startedAt = performance.now();
    begun.resolve();
    const bytes = await done;
    const microseconds = (performance.now() - startedAt) * 1000;
    peak = Math.max(peak, process.memoryUsage().rss);
    return { microseconds, bytes, mebibytes: Math.round(peak / 2 ** 20) };
  } finally {
    clearInterval(timer);
    await sink.terminate();
    await gateway.close();
    await folder.remove();
  }
}

/** The bundled scenarios as Falco's JSON lines, again and again. They end when nobody reads on. */
function linesAfter(begun: Promise<void>, count: number): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const lines = Object.values(scenarios)
    .flatMap((scenario) => [...expandScenario(scenario)])
    .map((alert) => encoder.encode(`${formatAlert(alert)}\n`));
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      await begun;
      const chunk: Uint8Array[] = [];
      let length = 0;
      while (at < count && length < CHUNK_BYTES) {
        const line = lines[at++ % lines.length]!;
        chunk.push(line);
        length += line.length;
      }
      // Standard input stays open: its end would end the gateway.
      if (length === 0) return await new Promise<void>(() => {});
      const bytes = new Uint8Array(length);
      let offset = 0;
      for (const line of chunk) {
        bytes.set(line, offset);
        offset += line.length;
      }
      controller.enqueue(bytes);
    },
  }, { highWaterMark: 0 });
}
