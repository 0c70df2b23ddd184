/** Runs a file of tests/children/ as a process of its own, on the runtime that runs the tests. */
import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Finished } from "./run_cli.ts";

const config = fileURLToPath(new URL("../deno.json", import.meta.url));

/** Options of {@linkcode runChild}. */
export interface RunChildOptions {
  /** What it finds in `process.argv` from the third entry on. */
  args?: readonly string[];
  /** The largest heap, in megabytes. Bun has no such option. */
  heapMb?: number;
  /** It becomes another user, who may not write where Deno gathers coverage, and would be told so. */
  asOther?: boolean;
}

/** Runs the file to its end; fails if that takes more than two minutes. */
export async function runChild(file: string, options: RunChildOptions = {}): Promise<Finished> {
  const { args = [], heapMb, asOther = false } = options;
  const env: Record<string, string | undefined> = { ...process.env, NO_COLOR: "1" };
  if (asOther) delete env["DENO_COVERAGE_DIR"];
  const path = fileURLToPath(new URL(`children/${file}`, import.meta.url));
  const heap = heapMb === undefined ? [] : [`--max-old-space-size=${heapMb}`];
  const prefix = "Deno" in globalThis
    ? [
      "run",
      "--quiet",
      "--no-prompt",
      "--allow-all",
      `--config=${config}`,
      ...heap.map((flag) => `--v8-flags=${flag}`),
    ]
    : "Bun" in globalThis
    ? []
    : heap;
  const child = spawn(process.execPath, [...prefix, path, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env,
    timeout: 120_000,
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => stdout += text);
  child.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text);
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
}
