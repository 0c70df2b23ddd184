import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeCertificates, writeCertificates } from "../harness/certificates.ts";
import { contractBehaviours } from "../harness/contract/run_contract.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import { runCli } from "./run_cli.ts";
import { alerts } from "./fake_falco_clients.ts";
import { within } from "./waits.ts";
import { kind } from "./wrong_falcos.ts";

const quick = ["--quiet-ms", "10"];

describe("contract", () => {
  it("prints a line a behaviour, and ends with 0 if nothing differs", async () => {
    const fake = await FakeFalco.start();
    try {
      fake.push(...alerts(1, 3));
      const { status, stdout, stderr } = await runCli(["contract", fake.address, ...quick]);
      const lines = stdout.trimEnd().split("\n");
      assert.equal(lines.length, contractBehaviours.length);
      assert.ok(lines.every((line) => /^(agrees {3}|not run {2})[\w ]+: /.test(line)), stdout);
      assert.ok(lines.includes("agrees   get: get ends with OK"));
      assert.ok(
        lines.includes(
          "not run  sub: sub sends nothing without a request (alerts cannot be made here)",
        ),
      );
      assert.match(stderr, /^alerts that are in the queue are taken out; --read-only/);
      assert.match(stderr, /\nFalco 0\.43\.1 at unix:.*: \d+ agree, 0 differ, \d+ not run\n$/);
      assert.equal(status, 0);
      assert.equal(fake.queueDepth, 0);
    } finally {
      await fake[Symbol.asyncDispose]();
    }
  });

  it("leaves the queue alone with --read-only, and says nothing of taking", async () => {
    const fake = await FakeFalco.start();
    try {
      fake.push(...alerts(1, 3));
      const args = ["contract", "--read-only", fake.address, ...quick];
      const { status, stdout, stderr } = await runCli(args);
      assert.deepEqual([status, fake.queueDepth], [0, 3]);
      assert.match(stdout, /^not run {2}get: get ends with OK \(it takes alerts out/m);
      assert.doesNotMatch(stderr, /taken out/);
    } finally {
      await fake[Symbol.asyncDispose]();
    }
  });

  it("prints JSON, and ends with 1 if something differs", async () => {
    const server = await kind();
    try {
      const args = ["--json", "--falco-version", "0.43.1", "--timeout-ms", "2000", ...quick];
      const { status, stdout, stderr } = await runCli(["contract", server.address, ...args]);
      assert.equal(status, 1);
      assert.match(stderr, /\d+ differ/);
      const results = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
      const hang = results.find(({ name }) => name === "half-close without a request hangs");
      assert.deepEqual([hang.outcome, hang.section], ["differs", "sub"]);
      assert.match(hang.detail, /^events: \["headers"/);
      const get = results.find(({ name }) => name === "get ends with OK");
      assert.deepEqual(get, { outcome: "agrees", section: "get", name: "get ends with OK" });
    } finally {
      await server.close();
    }
  });

  it("takes certificates by their folder, a version, threads, and a part of a name", async () => {
    const folder = await makeTempFolder();
    const certificates = await makeCertificates();
    await writeCertificates(folder.path, certificates);
    const fake = await FakeFalco.start({ tls: certificates, falcoVersion: "0.19.0" });
    try {
      const { status, stdout, stderr } = await runCli([
        "contract",
        fake.address,
        ...["--certs", folder.path, "--falco-version", "0.19.0", "--threadiness", "2"],
        ...["--only", "tls", ...quick],
      ]);
      assert.equal(status, 0, stderr);
      assert.match(stdout, /^agrees {3}TLS: TLSv1\.2 is spoken$/m);
      assert.ok(stdout.trimEnd().split("\n").every((line) => line.startsWith("agrees   TLS: ")));
    } finally {
      await fake[Symbol.asyncDispose]();
      await folder.remove();
    }
  });

  it("lists the behaviours, and how each is looked at", async () => {
    const { status, stdout } = await runCli(["contract", "--list"]);
    assert.equal(status, 0);
    for (const { name, check } of contractBehaviours) {
      assert.ok(stdout.includes(name) && stdout.includes(`looked at: ${check}\n`), name);
    }
  });

  it("warns in its help of what it does to a real Falco", async () => {
    const { status, stdout } = await runCli(["contract", "--help"]);
    assert.equal(status, 0);
    assert.match(stdout, /TAKES ALERTS OUT OF THE QUEUE/);
    assert.match(stdout, /--read-only/);
  });

  for (
    const { args, message } of [
      { args: [], message: /needs an address.*takes alerts out.*--read-only/s },
      { args: ["unix:///a", "unix:///b"], message: /unexpected argument "unix:\/\/\/b"/ },
      { args: ["http://localhost:1"], message: /over TCP Falco speaks only TLS/ },
      { args: ["https://localhost:1"], message: /needs --ca, --cert, --key: .*--certs DIR/s },
      { args: ["unix:///a", "--ca", "x"], message: /certificates are for TLS/ },
      { args: ["unix:///a", "--only", "nonsense"], message: /no behaviour has "nonsense"/ },
      { args: ["unix:///a", "--falco-version", "x"], message: /"falcoVersion" must be three/ },
      { args: ["unix:///a", "--quiet-ms", "0"], message: /--quiet-ms must be a whole number/ },
      { args: ["unix:///a", "--threadiness", "0"], message: /--threadiness must be a whole/ },
    ]
  ) {
    it(`refuses ${args.join(" ") || "to run without arguments"}`, async () => {
      const { status, stdout, stderr } = await runCli(["contract", ...args]);
      assert.deepEqual([status, stdout], [2, ""]);
      assert.match(stderr, message);
    });
  }

  it("ends with 1 and a sentence if nobody is there", async () => {
    const address = "unix:///tmp/there-is-no-falco-here.sock";
    const { status, stdout, stderr } = await within("the end", runCli(["contract", address]));
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, /Cannot connect to unix:.*no such file/);
  });
});
