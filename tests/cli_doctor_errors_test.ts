/** `doctor` on each thing that can be wrong, word for word; that it takes nothing is in cli_doctor_test.ts. */
import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { createServer as createHttp2Server } from "node:http2";
import { FakeFalco } from "../harness/fake_falco.ts";
import { mayOpenAll, withServer } from "./client_probes.ts";
import {
  argumentsFor,
  noGrpc,
  pattern,
  prepareTroubles,
  removeTroubles,
  troubles,
} from "./connect_troubles.ts";
import { runChild } from "./run_child.ts";
import { runCli } from "./run_cli.ts";
import type { Finished } from "./run_cli.ts";

const isRoot = await mayOpenAll();
const patient = { timeout: 120_000 };

before(prepareTroubles);
after(removeTroubles);

function assertDoctor({ status, stdout, stderr }: Finished, expected: RegExp): void {
  assert.equal(status, 1, stderr);
  const { ok, checks } = JSON.parse(stdout);
  assert.equal(ok, false);
  const lines: string[] = checks
    .filter(({ state }: { state: string }) => state === "fail")
    .map((one: { check: string; text: string; remedy: string }) =>
      `${one.check}: ${one.text}. ${one.remedy}`
    );
  assert.match(lines[0] ?? stdout, expected);
}

describe("doctor says in words what is wrong if", () => {
  for (const { name, trouble, doctor, skip = false } of troubles) {
    it(name, { ...patient, skip }, async () => {
      await trouble(async (where) => {
        const args = ["doctor", "--json", ...argumentsFor(where)];
        assertDoctor(await runCli(args), pattern(doctor, where));
      });
    });
  }

  it("the socket belongs to another user", {
    ...patient,
    skip: isRoot ? false : "only root can become somebody else",
  }, async () => {
    const fake = await FakeFalco.start();
    try {
      const path = fake.address.slice("unix://".length);
      chmodSync(path.slice(0, path.lastIndexOf("/")), 0o755);
      chmodSync(path, 0o700);
      const words = "listening: permission denied. Connecting needs write permission on the " +
        "socket: run as its owner, or change its mode";
      const result = await runChild("other_user_cli.ts", { args: ["doctor", "--json", path] });
      assertDoctor(result, pattern(words, { address: fake.address }));
    } finally {
      await fake[Symbol.asyncDispose]();
    }
  });

  it("the server has no alerts to give", patient, async () => {
    const server = createHttp2Server((_, response) => {
      response.writeHead(200, { "content-type": "application/grpc", "grpc-status": "12" });
      response.end();
    });
    await withServer(server, "unix", async (address) => {
      const expected = `outputs: it offers no alerts: both services are unknown to it. ${noGrpc}`;
      assertDoctor(await runCli(["doctor", "--json", address]), pattern(expected, { address }));
    });
  });
});
