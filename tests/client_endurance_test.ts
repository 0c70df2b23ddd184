/** What a client leaves behind: nothing, however often and however long it is used. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { credentials, testWays, transports, wires } from "./client_probes.ts";
import { runChild } from "./run_child.ts";

/** Bun gives a test five seconds otherwise. */
const patient = { timeout: 120_000 };

testWays("1,000 clients leave no descriptor, listener or timer", async (way) => {
  const { kind, transport } = way;
  const rounds = kind === "unix" && transport === "own" ? 1000 : 250;
  // A process of its own: nothing else opens anything there.
  const { status, stdout, stderr } = await runChild("many_clients.ts", {
    args: [String(rounds), transport, String(kind === "tls")],
  });
  assert.equal(status, 0, stderr);
  const { descriptors, ...others } = JSON.parse(stdout);
  // Runtimes open one or two of their own with time, however many clients there are.
  assert(descriptors < 10, `${descriptors} descriptors are left`);
  assert.deepEqual(others, { listeners: 0, signalListeners: 0, timers: 0 });
}, patient);

for (const transport of transports) {
  test(
    `A reader that stops leaves its alerts to Falco, then gets all (${transport})`,
    patient,
    async () => {
      const count = transport === "own" ? 200_000 : 50_000;
      const fake = await FakeFalco.start();
      try {
        const alert = buildAlert();
        for (let index = 0; index < count; index++) {
          fake.push({ ...alert, output: `alert ${index}` });
        }
        const { status, stdout, stderr } = await runChild("flat_memory.ts", {
          args: [fake.address, String(count), transport],
          heapMb: 64,
        });
        assert.equal(status, 0, stderr);
        const { grownMb, receivedWhileStopped, total } = JSON.parse(stdout);
        assert.equal(total, count);
        assert.equal(fake.queueDepth, 0);
        assert(receivedWhileStopped < 3000, `${receivedWhileStopped}`);
        assert(grownMb < 32, `${grownMb} MB`);
      } finally {
        await fake[Symbol.asyncDispose]();
      }
    },
  );
}

for (const wire of wires) {
  test(
    `A client that is left as it is lets the process end, over ${wire.name}`,
    patient,
    async () => {
      const fake = await FakeFalco.start({ tls: wire.tls });
      const tls = wire.tls === false ? "" : JSON.stringify(credentials);
      try {
        for (const what of ["version", "get", "subscribe"]) {
          fake.push(buildAlert());
          const { status, stdout, stderr } = await runChild("idle_client.ts", {
            args: [fake.address, tls, what],
          });
          assert.equal(status, 0, `${what}: ${stderr}`);
          assert.equal(stdout, "idle\n");
        }
      } finally {
        await fake[Symbol.asyncDispose]();
      }
    },
  );
}
