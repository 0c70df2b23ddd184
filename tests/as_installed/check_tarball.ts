/** From the tarball of `deno pack`, with npm and Bun. @module */
import { createHash } from "node:crypto";
import { join } from "node:path";
import process from "node:process";
import { fetchRuntime } from "../matrix/runtimes.ts";
import { EXPECTED, makeConsumer, mustRun } from "./project.ts";
import type { Project } from "./project.ts";

/** TypeScript as most users of Node have it now, and the one before. */
const COMPILERS = ["typescript@7.0.2", "typescript@5.9.3"];

const files = {
  "package.json": `{ "name": "consumer", "private": true, "type": "module" }\n`,
  "tsconfig.json": JSON.stringify({
    compilerOptions: {
      module: "nodenext",
      target: "es2024",
      lib: ["es2024", "esnext.disposable"],
      types: ["node"],
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
    },
    include: ["*.ts"],
  }),
};

/**
 * Installs the tarball with npm and with Bun, and uses it.
 *
 * @param project The package.
 * @param folder An empty folder.
 * @param say Told of each thing that holds.
 * @throws {Error} If something does not.
 */
export async function checkTarball(
  project: Project,
  folder: string,
  say: (text: string) => void,
): Promise<void> {
  const tarball = join(folder, "package.tgz");
  const pack = ["pack", "--allow-dirty", "--output", tarball];
  await mustRun(process.execPath, pack, project.tree);

  const npm = join(folder, "npm");
  const npmOptions = ["--no-audit", "--no-fund", "--ignore-scripts"];
  makeConsumer(npm, project, files);
  const npmCommand = process.platform === "win32" ? "npm.cmd" : "npm";
  await mustRun(npmCommand, ["install", ...npmOptions, tarball], npm);
  await mustRun(npmCommand, ["install", "-D", ...npmOptions, "@types/node@24"], npm);
  say("npm installs the tarball");
  const main = join("node_modules", ...project.name.split("/"), "cli", "main.js");
  const digests = new Set<string>();
  for (const name of ["node22", "node24"]) {
    const { path, version } = fetchRuntime(name);
    await useIt(path, [], ["--test"], npm);
    digests.add(await replayDigest(path, main, npm));
    say(`runs on Node ${version}: a program, a test, every entry point, replay`);
  }
  for (const compiler of COMPILERS) {
    await mustRun(npmCommand, ["install", "-D", ...npmOptions, compiler], npm);
    await mustRun(join(npm, "node_modules", ".bin", "tsc"), ["-p", "."], npm);
    say(`type-checks in nodenext with ${compiler}`);
  }

  const bun = fetchRuntime("bun");
  const bunFolder = join(folder, "bun");
  makeConsumer(bunFolder, project, files);
  await mustRun(bun.path, ["add", tarball], bunFolder);
  await useIt(bun.path, ["run"], ["test"], bunFolder);
  digests.add(await replayDigest(bun.path, main, bunFolder));
  say(`Bun ${bun.version} installs it and runs the same`);
  if (digests.size !== 1) throw new Error("replay does not print the same bytes everywhere");
}

async function useIt(
  path: string,
  run: readonly string[],
  test: readonly string[],
  cwd: string,
): Promise<void> {
  const { stdout } = await mustRun(path, [...run, "use.ts"], cwd);
  if (!EXPECTED.test(stdout)) throw new Error(`use.ts printed ${stdout}`);
  const entryPoints = await mustRun(path, [...run, "entry_points.ts"], cwd);
  if (entryPoints.stdout !== "true\n") throw new Error("An entry point exports nothing");
  await mustRun(path, [...test, "./pipeline_test.ts"], cwd);
}

async function replayDigest(path: string, main: string, cwd: string): Promise<string> {
  const { stdout } = await mustRun(path, [main, "replay", "--format", "json"], cwd);
  if (stdout === "") throw new Error("replay printed nothing");
  return createHash("sha256").update(stdout).digest("hex");
}
