/** Many fakes in one process at once, and nothing of them afterwards. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { makeCertificates } from "../harness/certificates.ts";
import type { Certificates } from "../harness/certificates.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { connect } from "../lib/client/connect.ts";
import { until } from "./waits.ts";

const COUNT = 200;

/** The files and sockets that this process has open; by another process, as Deno keeps them secret. */
function openFiles(): number {
  const { stdout } = spawnSync("ls", [`/proc/${process.pid}/fd`], { encoding: "utf8" });
  return stdout.split("\n").length;
}

/** Starts so many, gets an alert from each, and disposes of them. */
async function run(count: number, tls: boolean | Certificates): Promise<readonly string[]> {
  const fakes = await Promise.all(Array.from({ length: count }, () => FakeFalco.start({ tls })));
  await Promise.all(fakes.map(async (fake, index) => {
    fake.push(buildAlert({ rule: `r${index}` }));
    const falco = connect(fake.address, { tls: fake.credentials });
    for await (const { rule } of falco.outputs.subscribe()) {
      assert.equal(rule, `r${index}`);
      break;
    }
    await falco.close();
    await fake[Symbol.asyncDispose]();
  }));
  const addresses = fakes.map(({ address }) => address);
  assert.equal(new Set(addresses).size, count);
  return addresses;
}

describe(
  "many fakes at once",
  { skip: process.platform !== "linux" && "it counts in /proc" },
  () => {
    for (const wire of ["a unix socket", "TLS"]) {
      it(`${COUNT} of them, each on ${wire}, leave no file, socket or folder behind`, async () => {
        const tls = wire === "TLS" ? await makeCertificates() : false;
        await run(1, tls); // what a runtime opens once
        const before = openFiles();
        const addresses = await run(COUNT, tls);
        // Runtimes close sockets some turns later.
        await until("all is closed", () => openFiles() <= before);
        if (tls !== false) return;
        for (const address of addresses) {
          assert(!existsSync(dirname(address.slice("unix://".length))), address);
        }
      });
    }
  },
);
