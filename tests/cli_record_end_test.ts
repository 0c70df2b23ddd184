/** How `record` ends: after its time, on a signal, without a Falco, on a full disk. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { FakeFalco } from "../harness/fake_falco.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import {
  digestIn,
  folder,
  grown,
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

describe("record", () => {
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

  it("leaves whole lines but for the last, and a provenance that says so, when it is killed", async () => {
    await withFake(async (fake) => {
      const running = startCli(["record", fake.address, "-o", out("a.jsonl")]);
      const storm = Array.from({ length: 200 }, () => incident).flat();
      fake.push(...storm);
      await grown(running, "a.jsonl", 10);
      process.kill(running.child.pid!, "SIGKILL");
      await running.finished;
      // The system may cut the write that is under way, at the end of any page of memory.
      const text = read("a.jsonl");
      const whole = text.slice(0, text.lastIndexOf("\n") + 1);
      const written = lines(whole);
      assert(written.length >= 10);
      assert.deepEqual(written, storm.slice(0, written.length).map(formatAlert));
      assert.equal(provenanceOf("a.jsonl").end, "running");
      const next = storm[written.length];
      if (whole !== text) assert(formatAlert(next!).startsWith(text.slice(whole.length)));
      writeFileSync(out("a.jsonl"), whole);
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
