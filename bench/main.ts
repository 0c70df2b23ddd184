/** `deno task bench [NAME...]`: the benchmarks. @module */
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import type { Bench } from "./bench.ts";
import { benchmarks } from "./benchmarks.ts";
import { compare } from "./compare.ts";
import { lookAtMachine } from "./machine.ts";
import type { Machine } from "./machine.ts";
import type { Measurement } from "./measurement.ts";
import { mergeResults } from "./merge_results.ts";
import { formatMeasurement, formatReport } from "./report.ts";
import type { Report } from "./report.ts";

const help = `Usage: deno task bench [OPTIONS] [NAME...]

Runs the benchmarks, or those that are named, and prints how each rival compares with the first.

  --list          print the names and questions of the benchmarks, and end
  --rounds N      how often each rival has its turn; default 11
  --quick         little work, and one round unless --rounds says otherwise: shows that everything
                  runs and agrees; the times mean nothing
  --json FILE     write all figures, with versions, date and machine
  --results FILE  put the tables into FILE, next to those of other benchmarks and runtimes
  --help          print this, and end

Exit status: 0 done, 1 rivals that did different work or another failure, 2 wrong arguments.
`;

interface Arguments {
  readonly names: readonly string[];
  readonly rounds: number;
  readonly quick: boolean;
  readonly json: string | undefined;
  readonly results: string | undefined;
}

const args = readArguments(process.argv.slice(2));
if (args !== undefined) await run(args);

/** What the command line asks for; undefined if that is done, or wrong. */
function readArguments(words: readonly string[]): Arguments | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        list: { type: "boolean" },
        rounds: { type: "string" },
        quick: { type: "boolean" },
        json: { type: "string" },
        results: { type: "string" },
        help: { type: "boolean" },
      },
    });
    if (values.help) return print(help);
    if (values.list) {
      const lines = Object.entries(benchmarks)
        .map(([name, { question }]) => `${name.padEnd(12)}${question}\n`);
      return print(lines.join(""));
    }
    const all = Object.keys(benchmarks);
    const unknown = positionals.find((name) => !all.includes(name));
    if (unknown !== undefined) {
      throw new Error(`Cannot run "${unknown}": there is no such benchmark. Try ${all.join(", ")}`);
    }
    const quick = values.quick ?? false;
    const rounds = values.rounds ?? (quick ? "1" : "11");
    if (!/^[1-9][0-9]{0,3}$/.test(rounds)) {
      throw new Error(
        `Cannot run "${rounds}" rounds: "--rounds" takes a whole number from 1 to 9999`,
      );
    }
    if (quick && values.results !== undefined) {
      throw new Error('Cannot write results of "--quick": its times mean nothing. Leave one out');
    }
    return {
      names: all.filter((name) => positionals.length === 0 || positionals.includes(name)),
      rounds: Number(rounds),
      quick,
      json: values.json,
      results: values.results,
    };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 2;
  }
}

function print(text: string): undefined {
  process.stdout.write(text);
}

async function run({ names, rounds, quick, json, results }: Arguments): Promise<void> {
  const machine = lookAtMachine();
  const date = new Date().toISOString();
  print(
    `${machine.runtime} ${machine.version}, ${machine.engine}; ${machine.cores} cores of ` +
      `${machine.processor}; load ${machine.load}\n${
        quick ? "A quick run: all is done, and little of it. The times mean nothing.\n" : ""
      }\n`,
  );
  const reports: Report[] = [];
  for (const name of names) {
    const parts: (string | Measurement)[] = [];
    const { question, load } = benchmarks[name]!;
    print(`== ${name}: ${question}\n\n`);
    await (await load())(makeBench(machine, { rounds, quick, parts }));
    reports.push({ benchmark: name, parts });
  }
  if (json !== undefined) {
    const figures = { version: 1, date, isQuick: quick, machine, reports };
    writeFileSync(json, `${JSON.stringify(figures, undefined, 2)}\n`);
  }
  if (results !== undefined) writeResults(results, reports, machine, date.slice(0, 10));
}

/** Times that mean nothing miss no goal. */
function withoutGoals(measurement: Measurement): Measurement {
  const results = measurement.results.map(({ goal: _, ...result }) => result);
  return { ...measurement, results };
}

interface Collected {
  readonly rounds: number;
  readonly quick: boolean;
  readonly parts: (string | Measurement)[];
}

function makeBench({ runtime }: Machine, { rounds, quick, parts }: Collected): Bench {
  const add = (measurement: Measurement) => {
    const kept = quick ? withoutGoals(measurement) : measurement;
    parts.push(kept);
    print(formatMeasurement(kept));
  };
  return {
    runtime,
    isQuick: quick,
    rounds,
    add,
    async compare(question, rivals) {
      const options = quick ? { rounds, turnMs: 0, warmUpMs: 0 } : {
        rounds,
        turnMs: 40,
        warmUpMs: 150,
      };
      add(await compare(question, rivals, options));
    },
    note(text) {
      parts.push(text);
      print(`${text}\n\n`);
    },
  };
}

function writeResults(
  file: string,
  reports: readonly Report[],
  machine: Machine,
  date: string,
): void {
  const sections = reports.map((report) => ({
    benchmark: report.benchmark,
    question: benchmarks[report.benchmark]!.question,
    runtime: machine.runtime,
    text: formatReport(report, machine, date),
  }));
  writeFileSync(file, mergeResults(readOld(file), sections, Object.keys(benchmarks)));
}

function readOld(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return "";
    throw error;
  }
}
