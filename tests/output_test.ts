/** Whether all that a command printed has left it when it ends. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Finished } from "./run_cli.ts";

const path = fileURLToPath(new URL("children/print_much.ts", import.meta.url));
const config = fileURLToPath(new URL("../deno.json", import.meta.url));
const command = "Deno" in globalThis
  ? [process.execPath, "run", "--quiet", `--config=${config}`, path]
  : [process.execPath, path];

describe("Output", () => {
  // Through a shell, as pipes between processes are not what runtimes give their children.
  it("has let go of every byte when flush() resolves, however slow the reader", {
    skip: process.platform === "win32" ? "there is no sh" : false,
  }, async () => {
    const { status, stdout, stderr } = await run(["sh", "-c", '"$@" | cat', "sh", ...command]);
    assert.equal(stderr, "");
    assert.equal(status, 0);
    assert.equal(stdout.length, "the beginning\nthe end\n".length + 2 ** 24);
    assert(stdout.endsWith("fifteen letters\nthe end\n"));
  });

  it("waits for nobody who has gone away", async () => {
    const { status, stderr } = await run(command, true);
    assert.equal(stderr, "nobody reads\n");
    assert.equal(status, 0);
  });

  it("rejects with what went wrong", {
    skip: process.platform === "linux" ? false : "there is no /dev/full",
  }, async () => {
    const { stderr } = await run(["sh", "-c", '"$@" > /dev/full', "sh", ...command]);
    assert.match(stderr, /^failed: .*(?:ENOSPC|No space left).*\n$/);
  });
});

/** Runs a program; `leave` stops reading what it prints after the first bytes. */
function run(
  [file = "", ...args]: readonly string[],
  leave = false,
): Promise<Finished> {
  const child = spawn(file, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
    timeout: 60_000,
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    if (leave) child.stdout.destroy();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
}
