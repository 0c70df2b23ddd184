/** `gateway` as a process: what it says, what it serves, how it stops. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { gatewaySchema } from "../gateway/mod.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { alerts, BareClient, rules } from "./fake_falco_clients.ts";
import { certificates, credentials } from "./gateway_probes.ts";
import { runCli, startCli } from "./run_cli.ts";
import type { Running } from "./run_cli.ts";

let folder: TempFolder;
before(async () => {
  folder = await makeTempFolder();
});
after(() => folder.remove());

let files = 0;
/** Writes a configuration. */
function config(text: string): string {
  const path = join(folder.path, `gateway-${++files}.yaml`);
  writeFileSync(path, text);
  return path;
}

const socket = () => join(folder.path, "gateway.sock");

/** Runs a gateway with a receiver and a listener of a replay window, and ends it whatever happens. */
async function withProcess(
  more: string,
  test: (
    running: Running,
    scene: { url: string; log(): Record<string, unknown>[] },
  ) => Promise<void>,
): Promise<void> {
  const path = config(`version: 1
${more}
sources:
  - { name: falco, type: http, listen: "127.0.0.1:0" }
listeners:
  - { name: local, address: "unix://${socket()}", replay: { alerts: 100 } }
`);
  const running = startCli(["gateway", "-c", path]);
  let stderr = "";
  running.child.stderr.on("data", (text: string) => stderr += text);
  const log = () =>
    stderr.split("\n").slice(0, -1).map((line) => JSON.parse(line) as Record<string, unknown>);
  try {
    assert.equal(await running.firstLine, `listening on unix://${socket()}`);
    let up: Record<string, unknown> | undefined;
    while (up === undefined) {
      up = log().find(({ source, state }) => source === "falco" && state === "up");
      if (up === undefined) {
        await new Promise((resolve) => running.child.stderr.once("data", resolve));
      }
    }
    const url = String(up["detail"]).replace("listening on ", "");
    await test(running, { url, log });
  } finally {
    running.child.kill("SIGKILL");
    await running.finished;
  }
}

async function post(url: string, from: number, to: number): Promise<void> {
  const body = `[${alerts(from, to).map((alert) => formatAlert(alert)).join(",")}]`;
  assert.equal((await fetch(url, { method: "POST", body })).status, 200);
}

describe("gateway", { skip: process.platform === "win32" }, () => {
  it("serves what is posted, outlives SIGHUP, and ends on SIGTERM with 0", async () => {
    await withProcess("drainMs: 20000", async ({ child, finished }, { url, log }) => {
      const client = new BareClient({ address: `unix://${socket()}`, credentials: undefined });
      try {
        await post(url, 1, 5);
        assert.deepEqual(await client.get(), rules(1, 5));
        process.kill(child.pid!, "SIGHUP");
        while (!log().some(({ event }) => event === "hang-up")) {
          await new Promise((resolve) => child.stderr.once("data", resolve));
        }
        const call = await client.sub(1);
        assert.deepEqual(await call.read(5), rules(1, 5));
        await post(url, 6, 9);
        process.kill(child.pid!, "SIGTERM");
        while (!log().some(({ event }) => event === "stopping")) {
          await new Promise((resolve) => child.stderr.once("data", resolve));
        }
        // It waits for this.
        call.request();
        assert.deepEqual(await call.read(4), rules(6, 9));
        await call.end();
        assert.equal(call.status, 0);
        const { status, stdout } = await finished;
        assert.equal(status, 0);
        assert.equal(stdout, `listening on unix://${socket()}\n`);
        assert(!existsSync(socket()));
        const { event, undelivered } = log().at(-1)!;
        assert.deepEqual([event, undelivered], ["stopped", 0]);
      } finally {
        await client.close();
      }
    });
  });

  it("keeps its deadline on SIGTERM, and says what is lost", async () => {
    await withProcess("drainMs: 100", async ({ child, finished }, { url, log }) => {
      const client = new BareClient({ address: `unix://${socket()}`, credentials: undefined });
      try {
        const call = await client.sub();
        await client.roundTrip();
        await post(url, 1, 5);
        const before = performance.now();
        process.kill(child.pid!, "SIGTERM");
        const { status } = await finished;
        assert(performance.now() - before < 5000);
        assert.equal(status, 0);
        const { event, undelivered, deadlineMissed } = log().at(-1)!;
        assert.deepEqual([event, undelivered, deadlineMissed], ["stopped", 5, true]);
        await call.end();
      } finally {
        await client.close();
      }
    });
  });

  it("ends on Ctrl-C with 130, and at once on the second one", async () => {
    await withProcess("drainMs: 60000", async ({ child, finished }, { url, log }) => {
      const client = new BareClient({ address: `unix://${socket()}`, credentials: undefined });
      try {
        await client.sub();
        await client.roundTrip();
        await post(url, 1, 1);
        process.kill(child.pid!, "SIGINT");
        while (!log().some(({ event }) => event === "stopping")) {
          await new Promise((resolve) => child.stderr.once("data", resolve));
        }
        process.kill(child.pid!, "SIGINT");
        assert.equal((await finished).status, 130);
      } finally {
        await client.close();
      }
    });
  });

  it("reads standard input to its end, and is done when clients have it all", async () => {
    const path = config(`version: 1
sources:
  - { name: in, type: stdin }
listeners:
  - { name: local, address: "unix://${socket()}", delivery: shared }
`);
    const { child, finished, firstLine } = startCli(["gateway", "-c", path]);
    await firstLine;
    child.stdin.end(alerts(1, 50).map((alert) => `${formatAlert(alert)}\n`).join(""));
    const client = new BareClient({ address: `unix://${socket()}`, credentials: undefined });
    const call = await client.sub();
    const got: string[] = [];
    while (got.length < 50) {
      call.request();
      await client.roundTrip().catch(() => {});
      got.push(...call.here());
    }
    assert.deepEqual(got, rules(1, 50));
    const { status, stderr } = await finished;
    assert.equal(status, 0, stderr);
    await client.close();
  });

  it("serves over mutual TLS, and nobody without a certificate", async () => {
    const { ca, server } = certificates;
    for (const [name, text] of Object.entries({ ca, cert: server.cert, key: server.key })) {
      writeFileSync(join(folder.path, name), text);
    }
    const path = config(`version: 1
sources:
  - { name: falco, type: http, listen: "127.0.0.1:0" }
listeners:
  - name: remote
    address: localhost:0
    tls: { ca: ${folder.path}/ca, cert: ${folder.path}/cert, key: ${folder.path}/key }
`);
    const { child, finished, firstLine } = startCli(["gateway", "-c", path]);
    const address = (await firstLine).replace("listening on ", "");
    const client = new BareClient({ address, credentials });
    await client.roundTrip();
    await client.close();
    const { makeCertificates } = await import("../harness/certificates.ts");
    const others = await makeCertificates();
    const stranger = new BareClient({
      address,
      credentials: { ca, cert: others.client.cert, key: others.client.key },
    });
    await assert.rejects(() => stranger.session());
    await stranger.close();
    process.kill(child.pid!, "SIGTERM");
    assert.equal((await finished).status, 0);
  });

  it("--check says that a file is right, and opens nothing", async () => {
    const path = config(`version: 1
sources:
  - { name: falco, type: file, path: /none }
listeners:
  - { name: local, address: "unix:///none/gateway.sock" }
`);
    const { status, stdout, stderr } = await runCli(["gateway", "--config", path, "--check"]);
    assert.equal(stderr, "");
    assert.equal(status, 0);
    assert.equal(stdout, `${path}: right (sources: 1, listeners: 1)\n`);
  });

  it("--schema prints what is published", async () => {
    const { status, stdout } = await runCli(["gateway", "--schema"]);
    assert.equal(status, 0);
    assert.deepEqual(JSON.parse(stdout), gatewaySchema());
    const file = new URL("../gateway/gateway.schema.json", import.meta.url);
    assert.deepEqual(JSON.parse(readFileSync(file, "utf8")), JSON.parse(stdout));
  });

  it("--help tells every option", async () => {
    const { status, stdout } = await runCli(["gateway", "--help"]);
    assert.equal(status, 0);
    for (const word of ["--config", "--check", "--schema", "SIGTERM", "SIGHUP", "Exit status"]) {
      assert(stdout.includes(word), word);
    }
    const width = Math.max(...stdout.split("\n").map((line) => line.length));
    assert(width <= 100, `${width}`);
  });

  const cases: readonly [name: string, args: () => string[], expected: RegExp][] = [
    ["no file", () => [], /^gateway needs --config FILE/],
    ["a file that is not there", () => ["-c", "none.yaml"], /^none\.yaml: .*Check the path/],
    ["an argument that is no option", () => ["x.yaml"], /^unexpected argument "x\.yaml"/],
    ["an unknown option", () => ["--chek"], /^unknown option "--chek"\. Did you mean --check\?/],
    [
      "a mistake in the file",
      () => ["-c", config("version: 1\nsources: []\n"), "--check"],
      /gateway-\d+\.yaml:2:10: Cannot read the gateway configuration: "sources" must be a list/,
    ],
  ];
  for (const [name, args, expected] of cases) {
    it(`refuses ${name} with one line and status 2`, async () => {
      const { status, stdout, stderr } = await runCli(["gateway", ...args()]);
      assert.equal(status, 2, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, expected);
      assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
    });
  }

  it("fails with 1 and one line where it cannot listen", async () => {
    const path = config(`version: 1
sources:
  - { name: falco, type: http, listen: "127.0.0.1:0" }
listeners:
  - { name: local, address: "unix:///dev/null/gateway.sock" }
`);
    const { status, stdout, stderr } = await runCli(["gateway", "-c", path]);
    assert.equal(status, 1, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /^Cannot listen at unix:\/\/\/dev\/null\/gateway\.sock: /);
  });
});
