/** `tail` and `record` of what is no gRPC: files, standard input, what is posted. */
import assert from "node:assert/strict";
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { after, before, beforeEach, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import type { Provenance } from "../cli/record/provenance.ts";
import { followLine } from "../cli/status_line.ts";
import { buildAlert } from "../harness/build_alert.ts";
import { writeCertificates } from "../harness/certificates.ts";
import { expandScenario } from "../harness/expand_scenario.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { scenarios } from "../harness/scenarios/mod.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { HttpReceiver } from "../lib/sources/http_receiver.ts";
import type { FollowStatus } from "../lib/sources/follow_status.ts";
import { runCli, startCli } from "./run_cli.ts";
import type { Running } from "./run_cli.ts";

const lines = (text: string): string[] => text.split("\n").slice(0, -1);
/** With numbers and a list, as Falco's JSON has them and its gRPC has not. */
const alerts: Alert[] = [
  ...expandScenario(scenarios.shellInContainer),
  buildAlert({ outputFields: { "proc.pid": 7, "evt.args": ["a", null] }, source: "" }),
];
const text = alerts.map((alert) => `${formatAlert(alert)}\n`).join("");
const digestIn = (told: string): string | undefined => /^digest: *([0-9a-f]{16})$/m.exec(told)?.[1];

let folder: TempFolder;
let file = "";
let count = 0;
before(async () => {
  folder = await makeTempFolder();
});
beforeEach(() => {
  file = join(folder.path, `alerts-${++count}.jsonl`);
  writeFileSync(file, text);
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

async function stop(running: Running): Promise<string> {
  process.kill(running.child.pid!, "SIGINT");
  const { status, stderr } = await running.finished;
  assert.equal(status, 130, stderr);
  return stderr;
}

describe("tail of a file", () => {
  it("prints what is there to its end, by a path or an address", async () => {
    for (const address of [file, pathToFileURL(file).href]) {
      const { status, stdout, stderr } = await runCli(["tail", address, "--once"]);
      assert.equal(status, 0, stderr);
      assert.equal(stdout, text);
      assert(stderr.startsWith(`reading ${file}\n`), stderr);
      assert(stderr.includes(`\nalerts:      ${alerts.length} received, `), stderr);
    }
  });

  it("follows it, from its end if it is told to, and into the file that takes its place", async () => {
    const running = startCli(["tail", file, "--from", "end", "--limit", "2"]);
    await told(running, /^reading .* from byte \d+ on\n/);
    const first = `${formatAlert(buildAlert({ rule: "first" }))}\n`;
    appendFileSync(file, first);
    assert.equal(`${await running.firstLine}\n`, first);
    const rotated = told(running, /is another file now/);
    await rename(file, `${file}.1`);
    writeFileSync(file, `${formatAlert(buildAlert({ rule: "second" }))}\n`);
    await rotated;
    const { status, stdout, stderr } = await running.finished;
    assert.equal(status, 0, stderr);
    assert.deepEqual(lines(stdout).map((line) => JSON.parse(line).rule), ["first", "second"]);
  });

  it("waits for one that is not there yet, if its address says that it is a file", async () => {
    const late = join(folder.path, "late.jsonl");
    const running = startCli(["tail", pathToFileURL(late).href, "--limit", "2"]);
    await told(running, /^waiting for .*late\.jsonl: there is no such file\n/);
    writeFileSync(late, text);
    const { status, stdout, stderr } = await running.finished;
    assert.equal(status, 0, stderr);
    assert.deepEqual(lines(stdout), lines(text).slice(0, 2));
    const { status: refused, stderr: remedy } = await runCli([
      "tail",
      join(folder.path, "no.jsonl"),
    ]);
    assert.equal(refused, 2);
    assert.match(remedy, /no\.jsonl: there is no such file\. To wait for it, give file:\/\/\//);
  });

  it("skips what is no alert, tells of the first ten, harmless, and counts them all", async () => {
    writeFileSync(file, `${"\x1b[2J oops\n".repeat(12)}${text}{"broken\n`);
    const { status, stdout, stderr } = await runCli(["tail", file, "--once"]);
    assert.equal(status, 0, stderr);
    assert.equal(stdout, text);
    assert.equal(lines(stderr).filter((line) => /^line \d+: Cannot read/.test(line)).length, 10);
    assert.match(stderr, /^what else is no alert is only counted$/m);
    assert.match(stderr, /^invalid: {5}13 lines were no alerts$/m);
    assert(!stderr.includes("\x1b"));
  });

  it("filters, limits and sums up as it does for gRPC", async () => {
    const args = ["--once", "--filter", "proc.pid = 7 or evt.args in (a)", "--summary"];
    const { stdout, stderr } = await runCli(["tail", file, ...args]);
    assert.equal(stdout, `${formatAlert(alerts.at(-1)!)}\n`);
    assert.match(stderr, /^dropped: {5}not matched \d+$/m);
    assert.match(stderr, /^ {7}1 {2}\S/m);
  });
});

describe("tail of standard input", () => {
  it("prints alerts among all that Falco prints, and ends with it", async () => {
    const input =
      `Mon Nov 17 00:00:00 2025: Falco version: 0.44.0 (x86_64)\n${text}Events detected: 9\n`;
    const { status, stdout, stderr } = await runCli(["tail", "-"], input);
    assert.equal(status, 0, stderr);
    assert.equal(stdout, text);
    assert(stderr.startsWith("reading standard input\n"), stderr);
    assert.doesNotMatch(stderr, /invalid/);
  });

  it("ends at its limit, and on Ctrl-C, though nobody closes it", async () => {
    const limited = startCli(["tail", "-", "--limit", "1"]);
    limited.child.stdin.write(text);
    assert.equal((await limited.finished).status, 0);
    const waiting = startCli(["tail", "-"]);
    waiting.child.stdin.write(text);
    await waiting.firstLine;
    await stop(waiting);
  });
});

describe("tail of a receiver", () => {
  const post = async (url: string, body: string, headers = {}): Promise<number> => {
    const answer = await fetch(url, { method: "POST", body, headers });
    await answer.text();
    return answer.status;
  };

  it("prints what is posted, and counts what was refused", async () => {
    const running = startCli(["tail", "http-receiver://127.0.0.1:0/falco"]);
    const [, url] = /^listening on (\S+)\n/.exec(await told(running, /^listening on .*\n/))!;
    assert.match(url!, /^http:\/\/127\.0\.0\.1:[1-9]\d*\/falco$/);
    assert.equal(await post(url!, formatAlert(alerts[0]!)), 200);
    assert.equal(await running.firstLine, formatAlert(alerts[0]!));
    assert.equal(await post(url!, "oops"), 400);
    assert.equal(await post(url!.replace("falco", "other"), "{}"), 404);
    const stderr = await stop(running);
    assert.match(stderr, /^Cannot read the alert: /m);
    assert.match(stderr, /^alerts: {6}1 received, 1 printed, 0 dropped$/m);
    assert.match(stderr, /^invalid: {5}1 bodies were no alerts$/m);
    assert.match(stderr, /^refused: {5}address 1$/m);
  });

  it("wants the secret of a file", async () => {
    const secret = join(folder.path, "secret");
    writeFileSync(secret, "s3cret\n");
    const address = "http-receiver://127.0.0.1:0/";
    const running = startCli(["tail", address, "--token-file", secret, "--limit", "1"]);
    const [, url] = /^listening on (\S+)\n/.exec(await told(running, /^listening on .*\n/))!;
    const body = formatAlert(alerts[0]!);
    assert.equal(await post(url!, body), 401);
    assert.equal(await post(url!, body, { authorization: "Bearer s3cret" }), 200);
    const { status, stdout, stderr } = await running.finished;
    assert.deepEqual([status, stdout], [0, `${body}\n`], stderr);
    assert(!stderr.includes("s3cret"));
  });

  it("serves TLS with the certificates of a folder", async () => {
    const fake = await FakeFalco.start({ tls: true });
    const certs = join(folder.path, "certs");
    try {
      await writeCertificates(certs, fake.certificates!);
    } finally {
      await fake[Symbol.asyncDispose]();
    }
    const running = startCli(["tail", "https-receiver://127.0.0.1:0/", "--certs", certs]);
    await told(running, /^listening on https:\/\/127\.0\.0\.1:[1-9]\d*\/\n/);
    await stop(running);
  });
});

describe("record of another source", () => {
  const provenance = (name: string): Provenance =>
    JSON.parse(readFileSync(`${name}.provenance.json`, "utf8")) as Provenance;

  for (const extension of ["jsonl", "wire.jsonl"]) {
    it(`gives a .${extension} that is replayed to the digest it has`, async () => {
      const output = join(folder.path, `recorded-${count}.${extension}`);
      const { status, stderr } = await runCli(["record", file, "--once", "-o", output]);
      assert.equal(status, 0, stderr);
      if (extension === "jsonl") assert.equal(readFileSync(output, "utf8"), text);
      const { address, falco, end, received, digest } = provenance(output);
      assert.deepEqual(
        { address, falco, end, received },
        { address: pathToFileURL(file).href, falco: null, end: "source", received: alerts.length },
      );
      const replayed = await runCli(["replay", output]);
      assert.equal(replayed.status, 0, replayed.stderr);
      assert.equal(digestIn(replayed.stderr), digest);
      assert.equal(digestIn(stderr), digest);
    });
  }

  it("records a replay that is piped into it, and that replays to the same digest", async () => {
    const output = join(folder.path, "piped.jsonl");
    const first = await runCli(["replay"]);
    const recorded = await runCli(["record", "-", "-o", output], first.stdout);
    assert.equal(recorded.status, 0, recorded.stderr);
    const again = await runCli(["replay", output]);
    assert.equal(again.stdout, first.stdout);
    const digests = [first, recorded, again].map(({ stderr }) => digestIn(stderr));
    assert.equal(new Set(digests).size, 1, digests.join());
  });

  it("leaves no file behind if the receiver cannot listen", async () => {
    const output = join(folder.path, "none.jsonl");
    const taken = await HttpReceiver.start({ port: 0 });
    const { host } = new URL(taken.url);
    const cases = [
      [`http-receiver://${host}/`, 1, /^Cannot listen on 127\.0\.0\.1:\d+: /],
      ["http-receiver://192.0.2.1:2801/", 2, / would let everybody who reaches it forge alerts\. /],
    ] as const;
    try {
      for (const [address, expected, message] of cases) {
        const { status, stderr } = await runCli(["record", address, "-o", output]);
        assert.equal(status, expected, stderr);
        assert.match(stderr, message);
        assert(!readdirSync(folder.path).some((name) => name.startsWith("none.jsonl")));
      }
    } finally {
      await taken.close();
    }
  });
});

describe("the options of other sources", () => {
  it("are refused where they mean nothing, with status 2", async () => {
    const empty = join(folder.path, "empty");
    writeFileSync(empty, " \n");
    const receiver = "http-receiver://127.0.0.1:0/";
    const cases: [args: string[], message: RegExp][] = [
      [[file, "--no-reconnect"], /^--no-reconnect is for a Falco's gRPC, and .* is a file$/m],
      [["-", "--max-attempts", "2"], /^--max-attempts is for a Falco's gRPC, and - is standard/],
      [["-", "--once"], /^--once is for a file, and - is standard input/],
      [["/tmp/x.sock", "--from", "end"], /^--from is for a file, and \/tmp\/x\.sock is a Falco's/],
      [["--once"], /^--once is for a file, and the default is a Falco's gRPC/],
      [[file, "--from", "middle"], /^--from must be one of start, end: it is "middle"/],
      [[file, "--ca", "x"], /^certificates are for TLS, and file:.* is a file without it/],
      [[receiver, "--certs", "x"], /^certificates are for TLS, and http-receiver:/],
      [["https-receiver://127.0.0.1:0/"], / needs --cert and --key, the receiver's own\. /],
      [[receiver, "--token-file", empty], /empty: there is no secret in it/],
      [[receiver, "--token-file", "/none"], /^\/none: the secret cannot be read/],
      [["file://host/x"], /^file:\/\/host\/x: that is no address of a file/],
      [[folder.path], /: that is a folder\. Name the socket or the file in it$/m],
      [["/dev/null"], /^\/dev\/null: that is neither a socket nor a file$/m],
    ];
    for (const [args, message] of cases) {
      const { status, stdout, stderr } = await runCli(["tail", ...args]);
      assert.deepEqual([status, stdout], [2, ""], `${args.join(" ")}: ${stderr}`);
      assert.equal(lines(stderr).length, 1, stderr);
      assert.match(stderr, message);
    }
  });

  it("are not for doctor, which looks at gRPC", async () => {
    for (const address of ["-", pathToFileURL(file).href, "http-receiver://127.0.0.1:1/"]) {
      const { status, stderr } = await runCli(["doctor", address]);
      assert.equal(status, 2);
      assert.match(stderr, /: that is no Falco's gRPC\. .* with: tail /);
    }
  });
});

describe("followLine", () => {
  const cases: [status: FollowStatus, line: string][] = [
    [{ type: "missing", path: "/x" }, "waiting for /x: there is no such file"],
    [{ type: "opened", path: "/x", offset: 0 }, "reading /x"],
    [{ type: "opened", path: "/x", offset: 9 }, "reading /x from byte 9 on"],
    [
      { type: "rotated", path: "/x" },
      "/x is another file now: the one before was read to its end",
    ],
    [
      { type: "truncated", path: "/x", lostFrom: 9 },
      "/x was cut off: alerts behind byte 9 may be missing",
    ],
  ];
  for (const [status, line] of cases) {
    it(`says ${line}`, () => assert.equal(followLine(status), line));
  }
});
