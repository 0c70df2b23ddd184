/** Runs the command line as a process of its own, on the runtime that runs the tests. */
import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import process from "node:process";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../cli/main.ts", import.meta.url));
const config = fileURLToPath(new URL("../deno.json", import.meta.url));

/** A live command writes nothing but sockets, and Deno takes connecting to a socket for writing to it. */
const liveFlags: readonly string[] = [
  "--no-prompt",
  "--allow-net",
  "--allow-read",
  "--allow-write=/run,/var/run,/tmp",
  "--ignore-env=LOG_TOKENS,LOG_STREAM",
];

/** The flags of the tasks; docs_test.ts holds them against deno.json. */
export const denoFlags: Record<string, readonly string[]> = {
  replay: [
    "--no-prompt",
    "--allow-net",
    "--allow-read",
    "--allow-write=/tmp",
    "--ignore-env=LOG_TOKENS,LOG_STREAM",
  ],
  fake: [
    "--no-prompt",
    "--allow-net",
    "--allow-read",
    "--allow-write",
    "--allow-run=/bin/sh",
    "--allow-env",
  ],
  record: [
    "--no-prompt",
    "--allow-net",
    "--allow-read",
    "--allow-write",
    "--ignore-env=LOG_TOKENS,LOG_STREAM",
  ],
  certs: [
    "--no-prompt",
    "--allow-read",
    "--allow-write",
    "--ignore-env=LOG_TOKENS,LOG_STREAM",
  ],
  tail: liveFlags,
  doctor: liveFlags,
  contract: liveFlags,
  gateway: liveFlags,
};

/** A process that is over. */
export interface Finished {
  /** The exit status; null if a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process that runs. */
export interface Running {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Resolves when it is over. */
  readonly finished: Promise<Finished>;
  /** Resolves with the first line on standard output, or rejects if there is none. */
  readonly firstLine: Promise<string>;
}

/** What starts a command: a program and its arguments. */
export function cliCommand(args: readonly string[]): [program: string, ...args: string[]] {
  const flags = denoFlags[args[0] ?? ""] ?? denoFlags["replay"]!;
  const prefix = "Deno" in globalThis ? ["run", "--quiet", `--config=${config}`, ...flags] : [];
  return [process.execPath, ...prefix, main, ...args];
}

/** Starts a command. */
export function startCli(args: readonly string[]): Running {
  const [program, ...rest] = cliCommand(args);
  const child = spawn(program, rest, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => stdout += text);
  child.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text);
  child.stdin.on("error", () => {}); // a command that ends without reading
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
  const firstLine = new Promise<string>((resolve, reject) => {
    child.stdout.on("data", () => {
      const end = stdout.indexOf("\n");
      if (end >= 0) resolve(stdout.slice(0, end));
    });
    child.on("close", () => reject(new Error(`it printed no line: ${stderr}`)));
  });
  firstLine.catch(() => {});
  return { child, finished, firstLine };
}

/** Runs a command to its end. */
export async function runCli(args: readonly string[], input?: string): Promise<Finished> {
  const { child, finished } = startCli(args);
  child.stdin.end(input ?? "");
  return await finished;
}
