/** Whether the command line prints the same bytes on every runtime. @module */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Runtime } from "./runtimes.ts";
import { runProgram } from "./run_program.ts";

const TIME_LIMIT_MS = 120_000;

/** What each command printed, as 16 hexadecimal digits. */
export interface Digests {
  /** `replay`. */
  readonly replay: string;
  /** What `fake` served, as Deno's `tail` printed it. */
  readonly fake: string;
  /** What `tail` printed of that which Deno's `fake` served. */
  readonly tail: string;
}

/**
 * Runs the commands. All alerts of `replay` go through `fake` and `tail` too, so that the three
 * digests are one.
 *
 * @param runtime Where.
 * @param deno What stands at the other end of the connection.
 * @param tree A copy of the project with its dependencies.
 * @returns What they printed; where a command failed, its words in place of a digest.
 */
export async function digestsOf(runtime: Runtime, deno: Runtime, tree: string): Promise<Digests> {
  const folder = mkdtempSync(join(tmpdir(), "falco-streams-digests-"));
  const fixture = join(folder, "alerts.jsonl");
  try {
    const { status, stdout, all } = await runProgram(
      runtime.path,
      commandLine(runtime, ["replay", "--format", "json"]),
      { cwd: tree, timeLimitMs: TIME_LIMIT_MS },
    );
    if (status !== 0) {
      const failed = `replay ended with ${status}: ${all.slice(-300)}`;
      return { replay: failed, fake: "-", tail: "-" };
    }
    writeFileSync(fixture, stdout);
    const limit = String(stdout.split("\n").length - 1);
    return {
      replay: digest(stdout),
      fake: await served(runtime, deno, tree, fixture, limit),
      tail: await served(deno, runtime, tree, fixture, limit),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Serves a fixture with one runtime and prints it with another. */
async function served(
  server: Runtime,
  client: Runtime,
  tree: string,
  fixture: string,
  limit: string,
): Promise<string> {
  const certs = ["--certs", join(fixture, "..", "certs")];
  const listen = ["--listen", "localhost:0", ...certs, "--fixture", fixture];
  const fake = spawn(server.path, commandLine(server, ["fake", ...listen]), {
    cwd: tree,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise((resolve) => fake.on("close", resolve));
  let log = "";
  fake.stderr.setEncoding("utf8").on("data", (text: string) => log += text);
  try {
    const address = await new Promise<string>((resolve, reject) => {
      let text = "";
      fake.stdout.setEncoding("utf8").on("data", (part: string) => {
        text += part;
        const [, found] = /^listening on (\S+)\n/.exec(text) ?? [];
        if (found !== undefined) resolve(found);
      });
      fake.on("error", reject);
      fake.on("close", (status) => reject(new Error(`fake ended with ${status}: ${log}`)));
    });
    const tail = ["tail", address, ...certs, "--format", "json", "--limit", limit];
    const { status, stdout, all } = await runProgram(client.path, commandLine(client, tail), {
      cwd: tree,
      timeLimitMs: TIME_LIMIT_MS,
    });
    return status === 0 ? digest(stdout) : `tail ended with ${status}: ${all.slice(-300)}`;
  } catch (error) {
    return String(error);
  } finally {
    fake.kill(process.platform === "win32" ? "SIGKILL" : "SIGINT");
    await ended;
  }
}

function commandLine(runtime: Runtime, args: readonly string[]): readonly string[] {
  const [command = "", ...rest] = args;
  return runtime.runner === "deno"
    ? ["task", "--quiet", command, ...rest]
    : ["cli/main.ts", command, ...rest];
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
