/** Runs a client of another make, and reads what it prints. @module */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { isDeepStrictEqual } from "node:util";

/** How long a client may take for something, in milliseconds; only a failure takes so long. */
const LIMIT_MS = 20_000;

/** An alert as every client prints it: see README.md. */
export interface PrintedAlert {
  readonly seconds: string;
  readonly nanos: number;
  readonly priority: number;
  readonly rule: string;
  readonly output: string;
  readonly output_fields: Readonly<Record<string, string>>;
  readonly hostname: string;
  readonly tags: readonly string[];
  readonly source: string;
}

/** A line of a client. */
export type Printed =
  | { readonly alert: PrintedAlert }
  | { readonly version: string }
  /** A stream ended with this status, and the client goes on. */
  | { readonly end: number }
  /** The last line: how it all ended. */
  | { readonly status: number };

/** A client that runs. */
export class RunningClient {
  /** What it has printed so far. */
  readonly lines: Printed[] = [];
  /** What it has said on standard error. */
  stderr = "";
  /** Standard output as it came, for clients that print something else. */
  stdout = "";
  readonly #kill: () => void;
  readonly #over: Promise<void>;
  #wake: () => void = () => {};
  #state = "still running";
  #ended = false;

  /**
   * @param command The program and its arguments.
   * @param options `json`: whether it prints lines of JSON. Default true.
   */
  constructor(command: readonly string[], { json = true }: { json?: boolean } = {}) {
    const [program, ...args] = command;
    const child = spawn(program!, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#kill = () => child.kill("SIGKILL");
    child.stderr.setEncoding("utf8").on("data", (text: string) => this.stderr += text);
    child.stdout.setEncoding("utf8").on("data", (text: string) => this.stdout += text);
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (json) this.lines.push(JSON.parse(line) as Printed);
      this.#wake();
    });
    this.#over = new Promise((resolve) => {
      const end = (): void => {
        this.#ended = true;
        this.#wake();
        resolve();
      };
      child.on("error", (error) => {
        this.stderr += error.message;
        end();
      });
      child.on("exit", (status, signal) => this.#state = `ended with ${signal ?? status}`);
      child.on("close", end);
    });
  }

  /** The alerts that it has printed. */
  get alerts(): PrintedAlert[] {
    return this.lines.flatMap((line) => "alert" in line ? [line.alert] : []);
  }

  /** The statuses of streams that ended. */
  get ends(): number[] {
    return this.lines.flatMap((line) => "end" in line ? [line.end] : []);
  }

  /** The last status; undefined if it has not said one. */
  get status(): number | undefined {
    const last = this.lines.at(-1);
    return last !== undefined && "status" in last ? last.status : undefined;
  }

  /** Waits until it has printed something. */
  async until(what: string, condition: () => boolean): Promise<void> {
    await this.#limited(what, async () => {
      while (!condition()) {
        if (this.#ended) throw new Error(`it ended before ${what}: ${this.#said()}`);
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
    });
  }

  /** Waits for its end. */
  async over(): Promise<void> {
    await this.#limited("its end", () => this.#over);
  }

  /** Ends it, if it still runs. */
  async stop(): Promise<void> {
    this.#kill();
    await this.#over;
  }

  async #limited(what: string, wait: () => Promise<void>): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`waited ${LIMIT_MS / 1000} s in vain for ${what}: ${this.#said()}`));
      }, LIMIT_MS);
    });
    try {
      await Promise.race([wait(), tooLate]);
    } finally {
      clearTimeout(timer);
    }
  }

  #said(): string {
    return `${this.#state}, ${this.lines.length} lines, ${JSON.stringify(this.stderr.slice(-400))}`;
  }
}

/** Compares, and says what is wrong in one line. */
export function equal(what: string, actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return;
  const show = (value: unknown) => (JSON.stringify(value) ?? "nothing").slice(0, 400);
  throw new Error(`${what}: ${show(actual)} instead of ${show(expected)}`);
}
