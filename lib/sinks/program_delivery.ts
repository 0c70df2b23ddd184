/** Items to the standard input of a program. @module */
import { spawn } from "node:child_process";
import type { ChildProcess, SpawnOptions } from "node:child_process";
import type { Alert } from "../alert/alert.ts";
import type { Clock } from "../clock.ts";
import { FalcoError } from "../errors.ts";
import { alertsOf } from "./alerts_of.ts";
import { DeliveryError } from "./delivery_error.ts";
import type { Delivered } from "./delivery_options.ts";
import type { Delivery } from "./delivery_queue.ts";
import { withDeadline } from "./with_deadline.ts";

/** Options of {@linkcode ProgramDelivery}: those of the sink, complete. */
export interface ProgramDeliveryOptions {
  readonly args: readonly string[];
  readonly spawn: SpawnOptions;
  readonly format: (alert: Alert) => string;
  readonly restart: boolean;
  readonly timeoutMs: number | undefined;
  readonly clock: Clock;
}

/** How a program ended: `status 3`, or `signal SIGKILL`. */
interface ProgramEnd {
  readonly text: string;
  readonly isGood: boolean;
}

/** A program that runs, or has run. */
interface Program {
  readonly child: ChildProcess;
  /** Resolves when it has ended. */
  readonly ended: Promise<ProgramEnd>;
  end?: ProgramEnd;
  /** Learns of it. */
  onEnd?: ((end: ProgramEnd) => void) | undefined;
}

/** Writes items as lines to a program, and starts it again when it ends. */
export class ProgramDelivery implements Delivery {
  readonly #command: string;
  readonly #options: ProgramDeliveryOptions;
  #program: Program | undefined;
  #starts = 0;

  /**
   * @param command The program.
   * @param options Its arguments, and what to do when it ends.
   */
  constructor(command: string, options: ProgramDeliveryOptions) {
    this.#command = command;
    this.#options = options;
  }

  /** How often it was started. */
  get starts(): number {
    return this.#starts;
  }

  /** @inheritdoc */
  async deliver(items: readonly Delivered[], signal: AbortSignal): Promise<void> {
    const { format, clock, timeoutMs } = this.#options;
    const lines = items.flatMap(alertsOf).map((alert) => `${format(alert)}\n`).join("");
    const program = this.#program ?? await this.#start();
    // It has ended since the last time: said before the next one is tried, so that a program that
    // never stays is not started without a pause.
    if (program.end !== undefined) throw this.#lost(program.end);
    const work = new Promise<void>((resolve, reject) => {
      program.onEnd = (end) => reject(this.#lost(end));
      program.child.stdin!.write(lines, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
    try {
      await withDeadline(work, { clock, timeoutMs, signal }, (problem) => {
        return new DeliveryError(`${this.#failure}: ${problem}`, { mayPass: true });
      });
    } catch (error) {
      // It may have had half a line; or its input is closed, though it goes on for a while.
      program.child.kill("SIGKILL");
      program.onEnd = undefined;
      this.#program = undefined;
      if (error instanceof FalcoError) throw error;
      throw this.#lost(await program.ended);
    }
    program.onEnd = undefined;
  }

  /** @inheritdoc */
  async end(signal: AbortSignal): Promise<void> {
    const program = this.#program;
    if (program === undefined) return;
    program.child.stdin!.end();
    const kill = () => program.child.kill("SIGKILL");
    if (signal.aborted) kill();
    else signal.addEventListener("abort", kill, { once: true });
    const end = await program.ended;
    signal.removeEventListener("abort", kill);
    if (signal.aborted) {
      if (signal.reason !== "closed") return; // whoever aborts knows that not everything has arrived
      throw new FalcoError(`${this.#failure}: it did not end in time and was killed`);
    }
    if (!end.isGood) {
      throw new FalcoError(`${this.#failure}: it ended with ${end.text}, with all alerts written`);
    }
  }

  get #failure(): string {
    return `Cannot deliver to the program "${this.#command}"`;
  }

  async #start(): Promise<Program> {
    let child: ChildProcess;
    try {
      child = spawn(this.#command, [...this.#options.args], this.#options.spawn);
      child.stdin!.on("error", () => {}); // whoever writes hears of it
      await new Promise<void>((resolve, reject) => {
        child.once("spawn", resolve);
        child.on("error", reject);
      });
    } catch (cause) {
      throw this.#cannotStart(cause as NodeJS.ErrnoException);
    }
    this.#starts++;
    const ended = new Promise<ProgramEnd>((resolve) => {
      child.once("exit", (status, signal) => {
        const text = signal === null ? `status ${status}` : `signal ${signal}`;
        resolve({ text, isGood: status === 0 });
      });
    });
    const program: Program = { child, ended };
    void ended.then((end) => {
      program.end = end;
      program.onEnd?.(end);
    });
    return this.#program = program;
  }

  #cannotStart(cause: NodeJS.ErrnoException): FalcoError {
    const { code = "", message } = cause;
    const state = code === "ENOENT" ? "there is no such program, or no such folder" : message;
    const text = `${this.#failure}: ${state}`;
    // Too many processes, or too little memory, may pass.
    return code === "EAGAIN" || code === "ENOMEM"
      ? new DeliveryError(text, { mayPass: true, cause })
      : new FalcoError(text, { cause });
  }

  #lost(end: ProgramEnd): FalcoError {
    this.#program = undefined;
    const text = `${this.#failure}: it ended with ${end.text}`;
    return this.#options.restart
      ? new DeliveryError(text, { mayPass: true })
      : new FalcoError(`${text}. Set "restart" to start it again`);
  }
}
