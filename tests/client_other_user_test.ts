/** A socket that belongs to somebody else, as Falco's does to root. */
import assert from "node:assert/strict";
import { chmod } from "node:fs/promises";
import { test } from "node:test";
import { FakeFalco } from "../harness/fake_falco.ts";
import { mayOpenAll } from "./client_probes.ts";
import { runChild } from "./run_child.ts";

// Only root can become somebody else; client_connect_test.ts has this case for everybody else.
const isRoot = await mayOpenAll();

test("FalcoClient reports a socket of another user", { skip: !isRoot }, async () => {
  const fake = await FakeFalco.start();
  try {
    const path = fake.address.slice("unix://".length);
    await chmod(path.slice(0, path.lastIndexOf("/")), 0o755);
    await chmod(path, 0o700);
    const { status, stdout, stderr } = await runChild("other_user.ts", {
      args: [path],
      asOther: true,
    });
    assert.equal(status, 0, stderr);
    const told = JSON.parse(stdout);
    assert.equal(told.length, 3);
    for (const one of told) {
      assert.deepEqual(one, {
        reason: "permission",
        passing: false,
        message: `Cannot connect to ${fake.address}: permission denied. ` +
          "Falco creates the socket for its own user; run as that user or change its mode",
      });
    }
  } finally {
    await fake[Symbol.asyncDispose]();
  }
});
