/** The same scenario is the same alerts, byte for byte: on every run, runtime, wire and load. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { AlertDigest } from "../cli/alert_digest.ts";
import { makeCertificates } from "../harness/certificates.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { scenarios } from "../harness/scenarios/mod.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { connect } from "../lib/client/connect.ts";
import { runCli } from "./run_cli.ts";

const RUNS = 5;

/**
 * What `replay` says of all bundled scenarios, and the same on Deno, Node and Bun. Whoever changes a
 * scenario changes what others may have written down: let the changelog say so.
 */
const ALL = "690c1d6745569065";

/** Processes that want the processors for themselves. */
const burners: { kill(): void; gone: Promise<unknown> }[] = [];
/** Bun gives a test 5 s unless it is told otherwise. */
const timeout = 120_000;
const command = "Deno" in globalThis ? ["eval"] : ["-e"];

/** Plays all of them, one after the other, to a client that reads as they come. */
async function play(tls: Parameters<typeof FakeFalco.start>[0]): Promise<string> {
  const fake = await FakeFalco.start(tls);
  const falco = connect(fake.address, { tls: fake.credentials });
  const digest = new AlertDigest();
  try {
    const alerts = falco.outputs.subscribe({ reconnect: false });
    const fed = (async () => {
      for (const scenario of Object.values(scenarios)) {
        await fake.replay(scenario, { maxQueued: 3 });
      }
      await fake.drained();
      void fake.stop();
    })();
    for await (const alert of alerts) digest.add(formatAlert(alert));
    await fed;
  } finally {
    await falco.close();
    await fake[Symbol.asyncDispose]();
  }
  return digest.text;
}

describe("the bundled scenarios on a machine with too much to do", () => {
  before(() => {
    for (let count = 0; count < 2; count++) {
      const child = spawn(process.execPath, [...command, "for (;;);"], { stdio: "ignore" });
      burners.push({ kill: () => child.kill("SIGKILL"), gone: once(child, "exit") });
    }
  });
  after(async () => {
    for (const { kill } of burners) kill();
    await Promise.all(burners.map(({ gone }) => gone));
  });

  for (const wire of ["a unix socket", "mutual TLS"]) {
    const skip = wire === "a unix socket" && process.platform === "win32";
    it(`are the same in ${RUNS} runs at once over ${wire}`, { skip, timeout }, async () => {
      const tls = wire === "mutual TLS" ? await makeCertificates() : false;
      const runs = await Promise.all(Array.from({ length: RUNS }, () => play({ tls })));
      assert.deepEqual(runs, Array(RUNS).fill(ALL));
    });
  }

  it(`are the same in ${RUNS} runs of replay`, { timeout }, async () => {
    const runs = await Promise.all(Array.from({ length: RUNS }, () => runCli(["replay"])));
    for (const { stdout, stderr } of runs) {
      assert.equal(stdout, runs[0]!.stdout);
      assert.match(stderr, new RegExp(`^digest: +${ALL}$`, "m"));
    }
  });
});
