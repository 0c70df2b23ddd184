/** `tail` as a process: what it prints, what it says of the connection, how it stops. */
// deno-lint-ignore-file no-control-regex
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { writeCertificates } from "../harness/certificates.ts";
import { expandScenario } from "../harness/expand_scenario.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { scenarios } from "../harness/scenarios/mod.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { decodeAlert, encodeAlert } from "../lib/alert/wire.ts";
import { runCli, startCli } from "./run_cli.ts";
import type { Running } from "./run_cli.ts";

const lines = (text: string): string[] => text.split("\n").slice(0, -1);
/** What gRPC makes of an alert. */
const overGrpc = (alert: Alert): Alert => decodeAlert(encodeAlert(alert));
const incident = [...expandScenario(scenarios.cryptoMiner)].map(overGrpc);

let folder: TempFolder;
before(async () => {
  folder = await makeTempFolder();
});
after(() => folder.remove());

async function withFake(
  run: (fake: FakeFalco) => Promise<void>,
  options: Parameters<typeof FakeFalco.start>[0] = {},
): Promise<void> {
  const fake = await FakeFalco.start(options);
  try {
    await run(fake);
  } finally {
    await fake[Symbol.asyncDispose]();
  }
}

/** Resolves once the process has said something like this on standard error. */
function told({ child, finished }: Running, pattern: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stderr.on("data", (more: string) => {
      text += more;
      if (pattern.test(text)) resolve();
    });
    void finished.then(({ stderr, status }) =>
      pattern.test(stderr) ? resolve() : reject(new Error(`it ended with ${status}: ${stderr}`))
    );
  });
}

/** Stops it as Ctrl-C does; `child.kill()` makes Deno report a signal as the status. */
function interrupt({ child }: Running, signal: "SIGINT" | "SIGTERM" = "SIGINT"): void {
  process.kill(child.pid!, signal);
}

describe("tail", () => {
  it("prints what is queued and then what comes, as JSON lines on a pipe", async () => {
    await withFake(async (fake) => {
      fake.push(...incident.slice(0, 3));
      const running = startCli(["tail", fake.address, "--limit", "5"]);
      assert.equal(await running.firstLine, formatAlert(incident[0]!));
      fake.push(...incident.slice(3, 5));
      const { status, stdout, stderr } = await running.finished;
      assert.equal(status, 0, stderr);
      assert.deepEqual(lines(stdout), incident.slice(0, 5).map(formatAlert));
      assert.match(stderr, /^alerts: {6}5 received, 5 printed, 0 dropped$/m);
      assert.match(
        stderr,
        /^connected to unix:\/\/\/.*falco\.sock \(falco\.outputs\.service\/sub\)$/m,
      );
    });
  });

  it("speaks mutual TLS with the certificates of a folder, or with each file named", async () => {
    await withFake(async (fake) => {
      const certs = join(folder.path, "certs");
      await writeCertificates(certs, fake.certificates!);
      const files = ["--ca", `${certs}/ca.crt`, "--cert", `${certs}/client.crt`];
      const ways = [["--certs", certs], [...files, "--key", `${certs}/client.key`]];
      for (const way of ways) {
        fake.push(incident[0]!);
        const { status, stdout, stderr } = await runCli([
          "tail",
          fake.address,
          "--limit",
          "1",
          ...way,
        ]);
        assert.equal(status, 0, stderr);
        assert.equal(stdout, `${formatAlert(incident[0]!)}\n`);
      }
    }, { tls: true });
  });

  it("falls back to the first service of Falco before 0.24", async () => {
    await withFake(async (fake) => {
      fake.push(incident[0]!);
      const { status, stdout, stderr } = await runCli(["tail", fake.address, "--limit", "1"]);
      assert.equal(status, 0, stderr);
      assert.equal(JSON.parse(stdout).rule, incident[0]!.rule);
      assert.match(stderr, /^connected to .* \(falco\.output\.service\/subscribe\)$/m);
    }, { falcoVersion: "0.23.0" });
  });

  it("prints in every format, and colours severities only if asked to", async () => {
    const alert = buildAlert({ priority: "critical", rule: "One", output: "Critical one" });
    const cases: [args: string[], pattern: RegExp][] = [
      [["--format", "json"], /^\{"hostname":/],
      [["--format", "go"], /^\{"time":\{"seconds":\d+/],
      [["--format", "text"], /^Critical one\n$/],
      [["--format", "pretty"], /^\d{4}-\d\d-\d\d \S+Z {2}Critical {7}One/],
      [["--format", "pretty", "--color", "always"], /Z {2}\x1b\[1;31mCritical\x1b\[0m {7}One/],
      [["--format", "pretty", "--color", "auto"], /Z {2}Critical {7}One/],
      [["--format", "json", "--color", "always"], /^[^\x1b]*$/],
    ];
    await withFake(async (fake) => {
      for (const [args, pattern] of cases) {
        fake.push(alert);
        const { stdout, stderr } = await runCli(["tail", fake.address, "--limit", "1", ...args]);
        assert.match(stdout, pattern, args.join(" ") + stderr);
      }
    });
  });

  it("never prints what a terminal would obey", async () => {
    const evil = "\x1b]0;owned\x07\x1b[2J\r\u202e\u009b31m";
    await withFake(async (fake) => {
      for (const format of ["pretty", "text", "json", "go"]) {
        fake.push(buildAlert({ rule: `r${evil}`, output: `o${evil}`, hostname: evil }));
        const args = ["--limit", "1", "--format", format, "--summary", "--color", "always"];
        const { stdout, stderr } = await runCli(["tail", fake.address, ...args]);
        const ours = stdout.replace(
          /\x1b\[[\d;]*m/g,
          (colour) => colour === "\x1b[2J" ? colour : "",
        );
        assert.doesNotMatch(ours, /[\x00-\x09\x0b-\x1f\x7f]/, format);
        assert.doesNotMatch(stderr, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/, format);
        if (format === "pretty" || format === "text") assert.doesNotMatch(stdout, /[\u202e\x9b]/);
      }
    });
  });

  it("filters by priority and condition, and counts what it left out", async () => {
    await withFake(async (fake) => {
      fake.push(...incident);
      const severe = (alert: Alert): boolean =>
        ["emergency", "alert", "critical", "error"].includes(alert.priority);
      const condition = "proc.name exists and alert.rule != 'nothing'";
      const expected = incident.filter((alert) =>
        severe(alert) && alert.outputFields["proc.name"] !== undefined &&
        alert.outputFields["proc.name"] !== "<NA>"
      );
      const { length } = expected;
      assert(length > 0 && length < incident.length);
      const args = ["--min-priority", "error", "--filter", condition, "--limit", String(length)];
      const { status, stdout, stderr } = await runCli(["tail", fake.address, ...args]);
      assert.equal(status, 0, stderr);
      assert.deepEqual(lines(stdout), expected.map(formatAlert));
      assert.match(stderr, /^dropped: {5}.*below error \d+/m);
    });
  });

  it("closes with counts by rule and a rate if it was asked for a summary", async () => {
    await withFake(async (fake) => {
      fake.push(...["b", "a", "b", "c"].map((rule) => buildAlert({ rule })));
      const args = ["--limit", "4", "--summary", "--format", "json"];
      const { stdout, stderr } = await runCli(["tail", fake.address, ...args]);
      assert.equal(lines(stdout).length, 4);
      assert.match(stderr, /^elapsed: {5}\d+\.\d s, \d+ alerts\/s$/m);
      assert.match(stderr, / {7}2 {2}b\n {7}1 {2}a\n {7}1 {2}c\n$/);
    });
  });

  it("says how many alerts had come that a limit left behind", async () => {
    await withFake(async (fake) => {
      fake.push(...incident.slice(0, 5));
      const { stderr } = await runCli(["tail", fake.address, "--limit", "2"]);
      assert.match(stderr, /^left behind: [1-3] had arrived, neither printed nor dropped$/m);
    });
  });
});

describe("tail while Falco comes and goes", () => {
  it("waits for a Falco that is not there yet", async () => {
    const path = join(folder.path, "late.sock");
    const running = startCli(["tail", path, "--limit", "1"]);
    await told(running, /no such file.*Trying again in \d+\.\d s\n/);
    await withFake(async (fake) => {
      fake.push(incident[0]!);
      const { status, stdout } = await running.finished;
      assert.equal(status, 0);
      assert.equal(stdout, `${formatAlert(incident[0]!)}\n`);
    }, { listen: path });
  });

  it("goes on after a restart, and says that alerts may be missing", async () => {
    const path = join(folder.path, "again.sock");
    const first = await FakeFalco.start({ listen: path });
    first.push(incident[0]!);
    const running = startCli(["tail", path, "--limit", "2"]);
    await running.firstLine;
    await first.kill();
    await withFake(async (fake) => {
      fake.push(incident[1]!);
      const { status, stdout, stderr } = await running.finished;
      assert.equal(status, 0, stderr);
      assert.deepEqual(lines(stdout), incident.slice(0, 2).map(formatAlert));
      const story = lines(stderr).filter((line) => /connect|Trying/.test(line));
      assert.match(story[0]!, /^connecting to /);
      assert.match(story[1]!, /^connected to /);
      assert.match(story[2]!, /Trying again in/);
      assert.match(
        stderr,
        /^there was no connection for .*: alerts may be missing after the first 1$/m,
      );
      assert.match(stderr, /^reconnects: {2}1$/m);
    }, { listen: path });
  });

  it("ends with Falco if it is not to reconnect", async () => {
    const path = join(folder.path, "once.sock");
    const fake = await FakeFalco.start({ listen: path });
    fake.push(incident[0]!);
    const running = startCli(["tail", path, "--no-reconnect"]);
    await running.firstLine;
    await fake.stop();
    const { status, stderr } = await running.finished;
    assert.equal(status, 0, stderr);
  });

  it("fails with a sentence if there is none and it is not to wait", async () => {
    const path = join(folder.path, "none.sock");
    for (const args of [["--no-reconnect"], ["--max-attempts", "2"]]) {
      const { status, stdout, stderr } = await runCli(["tail", path, ...args]);
      assert.equal(status, 1, stderr);
      assert.equal(stdout, "");
      const last = lines(stderr).at(-1)!;
      assert.match(last, /^Cannot connect to unix:\/\/\/.*none\.sock: no such file\. /);
      assert.equal(lines(stderr).filter((line) => /Trying/.test(line)).length, args.length - 1);
    }
  });

  it("fails at once on what cannot heal", async () => {
    await withFake(async (fake) => {
      const certs = join(folder.path, "empty");
      mkdirSync(certs);
      const { status, stdout, stderr } = await runCli(["tail", fake.address, "--certs", certs]);
      assert.deepEqual([status, stdout], [1, ""], stderr);
      assert.match(lines(stderr).at(-1)!, /^Cannot connect to https:.*empty\/.*cannot be read/);
    }, { tls: true });
  });
});

describe("tail that is stopped", { skip: process.platform === "win32" }, () => {
  for (const [signal, status] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    it(`ends on ${signal} with ${status}, its lines whole, no call left open`, async () => {
      await withFake(async (fake) => {
        fake.push(...incident);
        const running = startCli(["tail", fake.address]);
        await running.firstLine;
        const startedAt = performance.now();
        interrupt(running, signal);
        const result = await running.finished;
        assert.equal(result.status, status, result.stderr);
        assert(performance.now() - startedAt < 2000);
        for (const line of lines(result.stdout)) JSON.parse(line);
        assert(result.stdout.endsWith("}\n"));
      });
    });
  }

  it("ends on Ctrl-C while it waits for a Falco", async () => {
    const running = startCli(["tail", join(folder.path, "never.sock")]);
    await told(running, /Trying again/);
    interrupt(running);
    assert.equal((await running.finished).status, 130);
  });

  it("ends quietly once nobody reads any more", async () => {
    await withFake(async (fake) => {
      fake.push(...incident);
      const running = startCli(["tail", fake.address]);
      await running.firstLine;
      running.child.stdout.destroy();
      // It learns of that with the next write.
      const pushing = setInterval(() => fake.push(incident[0]!), 20);
      try {
        const { status, stderr } = await running.finished;
        assert.equal(status, 0, stderr);
        assert.doesNotMatch(stderr, /EPIPE|Error/);
      } finally {
        clearInterval(pushing);
      }
    });
  });
});

describe("tail's arguments", () => {
  it("explains itself", async () => {
    const { status, stdout } = await runCli(["tail", "--help"]);
    assert.equal(status, 0);
    for (const word of ["--filter CONDITION", "--certs DIR", "--no-reconnect", "--summary"]) {
      assert(stdout.includes(word), word);
    }
    assert.match(stdout, /another client will not see them/);
  });

  it("refuses what it cannot use with status 2, and nothing on standard output", async () => {
    const cases: [args: string[], message: RegExp][] = [
      [["a:1", "b:2"], /^unexpected argument "b:2"/],
      [["localhost:5060"], /^https:\/\/localhost:5060 needs --ca, --cert, --key: /],
      [["localhost:5060", "--ca", "x"], / needs --cert, --key: /],
      [["/tmp/x.sock", "--key", "x"], /^certificates are for TLS, and unix:/],
      [["http://localhost"], /^Cannot use the address/],
      [["--limit", "0"], /^--limit must be a whole number from 1 on: it is "0"/],
      [["--filter", "alert.rule ="], /^--filter:1:\d+: /],
      [["--min-priority", "bad"], /^--min-priority must be one of emergency/],
      [["--format", "summary"], /^--format must be one of pretty, json, go, text/],
      [["--no-reconnect", "--max-attempts", "3"], /exclude each other/],
      [["--max-attempts", "0"], /^--max-attempts must be a whole number from 1 on/],
      [["--sumary"], /Did you mean --summary\?/],
    ];
    for (const [args, message] of cases) {
      const { status, stdout, stderr } = await runCli(["tail", ...args]);
      assert.deepEqual([status, stdout], [2, ""], `${args.join(" ")}: ${stderr}`);
      assert.equal(lines(stderr).length, 1, stderr);
      assert.match(stderr, message);
    }
  });

  it("takes a bare path that is a socket for one, wherever it is", async () => {
    await withFake(async (fake) => {
      fake.push(incident[0]!);
      const path = fake.address.slice("unix://".length);
      const { status, stderr } = await runCli(["tail", path, "--limit", "1"]);
      assert.equal(status, 0, stderr);
    });
  });
});
