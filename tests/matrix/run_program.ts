/** Runs a program and collects what it prints. @module */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import process from "node:process";

/** A program that is over. */
export interface Ended {
  /** Its exit status; null if a signal ended it. */
  readonly status: number | null;
  /** Standard output. */
  readonly stdout: string;
  /** Both outputs, as they came. */
  readonly all: string;
  /** Whether it was killed as its time was over. */
  readonly isLate: boolean;
}

/** What a program may have, and how long it may take. */
export interface RunOptions {
  readonly cwd: string;
  /** It is killed then, with all that it started. */
  readonly timeLimitMs: number;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a program to its end.
 *
 * @param command The program.
 * @param args Its arguments.
 * @param options Where it runs, and how long at most.
 * @returns How it ended. A program that cannot be started rejects.
 */
export function runProgram(
  command: string,
  args: readonly string[],
  options: RunOptions,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NO_COLOR: "1", ...options.env };
    // A group of its own, so that what it started dies with it.
    const detached = process.platform !== "win32";
    const child = spawn(command, args, {
      cwd: options.cwd,
      env,
      detached,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const stdout: string[] = [];
    const all: string[] = [];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout.push(text);
      all.push(text);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => all.push(text));
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      killGroup(child);
    }, options.timeLimitMs);
    const onSignal = (): void => {
      killGroup(child);
      process.exit(130);
    };
    process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
    const settle = (): void => {
      clearTimeout(timer);
      process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    };
    child.on("error", (error) => {
      settle();
      reject(error);
    });
    child.on("close", (status) => {
      settle();
      resolve({ status, stdout: stdout.join(""), all: all.join(""), isLate });
    });
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // It ended by itself in between.
  }
}
