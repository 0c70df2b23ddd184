/** `deno task breaks`: would the tests notice? @module */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { applyBreak } from "./break.ts";
import { breaks } from "./breaks.ts";
import { runBreaks } from "./run_breaks.ts";
import type { BreakResult } from "./run_breaks.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const USAGE = `Usage: deno task breaks [--list] [--check] [--jobs N] [--seconds N] [TEXT...]

Breaks the code on purpose, one place after the other in a copy of the tree, and runs the suites that
should notice. Ends with 1 if one does not, or if a break does not fit the code any more.

  TEXT         only breaks with this in their name or file
  --list       prints them
  --check      only says whether they fit the code; this takes no time
  --jobs N     copies to work on at a time (default: the processors)
  --seconds N  how long a suite may take (default 120); one that takes longer has noticed
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
    jobs: { type: "string", default: String(availableParallelism()) },
    seconds: { type: "string", default: "120" },
    help: { type: "boolean", default: false },
  },
});
const [jobs, seconds] = [Number(values.jobs), Number(values.seconds)];
const chosen = breaks.filter(({ name, file }) =>
  positionals.length === 0 ||
  positionals.some((text) => name.includes(text) || file.includes(text))
);
const wrong = !(Number.isInteger(jobs) && jobs >= 1 && seconds > 0) || chosen.length === 0;
if (values.help || wrong) {
  process[wrong ? "stderr" : "stdout"].write(USAGE);
  process.exitCode = wrong ? 2 : 0;
} else if (values.list) {
  for (const { name, file, tests } of chosen) print(`${file}: ${name} (${tests.join(", ")})`);
} else if (values.check) {
  process.exitCode = check();
} else {
  print(`${chosen.length} breaks; first the suites as they are`);
  try {
    const results = await runBreaks(chosen, {
      root,
      jobs,
      limitMs: seconds * 1000,
      onResult: tell,
    });
    process.exitCode = conclude(results);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}

function check(): number {
  let stale = 0;
  for (const one of chosen) {
    try {
      applyBreak(readFileSync(`${root}/${one.file}`, "utf8"), one);
    } catch (error) {
      stale++;
      print(error instanceof Error ? error.message : String(error));
    }
  }
  print(`${chosen.length} breaks, ${stale} do not fit the code`);
  return stale === 0 ? 0 : 1;
}

function tell({ broken, outcome, elapsedMs, problem }: BreakResult): void {
  const time = `${(elapsedMs / 1000).toFixed(1)} s`.padStart(8);
  const word = outcome === "caught" || outcome === "late" ? outcome : outcome.toUpperCase();
  print(`${word.padEnd(8)} ${time}  ${broken.file}: ${broken.name}`);
  if (problem !== undefined) print(problem);
}

function conclude(results: readonly BreakResult[]): number {
  const count = (outcome: BreakResult["outcome"]) =>
    results.filter((result) => result.outcome === outcome).length;
  print(
    `${results.length} breaks: ${count("caught")} caught, ${
      count("late")
    } caught by the time limit, ` +
      `${count("survived")} survived, ${count("stale")} do not fit the code`,
  );
  for (const { broken, outcome } of results) {
    if (outcome === "survived") {
      print(`survived: ${broken.file}: ${broken.name} (${broken.tests.join(", ")})`);
    }
  }
  return count("survived") + count("stale") === 0 ? 0 : 1;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
