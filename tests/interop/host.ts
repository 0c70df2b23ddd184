/** The process that the fake Falco runs in. @module */
import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { HostAnswer, HostCommand } from "./fake_host.ts";

/** Tells a fake in another process what to do, one command after the other. */
export class Host {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting: ((answer: HostAnswer) => void)[] = [];
  readonly #closed: Promise<void>;

  /** @param command The program that runs the fake, and its arguments. */
  constructor(command: readonly string[]) {
    const [program, ...args] = command;
    this.#child = spawn(program!, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdin.on("error", () => {}); // "close" follows
    this.#closed = new Promise((resolve) => {
      this.#child.on("error", () => resolve());
      this.#child.on("close", () => resolve());
    });
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      this.#waiting.shift()?.(JSON.parse(line) as HostAnswer);
    });
  }

  /**
   * Does a command.
   *
   * @param command What to do.
   * @returns The answer.
   * @throws {Error} If it could not be done, or the process has crashed.
   */
  async do(command: HostCommand): Promise<HostAnswer> {
    const answered = new Promise<HostAnswer>((resolve) => this.#waiting.push(resolve));
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
    const gone = this.#closed.then((): HostAnswer => ({
      error: `the process of the fake ended with ${this.#child.exitCode ?? this.#child.signalCode}`,
    }));
    const answer = await Promise.race([answered, gone]);
    if (answer.error !== undefined) throw new Error(`${command.do}: ${answer.error}`);
    return answer;
  }

  /** Ends the process. */
  async close(): Promise<void> {
    this.#child.stdin.end();
    await this.#closed;
  }
}
