/** The server, the clients and what they need, in a temporary folder. @module */
import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { makeCertificates, writeCertificates } from "../../harness/certificates.ts";
import { encodeAlert } from "../../lib/alert/wire.ts";
import { sampleAlerts } from "./sample_alerts.ts";

const run = promisify(execFile);
const repository = fileURLToPath(new URL("../..", import.meta.url));

/** The commands that start the runtimes. */
export interface Commands {
  readonly node: string;
  readonly bun: string;
  readonly python: string;
}

/** A client on a runtime. */
export interface Rival {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** What goes over the wire, for the report. */
export interface Sample {
  readonly alerts: number;
  readonly meanBytes: number;
}

/** The ways to reach the server. */
export type Wire = "unix" | "mtls";

/** Builds and starts everything; {@linkcode Rig.close} removes it. */
export class Rig {
  readonly folder: string;
  readonly sample: Sample;
  readonly rivals: readonly Rival[];
  readonly #server: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #port = 0;

  private constructor(
    folder: string,
    sample: Sample,
    rivals: readonly Rival[],
    server: ChildProcess,
  ) {
    this.folder = folder;
    this.sample = sample;
    this.rivals = rivals;
    this.#server = server;
    this.#lines = createInterface({ input: server.stdout! })[Symbol.asyncIterator]();
  }

  /**
   * Builds the Go programs, installs the rivals beside a copy of the sources, and starts the server.
   *
   * @param commands What to call the runtimes by.
   * @returns The rig. A runtime that is not there is left out, with a line on standard error.
   */
  static async start(commands: Commands): Promise<Rig> {
    const folder = await mkdtemp(join(tmpdir(), "falco-bench-"));
    try {
      return await Rig.#start(commands, folder);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  static async #start(commands: Commands, folder: string): Promise<Rig> {
    const tree = join(folder, "tree");
    const here = join(tree, "bench", "clients");
    await mkdir(here, { recursive: true });
    for (const part of ["lib", "gen", "proto", "bench/clients"]) {
      await cp(join(repository, part), join(tree, part), { recursive: true });
    }
    for (const name of ["deno.json", "deno.lock"]) {
      await cp(join(repository, "bench", name), join(tree, name));
    }
    await rm(join(tree, "proto", "deno.json"), { force: true });
    await run(process.execPath, ["install", "--quiet", "--node-modules-dir=auto"], { cwd: tree });
    await run("go", ["build", "-o", folder, "./..."], { cwd: join(here, "go") });

    const messages = sampleAlerts(1024).map((alert) => encodeAlert(alert));
    await writeFile(join(folder, "messages"), lengthPrefixed(messages));
    await writeCertificates(folder, await makeCertificates());
    const server = spawn(join(folder, "server"), [
      ...["--messages", join(folder, "messages")],
      ...["--socket", join(folder, "falco.sock")],
      ...["--certs", folder],
    ], { stdio: ["pipe", "pipe", "inherit"] });
    const bytes = messages.reduce((sum, message) => sum + message.length, 0);
    const sample = { alerts: messages.length, meanBytes: Math.round(bytes / messages.length) };
    const rig = new Rig(folder, sample, await findRivals(commands, folder, here), server);
    rig.#port = Number(/:(\d+)$/.exec(await rig.#answer())![1]);
    return rig;
  }

  /**
   * Tells the server what to do.
   *
   * @param command A line as server/main.go takes it.
   */
  async tell(command: string): Promise<void> {
    this.#server.stdin!.write(command + "\n");
    await this.#answer();
  }

  async #answer(): Promise<string> {
    const { done, value } = await this.#lines.next();
    if (done) throw new Error("the server has gone");
    return value;
  }

  /**
   * Runs a client.
   *
   * @param rival Which.
   * @param wire The way to the server.
   * @param args More arguments for it.
   * @param onReady Called when it says that it is subscribed.
   * @returns The result that it printed.
   */
  async run(
    rival: Rival,
    wire: Wire,
    args: readonly string[] = [],
    onReady?: () => void,
  ): Promise<unknown> {
    const way = wire === "unix"
      ? ["--socket", join(this.folder, "falco.sock")]
      : ["--certs", this.folder, "--port", String(this.#port)];
    const client = spawn(rival.command, [...rival.args, ...way, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = new Promise<number | null>((resolve) => client.once("exit", resolve));
    let result: unknown;
    for await (const line of createInterface({ input: client.stdout! })) {
      const value: unknown = JSON.parse(line);
      if (value === "ready") onReady?.();
      else result = value;
    }
    const status = await exited;
    if (status !== 0 || result === undefined) throw new Error(`${rival.name} failed: ${status}`);
    return result;
  }

  /** Stops the server and removes the folder. */
  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#server.once("exit", resolve));
    this.#server.kill();
    await gone;
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function findRivals(commands: Commands, folder: string, here: string): Promise<Rival[]> {
  const rivals: Rival[] = [{ name: "client-go", command: join(folder, "client"), args: [] }];
  const runtimes: [string, string, string[]][] = [
    ["Deno", process.execPath, ["run", "-A", "--quiet", "--cached-only"]],
    ["Node", commands.node, []],
    ["Bun", commands.bun, []],
  ];
  for (const [runtime, command, args] of runtimes) {
    if (!await starts(command, ["--version"])) continue;
    for (const client of ["ours", "connect", "grpc_js"]) {
      const file = join(here, `client_${client}.ts`);
      const name = `${client.replace("_", "-")}, ${runtime}`;
      rivals.push({ name, command, args: [...args, file] });
    }
  }
  if (await starts(commands.python, ["-c", "import grpc, google.protobuf"])) {
    const file = join(here, "client_grpcio.py");
    rivals.push({ name: "grpcio", command: commands.python, args: [file] });
  }
  return rivals;
}

async function starts(command: string, args: readonly string[]): Promise<boolean> {
  try {
    await run(command, args);
    return true;
  } catch {
    process.stderr.write(`left out: ${command} ${args.join(" ")} does not run\n`);
    return false;
  }
}

function lengthPrefixed(messages: readonly Uint8Array[]): Uint8Array {
  const parts = messages.flatMap((message) => {
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, message.length);
    return [...length, ...message];
  });
  return Uint8Array.from(parts);
}
