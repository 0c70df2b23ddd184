/** `replay` as a process: what it prints, what it refuses, how it stops. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { expandScenario } from "../harness/expand_scenario.ts";
import { scenarios } from "../harness/scenarios/mod.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { parseAlert } from "../lib/alert/parse_alert.ts";
import { decodeAlert, encodeAlert } from "../lib/alert/wire.ts";
import { runCli, startCli } from "./run_cli.ts";

const recorded = (file: string): string =>
  fileURLToPath(new URL(`./fixtures/recorded/${file}`, import.meta.url));

let folder: TempFolder;
const file = (name: string, text: string): string => {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return path;
};
const lines = (text: string): string[] => text.split("\n").slice(0, -1);
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** What gRPC makes of the bundled scenarios, worked out without any connection. */
const bundled = Object.values(scenarios).flatMap((scenario) => [...expandScenario(scenario)])
  .map((alert) => decodeAlert(encodeAlert(alert)));

before(async () => {
  folder = await makeTempFolder();
});
after(() => folder.remove());

const good = readFileSync(recorded("mixed-json-output.alerts.jsonl"), "utf8").split("\n")[0]!;

describe("replay of the bundled scenarios", () => {
  it("prints every alert, and the same bytes each time, over a socket and over TLS", async () => {
    const expected = bundled.map((alert) => `${formatAlert(alert)}\n`).join("");
    const runs = [await runCli(["replay", "--format", "json"])];
    runs.push(await runCli(["replay", "--format", "json"]));
    runs.push(await runCli(["replay", "--format", "json", "--tls"]));
    for (const { status, stdout, stderr } of runs) {
      assert.equal(status, 0, stderr);
      assert.equal(stdout, expected);
    }
  });

  it("prints JSON lines when standard output is no terminal, the summary on standard error", async () => {
    const { stdout, stderr } = await runCli(["replay", "--limit", "3"]);
    assert.equal(lines(stdout).length, 3);
    assert.match(stderr, /^alerts: {6}\d+ in, 3 out/m);
    assert.match(stderr, /^digest: /m);
  });

  it("prints what it can read again: go and json give the same alerts", async () => {
    const json = await runCli(["replay", "--format", "json"]);
    const go = await runCli(["replay", "--format", "go"]);
    const again = await runCli(["replay", file("go.jsonl", go.stdout), "--format", "json"]);
    assert.equal(sha256(again.stdout), sha256(json.stdout));
    const batches = await runCli(["replay", "--batch", "7"]);
    const unbatched = await runCli(["replay", file("batches.jsonl", batches.stdout)]);
    assert.equal(sha256(unbatched.stdout), sha256(json.stdout));
  });

  it("filters, drops duplicates, limits and batches on the time of the alerts, in this order", async () => {
    const severe = await runCli(["replay", "--min-priority", "critical"]);
    const severeCount = bundled.filter((alert) =>
      /^(emergency|alert|critical)$/.test(alert.priority)
    );
    assert.deepEqual(lines(severe.stdout), severeCount.map(formatAlert));

    const storm = [...expandScenario(scenarios.noisyStorm)];
    const source = file("storm.jsonl", storm.map((alert) => `${formatAlert(alert)}\n`).join(""));
    const deduped = await runCli(["replay", source, "--dedupe"]);
    const keys = lines(deduped.stdout).map((line) => {
      const { rule, output } = parseAlert(line);
      return rule + output.replace(/^\S+ /, "");
    });
    assert.equal(new Set(keys).size, keys.length);
    assert(keys.length < storm.length / 2);

    const both = await runCli(["replay", source, "--dedupe", "--limit", "4", "--batch", "3"]);
    assert.deepEqual(lines(both.stdout).map((line) => JSON.parse(line).length), [3, 1]);
  });

  it("filters with Falco's language, and warns of what can only be a mistake", async () => {
    const condition = "alert.priority <= error and proc.name in (bash, sh, ncat)";
    const { status, stdout, stderr } = await runCli(["replay", "--filter", condition]);
    assert.equal(status, 0, stderr);
    const expected = bundled.filter((alert) =>
      ["error", "warning", "notice", "informational", "debug"].includes(alert.priority) &&
      ["bash", "sh", "ncat"].includes(String(alert.outputFields["proc.name"]))
    );
    assert(expected.length > 0);
    assert.deepEqual(lines(stdout), expected.map(formatAlert));
    const doubtful = await runCli(["replay", "--filter", 'proc.name regex "("', "--limit", "1"]);
    assert.match(doubtful.stderr, /^--filter: .*the regular expression is invalid/);
  });

  it("closes a batch by the alerts' own time", async () => {
    const at = (second: number): string =>
      `{"output":"o","output_fields":{},"priority":"Notice","rule":"r${second}","source":"s",` +
      `"tags":[],"time":"2026-01-01T00:00:${String(second).padStart(2, "0")}.000000000Z"}\n`;
    const path = file("seconds.jsonl", [0, 1, 2, 10, 11, 30].map(at).join(""));
    const { stdout } = await runCli(["replay", path, "--batch", "100,2000"]);
    assert.deepEqual(
      lines(stdout).map((line) => JSON.parse(line).map(({ rule }: { rule: string }) => rule)),
      // The third comes at the very moment the first batch is two seconds old: it opens the next.
      [["r0", "r1"], ["r2"], ["r10", "r11"], ["r30"]],
    );
  });

  it("plays all of it again with --repeat", async () => {
    const { stdout } = await runCli(["replay", "--repeat", "2"]);
    assert.equal(lines(stdout).length, 2 * bundled.length);
  });

  it("prints one table with --format summary", async () => {
    const first = await runCli(["replay", "--format", "summary"]);
    const second = await runCli(["replay", "--format", "summary"]);
    assert.equal(first.stdout, second.stdout);
    assert.match(first.stdout, /Terminal shell in container/);
  });

  it("is the Falco it is told to be", async () => {
    const { stdout } = await runCli(["replay", "--falco-version", "0.29.1", "--limit", "1"]);
    assert.deepEqual(JSON.parse(stdout).tags, []); // tags came with 0.30
  });
});

describe("replay as a Falco before 0.24, whose calls end by themselves", () => {
  for (const version of ["0.20.0", "0.23.0"]) {
    it(`prints as ${version} what 0.24.0 prints, many times the queue as well`, async () => {
      const args = ["--repeat", "12"];
      const expected = await runCli(["replay", "--falco-version", "0.24.0", ...args]);
      const { status, stdout, stderr } = await runCli([
        "replay",
        "--falco-version",
        version,
        ...args,
      ]);
      assert.equal(status, 0, stderr);
      assert(lines(stdout).length > 2000);
      assert.equal(stdout, expected.stdout);
    });
  }

  it("leaves out the hostname as 0.18.0, and stops at a limit", async () => {
    const args = ["--falco-version", "0.18.0", "--limit", "3"];
    const { status, stdout } = await runCli(["replay", ...args]);
    assert.equal(status, 0);
    const hosts = lines(stdout).map((line) => JSON.parse(line).hostname);
    assert.deepEqual(hosts, [undefined, undefined, undefined]);
  });

  it("gives the last batch out, over TLS", async () => {
    const args = ["--falco-version", "0.22.0", "--batch", "1000", "--tls"];
    const { status, stdout, stderr } = await runCli(["replay", ...args]);
    assert.equal(status, 0, stderr);
    const alerts = lines(stdout).flatMap((line) => JSON.parse(line));
    assert.equal(alerts.length, bundled.length - 1); // but for Falco's own, which it does not send
  });

  it("fails as ever when standard input goes wrong", async () => {
    const args = ["replay", "--falco-version", "0.20.0", "-"];
    const { status, stdout, stderr } = await runCli(args, `${good}\n${good}\nnope\n`);
    assert.equal(status, 1);
    assert.equal(lines(stdout).length, 2);
    assert.match(stderr, /^standard input:3:1: /);
  });
});

describe("replay of recordings", () => {
  it("plays a wire recording", async () => {
    const { status, stdout } = await runCli(["replay", recorded("mixed.wire.jsonl")]);
    assert.equal(status, 0);
    assert.equal(lines(stdout).length, 64);
  });

  it("plays Falco's JSON lines, from a file and from standard input, with nothing lost", async () => {
    const path = recorded("mixed-json-output.alerts.jsonl");
    const text = readFileSync(path, "utf8");
    const expected = lines(text).map((line) =>
      formatAlert(decodeAlert(encodeAlert(parseAlert(line))))
    );
    const fromFile = await runCli(["replay", path]);
    const fromInput = await runCli(["replay", "-"], text);
    assert.deepEqual(lines(fromFile.stdout), expected);
    assert.equal(fromInput.stdout, fromFile.stdout);
    assert.match(fromFile.stderr, /64 in, 64 out, 0 dropped\nrepaired: +nothing/);
    assert.match(fromFile.stderr, /altered: +64 by gRPC/);
  });

  it("names what it repaired", async () => {
    const path = file(
      "grpcurl.jsonl",
      '{\n  "time": "2026-01-01T00:00:00.5Z",\n  "priority": "NOTICE",\n  "rule": "r",\n' +
        '  "output": "o",\n  "outputFields": {\n    "a": "b"\n  }\n}\n',
    );
    const { status, stdout, stderr } = await runCli(["replay", path]);
    assert.equal(status, 0, stderr);
    assert.deepEqual(JSON.parse(stdout).output_fields, { a: "b" });
    assert.match(stderr, /repaired: .*key-spelling 1/);
  });
});

describe("replay of bad input", () => {
  const cases: readonly { name: string; args: () => string[]; expected: RegExp }[] = [
    {
      name: "a missing file",
      args: () => ["nope.jsonl"],
      expected: /^nope\.jsonl: no such file\. Check the path\n$/,
    },
    { name: "a folder", args: () => ["/tmp/x.json/.."], expected: /: unknown kind of fixture\./ },
    {
      name: "an empty file",
      args: () => [file("empty.jsonl", "")],
      expected: /empty\.jsonl: it holds no alerts\n$/,
    },
    {
      name: "broken JSON in line 3",
      args: () => [file("bad.jsonl", `${good}\n${good}\n{"rule": oops}\n`)],
      expected: /bad\.jsonl:3:10: Cannot read the JSON: found "oops", expected a value\n$/,
    },
    {
      name: "an unknown priority",
      args: () => [file("loud.jsonl", `${good}\n${good.replace('"Alert"', '"Loud"')}\n`)],
      expected:
        /loud\.jsonl:2:427: Cannot read the alert: unknown priority "Loud", expected one of emergency/,
    },
    {
      name: "YAML with a wrong indent",
      args: () => [
        file("indent.yaml", "version: 1\nname: x\nalerts:\n  - priority: notice\n   rule: r\n"),
      ],
      expected: /indent\.yaml:5:4: Cannot read the scenario: /,
    },
    {
      name: "YAML with an unknown key",
      args: () => [
        file(
          "key.yaml",
          "version: 1\nname: x\nalerts:\n  - priority: notice\n    rule: r\n    output: o\n    ruel: x\n",
        ),
      ],
      expected: /key\.yaml:7:5: Cannot read the scenario: unknown key "ruel"/,
    },
    {
      name: "--batch x",
      args: () => ["--batch", "x"],
      expected: /^--batch must be .*: it is "x"\n$/,
    },
    { name: "--limit -1", args: () => ["--limit=-1"], expected: /^--limit must be / },
    { name: "--speed 0", args: () => ["--speed", "0"], expected: /^--speed must be / },
    {
      name: "an unknown option",
      args: () => ["--limt", "3"],
      expected: /^unknown option "--limt"\. Did you mean --limit\?\n$/,
    },
    {
      name: "an option without its value",
      args: () => ["--limit"],
      expected: /^the option --limit needs a value\n$/,
    },
    {
      name: "an unknown format",
      args: () => ["--format", "xml"],
      expected: /^--format must be one of pretty, json/,
    },
    {
      name: "a condition that Falco would refuse",
      args: () => ["--filter", "proc.name = sh and and"],
      expected: /^--filter:1:20: .*\n$/,
    },
    {
      name: "a Falco without gRPC",
      args: () => ["--falco-version", "0.44.0"],
      expected: /^Cannot be Falco 0\.44\.0: 0\.44 removed gRPC\. Use 0\.18\.0/,
    },
    {
      name: "an unusable listen address",
      args: () => ["--listen", "http://localhost:1"],
      expected: /^Cannot use the address "http:\/\/localhost:1": over TCP Falco speaks only TLS/,
    },
    {
      name: "a listen address in a place that cannot be",
      args: () => ["--listen", `unix://${file("plain", "")}/falco.sock`],
      expected: /^Cannot listen at unix:\/\/.*\/plain\/falco\.sock: /,
    },
    {
      name: "a listen address that is no socket",
      args: () => ["--listen", `unix://${file("regular", "x")}`],
      expected: /^Cannot listen at unix:\/\/.*\/regular: the address is in use/,
    },
  ];
  for (const { name, args, expected } of cases) {
    it(`refuses ${name} with one line and status 2`, async () => {
      const { status, stdout, stderr } = await runCli(["replay", ...args()]);
      assert.equal(status, 2, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, expected);
      assert.equal(lines(stderr).length, 1, stderr);
    });
  }

  it("prints what was good on standard input, and then fails with status 1", async () => {
    const { status, stdout, stderr } = await runCli(["replay", "-"], `${good}\n${good}\nnope\n`);
    assert.equal(status, 1);
    assert.equal(lines(stdout).length, 2);
    assert.equal(
      stderr,
      'standard input:3:1: Cannot read the JSON: found "nope", expected a JSON value\n',
    );
  });

  it("names a command that does not exist, and the ones that do", async () => {
    const { status, stderr } = await runCli(["replai"]);
    assert.equal(status, 2);
    assert.match(stderr, /^unknown command "replai"\. Did you mean replay\?/);
    const { stdout } = await runCli(["--help"]);
    assert.match(stdout, /replay .*\n {2}fake /);
  });

  it("teaches with --help", async () => {
    const { status, stdout, stderr } = await runCli(["replay", "--help"]);
    assert.equal(status, 0);
    assert.equal(stderr, "");
    for (
      const option of ["--min-priority", "--batch", "--speed", "--listen", "--seed", "Examples"]
    ) {
      assert(stdout.includes(option), option);
    }
    assert(lines(stdout).every((line) => line.length <= 100));
  });
});

describe("replay that is stopped", { skip: process.platform === "win32" }, () => {
  it("ends on Ctrl-C with 130, its output whole, its socket gone", async () => {
    const socket = join(folder.path, "stop", "falco.sock");
    const args = ["replay", "--speed", "1", "--listen", `unix://${socket}`, "--format", "json"];
    const { child, finished, firstLine } = startCli(args);
    await firstLine;
    assert(existsSync(socket));
    const interruptedAt = performance.now();
    process.kill(child.pid!, "SIGINT"); // child.kill() makes Deno report a signal as the status
    const { status, stdout, stderr } = await finished;
    assert.equal(status, 130, stderr);
    assert(performance.now() - interruptedAt < 2000);
    assert(!existsSync(socket));
    assert(stdout.endsWith("\n"));
    for (const line of lines(stdout)) JSON.parse(line);
    assert.match(stderr, /^digest: /m);
  });

  it("ends in order when nobody reads its output any more", async () => {
    const { child, finished, firstLine } = startCli(["replay", "--repeat", "10000"]);
    await firstLine;
    child.stdout.destroy();
    const { status, stderr } = await finished;
    assert.equal(status, 0, stderr);
    assert.doesNotMatch(stderr, /EPIPE/);
  });
});
