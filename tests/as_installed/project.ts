/** What is installed, and how to run something on it. @module */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram } from "../matrix/run_program.ts";
import type { Ended } from "../matrix/run_program.ts";

/** The package. */
export interface Project {
  /** A copy of the sources. */
  readonly tree: string;
  readonly name: string;
  readonly version: string;
  /** All that can be imported. */
  readonly entryPoints: readonly string[];
}

/** Installs the package into a folder and uses it there; rejects if something is wrong. */
export type Check = (
  project: Project,
  folder: string,
  say: (text: string) => void,
) => Promise<void>;

/** What `use.ts` prints last: the alerts of a bundled scenario, and that `--help` works. */
export const EXPECTED = /^Falco 0\.43\.1, (?!0 )\d+ alerts, true$/m;

/**
 * Runs a program that must succeed.
 *
 * @param command The program.
 * @param args Its arguments.
 * @param cwd Where it runs.
 * @param env What is added to the environment.
 * @returns What it printed.
 * @throws {Error} If it fails, with the end of what it printed.
 */
export async function mustRun(
  command: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const ended = await runProgram(command, args, { cwd, env, timeLimitMs: 240_000 });
  if (ended.status === 0) return ended;
  const line = [command, ...args].join(" ");
  throw new Error(`${line} ended with ${ended.status}\n${ended.all.slice(-6000)}`);
}

/**
 * Makes a user's project: a program, a test, and a file that imports every entry point.
 *
 * @param folder Where; made if it is not there.
 * @param project The package.
 * @param files More files, by name.
 */
export function makeConsumer(
  folder: string,
  project: Project,
  files: Readonly<Record<string, string>> = {},
): void {
  mkdirSync(folder, { recursive: true });
  cpSync(fileURLToPath(new URL("consumer", import.meta.url)), folder, { recursive: true });
  const imports = project.entryPoints.map((name, at) => `import * as e${at} from "${name}";\n`);
  const counts = project.entryPoints.map((_, at) => `Object.keys(e${at}).length`);
  const text = `${imports.join("")}console.log([${counts.join(", ")}].every((n) => n > 0));\n`;
  writeFileSync(join(folder, "entry_points.ts"), text);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
}
