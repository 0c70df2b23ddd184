/** A copy of the project as Node and Bun need it. @module */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** What is not copied: what git ignores, and git itself. */
const LEFT_OUT = [".git", ".runtimes", ".interop", "node_modules", "coverage"];

/**
 * Copies the project into a temporary folder and installs its dependencies there, so that no
 * node_modules appears at the top of the project.
 *
 * @param root The project.
 * @returns The folder, and what removes it.
 * @throws {Error} If the dependencies cannot be installed.
 */
export function copyTree(root: string): { path: string; remove(): void } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "falco-streams-matrix-")));
  const remove = () => rmSync(path, { recursive: true, force: true });
  try {
    for (const name of readdirSync(root)) {
      if (!LEFT_OUT.includes(name)) cpSync(join(root, name), join(path, name), { recursive: true });
    }
    const args = ["install", "--quiet", "--node-modules-dir=auto"];
    const done = spawnSync(process.execPath, args, { cwd: path, encoding: "utf8" });
    if (done.status !== 0) throw new Error(`Cannot install the dependencies\n${done.stderr}`);
  } catch (error) {
    remove();
    throw error;
  }
  return { path, remove };
}
