/** Faults that strike a fake as a whole. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { dirname } from "node:path";
import { test } from "node:test";
import { FakeClock } from "../harness/fake_clock.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { FalcoConnectError } from "../lib/errors.ts";
import { connect } from "../lib/client/connect.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import {
  alerts,
  BareClient,
  exists,
  isRefused,
  rules,
  socketPath,
  wires,
  withFake,
} from "./fake_falco_clients.ts";
import { until } from "./waits.ts";

for (const wire of wires) {
  test(`FakeFalco restarts at the same address without its queue, over ${wire.name}`, () => {
    const clock = new FakeClock();
    return withFake(wire, async ({ fake, dial }) => {
      const { address } = fake;
      fake.push(...alerts(1, 5));
      const client = dial();
      const call = await client.sub(1);
      assert.deepEqual(await call.read(2), rules(1, 2));
      await call.end();
      assert.equal(call.status, undefined);
      await until("it is down", () => clock.pending === 1 && fake.connections === 0);
      assert(await isRefused(client));
      clock.advance(300);
      await until("it is back", async () => !await isRefused(client));
      assert.equal(fake.address, address);
      fake.push(...alerts(6));
      assert.deepEqual(await client.get(), rules(6));
      const [record] = fake.faults;
      assert.equal(record?.fault.type, "restart");
      assert.equal(record?.lostAlerts, 3);
    }, { faults: [{ type: "restart", downMs: 300, afterAlerts: 2 }], clock });
  });

  test(`FakeFalco restarts behind its wire, over ${wire.name}`, () =>
    withFake(wire, async ({ fake, dial }) => {
      const client = dial();
      await client.roundTrip();
      fake.inject({ type: "restart" });
      await until("it is back", () => client.get().then(() => true, () => false));
      await client.roundTrip();
    }, { wire: true }));

  for (const end of ["stop", "kill"] as const) {
    test(`FakeFalco.${end}() ends a restart that is under way, over ${wire.name}`, async () => {
      const clock = new FakeClock();
      const fake = await wire.start({ clock, wire: true });
      fake.inject({ type: "restart", downMs: 300 });
      fake.inject({ type: "refuse", forMs: 500 });
      await until("it is down", () => clock.pending === 2);
      await fake[end]();
      assert.equal(clock.pending, 0);
      const client = new BareClient(fake);
      assert(await isRefused(client));
      await client.close();
      await fake[Symbol.asyncDispose]();
    });
  }
}

const [unix] = wires;

test("FakeFalco's socket file is gone for a time, and nobody connected is troubled", () => {
  const clock = new FakeClock();
  return withFake(unix!, async ({ fake, dial }) => {
    const path = socketPath(fake)!;
    const client = dial();
    await client.roundTrip();
    fake.inject({ type: "socket", forMs: 100 });
    await until("it is gone", async () => !await exists(path));
    await client.roundTrip();
    const other = dial();
    await assert.rejects(other.session(), (error) => {
      assert(error instanceof FalcoConnectError);
      assert.equal(error.reason, "not-found");
      return true;
    });
    clock.advance(100);
    await until("it is back", () => exists(path));
    await other.roundTrip();
    assert.deepEqual(await readdir(dirname(path)), ["falco.sock"]);
  }, { clock });
});

test("FakeFalco's socket file stays away, and nothing is left of it", async () => {
  const folder = await makeTempFolder();
  try {
    for (const end of ["stop", "kill"] as const) {
      const fake = await FakeFalco.start({ listen: `unix://${folder.path}/falco.sock` });
      fake.inject({ type: "socket" });
      await until("it is gone", async () => !await exists(`${folder.path}/falco.sock`));
      await fake[end]();
      assert.deepEqual(await readdir(folder.path), []);
    }
  } finally {
    await folder.remove();
  }
});

test("FakeFalco's socket file does not come back after a restart has made another", () => {
  const clock = new FakeClock();
  return withFake(unix!, async ({ fake, dial }) => {
    const path = socketPath(fake)!;
    fake.inject({ type: "socket", forMs: 100 });
    await until("it is gone", async () => !await exists(path));
    fake.inject({ type: "restart" });
    await until("there is another", () => exists(path));
    clock.advance(100);
    await dial().roundTrip();
    await fake.kill();
    assert.deepEqual(await readdir(dirname(path)), ["falco.sock"]);
  }, { clock });
});

for (
  const { is, message } of [
    { is: "expired", message: /\bexpired\b/ },
    { is: "wrong-name", message: /: Falco's certificate is not valid for the name "localhost"/ },
    { is: "other-authority", message: /: Falco's certificate is not signed by the authority / },
  ] as const
) {
  test(`FakeFalco has certificates that clients refuse: ${is}`, async () => {
    const fake = await FakeFalco.start({ tls: true, faults: [{ type: "certificate", is }] });
    const falco = connect(fake.address, { tls: fake.credentials });
    try {
      await assert.rejects(falco.version(), (error) => {
        assert(error instanceof FalcoConnectError);
        assert.equal(error.reason, "tls");
        assert.match(error.message, message);
        return true;
      });
    } finally {
      await falco.close();
      await fake.stop();
    }
    assert.deepEqual(fake.faults.map(({ fault }) => fault.type), ["certificate"]);
  });
}

test("FakeFalco refuses faults that cannot strike it", async () => {
  const fake = await FakeFalco.start({ tls: true });
  assert.throws(() => fake.inject({ type: "socket" }), {
    name: "TypeError",
    message: 'Cannot inject the fault "socket": there is no socket file over TCP',
  });
  assert.throws(() => fake.inject({ type: "certificate", is: "expired" }), {
    name: "TypeError",
    message: 'Cannot inject the fault "certificate": certificates are made at the start. ' +
      "Pass it to FakeFalco.start()",
  });
  await fake.stop();
  const folder = await makeTempFolder();
  const listen = `unix://${folder.path}/falco.sock`;
  await assert.rejects(
    FakeFalco.start({ listen, faults: [{ type: "certificate", is: "expired" }] }),
    /there are none on a unix socket/,
  );
  await assert.rejects(
    FakeFalco.start({ listen, faults: [{ type: "lose", times: 0 }] }),
    TypeError,
  );
  const { certificates } = await FakeFalco.start({ tls: true }).then(async (other) => {
    await other.stop();
    return other;
  });
  await assert.rejects(
    FakeFalco.start({ tls: certificates!, faults: [{ type: "certificate", is: "expired" }] }),
    /it has certificates of its own making only with \{ tls: true \}/,
  );
  // Nothing listens there any more.
  assert.deepEqual(await readdir(folder.path), []);
  await folder.remove();
});
