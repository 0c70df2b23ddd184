/** A Falco that is there and does nothing, until nobody can connect any more. */
import assert from "node:assert/strict";
import { connect as dial } from "node:net";
import process from "node:process";
import { test } from "node:test";
import { FakeClock } from "../harness/fake_clock.ts";
import { connect } from "../lib/client/connect.ts";
import { FalcoConnectError } from "../lib/errors.ts";
import { rejection, withSocketPath } from "./client_probes.ts";
import { passAll, Story } from "./reconnect_probes.ts";
import { startCli } from "./run_cli.ts";

/** Node and Deno ask for room for 511 or 4096, of which the system gives what it likes. */
const MOST = 10_000;

/** Fills the queue of connections that nobody takes; one whose client has left is still in it. */
async function fillQueue(path: string): Promise<void> {
  for (let count = 0; count < MOST; count++) {
    const isIn = await new Promise<boolean>((resolve) => {
      const socket = dial(path);
      socket.once("error", () => resolve(false));
      socket.once("connect", () => {
        socket.destroy();
        resolve(true);
      });
    });
    if (!isIn) return;
  }
  throw new Error(`${MOST} connections, and the queue is not full`);
}

test("Subscription outlasts a Falco that hangs, and that nobody can connect to", {
  timeout: 120_000,
  // A stopped process is one of POSIX, and a full queue is refused at once on Linux only.
  skip: process.platform !== "linux",
}, async () => {
  await withSocketPath(async (path) => {
    const { child, finished, firstLine } = startCli(["fake", "--listen", path]);
    // Not child.kill(): on Deno it does nothing when called again.
    const signal = (name: NodeJS.Signals) => process.kill(child.pid!, name);
    const clock = new FakeClock();
    const falco = connect(path, { clock, connectTimeoutMs: 1e9 });
    try {
      await firstLine;
      signal("SIGSTOP");
      await fillQueue(path);
      const error = await rejection(falco.version());
      assert(error instanceof FalcoConnectError);
      assert.deepEqual([error.reason, error.passing], ["refused", true]);
      // Bun reports that nobody listens.
      const message = "Bun" in globalThis
        ? /: nobody listens/
        : /: too many connections wait, and /;
      assert.match(error.message, message);

      const alerts = falco.outputs.subscribe();
      const story = new Story(alerts);
      const read = alerts.getReader().read();
      await passAll(clock, story.nth("reconnecting", 3));
      signal("SIGCONT");
      await passAll(clock, story.nth("open", 1));
      await falco.close();
      assert.equal((await read).done, true);
    } finally {
      signal("SIGCONT");
      await falco.close();
      child.kill("SIGTERM");
      await finished;
    }
  });
});
