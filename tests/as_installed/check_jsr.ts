/** From a registry, with Deno. @module */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { startJsr } from "./jsr_server.ts";
import { EXPECTED, makeConsumer, mustRun } from "./project.ts";
import type { Project } from "./project.ts";

/**
 * Publishes the package to a registry on loopback, adds it to a clean project, and uses it there.
 *
 * @param project The package.
 * @param folder An empty folder.
 * @param say Told of each thing that holds.
 * @throws {Error} If something does not.
 */
export async function checkJsr(
  project: Project,
  folder: string,
  say: (text: string) => void,
): Promise<void> {
  const deno = process.execPath;
  const jsr = await startJsr();
  try {
    const publish = ["publish", "--token", "none", "--no-provenance", "--allow-dirty"];
    await mustRun(deno, publish, project.tree, { JSR_URL: jsr.url });
    say(`deno publish: ${jsr.files.length} files`);

    const cache = join(folder, "cache");
    mkdirSync(cache);
    const env = { JSR_URL: jsr.url, DENO_DIR: cache };
    const consumer = join(folder, "consumer");
    makeConsumer(consumer, project, { "deno.json": "{}\n" });
    await mustRun(deno, ["add", `jsr:${project.name}`], consumer, env);
    say(`deno add jsr:${project.name}, with an empty cache`);
    await mustRun(deno, ["check", "."], consumer, env);
    say("deno check");
    // What the README promises for the fake: the socket is in a temporary folder.
    const flags = ["--no-prompt", "--allow-net", "--allow-read", "--allow-write"];
    const ignored = "--ignore-env=LOG_TOKENS,LOG_STREAM";
    const { stdout } = await mustRun(deno, ["run", ...flags, ignored, "use.ts"], consumer, env);
    if (!EXPECTED.test(stdout)) throw new Error(`use.ts printed ${stdout}`);
    const entryPoints = await mustRun(deno, ["run", "entry_points.ts"], consumer, env);
    if (entryPoints.stdout !== "true\n") throw new Error("An entry point exports nothing");
    say("a program runs; every entry point imports without any permission");
    await mustRun(deno, ["test", ...flags], consumer, env);
    say("deno test: a test that uses ./harness");
    const cli = [`jsr:${project.name}/cli`, "replay", "--format", "json"];
    const printed = await mustRun(deno, ["run", ...flags, ignored, ...cli], folder, env);
    if (!/^\{"hostname":.*\}\n$/s.test(printed.stdout)) {
      throw new Error(`replay from the registry printed ${printed.stdout.slice(0, 1000)}`);
    }
    say("deno run: the command line, without a project");
  } finally {
    await jsr.close();
  }
}
