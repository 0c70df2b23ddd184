/** What a Falco, or whoever stands in for it, says of itself reaches no terminal as it is. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { startCli } from "./run_cli.ts";

const ESCAPE = "\x1b";

it("tail prints the message of a status without terminal sequences", async () => {
  const fake = await FakeFalco.start({
    faults: [{
      type: "status",
      status: 14,
      message: `gone${ESCAPE}[2J${ESCAPE}]0;owned\x07\nnext`,
    }],
  });
  try {
    const running = startCli(["tail", fake.address, "--limit", "1"]);
    await fake.waitForSubscriber({ timeoutMs: 30_000 });
    // The fault ends the first call; the alert is for the one after it.
    fake.push(buildAlert());
    const { status, stderr } = await running.finished;
    assert.equal(status, 0, stderr);
    const lines = stderr.split("\n").filter((line) => line.includes("gone"));
    assert.equal(lines.length, 1, stderr);
    assert.match(lines[0]!, /gone\\x1b\[2J\\x1b\]0;owned\\x07\\nnext.*Trying again in/);
    assert(!stderr.includes(ESCAPE) && !stderr.includes("\x07"));
  } finally {
    await fake[Symbol.asyncDispose]();
  }
});
