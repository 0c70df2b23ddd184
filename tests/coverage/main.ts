/**
 * `deno task coverage [FILE...]`: which lines and branches of lib/ and harness/ the tests run.
 *
 * Runs all tests, or the files that are given, and prints the figures and the files with the most
 * lines that nothing runs. With all tests it fails below 95 % of the lines.
 *
 * @module
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runProgram } from "../matrix/run_program.ts";
import { renderTable } from "../matrix/table.ts";
import { failuresOf } from "../matrix/test_report.ts";
import { addUp, parseLcov, percent } from "./lcov.ts";
import type { FileCoverage } from "./lcov.ts";

const WANTED_PERCENT = 95;
const WORST = 15;
const TIME_LIMIT_MS = 1_800_000;
const rooms = ["lib", "harness"];

async function main(files: readonly string[]): Promise<number> {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), "falco-streams-coverage-"));
  const options = { cwd: root, timeLimitMs: TIME_LIMIT_MS };
  try {
    const tests = files.length > 0 ? files : ["tests"];
    const flags = ["--no-prompt", "--no-check", "--parallel", "-A", `--coverage=${folder}`];
    const tested = await runProgram(process.execPath, ["test", ...flags, ...tests], options);
    const last = tested.all.trimEnd().split("\n").filter((line) => / passed /.test(line)).at(-1);
    process.stdout.write(`${last ?? tested.all.slice(-3000)}\n`);
    if (last === undefined) return 1;
    if (tested.status !== 0) process.stdout.write(`${failuresOf("deno", tested.all)}\n`);
    const { stdout } = await runProgram(
      process.execPath,
      ["coverage", "--quiet", "--lcov", folder],
      options,
    );
    const covered = parseLcov(stdout, root)
      .filter(({ path }) => rooms.some((room) => path.startsWith(`${room}/`)));
    const percentage = report(covered);
    for (const path of unseen(root, covered)) process.stdout.write(`never loaded: ${path}\n`);
    if (files.length > 0) return 0;
    if (percentage < WANTED_PERCENT) {
      process.stdout.write(`below ${WANTED_PERCENT} % of the lines\n`);
    }
    return tested.status === 0 && percentage >= WANTED_PERCENT ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Prints the figures; returns how many lines were run, in percent. */
function report(covered: readonly FileCoverage[]): number {
  const row = (name: string, files: readonly FileCoverage[]): readonly string[] => {
    const { lines, branches } = addUp(files);
    const lost = lines.found - lines.hit;
    return [name, percent(lines), percent(branches), String(lost)];
  };
  const missed = ({ lines }: FileCoverage): number => lines.found - lines.hit;
  const worst = [...covered].sort((a, b) => missed(b) - missed(a)).slice(0, WORST);
  process.stdout.write(renderTable([
    ["", "lines %", "branches %", "lines not run"],
    ...rooms.map((room) => row(room, covered.filter(({ path }) => path.startsWith(`${room}/`)))),
    row("together", covered),
    ["", "", "", ""],
    ...worst.filter((file) => missed(file) > 0).map((file) => row(file.path, [file])),
  ]));
  return Number(percent(addUp(covered).lines));
}

/** Files without a line of coverage: no test loads them, or they hold types alone. */
function unseen(root: string, covered: readonly FileCoverage[]): readonly string[] {
  const known = new Set(covered.map(({ path }) => path));
  return rooms.flatMap((room) =>
    readdirSync(join(root, room), { recursive: true }).map((name) =>
      `${room}/${String(name).replaceAll("\\", "/")}`
    )
  ).filter((path) => path.endsWith(".ts") && !known.has(path)).sort();
}

process.exitCode = await main(process.argv.slice(2));
