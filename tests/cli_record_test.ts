/** `record` as a process: what it writes, and that a replay of it gives the same alerts. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Buffer } from "node:buffer";
import process from "node:process";
import { after, before, beforeEach, describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Provenance } from "../cli/record/provenance.ts";
import { expandScenario } from "../harness/expand_scenario.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { openFixture } from "../harness/fixtures/open_fixture.ts";
import { scenarios } from "../harness/scenarios/mod.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { parseAlert } from "../lib/alert/parse_alert.ts";
import { decodeAlert, encodeAlert } from "../lib/alert/wire.ts";
import { runCli, startCli } from "./run_cli.ts";
import type { Running } from "./run_cli.ts";

const lines = (text: string): string[] => text.split("\n").slice(0, -1);
const overGrpc = (alert: Alert): Alert => decodeAlert(encodeAlert(alert));
const incident = [...expandScenario(scenarios.containerEscape)].map(overGrpc);
const recorded = (file: string): string =>
  fileURLToPath(new URL(`./fixtures/recorded/${file}`, import.meta.url));
const digestIn = (text: string): string | undefined => /^digest: *([0-9a-f]{16})$/m.exec(text)?.[1];

let root: TempFolder;
let count = 0;
/** A folder for each test. */
let folder = "";
before(async () => {
  root = await makeTempFolder();
});
beforeEach(async () => {
  folder = join(root.path, String(++count));
  const { mkdir } = await import("node:fs/promises");
  await mkdir(folder);
});
after(() => root.remove());

const out = (name: string): string => join(folder, name);
const read = (name: string): string => readFileSync(out(name), "utf8");
const provenanceOf = (name: string): Provenance =>
  JSON.parse(read(`${name}.provenance.json`)) as Provenance;

async function withFake(run: (fake: FakeFalco) => Promise<void>): Promise<void> {
  const fake = await FakeFalco.start();
  try {
    await run(fake);
  } finally {
    await fake[Symbol.asyncDispose]();
  }
}

/** Resolves once a file holds as many lines. */
async function grown({ finished }: Running, name: string, least: number): Promise<void> {
  let over = false;
  void finished.then(() => over = true);
  while (!existsSync(out(name)) || lines(read(name)).length < least) {
    if (over) throw new Error(`it ended: ${(await finished).stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe("record", () => {
  it("writes Falco's JSON lines, and says beside them what they are", async () => {
    await withFake(async (fake) => {
      fake.push(...incident);
      const { length } = incident;
      const args = ["record", fake.address, "-o", out("a.jsonl"), "--limit", String(length)];
      const { status, stdout, stderr } = await runCli(args);
      assert.equal(status, 0, stderr);
      assert.equal(stdout, "");
      assert.deepEqual(lines(read("a.jsonl")), incident.map(formatAlert));
      const { startedAt, endedAt, falco, digest, files, ...rest } = provenanceOf("a.jsonl");
      assert.deepEqual(rest, {
        version: 1,
        recorder: "falco-streams record",
        form: "json",
        address: fake.address,
        end: "limit",
        minPriority: null,
        filter: null,
        redacted: [],
        alerts: length,
        received: length,
        dropped: {},
        gaps: 0,
      });
      assert.equal(falco?.version, "0.43.1");
      assert.equal(digest, digestIn(stderr));
      assert(Date.parse(startedAt) <= Date.parse(endedAt!));
      assert.deepEqual(files, [
        { path: "a.jsonl", alerts: length, bytes: statSync(out("a.jsonl")).size },
      ]);
      assert.deepEqual(readdirSync(folder).sort(), ["a.jsonl", "a.jsonl.provenance.json"]);
      if (process.platform !== "win32") assert.equal(statSync(out("a.jsonl")).mode & 0o777, 0o600);
    });
  });

  it("writes messages as on the wire, behind Falco's answer to version", async () => {
    await withFake(async (fake) => {
      const alerts: Alert[] = [];
      for await (const alert of (await openFixture(recorded("mixed.wire.jsonl"))).alerts()) {
        alerts.push(alert);
      }
      fake.push(...alerts);
      const args = ["record", fake.address, "-o", out("a.wire.jsonl"), "--limit", "64"];
      const { status, stderr } = await runCli(args);
      assert.equal(status, 0, stderr);
      const [head, ...rest] = lines(read("a.wire.jsonl")).map((line) =>
        JSON.parse(line) as { method: string; wire: string }
      );
      // What a real Falco sent, byte by byte, but for the order of fields within a message.
      const real = lines(readFileSync(recorded("mixed.wire.jsonl"), "utf8")).map((line) =>
        JSON.parse(line) as { method: string; wire: string }
      );
      assert.equal(head?.method, real[0]?.method);
      const decode = ({ wire }: { wire: string }): Alert =>
        decodeAlert(new Uint8Array(Buffer.from(wire, "base64")));
      assert.deepEqual(rest.map(decode), real.slice(1).map(decode));
      assert.match(provenanceOf("a.wire.jsonl").encoding!, /^re-encoded/);
    });
  });

  it("gives the digest of a replay when it has recorded one and is replayed", async () => {
    const straight = await runCli(["replay", "--format", "json"]);
    const digest = digestIn(straight.stderr);
    writeFileSync(out("bundled.jsonl"), straight.stdout);
    const total = String(lines(straight.stdout).length);
    for (const name of ["a.jsonl", "b.wire.jsonl"]) {
      const socket = out(`${name}.sock`);
      const fixture = ["--fixture", out("bundled.jsonl")];
      const falco = startCli(["fake", "--listen", `unix://${socket}`, ...fixture]);
      await falco.firstLine;
      const { status, stderr } = await runCli([
        "record",
        socket,
        "-o",
        out(name),
        "--limit",
        total,
      ]);
      process.kill(falco.child.pid!, "SIGTERM");
      await falco.finished;
      assert.equal(status, 0, stderr);
      assert.equal(digestIn(stderr), digest);
      assert.equal(provenanceOf(name).digest, digest);
      const again = await runCli(["replay", out(name), "--format", "json"]);
      assert.equal(again.stdout, straight.stdout);
      assert.equal(digestIn(again.stderr), digest);
    }
  });

  it("takes fields out of values and texts, and says which names fitted nothing", async () => {
    await withFake(async (fake) => {
      fake.push(...incident);
      const args = ["--redact", "container.*", "--redact", "proc.cmdline", "--redact", "no.such"];
      const limit = ["--limit", String(incident.length)];
      const target = ["record", fake.address, "-o", out("a.jsonl")];
      const { status, stderr } = await runCli([...target, ...args, ...limit]);
      assert.equal(status, 0, stderr);
      let redacted = 0;
      lines(read("a.jsonl")).map((line) => parseAlert(line)).forEach((alert, index) => {
        for (const [field, value] of Object.entries(incident[index]!.outputFields)) {
          const isPrivate = field.startsWith("container.") || field === "proc.cmdline";
          if (!isPrivate || value === "<NA>" || value === null) continue;
          assert.equal(alert.outputFields[field], "***", field);
          assert(!alert.output.includes(String(value)), `${field} in ${alert.output}`);
          redacted++;
        }
      });
      assert(redacted > 0);
      assert.match(stderr, /^not redacted: no alert had a field no\.such$/m);
      const { redacted: names } = provenanceOf("a.jsonl");
      assert.deepEqual(names, ["container.*", "proc.cmdline", "no.such"]);
    });
  });

  it("filters before it redacts", async () => {
    await withFake(async (fake) => {
      fake.push(...incident);
      const name = String(incident[0]!.outputFields["proc.name"]);
      const matching = incident.filter(({ outputFields }) => outputFields["proc.name"] === name);
      const { status, stderr } = await runCli([
        ...["record", fake.address, "-o", out("a.jsonl"), "--redact", "proc.name"],
        ...["--filter", `proc.name = ${JSON.stringify(name)}`, "--limit", String(matching.length)],
      ]);
      assert.equal(status, 0, stderr);
      const alerts = lines(read("a.jsonl")).map((line) => parseAlert(line));
      assert.equal(alerts.length, matching.length);
      for (const { outputFields } of alerts) assert.equal(outputFields["proc.name"], "***");
      assert.match(provenanceOf("a.jsonl").filter!, /^proc\.name = /);
    });
  });

  it("begins the next file before one grows too large", async () => {
    await withFake(async (fake) => {
      fake.push(...incident);
      const longest = Math.max(...incident.map((alert) => formatAlert(alert).length + 1));
      const args = ["--limit", String(incident.length), "--max-bytes", String(longest * 2)];
      const target = ["record", fake.address, "-o", out("a.jsonl")];
      const { status, stderr } = await runCli([...target, ...args]);
      assert.equal(status, 0, stderr);
      const { files, digest } = provenanceOf("a.jsonl");
      assert(files.length > 2);
      assert.equal(files[0]!.path, "a.0001.jsonl");
      for (const { path, bytes, alerts } of files) {
        assert(bytes <= longest * 2, path);
        assert.equal(bytes, statSync(out(path)).size);
        assert.equal(alerts, lines(read(path)).length);
      }
      const paths = files.map(({ path }) => out(path));
      assert.deepEqual(paths.flatMap((path) => lines(readFileSync(path, "utf8"))), [
        ...incident.map(formatAlert),
      ]);
      const replayed = await runCli(["replay", ...paths]);
      assert.equal(digestIn(replayed.stderr), digest);

      // Again: refused, then in their place, with none of the first recording left.
      const refused = await runCli([...target, ...args]);
      assert.equal(refused.status, 2);
      fake.push(incident[0]!);
      const again = ["--limit", "1", "--max-bytes", String(longest * 2), "--force"];
      assert.equal((await runCli([...target, ...again])).status, 0);
      const left = readdirSync(folder).sort();
      assert.deepEqual(left, ["a.0001.jsonl", "a.jsonl.provenance.json"]);
    });
  });

  it("replaces nothing unless it is told to, and then all", async () => {
    await withFake(async (fake) => {
      writeFileSync(out("a.jsonl"), "mine\n");
      const args = ["record", fake.address, "-o", out("a.jsonl"), "--limit", "1"];
      const { status, stderr } = await runCli(args);
      assert.equal(status, 2);
      assert.match(stderr, /a\.jsonl: there is such a file\. Name another, or .* --force$/m);
      assert.equal(read("a.jsonl"), "mine\n");
      assert.equal(fake.requests.length, 0);
      fake.push(incident[0]!);
      assert.equal((await runCli([...args, "--force"])).status, 0);
      assert.equal(read("a.jsonl"), `${formatAlert(incident[0]!)}\n`);
    });
  });

  it("ends after its duration, with status 0", async () => {
    await withFake(async (fake) => {
      fake.push(incident[0]!);
      const args = ["record", fake.address, "-o", out("a.wire.jsonl"), "--duration", "1500ms"];
      const { status, stderr } = await runCli(args);
      assert.equal(status, 0, stderr);
      assert.equal(provenanceOf("a.wire.jsonl").end, "duration");
      assert.equal(lines(read("a.wire.jsonl")).length, 2);
      assert.doesNotMatch(stderr, /no alert came/);
    });
  });

  it("says after its duration that no alert came, with status 0", async () => {
    await withFake(async (fake) => {
      const args = ["record", fake.address, "-o", out("a.jsonl"), "--duration", "1500ms"];
      const { status, stderr } = await runCli(args);
      assert.equal(status, 0, stderr);
      assert.match(
        stderr,
        /^no alert came in all the time of --duration; if Falco has raised some, find out why with doctor$/m,
      );
      assert.equal(read("a.jsonl"), "");
      assert.equal(provenanceOf("a.jsonl").end, "duration");
    });
  });

  it("fails after its duration if there was never a Falco or a file, and leaves nothing", async () => {
    const nowhere = [
      [`unix://${out("none.sock")}`, "connection", "Find out why with doctor"],
      [pathToFileURL(out("none.jsonl")).href, "file", "Check the path"],
    ] as const;
    for (const [address, what, remedy] of nowhere) {
      const { status, stdout, stderr } = await runCli(
        ["record", address, "-o", out("a.jsonl"), "--duration", "300ms"],
      );
      assert.deepEqual([status, stdout], [1, ""], stderr);
      assert.equal(
        stderr.split("\n").at(-2),
        `Cannot record from ${address}: there was no ${what} in all the time of --duration. ${remedy}`,
      );
      assert.deepEqual(readdirSync(folder), []);
    }
  });
});

describe("record that is stopped", { skip: process.platform === "win32" }, () => {
  for (const [signal, status] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    it(`writes all that came before ${signal}, and ends with ${status}`, async () => {
      await withFake(async (fake) => {
        const running = startCli(["record", fake.address, "-o", out("a.jsonl")]);
        fake.push(...incident);
        await grown(running, "a.jsonl", incident.length);
        process.kill(running.child.pid!, signal);
        const result = await running.finished;
        assert.equal(result.status, status, result.stderr);
        assert.deepEqual(lines(read("a.jsonl")), incident.map(formatAlert));
        const { end, alerts, digest } = provenanceOf("a.jsonl");
        assert.deepEqual([end, alerts], ["interrupted", incident.length]);
        assert.equal(digest, digestIn(result.stderr));
      });
    });
  }

  it("leaves whole lines, and a provenance that says so, when it is killed", async () => {
    await withFake(async (fake) => {
      const running = startCli(["record", fake.address, "-o", out("a.jsonl")]);
      const storm = Array.from({ length: 200 }, () => incident).flat();
      fake.push(...storm);
      await grown(running, "a.jsonl", 10);
      process.kill(running.child.pid!, "SIGKILL");
      await running.finished;
      const text = read("a.jsonl");
      assert(text.endsWith("}\n"));
      const written = lines(text);
      assert.deepEqual(written, storm.slice(0, written.length).map(formatAlert));
      assert.equal(provenanceOf("a.jsonl").end, "running");
      const replayed = await runCli(["replay", out("a.jsonl"), "--format", "summary"]);
      assert.equal(replayed.status, 0, replayed.stderr);
    });
  });

  it("keeps what it has when Falco goes and it is not to wait", async () => {
    const fake = await FakeFalco.start();
    fake.push(...incident);
    const running = startCli(["record", fake.address, "-o", out("a.jsonl"), "--no-reconnect"]);
    await grown(running, "a.jsonl", incident.length);
    await fake.kill();
    const { status, stderr } = await running.finished;
    assert.equal(status, 1);
    assert.match(stderr, /^Lost the connection to /m);
    assert.deepEqual(lines(read("a.jsonl")), incident.map(formatAlert));
    const { end, error } = provenanceOf("a.jsonl");
    assert.equal(end, "failed");
    assert.match(error!, /^Lost the connection to /);
    await fake[Symbol.asyncDispose]();
  });

  it("leaves nothing behind if there was no connection to begin with", async () => {
    const target = ["record", out("none.sock"), "-o", out("a.jsonl"), "--no-reconnect"];
    for (const more of [[], ["--max-bytes", "1000"]]) {
      const { status, stdout, stderr } = await runCli([...target, ...more]);
      assert.deepEqual([status, stdout], [1, ""], stderr);
      assert.match(stderr, /^Cannot connect to .*no such file/m);
      assert.deepEqual(readdirSync(folder), []);
    }
  });

  it("fails with a sentence when the disk is full", {
    // Deno opens nothing in /dev without all permissions.
    skip: "Deno" in globalThis || !existsSync("/dev/full") ? "there is no /dev/full" : false,
  }, async () => {
    const { symlinkSync } = await import("node:fs");
    symlinkSync("/dev/full", out("a.jsonl"));
    await withFake(async (fake) => {
      fake.push(...incident);
      const args = ["record", fake.address, "-o", out("a.jsonl"), "--force"];
      const { status, stdout, stderr } = await runCli(args);
      assert.deepEqual([status, stdout], [1, ""], stderr);
      assert.match(stderr, /^Cannot write to .*a\.jsonl: .*(ENOSPC|[Nn]o space)/m);
      assert.equal(provenanceOf("a.jsonl").end, "failed");
    });
  });
});

describe("record's arguments", () => {
  it("explains itself", async () => {
    const { status, stdout } = await runCli(["record", "--help"]);
    assert.equal(status, 0);
    for (const word of ["-o, --output FILE", "--redact FIELD", "--max-bytes N", "--duration"]) {
      assert(stdout.includes(word), word);
    }
    assert.match(stdout, /FILE\.provenance\.json/);
  });

  it("refuses what it cannot use with status 2", async () => {
    const o = ["-o", out("a.jsonl")];
    const cases: [args: string[], message: RegExp][] = [
      [[], /^where to write is missing\. Give -o FILE/],
      [["-o", out("a.txt")], /a\.txt: unknown kind of recording\. Name it \.wire\.jsonl /],
      [["-o", out(".jsonl")], /unknown kind of recording/],
      [["-o", out("no/such/a.jsonl")], /a\.jsonl: it cannot be written \(/],
      [[...o, "--max-bytes", "0"], /^--max-bytes must be a whole number from 1 on/],
      [[...o, "--duration", "30"], /^--duration must be a time above 0 with its unit .*"30"$/m],
      [[...o, "--duration", "0s"], /^--duration must be a time above 0/],
      [[...o, "--redact"], /^the option --redact needs a value/],
      [[...o, "--filter", "="], /^--filter:1:1: /],
      [[...o, out("nothing"), "more"], /^unexpected argument/],
    ];
    for (const [args, message] of cases) {
      const { status, stdout, stderr } = await runCli(["record", ...args]);
      assert.deepEqual([status, stdout], [2, ""], `${args.join(" ")}: ${stderr}`);
      assert.match(stderr, message);
    }
    assert.deepEqual(readdirSync(folder), []);
  });
});
