/** `record` as a process: what it writes, and that a replay of it gives the same alerts. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { openFixture } from "../harness/fixtures/open_fixture.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { parseAlert } from "../lib/alert/parse_alert.ts";
import { decodeAlert } from "../lib/alert/wire.ts";
import {
  digestIn,
  folder,
  incident,
  lines,
  out,
  provenanceOf,
  read,
  useFolders,
  withFake,
} from "./record_probes.ts";
import { runCli, startCli } from "./run_cli.ts";

useFolders();

const recorded = (file: string): string =>
  fileURLToPath(new URL(`./fixtures/recorded/${file}`, import.meta.url));

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
