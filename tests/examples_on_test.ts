/** The examples for Node and Bun, each on its runtime; those that are plain TypeScript on both. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import process from "node:process";
import { it } from "node:test";
import { makeTempFolder } from "../harness/temp_folder.ts";

const root = new URL("../", import.meta.url);
const { bun, deno } = process.versions;
const runtime = deno !== undefined ? "deno" : bun !== undefined ? "bun" : "node";

interface Case {
  readonly file: string;
  /** What the command says in a project that has installed the package. */
  readonly command: string;
  readonly on: readonly string[];
  readonly output: RegExp;
}

const cases: readonly Case[] = [
  {
    file: "09_on_node.ts",
    command: "npm install @falco-streams/core && node 09_on_node.ts",
    on: ["node"],
    output:
      /^\{.*"Read sensitive file untrusted".*\}\n\{.*"Drop and execute new binary in container".*\}\n3 alerts received, 0 gaps\n$/,
  },
  {
    file: "10_on_bun.ts",
    command: "bun add @falco-streams/core && bun 10_on_bun.ts",
    on: ["bun"],
    output: /^(?:\d+ ".*"\n)+\d+ alerts delivered\n$/,
  },
  {
    file: "16_under_bun_test.ts",
    command: "bun add @falco-streams/core && bun test ./16_under_bun_test.ts",
    on: ["bun"],
    output: /1 pass\n\s*0 fail/,
  },
  {
    file: "03_test_a_pipeline_test.ts",
    command: "deno test --allow-net --allow-read --allow-write=/tmp examples/",
    on: ["node", "bun"],
    output: /pass 1\n|1 pass\n/,
  },
  {
    file: "14_test_with_faults_test.ts",
    command: "deno test --allow-net --allow-read --allow-write=/tmp examples/",
    on: ["node", "bun"],
    output: /pass 5\n|5 pass\n/,
  },
];

/** The package by its place: a tree that nobody has packed has no name of its own here. */
function withPaths(text: string): string {
  return text.replace(/"@falco-streams\/core(\/harness)?"/g, (_, harness?: string) => {
    const path = harness === undefined ? "mod.ts" : "harness/mod.ts";
    return JSON.stringify(new URL(path, root).href);
  });
}

async function run(args: readonly string[]): Promise<{ status: number | null; text: string }> {
  // The test that runs this one tells Node's test runner so, which would then report to it.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, args, { env: { ...env, NO_COLOR: "1" } });
  child.stdin.end();
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => out += chunk);
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => err += chunk);
  const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { status, text: out + err };
}

for (const { file, command, on, output } of cases) {
  const text = readFileSync(new URL(`examples/${file}`, root), "utf8");

  it(`examples/${file} names its command`, () => {
    assert(text.includes(` *     ${command}`));
  });

  it(`examples/${file} runs on ${runtime}`, { skip: !on.includes(runtime) }, async () => {
    const folder = await makeTempFolder();
    try {
      await mkdir(`${folder.path}/examples`);
      const path = `${folder.path}/examples/${file}`;
      await writeFile(path, withPaths(text));
      const isTest = file.endsWith("_test.ts");
      const verb = !isTest ? [] : runtime === "bun" ? ["test"] : ["--test"];
      const { status, text: printed } = await run([...verb, path]);
      assert.equal(status, 0, printed);
      assert.match(printed, output);
    } finally {
      await folder.remove();
    }
  });
}
