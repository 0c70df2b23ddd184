/**
 * `deno task install-check`: the package as users get it, in clean projects. From a tarball with npm
 * and Bun, run on Node 22 and 24 and Bun and checked by TypeScript; from a registry with Deno.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { copyTree } from "../matrix/tree.ts";
import { fileURLToPath } from "node:url";
import { checkJsr } from "./check_jsr.ts";
import { checkTarball } from "./check_tarball.ts";
import type { Check, Project } from "./project.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

const folder = realpathSync(mkdtempSync(join(tmpdir(), "falco-streams-installed-")));
const tree = copyTree(root);
const config = JSON.parse(readFileSync(join(root, "deno.json"), "utf8")) as {
  name: string;
  version: string;
  exports: Record<string, string>;
};
const project: Project = {
  tree: tree.path,
  name: config.name,
  version: config.version,
  entryPoints: Object.keys(config.exports).map((key) => config.name + key.slice(1)),
};
const checks: readonly [string, Check][] = [["npm", checkTarball], ["jsr", checkJsr]];
const say = (text: string): void => {
  process.stdout.write(`ok  ${text}\n`);
};
try {
  for (const [name, check] of checks) {
    const place = join(folder, name);
    mkdirSync(place);
    await check(project, place, say);
  }
} catch (error) {
  process.stderr.write(`FAILED  ${(error as Error).message}\n`);
  process.exitCode = 1;
} finally {
  tree.remove();
  rmSync(folder, { recursive: true, force: true });
}
