/** `deno task bench [NAME...]`: the benchmarks. @module */
import process from "node:process";
import { benchCarriers } from "./carriers.ts";
import { benchReplay } from "./replay.ts";
import { benchStreams } from "./streams.ts";

const benchmarks: Record<string, () => Promise<void>> = {
  carriers: benchCarriers,
  replay: benchReplay,
  streams: benchStreams,
};

const names = process.argv.slice(2);
const unknown = names.filter((name) => !Object.hasOwn(benchmarks, name));
if (unknown.length > 0) {
  process.stderr.write(
    `no benchmark ${unknown.join(", ")}: there are ${Object.keys(benchmarks).join(", ")}\n`,
  );
  process.exit(2);
}
for (const [name, benchmark] of Object.entries(benchmarks)) {
  if (names.length === 0 || names.includes(name)) await benchmark();
}
