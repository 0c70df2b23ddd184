/** How fast a large file of alerts is read, beside what one would use otherwise. @module */
import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { makeTempFolder } from "../harness/temp_folder.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { followFile } from "../lib/sources/follow_file.ts";
import type { Bench } from "./bench.ts";
import { measurement, spreadOf } from "./measurement.ts";
import { scenarioLines } from "./scenario_lines.ts";

const BYTES = 1e9;
/** Rounds of what takes half a minute. */
const MAX_ROUNDS = 3;
/** Nothing of the environment is looked at. */
const PATH = "/usr/local/bin:/usr/bin:/bin";

/** One way to read the file; returns the number of alerts. */
interface Reader {
  readonly name: string;
  read(path: string): Promise<number>;
}

const withJq: Reader = {
  name: "tail -n +1 | jq -c .",
  read: async (path) => Number(await run('tail -n +1 "$1" | jq -c . | wc -l', path)),
};

const readers: readonly Reader[] = [
  {
    name: "followFile",
    async read(path) {
      let count = 0;
      for await (const alert of followFile(path, { once: true })) {
        count += Math.sign(alert.rule.length);
      }
      return count;
    },
  },
  {
    name: "followFile, and printed as jq does",
    async read(path) {
      let count = 0;
      for await (const alert of followFile(path, { once: true })) {
        count += Math.sign(formatAlert(alert).length);
      }
      return count;
    },
  },
];

/** Reading a file of 1 GB from its first byte to its last, beside tail and jq. */
export async function benchFollowFile(bench: Bench): Promise<void> {
  const folder = await makeTempFolder();
  try {
    const path = join(folder.path, "large.jsonl");
    const { bytes, count } = await writeLarge(path, bench.isQuick ? 1 : BYTES);
    const hasJq = await run("jq --version", path).then(() => true, () => false);
    const rivals = hasJq ? [withJq, ...readers] : readers;
    bench.note(
      `${Math.round(bytes / 1e6)} MB, ${count} alerts.` +
        (hasJq ? "" : " Without jq there is nothing to compare with."),
    );
    const results = rivals.map(({ name }) => ({ name, values: [] as number[] }));
    const rounds = Math.min(bench.rounds, MAX_ROUNDS);
    let peak = 0;
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < rivals.length; turn++) {
        const at = (round + turn) % rivals.length;
        const startedAt = performance.now();
        const read = await rivals[at]!.read(path);
        results[at]!.values.push((performance.now() - startedAt) * 1000 / count);
        peak = Math.max(peak, process.memoryUsage().rss);
        if (read !== count) {
          throw new Error(
            `Cannot compare "${rivals[at]!.name}": it read ${read} of ${count} alerts`,
          );
        }
      }
    }
    bench.add(measurement("Reading a file of alerts", { unit: "µs", digest: count, results }));
    const rates = results.map(({ name, values }) => {
      const microseconds = spreadOf(values).median * count;
      return `${name} ${(microseconds / 1e6).toFixed(1)} s, ${
        Math.round(bytes / microseconds)
      } MB/s`;
    });
    bench.note(`${rates.join("; ")}. This process: at most ${Math.round(peak / 2 ** 20)} MiB.`);
  } finally {
    await folder.remove();
  }
}

async function writeLarge(path: string, least: number): Promise<{ bytes: number; count: number }> {
  const block = new TextEncoder().encode(`${scenarioLines.join("\n")}\n`);
  const blocks = Math.ceil(least / block.length);
  const file = createWriteStream(path);
  for (let written = 0; written < blocks; written++) {
    if (!file.write(block)) await new Promise<void>((go) => file.once("drain", () => go()));
  }
  await new Promise<void>((resolve) => file.end(() => resolve()));
  return { bytes: blocks * block.length, count: blocks * scenarioLines.length };
}

/** Runs a line of shell with one argument. */
function run(command: string, argument: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("/bin/sh", ["-c", command, "sh", argument], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { PATH },
    });
    let printed = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => printed += text);
    child.on("error", reject);
    child.on("close", (status) => {
      if (status === 0) resolve(printed);
      else reject(new Error(`Cannot run ${command}: it ended with ${status}`));
    });
  });
}
