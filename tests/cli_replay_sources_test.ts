/** `replay` of what comes from a Falco, by the addresses that `tail` takes. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { expandScenario } from "../harness/expand_scenario.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { scenarios } from "../harness/scenarios/mod.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { decodeAlert, encodeAlert } from "../lib/alert/wire.ts";
import { runCli, startCli } from "./run_cli.ts";
import type { Running } from "./run_cli.ts";

const alerts = [...expandScenario(scenarios.shellInContainer)];
const posted = alerts.map(formatAlert);
/** As they come out of the fake: every value is text. */
const printed = alerts.map((alert) => `${formatAlert(decodeAlert(encodeAlert(alert)))}\n`).join("");

let folder: TempFolder;
before(async () => {
  folder = await makeTempFolder();
});
after(() => folder.remove());

/** What a process has said on standard error once it said something like this. */
function told({ child, finished }: Running, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stderr.on("data", (more: string) => {
      said += more;
      if (pattern.test(said)) resolve(said);
    });
    void finished.then(({ status }) => reject(new Error(`it ended with ${status}: ${said}`)));
  });
}

describe("replay of a source", () => {
  it("plays what a Falco has over gRPC, over a socket and over TLS, until its limit", async () => {
    for (const tls of [false, true]) {
      const fake = await FakeFalco.start({ tls });
      try {
        fake.push(...alerts);
        const certificates = fake.credentials;
        const args = ["--limit", String(alerts.length)];
        if (certificates !== undefined) {
          for (const name of ["ca", "cert", "key"] as const) {
            const path = join(folder.path, name);
            writeFileSync(path, String(certificates[name]));
            args.push(`--${name}`, path);
          }
        }
        const { status, stdout, stderr } = await runCli(["replay", fake.address, ...args]);
        assert.equal(status, 0, stderr);
        assert.equal(stdout, printed);
        assert.match(
          stderr,
          new RegExp(`^alerts: {6}${alerts.length} in, ${alerts.length} out`, "m"),
        );
      } finally {
        await fake[Symbol.asyncDispose]();
      }
    }
  });

  it("plays what is posted as it comes, in the fake that was asked for, and ends on Ctrl-C", {
    skip: process.platform === "win32",
  }, async () => {
    const args = ["http-receiver://127.0.0.1:0/falco", "--falco-version", "0.30.0"];
    const running = startCli(["replay", ...args]);
    const [, url] = /^listening on (\S+)\n/.exec(await told(running, /^listening on .*\n/))!;
    for (const body of [posted[0]!, "oops"]) {
      await (await fetch(url!, { method: "POST", body })).text();
    }
    const first = JSON.parse(await running.firstLine);
    assert.equal(first.rule, alerts[0]!.rule);
    process.kill(running.child.pid!, "SIGINT");
    const { status, stderr } = await running.finished;
    assert.equal(status, 130, stderr);
    assert.match(stderr, /^Cannot read the alert: /m);
    assert.match(stderr, /^alerts: {6}1 in, 1 out, 0 dropped$/m);
    assert.match(stderr, /^invalid: {5}1 bodies were no alerts$/m);
  });

  it("fails when its Falco goes and it is not to wait, with all printed that came before", async () => {
    const fake = await FakeFalco.start();
    fake.push(...alerts);
    const running = startCli(["replay", fake.address, "--no-reconnect"]);
    let count = 0;
    await new Promise<void>((resolve) => {
      running.child.stdout.on("data", (text: string) => {
        count += text.split("\n").length - 1;
        if (count === alerts.length) resolve();
      });
    });
    await fake.kill();
    const { status, stdout, stderr } = await running.finished;
    assert.equal(status, 1, stderr);
    assert.match(stderr, /^Lost the connection to /m);
    assert.equal(stdout, printed);
    await fake[Symbol.asyncDispose]();
  });

  it("takes a file by its address, and Falco's own lines beside the alerts", async () => {
    const path = join(folder.path, "falco.jsonl");
    const log = "Mon Nov 17 00:00:00 2025: Falco version: 0.44.0 (x86_64)\n";
    const summary = "Events detected: 9\nRule counts by severity:\n   NOTICE: 9\n" +
      "Triggered rules by rule name:\n   Terminal shell in container: 9\n";
    const text = `${log}${posted.join("\n")}\n${summary}`;
    writeFileSync(path, text);
    const file = await runCli(["replay", pathToFileURL(path).href]);
    assert.deepEqual([file.status, file.stdout], [0, printed], file.stderr);
    const input = await runCli(["replay", "-"], text);
    assert.deepEqual([input.status, input.stdout], [0, printed], input.stderr);
  });

  it("refuses what does not go with it, with status 2", async () => {
    const receiver = "http-receiver://127.0.0.1:0/";
    const cases: [args: string[], message: RegExp][] = [
      [
        [receiver, "x.jsonl"],
        /^http-receiver:\/\/127\.0\.0\.1:0\/ goes on for ever\. Replay it alone/,
      ],
      [[receiver, "--repeat", "2"], /^--repeat is for fixtures, and http-receiver:.* is none/],
      [["--ca", "x"], /^--ca is for an address such as unix:\/\/\/PATH, and there is none/],
      [["x.jsonl", "--token-file", "x"], /^--token-file is for an address such as /],
      [["http://localhost:5060"], /^Cannot use the address .*: over TCP Falco speaks only TLS/],
      [["localhost:5060"], /^https:\/\/localhost:5060 needs --ca, --cert, --key: /],
      [
        ["http-receiver://192.0.2.1:2801/"],
        /^http-receiver:\/\/192\.0\.2\.1:2801\/ would let everybody .* Give --token-file, or https/,
      ],
      [["http-receiver://"], /^Cannot open "http-receiver:\/\/": that is no address\. Write http/],
      [["unix:///none", "--token-file", "x"], /^--token-file is for http-receiver:, and unix:/],
    ];
    for (const [args, message] of cases) {
      const { status, stdout, stderr } = await runCli(["replay", ...args]);
      assert.deepEqual([status, stdout], [2, ""], `${args.join(" ")}: ${stderr}`);
      assert.match(stderr, message);
      assert.equal(stderr.split("\n").length, 2, stderr);
    }
  });
});
