/**
 * Clients of other makes against the fake: `deno task interop [NAME...]`.
 *
 * @module
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { checks, grpcurlChecks, opensslChecks } from "./checks.ts";
import type { Check } from "./checks.ts";
import { clients, MissingTool } from "./clients.ts";
import type { InteropClient, ReadyClient } from "./clients.ts";
import { tryGateway } from "./gateway.ts";
import { Host } from "./host.ts";

const help = `Usage: deno task interop [OPTION...] [NAME...]

Runs gRPC clients of other makes against the fake Falco, over a unix socket and over mutual TLS:
${clients.map(({ name }) => name).join(", ")}. No NAME: all of them.

  --require         fail where a tool chain is missing, instead of skipping the client
  --host node|deno  what the fake runs on; default node, if there is one
  --gateway COUNT   instead: so many alerts by HTTP through the gateway to the first two clients and
                    this package's own, with delivery fanout, then with shared
  --help            print this, and end

They are built in .interop/, which may be deleted. Exit status: 0 all passed or were skipped,
1 something failed, 2 wrong arguments.
`;

/** A line of the closing table. */
interface Outcome {
  readonly name: string;
  readonly version: string;
  readonly run: number;
  readonly failed: number;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const source = fileURLToPath(new URL(".", import.meta.url));
const build = join(root, ".interop");
const run = promisify(execFile);

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const options = {
    require: { type: "boolean" },
    host: { type: "string" },
    gateway: { type: "string" },
    help: { type: "boolean" },
  } as const;
  let parsed;
  try {
    parsed = parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    return refuse((error as Error).message);
  }
  const { values, positionals } = parsed;
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const unknown = positionals.find((name) => !clients.some((client) => client.name === name));
  if (unknown !== undefined) return refuse(`there is no client ${JSON.stringify(unknown)}`);
  const { host = "" } = values;
  if (!["", "node", "deno"].includes(host)) return refuse(`--host must be node or deno`);
  const chosen = clients.filter(({ name }) =>
    positionals.length === 0 || positionals.includes(name)
  );
  const { gateway } = values;
  if (gateway !== undefined) {
    if (!/^[1-9]\d{0,6}$/.test(gateway)) return refuse(`--gateway must be a number of alerts`);
    return await throughGateway(chosen.filter(({ kind }) => kind === "rpc"), Number(gateway));
  }
  const fake = await bundleFake(host);
  console.log(`the fake runs on ${fake.shown}`);
  // All at once: much of it is waiting for downloads.
  const builds = chosen.map((client) => [client, prepare(client)] as const);
  const outcomes: Outcome[] = [];
  let skipped = 0;
  for (const [client, preparation] of builds) {
    try {
      outcomes.push(await tryClient(client, await preparation, fake.command));
    } catch (error) {
      if (!(error instanceof MissingTool) || values.require) {
        console.log(`FAILED   ${client.name}: ${(error as Error).message}`);
        outcomes.push({ name: client.name, version: "not built", run: 1, failed: 1 });
        continue;
      }
      console.log(`SKIPPED  ${client.name}: ${error.message}`);
      skipped++;
    }
  }
  printTable(outcomes, skipped);
  return outcomes.some(({ failed }) => failed > 0) ? 1 : 0;
}

async function throughGateway(chosen: readonly InteropClient[], count: number): Promise<number> {
  const ready: ReadyClient[] = [];
  for (const preparation of chosen.map(prepare)) {
    const one = await preparation.catch((error: unknown) => {
      if (!(error instanceof MissingTool)) throw error;
      console.log(`SKIPPED  ${error.message}`);
    });
    if (one !== undefined) ready.push(one);
  }
  return await tryGateway(root, ready, count) ? 0 : 1;
}

function refuse(problem: string): number {
  process.stderr.write(`${problem}. See --help\n`);
  return 2;
}

/** One file that Node can run without anything else, from its version 20 on. */
async function bundleFake(host: string): Promise<{ command: string[]; shown: string }> {
  await mkdir(build, { recursive: true });
  const file = join(build, "fake_host.mjs");
  const script = join(source, "fake_host.ts");
  await run(process.execPath, ["bundle", "--quiet", "--platform=deno", "-o", file, script]);
  const node = host === "deno"
    ? undefined
    : await run("node", ["--version"]).then(({ stdout }) => stdout.trim(), () => undefined);
  if (node !== undefined) return { command: ["node", file], shown: `Node ${node}` };
  if (host === "node") throw new Error("there is no node here");
  const flags = ["--no-prompt", "--allow-net", "--allow-read", "--allow-write", "--allow-sys"];
  return {
    command: [process.execPath, "run", ...flags, "--ignore-env", file],
    shown: "Deno, whose http2 may crash when a client leaves",
  };
}

/** Gets a client ready, and says how long that took. Rejects when it is awaited, not before. */
function prepare(client: InteropClient): Promise<ReadyClient> {
  const startedAt = Date.now();
  const ready = (async () => {
    const folder = join(build, client.name);
    await mkdir(folder, { recursive: true });
    const ready = await client.prepare(source, folder);
    console.log(`${client.name}: ${ready.version} (ready in ${seconds(startedAt)})`);
    return ready;
  })();
  ready.catch(() => {});
  return ready;
}

async function tryClient(
  client: InteropClient,
  ready: ReadyClient,
  fake: readonly string[],
): Promise<Outcome> {
  const startedAt = Date.now();
  const own = client.kind === "rpc"
    ? checks
    : client.kind === "grpcurl"
    ? grpcurlChecks
    : opensslChecks;
  let count = 0;
  let failed = 0;
  for (const wire of ["unix", "tls"] as const) {
    for (const check of own) {
      if ((check.wire ?? wire) !== wire || (check.legacy && !client.legacy)) continue;
      count++;
      const problem = await tryCheck(check, ready, fake, wire, client);
      if (problem === undefined) continue;
      failed++;
      console.log(`FAILED   ${client.name}, ${wire}: ${check.name}: ${problem}`);
    }
  }
  console.log(`${client.name}: ${count - failed} of ${count} passed in ${seconds(startedAt)}`);
  return { name: client.name, version: ready.version, run: count, failed };
}

/** Runs a check with a fake of its own: what is wrong, if something is. */
async function tryCheck(
  check: Check,
  { command }: ReadyClient,
  fake: readonly string[],
  wire: "unix" | "tls",
  { ownStatuses }: InteropClient,
): Promise<string | undefined> {
  // Short, as the path of a socket has to be.
  const folder = await mkdtemp("/tmp/falco-interop-");
  const host = new Host(fake);
  try {
    await check.run({
      host,
      command,
      folder,
      wire,
      ...(ownStatuses === undefined ? {} : { ownStatuses }),
    });
    await host.do({ do: "dispose" });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await host.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function seconds(startedAt: number): string {
  return `${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
}

function printTable(outcomes: readonly Outcome[], skipped: number): void {
  const rows = outcomes.map(({ name, version, run, failed }) => [
    name,
    version,
    String(run),
    String(run - failed),
  ]);
  const table = [["client", "version", "checks", "passed"], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  console.log();
  for (const row of table) {
    console.log(row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd());
  }
  const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed, 0);
  const checksRun = outcomes.reduce((sum, outcome) => sum + outcome.run, 0);
  console.log(`\n${checksRun - failed} passed, ${failed} failed, ${skipped} clients skipped`);
}
