/**
 * The command line: `main.ts COMMAND [ARGUMENT...]`, on Deno, Node and Bun alike. {@linkcode main} is
 * the same as a function.
 *
 * `replay` plays alerts through a fake Falco, `fake` serves one, `tail` prints the alerts of a Falco,
 * `record` keeps them, `doctor` finds out why none come, `contract` looks whether something behaves as
 * Falco does, `certs` makes certificates, `gateway` passes alerts on. Each has `--help`. Data goes to
 * standard output, all else to standard error.
 *
 * ```ts
 * import { main } from "@falco-streams/core/cli";
 * import assert from "node:assert/strict";
 *
 * assert.equal(await main(["replay", "--min-priority", "critical", "--format", "summary"]), 0);
 * ```
 *
 * @module
 */
import { realpathSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { FalcoConfigError } from "../harness/falco_config/config_error.ts";
import { FixtureError } from "../harness/fixtures/fixture.ts";
import { FalcoError } from "../lib/errors.ts";
import type { Command, CommandContext } from "./command.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { quote, suggest } from "./options.ts";
import { Output } from "./output.ts";
import { UsageError } from "./usage_error.ts";

/** Loaded when it is called for: each needs but a part of the package, and loading takes its time. */
const commands = new Map<string, () => Promise<Command>>([
  ["replay", async () => (await import("./replay.ts")).replay],
  ["fake", async () => (await import("./fake.ts")).fake],
  ["tail", async () => (await import("./tail.ts")).tail],
  ["record", async () => (await import("./record.ts")).record],
  ["doctor", async () => (await import("./doctor.ts")).doctor],
  ["contract", async () => (await import("./contract.ts")).contract],
  ["certs", async () => (await import("./certs.ts")).certs],
  ["gateway", async () => (await import("./gateway.ts")).gateway],
]);

const help = `falco-streams: Falco's alerts as Web Streams, and a fake Falco to test with

Usage: main.ts COMMAND [OPTION...]

Commands:
  replay    play recorded or bundled alerts through a fake Falco and print them
  fake      serve a fake Falco until interrupted, for clients in any language
  tail      print the alerts of a Falco as they come
  record    write the alerts of a Falco into a file, to be replayed
  doctor    find out why there is no connection to a Falco, or no alert
  contract  look whether something behaves as Falco does
  certs     make certificates for Falco and its clients
  gateway   take alerts from any Falco and serve Falco's gRPC API

COMMAND --help tells more. With Deno: deno task COMMAND [OPTION...]
`;

/**
 * Runs a command. Never rejects: what goes wrong is told on standard error.
 *
 * @param args The command and its arguments, without the program's own name.
 * @returns The exit status: 0 done, 1 failed while running, 2 bad arguments or bad input, 130
 * interrupted.
 *
 * @example
 * ```ts
 * import { main } from "@falco-streams/core/cli";
 * import assert from "node:assert/strict";
 *
 * assert.equal(await main(["replay", "--format", "summary"]), 0);
 * ```
 */
export async function main(args: readonly string[]): Promise<number> {
  const stdout = new Output(process.stdout);
  const stderr = new Output(process.stderr);
  const interrupt = listenForInterrupt();
  try {
    const status = await run(args, { stdout, stderr, interrupt });
    await stdout.flush();
    return status;
  } catch (error) {
    const isInput = error instanceof UsageError || error instanceof FixtureError ||
      error instanceof FalcoConfigError;
    // What was printed before it failed is whole.
    await stdout.flush().catch(() => {});
    stderr.write(`${describe(error)}\n`);
    return isInput ? 2 : 1;
  } finally {
    interrupt.dispose();
    await stderr.flush().catch(() => {});
  }
}

async function run(args: readonly string[], context: CommandContext): Promise<number> {
  const [name = "--help", ...rest] = args;
  if (name === "--help" || name === "-h" || name === "help") {
    await context.stdout.write(help);
    return 0;
  }
  const load = commands.get(name);
  if (load !== undefined) return await (await load())(rest, context);
  throw new UsageError(
    `unknown command ${quote(name)}${suggest(name, [...commands.keys()])}. See --help`,
  );
}

/** One line, no stack: errors of this package are sentences already. */
function describe(error: unknown): string {
  if (error instanceof UsageError || error instanceof FalcoError) return oneLine(error.message);
  if (error instanceof Error) return oneLine(`${error.name}: ${error.message}`);
  return oneLine(String(error));
}

function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f]+/g, " ").slice(0, 2000);
}

function isMain(): boolean {
  const { main } = import.meta as { main?: boolean };
  if (main !== undefined) return main;
  // Node before 24.2.
  const script = process.argv[1];
  return script !== undefined && realpathSync(script) === fileURLToPath(import.meta.url);
}

if (isMain()) {
  // Not left to the event loop: standard input may be a pipe that nobody closes.
  process.exit(await main(process.argv.slice(2)));
}
