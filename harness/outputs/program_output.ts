/** `program_output`. @module */
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import type { AlertOutput, OutputMessage } from "./alert_output.ts";
import { BlockBuffer } from "./byte_buffer.ts";
import type { FalcoProgramConfig } from "../falco_config/falco_config.ts";
import type { WriteBytes } from "./stdout_output.ts";

/** What glibc holds back before it writes to a pipe. */
const BLOCK_BYTES = 4096;

/** The channel as configured, and where the program's own output goes. */
export interface ProgramOutputOptions extends FalcoProgramConfig {
  /** Whether lines are held back with `keepAlive`; false is Falco's `-U`. */
  readonly buffered: boolean;
  /** Takes what the program prints; undefined: this process's own standard output. */
  readonly stdout?: WriteBytes | undefined;
  /** Takes what the program complains; undefined: this process's own standard error. */
  readonly stderr?: WriteBytes | undefined;
}

/** A shell that runs, and the two moments one can wait for. */
interface Shell {
  readonly child: ChildProcess;
  /** Resolves when it is over and its output has been read. */
  readonly ended: Promise<void>;
  hasEnded: boolean;
}

/**
 * Gives lines to a program on its standard input.
 *
 * Without `keepAlive` each alert has a shell of its own, which is waited for. With it one shell is
 * started at the first alert; lines reach it in blocks of 4 KiB, which may end within a line.
 *
 * A program that ends without reading would kill Falco by SIGPIPE. The fake behaves as a Falco that
 * ignores that signal, as systemd has it by default: it goes on, the program is not started again
 * before {@linkcode ProgramOutput.reopen}, and the alerts are lost, and counted.
 */
export class ProgramOutput implements AlertOutput {
  readonly name = "program";
  readonly #options: ProgramOutputOptions;
  readonly #buffer = new BlockBuffer(BLOCK_BYTES);
  readonly #shells = new Set<Shell>();
  #shell: Shell | undefined;
  #lost = 0;

  /** @param options What the configuration says. */
  constructor(options: ProgramOutputOptions) {
    this.#options = options;
  }

  /** @inheritdoc */
  get lost(): number {
    return this.#lost;
  }

  /** @inheritdoc */
  async write({ line }: OutputMessage): Promise<void> {
    const bytes = Buffer.from(`${line}\n`);
    const { keepAlive, buffered } = this.#options;
    if (!keepAlive) {
      const shell = await this.#start();
      if (!await send(shell, bytes)) this.#lost++;
      await finish(shell);
      return;
    }
    this.#shell ??= await this.#start();
    const ready = buffered ? this.#buffer.add(bytes) : bytes;
    if (ready === undefined) return;
    // As far as can be told: a block holds parts of several.
    if (!await send(this.#shell, ready)) this.#lost++;
  }

  /** @inheritdoc */
  async reopen(): Promise<void> {
    if (!this.#options.keepAlive) return;
    await this.close();
    this.#shell = await this.#start();
  }

  /** @inheritdoc */
  async close(): Promise<void> {
    const shell = this.#shell;
    if (shell === undefined) return;
    const rest = this.#buffer.flush();
    if (rest.length > 0 && !await send(shell, rest)) this.#lost++;
    await finish(shell);
    this.#shell = undefined;
  }

  /** @inheritdoc */
  kill(): void {
    // As the kernel does for a Falco that was killed: end of file, and no more.
    for (const { child } of this.#shells) child.stdin?.destroy();
  }

  #start(): Promise<Shell> {
    const { program, stdout, stderr } = this.#options;
    return new Promise((resolve, reject) => {
      const child = spawn("/bin/sh", ["-c", program], {
        stdio: [
          "pipe",
          stdout === undefined ? "inherit" : "pipe",
          stderr === undefined ? "inherit" : "pipe",
        ],
      });
      child.stdout?.on("data", (bytes: Uint8Array) => void stdout?.(bytes));
      child.stderr?.on("data", (bytes: Uint8Array) => void stderr?.(bytes));
      child.stdin!.on("error", () => {}); // a program that does not read; `send` is told
      const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
      const shell: Shell = { child, ended, hasEnded: false };
      this.#shells.add(shell);
      void ended.then(() => {
        shell.hasEnded = true;
        this.#shells.delete(shell);
      });
      child.once("error", (error) => {
        this.#shells.delete(shell);
        this.#lost++;
        reject(error);
      });
      child.once("spawn", () => resolve(shell));
    });
  }
}

/** Writes to a shell's standard input; false if nobody reads there any more. */
async function send({ child, ended, hasEnded }: Shell, bytes: Uint8Array): Promise<boolean> {
  if (hasEnded || child.stdin!.destroyed) return false;
  const written = new Promise<boolean>((resolve) => {
    child.stdin!.write(bytes, (error) => resolve(error === null || error === undefined));
  });
  // Some runtimes never call back for a pipe that the other side has left.
  return await Promise.race([written, ended.then(() => written).catch(() => false)]);
}

/** End of file, and then as long as it takes. */
async function finish({ child, ended }: Shell): Promise<void> {
  child.stdin!.end();
  await ended;
}
