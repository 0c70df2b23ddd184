/** Falcos that are killed, come back, and lose their socket. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { buildAlert } from "../harness/build_alert.ts";
import { writeCertificates } from "../harness/certificates.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import { connect } from "../lib/client/connect.ts";
import { FalcoConnectError } from "../lib/errors.ts";
import { certificates, credentials, rejection } from "./client_probes.ts";

import { push, rules, testFaults } from "./fault_probes.ts";
import { withOwnPort } from "./own_port.ts";
import { assertNobodyThere, passAll, Story } from "./reconnect_probes.ts";
import { startCli } from "./run_cli.ts";
import { outcome } from "./stream_probes.ts";
import { until } from "./waits.ts";

/** Processes have to start; Bun gives a test five seconds otherwise. */
const patient = { timeout: 120_000 };

testFaults(
  "Subscription goes on after a restart in mid-drain, and says that there is a gap",
  [{ type: "restart", afterAlerts: 3, downMs: 5_000 }],
  async ({ fake, falco, clock }) => {
    push(fake, 0, 50);
    const alerts = falco.outputs.subscribe();
    const story = new Story(alerts);
    const reader = alerts.getReader();
    for (const rule of rules(0, 3)) assert.equal((await reader.read()).value?.rule, rule);
    const read = reader.read();
    await story.nth("reconnecting", 1);
    // The queue went with the process; what comes now is in the new one.
    assert.equal(fake.faults[0]?.lostAlerts, 47);
    push(fake, 50, 52);
    assert.equal((await passAll(clock, read)).value?.rule, "r50");
    assert.equal((await reader.read()).value?.rule, "r51");
    await reader.cancel();
    await story.told;
    assert.match(
      story.types,
      /^connecting open reconnecting connecting (reconnecting connecting )*open gap closed$/,
    );
    assert.equal((story.of("reconnecting")[0]!.error as FalcoConnectError).reason, "lost");
    assertNobodyThere(story);
    const { received, gaps } = alerts.stats();
    assert.deepEqual([received, gaps], [5, 1]);
    assert(story.of("gap")[0]!.lostMs >= 5_000);
  },
);

testFaults(
  "Subscription survives ten restarts",
  [{ type: "restart", afterAlerts: 5, times: 10 }],
  async ({ fake, falco, clock }) => {
    const alerts = falco.outputs.subscribe({ reconnect: { maxDelayMs: 1_000 } });
    const story = new Story(alerts);
    const reader = alerts.getReader();
    for (let round = 0; round < 11; round++) {
      // Neither before the restart, which would lose them, nor in its middle.
      await until("it has restarted", () => fake.faults.length === round);
      push(fake, round * 5, round * 5 + 5);
      for (const rule of rules(round * 5, round * 5 + 5)) {
        assert.equal((await passAll(clock, reader.read())).value?.rule, rule);
      }
    }
    await reader.cancel();
    await story.told;
    const { received, gaps } = alerts.stats();
    assert.deepEqual([received, gaps], [55, 10]);
    assert.equal(story.of("gap").length, 10);
  },
);

testFaults(
  "Subscription waits while nobody listens, and nobody is troubled who is connected",
  [{ type: "refuse", forMs: 60_000 }],
  async ({ fake, falco, clock }) => {
    await until("nobody listens", async () => {
      const probe = connect(fake.address, { tls: fake.credentials });
      const refused = await probe.version().then(() => false, () => true);
      await probe.close();
      return refused;
    });
    const error = await rejection(falco.version());
    assert(error instanceof FalcoConnectError);
    assert.equal(error.reason, "refused");
    push(fake, 0, 1);
    const alerts = falco.outputs.subscribe();
    const story = new Story(alerts);
    const reader = alerts.getReader();
    const first = reader.read();
    clock.advance((await story.nth("reconnecting", 1)).delayMs);
    await story.nth("reconnecting", 2);
    assert.equal((await passAll(clock, first)).value?.rule, "r0");
    // It never was there before: nothing can have been missed.
    assert.equal(alerts.stats().gaps, 0);
    await reader.cancel();
  },
);

test("Subscription finds a socket file that was deleted and made again", async () => {
  const clock = new FakeClock(1000);
  const fake = await FakeFalco.start({ tls: false, clock });
  const falco = connect(fake.address, { clock, connectTimeoutMs: 1e9 });
  try {
    const alerts = falco.outputs.subscribe();
    const story = new Story(alerts);
    const reader = alerts.getReader();
    push(fake, 0, 1);
    assert.equal((await reader.read()).value?.rule, "r0");
    // For longer than the clock is moved until it is to come back.
    const goneMs = 1e8;
    fake.inject({ type: "socket", forMs: goneMs });
    const path = fake.address.slice("unix://".length);
    await until("it is gone", () => !existsSync(path));
    // Who is connected does not notice.
    push(fake, 1, 2);
    const second = reader.read();
    assert.equal((await passAll(clock, second)).value?.rule, "r1");
    assert.equal(story.types, "connecting open");
    fake.inject({ type: "drop" });
    const third = reader.read();
    clock.advance((await story.nth("reconnecting", 1)).delayMs);
    await story.nth("reconnecting", 2);
    push(fake, 2, 3);
    clock.advance(goneMs);
    assert.equal((await passAll(clock, third)).value?.rule, "r2");
    const reasons = story.of("reconnecting").map(({ error }) =>
      (error as FalcoConnectError).reason
    );
    assert.equal(reasons[0], "lost");
    assert(reasons.slice(1).every((reason) => reason === "not-found"), String(reasons));
    assert.equal(alerts.stats().gaps, 1);
    await reader.cancel();
  } finally {
    await falco.close();
    await fake[Symbol.asyncDispose]();
  }
});

for (const kind of ["unix", "tls"] as const) {
  test(
    `Subscription outlives a process that is killed in mid-drain (${kind})`,
    patient,
    () =>
      withOwnPort(async (port) => {
        const folder = await makeTempFolder();
        const file = `${folder.path}/alerts.jsonl`;
        const count = 20_000;
        await writeCertificates(`${folder.path}/certs`, certificates);
        const lines = Array.from(
          { length: count },
          (_, n) => formatAlert(buildAlert({ rule: `r${n}` })),
        );
        await writeFile(file, lines.join("\n"));
        const place = kind === "tls"
          ? ["--listen", `localhost:${port}`, "--certs", `${folder.path}/certs`]
          : ["--listen", `unix://${folder.path}/falco.sock`];
        const start = () => startCli(["fake", ...place, "--fixture", file]);
        const first = start();
        const address = (await first.firstLine).replace("listening on ", "");
        const falco = connect(address, kind === "tls" ? { tls: credentials } : {});
        let second: ReturnType<typeof start> | undefined;
        try {
          const alerts = falco.outputs.subscribe({ reconnect: { maxDelayMs: 300 } });
          const story = new Story(alerts);
          const reader = alerts.getReader();
          const next = async () => (await reader.read()).value!.rule;
          for (const rule of rules(0, 100)) assert.equal(await next(), rule);
          first.child.kill("SIGKILL");
          await first.finished;
          second = start();
          // What was on its way comes in order; then the new process begins at its beginning.
          let last = 99;
          let rule = await next();
          for (; rule !== "r0"; rule = await next()) assert.equal(rule, `r${++last}`);
          assert(last < count - 1, "it was not in mid-drain");
          await second.firstLine;
          for (const expected of rules(1, 500)) assert.equal(await next(), expected);
          await reader.cancel();
          await story.told;
          const { reason } = story.of("reconnecting")[0]!.error as FalcoConnectError;
          assert.equal(reason, "lost");
          assertNobodyThere(story);
          const { gaps, received, reconnects } = alerts.stats();
          assert.equal(gaps, 1);
          assert(received >= last + 1 + 500);
          assert.equal(reconnects, story.of("reconnecting").length);
        } finally {
          await falco.close();
          second?.child.kill("SIGKILL");
          first.child.kill("SIGKILL");
          await second?.finished;
          await folder.remove();
        }
      }),
  );
}

test("fake arms the faults of its fixture, and says which struck", patient, async () => {
  const folder = await makeTempFolder();
  const file = `${folder.path}/incident.yaml`;
  await writeFile(
    file,
    `version: 1
name: n
alerts: [{ priority: notice, rule: r, output: o, repeat: 5 }]
faults: [{ type: reset, code: 8, afterAlerts: 2 }]
`,
  );
  const running = startCli(["fake", "--listen", `unix://${folder.path}/f.sock`, "--fixture", file]);
  const falco = connect((await running.firstLine).replace("listening on ", ""));
  try {
    const { items, error } = await outcome(falco.outputs.get());
    assert.equal(items.length, 2);
    assert(error instanceof FalcoConnectError);
    assert.equal((await outcome(falco.outputs.get())).items.length, 3);
  } finally {
    await falco.close();
    running.child.kill("SIGINT");
    const { stderr } = await running.finished;
    await folder.remove();
    assert.match(stderr, /^1 fault is armed\n/);
    assert.match(stderr, /\nfaults that struck: reset\n/);
  }
});
