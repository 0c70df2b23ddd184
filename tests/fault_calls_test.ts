/** Faults that strike calls, seen by a client that takes nothing for granted. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../harness/fake_clock.ts";
import type { FakeFalcoOptions } from "../harness/fake_falco_options.ts";
import type { AlteredMessage, Fault } from "../harness/faults/fault.ts";
import { decodeAlert } from "../lib/alert/wire.ts";
import {
  alerts,
  GET,
  idleTurn,
  isSettled,
  rules,
  SUB,
  VERSION,
  wires,
  withFake,
} from "./fake_falco_clients.ts";
import type { BareCall, BareClient, Scene } from "./fake_falco_clients.ts";
import { until } from "./waits.ts";

/** Runs a test on both wires. */
function testFaults(
  name: string,
  faults: readonly Fault[],
  body: (scene: Scene & { client: BareClient; clock: FakeClock }) => Promise<void>,
): void {
  for (const wire of wires) {
    test(`FakeFalco ${name}, over ${wire.name}`, () => {
      const clock = new FakeClock();
      const options: FakeFalcoOptions = { faults, clock };
      return withFake(
        wire,
        (scene) => body({ ...scene, client: scene.dial(), clock }),
        options,
      );
    });
  }
}

/** Opens a `get` and asks. */
async function ask(client: BareClient): Promise<BareCall> {
  const call = await client.call(GET);
  call.request();
  call.halfClose();
  return call;
}

for (const code of [0, 2, 5, 8, 11, 13]) {
  testFaults(
    `resets a call with code ${code} after its alerts are out`,
    [{ type: "reset", code, afterAlerts: 3 }],
    async ({ fake, client }) => {
      fake.push(...alerts(1, 9));
      const call = await client.sub(1);
      await call.end();
      assert.deepEqual(call.here(), rules(1, 3));
      assert.equal(call.resetCode, code);
      assert.equal(call.status, undefined);
      assert.deepEqual(fake.faults.map(({ fault }) => fault.type), ["reset"]);
      assert.equal(fake.queueDepth, 6);
      assert.deepEqual(await client.get(), rules(4, 9));
    },
  );
}

testFaults("resets an idle call at once", [], async ({ fake, client }) => {
  const call = await client.sub(1);
  await until("it is there", () => fake.requests[0]?.requests === 1);
  fake.inject({ type: "reset", code: 2 });
  await call.end();
  assert.equal(call.resetCode, 2);
  assert.deepEqual(call.events.filter((event) => event !== "error"), ["end"]);
});

for (const status of [0, 2, 8, 14, 16, 99]) {
  testFaults(
    `ends calls with status ${status}: at once, and after alerts`,
    [
      { type: "status", status, message: "so: 100 % \u00e4" },
      { type: "status", status, onCall: 2, afterAlerts: 2 },
    ],
    async ({ fake, client }) => {
      const first = await ask(client);
      await first.end();
      assert.deepEqual(first.events, ["headers", "end"]);
      assert.equal(first.status, status);
      assert.equal(first.trailers?.["grpc-message"], "so%3A%20100%20%25%20%C3%A4");
      fake.push(...alerts(1, 3));
      const second = await ask(client);
      await second.end();
      assert.deepEqual(second.here(), rules(1, 2));
      assert.equal(second.status, status);
      assert.equal(second.trailers?.["grpc-message"], undefined);
      assert.equal(fake.queueDepth, 1);
    },
  );
}

testFaults(
  "ends calls with trailers as they are given",
  [
    { type: "trailers", trailers: {}, afterAlerts: 1 },
    {
      type: "trailers",
      trailers: { "grpc-status": ["0", "13"], "grpc-message": "%zz" },
      onCall: 2,
      afterAlerts: 1,
    },
    { type: "trailers", trailers: { "x-other": "1" }, onCall: 3 },
    { type: "trailers", trailers: {}, onCall: 4 },
  ],
  async ({ fake, client }) => {
    fake.push(...alerts(1, 2));
    const none = await ask(client);
    await none.end();
    assert.deepEqual(none.here(), rules(1));
    assert.equal(none.status, undefined);
    const two = await ask(client);
    await two.end();
    assert.deepEqual(two.here(), rules(2));
    // Runtimes put two of a name into one.
    assert.equal(two.trailers?.["grpc-status"], "0, 13");
    assert.equal(two.trailers?.["grpc-message"], "%zz");
    const other = await ask(client);
    await other.end();
    assert.equal(other.headers?.["x-other"], "1");
    assert.equal(other.status, undefined);
    const silent = await ask(client);
    await silent.end();
    assert.deepEqual(silent.events, ["headers", "end"]);
  },
);

testFaults(
  "loses alerts, and counts them",
  [{ type: "lose", times: 2 }, { type: "lose", afterAlerts: 3 }],
  async ({ fake, client }) => {
    fake.push(...alerts(1, 8));
    assert.deepEqual(await client.get(), [...rules(3, 5), ...rules(7, 8)]);
    assert.deepEqual(fake.faults.map(({ lostAlerts }) => lostAlerts), [1, 1, 1]);
  },
);

testFaults(
  "delays alerts, and keeps their order",
  [{ type: "delay", ms: 500, afterAlerts: 1, times: 2 }],
  async ({ fake, client, clock }) => {
    fake.push(...alerts(1, 6));
    const call = await ask(client);
    assert.deepEqual(await call.read(1), rules(1));
    await until("it waits", () => clock.pending === 1, idleTurn);
    assert.deepEqual(call.here(), []);
    clock.advance(499);
    await client.roundTrip();
    assert.deepEqual(call.here(), []);
    clock.advance(1);
    assert.deepEqual(await call.read(1), rules(2));
    await until("it waits again", () => clock.pending === 1, idleTurn);
    clock.advance(500);
    await call.end();
    assert.deepEqual(call.here(), rules(3, 6));
    assert.equal(call.status, 0);
    assert.equal(clock.pending, 0);
  },
);

testFaults(
  "stalls a call for a time, or for good",
  [{ type: "stall", afterAlerts: 2, forMs: 1000 }, { type: "stall", onCall: 2 }],
  async ({ fake, client, clock }) => {
    fake.push(...alerts(1, 4));
    const call = await ask(client);
    assert.deepEqual(await call.read(2), rules(1, 2));
    await client.roundTrip();
    assert.deepEqual(call.here(), []);
    // Others are served meanwhile.
    assert.equal(await isSettled(call.end()), false);
    clock.advance(1000);
    await call.end();
    assert.deepEqual(call.here(), rules(3, 4));
    assert.equal(call.status, 0);
    // Not even the end of an empty queue is told.
    const silent = await ask(client);
    await client.roundTrip();
    assert.deepEqual(silent.events, []);
    silent.cancel();
    await silent.end();
  },
);

for (const then of ["silence", "close"] as const) {
  testFaults(
    `sends half an alert and then ${then}`,
    [{ type: "truncate", then, afterAlerts: 1 }],
    async ({ fake, client }) => {
      fake.push(...alerts(1, 3));
      const call = await ask(client);
      assert.deepEqual(await call.read(1), rules(1));
      if (then === "close") {
        await call.end();
        assert.equal(call.status, undefined);
        await until("the connection is gone", () => fake.connections === 0);
      } else {
        await client.roundTrip();
        assert.equal(call.ended, false);
        call.cancel();
        await call.end();
      }
      assert.deepEqual(call.here(), []);
      assert.equal(fake.faults[0]?.lostAlerts, 1);
      assert.equal(fake.queueDepth, 1);
    },
  );
}

testFaults(
  "breaks the connection of a call, and no other",
  [{ type: "drop", onCall: 2, afterAlerts: 1 }],
  async ({ fake, client, dial }) => {
    fake.push(...alerts(1, 2));
    const other = dial();
    const idle = await other.sub(0);
    await other.roundTrip();
    const call = await client.sub(1);
    assert.deepEqual(await call.read(1), rules(1));
    await call.end();
    assert.equal(call.status, undefined);
    await until("it is gone", () => fake.connections === 1);
    idle.request();
    assert.deepEqual(await idle.read(1), rules(2));
    fake.inject({ type: "drop" });
    await idle.end();
    await until("all are gone", () => fake.connections === 0);
  },
);

testFaults(
  "breaks a connection as it is opened",
  [{ type: "drop", onConnection: 2 }],
  async ({ fake, client, dial }) => {
    await client.roundTrip();
    const second = dial();
    await assert.rejects(
      (async () => {
        const call = await second.call(GET);
        call.request();
        await call.end();
        throw new Error(`it ended with ${call.status}`);
      })(),
      (error) => !/ended with \d/.test(String(error)),
    );
    await client.roundTrip();
    await dial().roundTrip();
    assert.deepEqual(fake.faults.map(({ fault }) => fault.type), ["drop"]);
  },
);

testFaults(
  "lets the client send no byte",
  [{ type: "zero-window" }],
  async ({ fake, client, dial }) => {
    fake.push(...alerts(1));
    const call = await client.sub(1);
    await until("the call is there", () => fake.requests.length === 1);
    await (await client.session()).ping(() => {});
    for (let turn = 0; turn < 20; turn++) await idleTurn();
    // Bun sends its first SETTINGS before anybody can change them.
    const isQuick = "Bun" in globalThis && fake.requests[0]?.requests === 1;
    if (isQuick) {
      assert.deepEqual(await call.read(1), rules(1));
      call.request();
      fake.push(...alerts(1));
      for (let turn = 0; turn < 20; turn++) await idleTurn();
    }
    assert.equal(fake.requests[0]?.requests, isQuick ? 1 : 0);
    assert.deepEqual(await dial().get(), rules(1));
    call.cancel();
    await call.end();
  },
);

testFaults(
  "answers version as it is told",
  [{ type: "status", status: 14, method: "version" }, {
    type: "reset",
    code: 8,
    method: "version",
  }],
  async ({ fake, client }) => {
    assert.deepEqual(await client.get(), []);
    for (const expected of [14, undefined]) {
      const call = await client.call(VERSION);
      call.request();
      call.halfClose();
      await call.end();
      assert.equal(call.status, expected);
    }
    await client.roundTrip();
    assert.equal(fake.faults.length, 2);
  },
);

const altered: Record<AlteredMessage, (bytes: Uint8Array) => void> = {
  oversized: (bytes) => assert.equal(bytes.length > 5000 && bytes.length < 5100, true),
  "invalid-utf8": (bytes) => assert.equal(decodeAlert(bytes).output, "a\ufffd\ufffdb"),
  "unknown-priority": (bytes) => assert.throws(() => decodeAlert(bytes), /99/),
  "unknown-field": (bytes) => assert.equal(decodeAlert(bytes).rule, "a1"),
  "no-protobuf": (bytes) => assert.throws(() => decodeAlert(bytes)),
  compressed: () => assert.fail("the splitter refuses it"),
};

for (const [to, check] of Object.entries(altered)) {
  if (to === "compressed") continue; // see the client's tests: a bare client cannot read it either
  testFaults(
    `alters an alert to ${to}, and not the next one`,
    [{ type: "alter", to: to as AlteredMessage, bytes: 5000 }],
    async ({ fake, client }) => {
      fake.push(...alerts(1, 2));
      const call = await ask(client);
      const [first, second] = await call.readBytes(2);
      check(first!);
      assert.equal(decodeAlert(second!).rule, "a2");
    },
  );
}

testFaults("takes a fault back", [], async ({ fake, client }) => {
  fake.inject({ type: "status", status: 14, onCall: 1 })();
  const call = await client.call(SUB);
  call.request();
  await client.roundTrip();
  assert.deepEqual(call.events, []);
  assert.deepEqual(fake.faults, []);
  call.cancel();
  await call.end();
});
