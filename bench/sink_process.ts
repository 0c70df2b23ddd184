/** The sink of the fake's benchmark, as a process of its own. @module */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { SinkCount, SinkTarget } from "./fake_sink.ts";

const program = fileURLToPath(new URL("./fake_sink.ts", import.meta.url));
const flags = "Deno" in globalThis
  ? ["run", "--quiet", "--no-prompt", "--no-config", "--allow-net", "--allow-read", "--allow-write"]
  : [];

/** Counts what a fake sends, without taking time from the thread that sends. */
export class SinkProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  /** @param target Where it connects. */
  constructor(target: SinkTarget) {
    this.#child = spawn(process.execPath, [...flags, program], {
      stdio: ["pipe", "pipe", "inherit"],
      env: {},
    });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
    this.#say(target);
  }

  #say(what: unknown): void {
    this.#child.stdin!.write(`${JSON.stringify(what)}\n`);
  }

  /** Waits until it has started, which takes longer than what is to be measured. */
  async ready(): Promise<void> {
    await this.#hear();
  }

  /** Lets it do a `get`. */
  async get(): Promise<SinkCount> {
    this.#say("get");
    return await this.#hear() as SinkCount;
  }

  async #hear(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("The sink has ended");
    return JSON.parse(value);
  }

  /** Ends it. */
  async end(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#child.once("close", () => resolve()));
    this.#child.stdin!.end();
    await ended;
  }
}
