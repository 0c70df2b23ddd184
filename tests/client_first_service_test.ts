/** Falco 0.18 to 0.23: another service, each poll a call of its own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { connect } from "../lib/client/connect.ts";
import { type FalcoConnectError, FalcoRpcError } from "../lib/errors.ts";
import { GRPC_HEADERS, rejection, testOnWires, testWays, withAnswer } from "./client_probes.ts";
import { withPlace } from "./own_port.ts";
import { passAll, Story } from "./reconnect_probes.ts";
import { outcome, settled } from "./stream_probes.ts";
import { until } from "./waits.ts";

const FIRST = "falco.output.service/subscribe";
const SECOND = "falco.outputs.service/sub";

/** The methods that were called, in order. */
function methodsOf(fake: FakeFalco): string[] {
  return fake.requests.map(({ method }) => method);
}

const old = { falcoVersion: "0.23.0", connectTimeoutMs: 1e9 };

testOnWires(
  "outputs.get() drains a Falco before 0.24, and remembers which it is",
  async ({ fake, falco }) => {
    fake.push(buildAlert({ rule: "a", source: "k8s_audit" }), buildAlert({ rule: "b" }));
    const alerts = await Array.fromAsync(falco.outputs.get());
    assert.deepEqual(alerts.map(({ rule }) => rule), ["a", "b"]);
    assert.deepEqual(alerts.map(({ source }) => source), ["k8s_audit", "syscall"]);
    assert.deepEqual(alerts[0]!.tags, []);
    assert.deepEqual(await Array.fromAsync(falco.outputs.get()), []);
    assert.deepEqual(methodsOf(fake), ["falco.outputs.service/get", FIRST, FIRST]);
    assert(
      fake.requests.slice(1).every(({ halfClosed, requests }) => halfClosed && requests === 1),
    );
  },
  old,
);

testOnWires(
  "Subscription polls a Falco before 0.24 with a call each time",
  async ({ fake, falco, clock }) => {
    fake.push(buildAlert({ rule: "a" }), buildAlert({ rule: "b" }));
    const alerts = falco.outputs.subscribe();
    const story = new Story(alerts);
    const reader = alerts.getReader();
    const next = async (): Promise<string | undefined> => (await reader.read()).value?.rule;
    assert.equal(await next(), "a");
    assert.equal(await next(), "b");
    const third = next();
    const calls = (): number => fake.requests.length;
    const over = (): boolean => fake.requests.every(({ open }) => !open);
    let expected = 2;
    for (const interval of [10, 10, 20, 40, 80, 160, 320, 640, 1000, 1000]) {
      await until("it waits", () => over() && clock.pending === 1);
      clock.advance(interval - 1);
      await settled();
      assert.equal(calls(), expected, `before ${interval} ms`);
      clock.advance(1);
      expected++;
      await until(`it asks after ${interval} ms`, () => calls() === expected);
    }
    await until("it waits", () => over() && clock.pending === 1);
    fake.push(buildAlert({ rule: "c" }));
    clock.advance(1000);
    assert.equal(await third, "c");
    assert.equal(alerts.stats().polls, expected + 1);
    // No call is a connection lost.
    assert.equal(story.types, "connecting open open");
    assert.deepEqual(story.of("open").map(({ service }) => service), [SECOND, FIRST]);
    const last = next();
    await until("it waits", () => over() && clock.pending === 1);
    await reader.cancel();
    await last;
    assert.equal(clock.pending, 0);
    await story.told;
    assert.equal(story.types, "connecting open open closed");
    assert.deepEqual(methodsOf(fake).filter((method) => method !== FIRST), [SECOND]);
  },
  old,
);

testOnWires("Subscription remembers which service a Falco has", async ({ fake, falco }) => {
  for (let round = 0; round < 3; round++) {
    fake.push(buildAlert());
    const alerts = falco.outputs.subscribe();
    const story = new Story(alerts);
    for await (const _ of alerts) break;
    await story.told;
    assert.equal(story.types, `connecting open ${round === 0 ? "open " : ""}closed`);
  }
  assert.deepEqual(methodsOf(fake), [SECOND, FIRST, FIRST, FIRST]);
}, old);

testWays(
  "Subscription follows an upgrade and a downgrade of Falco",
  ({ wire, transport }) =>
    withPlace(wire, async (place) => {
      const { tls } = wire;
      const first = await FakeFalco.start({ tls, falcoVersion: "0.23.0", ...place });
      const all = [first];
      const { address } = first;
      const clock = new FakeClock(1000);
      const falco = connect(address, {
        tls: first.credentials,
        transport,
        clock,
        connectTimeoutMs: 1e9,
      });
      const alerts = falco.outputs.subscribe();
      const story = new Story(alerts);
      const reader = alerts.getReader();
      try {
        first.push(buildAlert({ rule: "0.23.0" }));
        assert.equal((await reader.read()).value?.rule, "0.23.0");
        for (const falcoVersion of ["0.43.1", "0.18.0", "0.24.0"]) {
          const next = reader.read();
          await settled();
          await all.at(-1)!.kill();
          const fake = await FakeFalco.start({ listen: address, tls, falcoVersion });
          all.push(fake);
          fake.push(buildAlert({ rule: falcoVersion }));
          // Between two polls of the oldest Falco nobody tells of a loss: the next poll sees it.
          assert.equal((await passAll(clock, next)).value?.rule, falcoVersion);
        }
        const { received, gaps } = alerts.stats();
        assert.deepEqual([received, gaps], [4, 3]);
        for (const { error } of story.of("reconnecting")) {
          assert.equal((error as FalcoConnectError).reason, "lost");
        }
        assert.deepEqual(story.of("open").map(({ service }) => service), [
          SECOND,
          FIRST,
          FIRST,
          SECOND,
          SECOND,
          FIRST,
          FIRST,
          SECOND,
        ]);
      } finally {
        await falco.close();
        for (const fake of all.reverse()) await fake[Symbol.asyncDispose]();
      }
    }),
);

test("Subscription follows an upgrade of a Falco that never had an alert", async () => {
  const first = await FakeFalco.start({ falcoVersion: "0.23.0" });
  const clock = new FakeClock(1000);
  const falco = connect(first.address, { clock, connectTimeoutMs: 1e9 });
  try {
    const read = falco.outputs.subscribe().getReader().read();
    await until("it polls", () => {
      clock.advance(10);
      return first.requests.length > 3;
    });
    await first.kill();
    const second = await FakeFalco.start({ listen: first.address });
    second.push(buildAlert({ rule: "the first one" }));
    assert.equal((await passAll(clock, read)).value?.rule, "the first one");
    await falco.close();
    await second.stop();
  } finally {
    await falco.close();
    await first[Symbol.asyncDispose]();
  }
});

testWays("Streams fail at once if neither service is there", async ({ kind, transport }) => {
  let asked = 0;
  await withAnswer((stream) => {
    asked++;
    stream.respond({ ...GRPC_HEADERS, "grpc-status": "12" }, { endStream: true });
  }, async (falco) => {
    for (let round = 1; round <= 2; round++) {
      for (const method of ["get", "sub"] as const) {
        const stream = method === "get" ? falco.outputs.get() : falco.outputs.subscribe();
        const { items, error } = await outcome(stream);
        assert.deepEqual(items, []);
        assert(error instanceof FalcoRpcError);
        assert.equal(error.status, 12);
        assert.equal(error.method, `falco.outputs.service/${method}`);
        assert.equal(
          error.message,
          "Cannot get alerts: the server offers neither falco.outputs.service (Falco 0.24 to " +
            "0.43) nor falco.output.service (0.18 to 0.23). Check that the address is Falco's; " +
            "0.44 has no gRPC",
        );
      }
    }
    // Each time once: nothing is remembered of a server that has neither.
    assert.equal(asked, 8);
  }, { kind, transport });
});

testOnWires("FalcoClient.version() works since 0.20", async ({ falco, fake }) => {
  const version = await falco.version();
  assert.equal(version.version, "0.20.0");
  assert.deepEqual([version.engineVersion, version.engineFieldsChecksum], ["", ""]);
  assert.equal(fake.falcoVersion, "0.20.0");
}, { falcoVersion: "0.20.0" });

testOnWires("FalcoClient.version() says that 0.18 and 0.19 have none", async ({ falco }) => {
  const error = await rejection(falco.version());
  assert(error instanceof FalcoRpcError);
  assert.equal(error.status, 12);
  assert.match(error.message, /does not offer that method: .+ tells its version from 0\.20 on$/);
}, { falcoVersion: "0.19.0" });
