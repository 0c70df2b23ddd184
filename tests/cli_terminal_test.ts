/** `tail` and `doctor` on a terminal, which the program `script` of util-linux makes. */
// deno-lint-ignore-file no-control-regex
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { cliCommand } from "./run_cli.ts";

const patient = { timeout: 120_000 };
const version = spawnSync("script", ["--version"], { encoding: "utf8" }).stdout ?? "";
const skip = version.includes("util-linux") ? false : "script of util-linux is not installed";

/** What a command writes to a terminal, both its outputs in one. */
function onTerminal(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  onText: (text: string) => void = () => {},
): Promise<{ status: number | null; text: string }> {
  const line = cliCommand(args).map((arg) => `'${arg.replaceAll("'", "'\\''")}'`).join(" ");
  const { NO_COLOR: _, ...rest } = process.env;
  const child = spawn("script", ["-qec", line, "/dev/null"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...rest, ...env },
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (more: string) => {
    text += more;
    onText(text);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, text: text.replaceAll("\r\n", "\n") }));
  });
}

describe("on a terminal", { skip }, () => {
  it("tail is pretty and coloured, and what alerts hold stays harmless", patient, async () => {
    const fake = await FakeFalco.start();
    try {
      const evil = "\x1b]0;owned\x07\x1b[2J";
      const alert = buildAlert({ priority: "critical", rule: `One${evil}` });
      const cases: [args: string[], env: Record<string, string>, colour: boolean][] = [
        [[], {}, true],
        [[], { NO_COLOR: "1" }, false],
        [["--color", "never"], {}, false],
      ];
      for (const [args, env, colour] of cases) {
        fake.push(alert);
        const { status, text } = await onTerminal(
          ["tail", fake.address, "--limit", "1", ...args],
          env,
        );
        assert.equal(status, 0, text);
        const severity = colour ? "\x1b[1;31mCritical\x1b[0m" : "Critical";
        assert(text.includes(`Z  ${severity}       One\\x1b]0;owned\\x07\\x1b[2J`), text);
        assert.doesNotMatch(text.replaceAll(/\x1b\[[\d;]*m/g, ""), /[\x00-\x08\x0b-\x1f\x7f]/);
      }
    } finally {
      await fake[Symbol.asyncDispose]();
    }
  });

  it("tail --summary rewrites its line with the rate, and takes it away", patient, async () => {
    const fake = await FakeFalco.start();
    try {
      const again = buildAlert({ rule: "Again" });
      fake.push(again, again);
      const args = ["tail", fake.address, "--limit", "3", "--summary", "--color", "never"];
      // The last alert comes when the line is there.
      const { status, text } = await onTerminal(args, {}, (shown) => {
        if (fake.queueDepth === 0 && /\/s; 2 Again$/.test(shown)) fake.push(again);
      });
      assert.equal(status, 0, text);
      assert.match(text, /2 alerts, \d+\/s; 2 Again\r +\r/);
      assert.match(text, /\n {7}3 {2}Again\n$/);
    } finally {
      await fake[Symbol.asyncDispose]();
    }
  });

  it("doctor is coloured", patient, async () => {
    const fake = await FakeFalco.start();
    try {
      const { status, text } = await onTerminal(["doctor", fake.address], {});
      assert.equal(status, 0, text);
      assert.match(text, /^\x1b\[32mok\x1b\[0m {7}address /);
      const plain = await onTerminal(["doctor", fake.address], { NO_COLOR: "1" });
      assert.match(plain.text, /^ok {7}address /);
    } finally {
      await fake[Symbol.asyncDispose]();
    }
  });
});
