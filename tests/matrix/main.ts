/**
 * `deno task matrix [NAME...]`: the same tests on every runtime, and the same bytes out of the
 * command line.
 *
 * Without a name: deno, node22, node24, node26 and bun. A runtime is fetched from npm into the folder
 * .runtimes the first time. Exits with 1 if any test failed, or any output differs.
 *
 * @module
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { digestsOf } from "./digests.ts";
import type { Digests } from "./digests.ts";
import { runTests } from "./run_tests.ts";
import type { TestRun } from "./run_tests.ts";
import { denoRuntime, fetchRuntime, runtimeNames } from "./runtimes.ts";
import type { Runtime } from "./runtimes.ts";
import { renderTable } from "./table.ts";
import { copyTree } from "./tree.ts";

const help = `Usage: matrix [--digests] [NAME...]

Runs the tests, and replay, fake and tail, on ${runtimeNames.join(", ")} (default: all).

  --digests   replay, fake and tail alone
`;

interface Leg {
  readonly runtime: Runtime;
  readonly run: TestRun | undefined;
  readonly digests: Digests;
  readonly seconds: number;
}

async function main(args: readonly string[]): Promise<number> {
  const options = args.filter((arg) => arg.startsWith("-"));
  const given = args.filter((arg) => !arg.startsWith("-"));
  if (options.includes("--help")) {
    process.stdout.write(help);
    return 0;
  }
  const bad = [
    ...options.filter((option) => option !== "--digests"),
    ...given.filter((name) => !runtimeNames.includes(name)),
  ];
  if (bad.length > 0) {
    process.stderr.write(`Unknown argument "${bad[0]}". See --help\n`);
    return 2;
  }
  const runtimes = (given.length > 0 ? given : runtimeNames).map((name) => fetchRuntime(name));
  const tree = copyTree(fileURLToPath(new URL("../..", import.meta.url)));
  const legs: Leg[] = [];
  try {
    // Whatever was asked for, Deno's output is what the others are held against.
    const expected = await digestsOf(denoRuntime, denoRuntime, tree.path);
    for (const runtime of runtimes) {
      process.stderr.write(`${runtime.name} ${runtime.version} ...\n`);
      const startedAt = performance.now();
      const digests = runtime === denoRuntime
        ? expected
        : await digestsOf(runtime, denoRuntime, tree.path);
      const run = options.length > 0 ? undefined : await runTests(runtime, tree.path);
      const seconds = (performance.now() - startedAt) / 1000;
      if (run !== undefined && run.failures !== "") process.stderr.write(run.failures);
      legs.push({ runtime, run, digests, seconds });
    }
    return report(legs, expected.replay);
  } finally {
    tree.remove();
  }
}

function report(legs: readonly Leg[], expected: string): number {
  process.stdout.write(renderTable([
    ["runtime", "version", "passed", "failed", "skipped", "seconds", "replay", "fake", "tail"],
    ...legs.map(({ runtime, run, digests, seconds }) => [
      runtime.name,
      runtime.version,
      String(run?.counts.passed ?? "-"),
      String(run?.counts.failed ?? "-"),
      String(run?.counts.skipped ?? "-"),
      seconds.toFixed(0),
      digests.replay,
      digests.fake,
      digests.tail,
    ]),
  ]));
  const isSame = /^[0-9a-f]{16}$/.test(expected) &&
    legs.every(({ digests }) => Object.values(digests).every((digest) => digest === expected));
  if (!isSame) process.stdout.write(`not the bytes of Deno's replay, ${expected}, everywhere\n`);
  const isGreen = legs.every(({ run }) => run === undefined || run.failures === "");
  if (!isGreen) process.stdout.write("tests failed\n");
  return isSame && isGreen ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
