/** Runs the tests on one runtime. @module */
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Runtime } from "./runtimes.ts";
import { runProgram } from "./run_program.ts";
import type { Ended } from "./run_program.ts";
import { countTests, failuresOf } from "./test_report.ts";
import type { TestCounts } from "./test_report.ts";

/** How long all tests may take on Deno, in milliseconds. */
const TIME_LIMIT_MS = 900_000;
/**
 * How long one file may take on Node or Bun, in milliseconds, the slowest needing some ten seconds.
 * Node does not end while a socket, a timer or a process is open: this limit is the leak check.
 * Neither Deno nor Bun waits, and Deno's own check does not see `node:test`.
 */
const FILE_TIME_LIMIT_MS = 240_000;

/** What came of the tests. */
export interface TestRun {
  readonly counts: TestCounts;
  /** What failed and why; empty if all is well. */
  readonly failures: string;
}

/**
 * Runs the tests.
 *
 * @param runtime Where.
 * @param tree A copy of the project with its dependencies.
 * @returns What came of it.
 */
export async function runTests(runtime: Runtime, tree: string): Promise<TestRun> {
  // By name: a folder would include what only Deno can run.
  const files = readdirSync(join(tree, "tests"))
    .filter((name) => name.endsWith("_test.ts"))
    .map((name) => `tests/${name}`)
    .sort();
  if (runtime.runner !== "deno") return await runEachFile(runtime, tree, files);
  // Deno runs what the README says; its flags and the documentation's examples are part of it.
  const args = ["task", "--quiet", "test"];
  const ended = await runProgram(runtime.path, args, { cwd: tree, timeLimitMs: TIME_LIMIT_MS });
  return read(runtime, ended, "the tests");
}

/**
 * A process for each file, one more at a time than there are processors, as tests also wait. Much as
 * `node --test` does, but one that stays open is named and ended; Bun would take one file after the
 * other, in one process.
 */
async function runEachFile(
  runtime: Runtime,
  tree: string,
  files: readonly string[],
): Promise<TestRun> {
  const runs: TestRun[] = [];
  const waiting = [...files];
  // Many tests start a program. Without this, Node strips the types of all its files each time.
  const env: Record<string, string> = runtime.runner === "node"
    ? { NODE_COMPILE_CACHE: join(tree, "node_modules", ".compile-cache") }
    : {};
  const work = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const args = runtime.runner === "node"
        ? ["--test-reporter=spec", file]
        : ["test", "--timeout", "120000", `./${file}`];
      const options = { cwd: tree, timeLimitMs: FILE_TIME_LIMIT_MS, env };
      runs.push(read(runtime, await runProgram(runtime.path, args, options), file));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() + 1 }, work));
  const sum = (of: (counts: TestCounts) => number): number =>
    runs.reduce((total, { counts }) => total + of(counts), 0);
  return {
    counts: {
      passed: sum(({ passed }) => passed),
      failed: sum(({ failed }) => failed),
      skipped: sum(({ skipped }) => skipped),
    },
    failures: runs.map(({ failures }) => failures).filter((text) => text !== "").join("\n"),
  };
}

function read(runtime: Runtime, ended: Ended, what: string): TestRun {
  const { runner, name } = runtime;
  const counts = countTests(runner, ended.all);
  const isFine = ended.status === 0 && counts.failed === 0 &&
    counts.passed + counts.skipped > 0;
  if (isFine) return { counts, failures: "" };
  const how = ended.isLate
    ? "did not end in time: something was left open, or waits for ever"
    : `ended with ${ended.status}`;
  // A file that fails without a failed test: it did not end, or does not even load.
  const failed = Math.max(counts.failed, 1);
  return {
    counts: { ...counts, failed },
    failures: `${name}: ${what} ${how}\n${failuresOf(runner, ended.all)}\n`,
  };
}
