/** `deno task fuzz`: harmed inputs without end, or a million. @module */
import process from "node:process";
import { parseArgs } from "node:util";
import { Finding, fuzz } from "./fuzz.ts";
import { targets } from "./targets.ts";

const names = Object.keys(targets);
const USAGE = `Usage: deno task fuzz [--count N] [--seed S] [--start I] [TARGET...]

Gives decoders and parsers inputs that were harmed on purpose. An input depends on
seed, number and target alone, so a finding can be repeated with --start I --count 1.

  TARGET      ${names.join(", ")} (default alert and frames, half the inputs each)
  --count N   inputs in all (default 1000000)
  --seed S    default 1
  --start I   number of the first input (default 0)
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    start: { type: "string", default: "0" },
    help: { type: "boolean", default: false },
  },
});
const chosen = positionals.length > 0 ? positionals : ["alert", "frames"];
const [count, seed, start] = [values.count, values.seed, values.start].map(Number);
const wrong = chosen.some((name) => !Object.hasOwn(targets, name)) ||
  ![count, seed, start].every(Number.isSafeInteger);
if (values.help || wrong) {
  process[wrong ? "stderr" : "stdout"].write(USAGE);
  process.exitCode = wrong ? 2 : 0;
} else {
  for (const name of chosen) {
    if (!run(name, Math.ceil(count! / chosen.length))) break;
  }
}

function run(name: string, inputs: number): boolean {
  const startedAt = performance.now();
  const rate = (done: number) => Math.round(done / (performance.now() - startedAt) * 1000);
  const report = (text: string) => process.stdout.write(`${name}, seed ${seed}: ${text}\n`);
  try {
    const { accepted, refused, slowestMs } = fuzz(targets[name]!(), {
      count: inputs,
      seed: seed!,
      start: start!,
      onProgress: (done) => report(`${done} of ${inputs}, ${rate(done)}/s`),
    });
    report(
      `${inputs} inputs, ${accepted} accepted, ${refused} refused, no finding; ` +
        `${rate(inputs)}/s, slowest ${slowestMs.toFixed(1)} ms`,
    );
    return true;
  } catch (error) {
    if (!(error instanceof Finding)) throw error;
    report(error.message);
    process.stdout.write(
      `repeat it with: deno task fuzz --seed ${seed} --start ${error.index} --count 1 ${name}\n`,
    );
    process.exitCode = 1;
    return false;
  }
}
