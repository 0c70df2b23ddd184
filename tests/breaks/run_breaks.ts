/** Breaks a copy of the tree, again and again, and sees who notices. @module */
import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { applyBreak } from "./break.ts";
import type { Break } from "./break.ts";

/** What became of a break. */
export interface BreakResult {
  readonly broken: Break;
  /** `late`: the suite did not end in time, as a test that waits for ever; that is noticed, too. */
  readonly outcome: "caught" | "late" | "survived" | "stale";
  readonly elapsedMs: number;
  /** What is wrong with the break itself, if it is stale. */
  readonly problem?: string;
}

/** How breaks are run. */
export interface RunBreaksOptions {
  /** The tree that is copied. */
  readonly root: string;
  /** How many copies are worked on at a time. */
  readonly jobs: number;
  /**
   * How long a suite may take, in milliseconds. With a break it has three times as long as it took
   * without, if that is more: where all is slow, being late is no sign.
   */
  readonly limitMs: number;
  /** Hears of each result as it comes. */
  readonly onResult: (result: BreakResult) => void;
}

/** What is no part of the sources. */
const LEFT_OUT = new Set([".git", "node_modules", ".runtimes", "coverage", "results"]);

/** As in `deno task test`; types are checked elsewhere, and a broken type is no test. */
const FLAGS = [
  "--quiet",
  "--no-prompt",
  "--no-check",
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-run",
  "--allow-env",
];

/**
 * Runs the suites unbroken, then each break with its own.
 *
 * @param breaks The breaks.
 * @param options Where and how.
 * @returns The results, in the order of the breaks.
 * @throws {Error} If the suites fail without a break: then nothing that fails afterwards says a thing.
 */
export async function runBreaks(
  breaks: readonly Break[],
  options: RunBreaksOptions,
): Promise<BreakResult[]> {
  const folder = await mkdtemp(join(tmpdir(), "falco-breaks-"));
  try {
    const trees: string[] = [];
    for (let job = 0; job < options.jobs; job++) {
      trees.push(await copyTree(options.root, join(folder, String(job))));
    }
    const usualMs = await runUnbroken(breaks, trees, options.limitMs);
    const results: BreakResult[] = new Array(breaks.length);
    await onEach([...breaks.entries()], trees, async ([at, broken], tree) => {
      const sum = broken.tests.reduce((total, suite) => total + usualMs.get(suite)!, 0);
      results[at] = await runBreak(broken, tree, Math.max(options.limitMs, 3 * sum));
      options.onResult(results[at]!);
    });
    return results;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** How long each suite takes without a break, in milliseconds. */
async function runUnbroken(
  breaks: readonly Break[],
  trees: readonly string[],
  limitMs: number,
): Promise<ReadonlyMap<string, number>> {
  const suites = [...new Set(breaks.flatMap(({ tests }) => tests))];
  const usualMs = new Map<string, number>();
  await onEach(suites, trees, async (suite, tree) => {
    const startedAt = performance.now();
    const { code, text } = await runSuites(tree, [suite], limitMs * 5);
    usualMs.set(suite, performance.now() - startedAt);
    if (code === 0) return;
    const how = code === undefined ? "does not end" : "fails";
    throw new Error(`Cannot begin: ${suite} ${how} unbroken\n${text.slice(-4000)}`);
  });
  return usualMs;
}

/** Works on items, as many at a time as there are trees. What fails first ends it. */
async function onEach<T>(
  items: readonly T[],
  trees: readonly string[],
  work: (item: T, tree: string) => Promise<void>,
): Promise<void> {
  let next = 0;
  const workers = trees.map(async (tree) => {
    try {
      while (next < items.length) await work(items[next++]!, tree);
    } catch (error) {
      next = items.length;
      throw error;
    }
  });
  // All of them, so that nobody is at work in a tree that is removed.
  for (const end of await Promise.allSettled(workers)) {
    if (end.status === "rejected") throw end.reason;
  }
}

async function copyTree(root: string, to: string): Promise<string> {
  await cp(root, to, { recursive: true, filter: (path) => !LEFT_OUT.has(basename(path)) });
  return to;
}

async function runBreak(broken: Break, tree: string, limitMs: number): Promise<BreakResult> {
  const startedAt = performance.now();
  const path = join(tree, broken.file);
  const elapsedMs = () => performance.now() - startedAt;
  let text: string;
  try {
    text = await readFile(path, "utf8");
    await writeFile(path, applyBreak(text, broken));
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { broken, outcome: "stale", elapsedMs: elapsedMs(), problem };
  }
  try {
    const { code } = await runSuites(tree, broken.tests, limitMs);
    const outcome = code === undefined ? "late" : code === 0 ? "survived" : "caught";
    return { broken, outcome, elapsedMs: elapsedMs() };
  } finally {
    await writeFile(path, text);
  }
}

/** The exit status, undefined if the time was over, and what was printed. */
function runSuites(
  tree: string,
  suites: readonly string[],
  limitMs: number,
): Promise<{ code: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ["test", ...FLAGS, "--fail-fast", ...suites.map((name) => `tests/${name}_test.ts`)],
      // A group of its own, so that what the tests have started goes with them.
      { cwd: tree, stdio: ["ignore", "pipe", "pipe"], detached: true },
    );
    let text = "";
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      killGroup(child.pid!);
    }, limitMs);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Uint8Array) => {
        text = (text + new TextDecoder().decode(chunk)).slice(-100_000);
      });
    }
    child.on("error", reject);
    child.on("exit", (code) => {
      clearTimeout(timer);
      // A broken program may have left its own children behind, with our pipes in their hands.
      killGroup(child.pid!);
      resolve({ code: late ? undefined : code ?? 1, text });
    });
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // they are gone
  }
}
