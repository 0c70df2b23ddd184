/** A wire that splits, holds back, cuts off and refuses. */
import assert from "node:assert/strict";
import { connect as connectSocket, createServer } from "node:net";
import type { Socket } from "node:net";
import { test } from "node:test";
import { FakeClock } from "../harness/fake_clock.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import type { Fault } from "../harness/faults/fault.ts";
import { FaultyWire } from "../harness/faults/faulty_wire.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import { FalcoError } from "../lib/errors.ts";
import {
  alerts,
  BareClient,
  exists,
  idleTurn,
  isRefused,
  rules,
  wires,
} from "./fake_falco_clients.ts";
import { until } from "./waits.ts";

/** A wire to a server that sends some bytes once it is asked, and ends, and what a client gets over it. */
async function withBytes(
  sent: Uint8Array,
  faults: readonly Fault[],
  body: (scene: {
    wire: FaultyWire;
    clock: FakeClock;
    dial(): { readonly got: Uint8Array; readonly chunks: number[]; readonly closed: boolean };
  }) => Promise<void>,
  ending: "end" | "stay" = "end",
): Promise<void> {
  const folder = await makeTempFolder();
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    return socket;
  };
  const server = createServer((socket) => {
    keep(socket).once("data", () => {
      socket.write(sent);
      if (ending === "end") socket.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(`${folder.path}/server.sock`, resolve));
  const clock = new FakeClock();
  const wire = await FaultyWire.start(`unix://${folder.path}/server.sock`, { faults, clock });
  try {
    await body({
      wire,
      clock,
      dial() {
        const seen = { got: new Uint8Array(), chunks: [] as number[], closed: false };
        const socket = keep(connectSocket(wire.address.slice("unix://".length)));
        socket.on("connect", () => socket.write("x")); // it reads by now
        socket.on("data", (chunk: Uint8Array) => {
          seen.chunks.push(chunk.length);
          seen.got = Uint8Array.from([...seen.got, ...chunk]);
        });
        socket.on("close", () => seen.closed = true);
        return seen;
      },
    });
  } finally {
    for (const socket of sockets) socket.destroy();
    await wire.close();
    server.close();
    await folder.remove();
  }
}

const hundred = Uint8Array.from({ length: 100 }, (_, index) => index);

test("FaultyWire passes bytes on, and the end", () =>
  withBytes(hundred, [], async ({ wire, dial }) => {
    const seen = dial();
    await until("it is over", () => seen.closed);
    assert.deepEqual(seen.got, hundred);
    await until("nothing is left", () => wire.connections === 0);
    assert.deepEqual(wire.faults, []);
  }));

test("FaultyWire splits, on the first connection only", () =>
  withBytes(hundred, [{ type: "split", bytes: 7 }], async ({ wire, dial }) => {
    const seen = dial();
    await until("it is over", () => seen.closed);
    assert.deepEqual(seen.got, hundred);
    assert(seen.chunks.length > 5, String(seen.chunks));
    // Two may come together, if the machine is busy.
    assert(seen.chunks.slice(0, -1).every((length) => length % 7 === 0), String(seen.chunks));
    const next = dial();
    await until("it is over", () => next.closed);
    assert.deepEqual(next.chunks, [100]);
    assert.deepEqual(wire.faults.map(({ fault, real }) => [fault.type, real]), [["split", true]]);
  }));

test("FaultyWire lets its clock tell when the next bytes come", () =>
  withBytes(hundred, [{ type: "split", bytes: 40, everyMs: 100 }], async ({ dial, clock }) => {
    const seen = dial();
    for (const length of [40, 80]) {
      await until("it waits", () => clock.pending === 1 && seen.got.length === length);
      clock.advance(99);
      for (let turn = 0; turn < 5; turn++) await idleTurn();
      assert.equal(seen.got.length, length);
      clock.advance(1);
    }
    await until("all is there", () => seen.got.length === 100 && clock.pending === 1);
    clock.advance(100);
    await until("it is over", () => seen.closed);
    assert.equal(clock.pending, 0);
  }));

test("FaultyWire stalls after so many bytes, for a time", () =>
  withBytes(
    hundred,
    [{ type: "stall", afterBytes: 30, forMs: 50 }],
    async ({ dial, clock }) => {
      const seen = dial();
      await until("it waits", () => clock.pending === 1 && seen.got.length >= 30);
      assert.deepEqual(seen.got, hundred.slice(0, 30));
      clock.advance(50);
      await until("it is over", () => seen.closed);
      assert.deepEqual(seen.got, hundred);
    },
  ));

for (const then of [undefined, "close", "silence"] as const) {
  test(`FaultyWire cuts off after so many bytes, then ${then}`, () =>
    withBytes(
      hundred,
      [{ type: "truncate", afterBytes: 99, ...(then === undefined ? {} : { then }) }],
      async ({ wire, dial }) => {
        const seen = dial();
        await until("they are there", () => seen.got.length >= 99);
        if (then === "silence") {
          for (let turn = 0; turn < 20; turn++) await idleTurn();
          assert.equal(seen.closed, false);
        } else {
          await until("it is closed", () => seen.closed);
          await until("nothing is left", () => wire.connections === 0);
        }
        assert.deepEqual(seen.got, hundred.slice(0, 99));
      },
      "stay",
    ));
}

test("FaultyWire drops the connection that is meant, or all", () =>
  withBytes(hundred, [{ type: "drop", onConnection: 2 }], async ({ wire, dial }) => {
    const [first, second, third] = [dial(), dial(), dial()];
    await until("the second is closed", () => second.closed);
    assert.deepEqual(second.got, new Uint8Array());
    await until("the others are there", () => first.got.length + third.got.length === 200);
    assert.deepEqual([first.closed, third.closed], [false, false]);
    wire.inject({ type: "drop" });
    await until("all are closed", () => first.closed && third.closed);
    assert.equal(wire.faults.length, 2);
  }, "stay"));

test("FaultyWire refuses connections for a time, and leaves the others alone", () =>
  withBytes(hundred, [], async ({ wire, dial, clock }) => {
    const before = dial();
    await until("it is there", () => before.got.length === 100);
    wire.inject({ type: "refuse", forMs: 1000 });
    const client = new BareClient({ address: wire.address, credentials: undefined });
    await until("it refuses", () => isRefused(client));
    assert(await exists(wire.address.slice("unix://".length)));
    assert.equal(before.closed, false);
    clock.advance(1000);
    await until("it is back", async () => {
      const again = dial();
      await until("it knows", () => again.closed || again.got.length === 100);
      return again.got.length === 100;
    });
    await client.close();
    assert.equal(before.closed, false);
  }, "stay"));

test("FaultyWire leaves nothing behind", async () => {
  const fake = await FakeFalco.start();
  const wire = await FaultyWire.start(fake.address);
  const path = wire.address.slice("unix://".length);
  assert(await exists(path));
  const client = new BareClient({ address: wire.address, credentials: undefined });
  await client.roundTrip();
  assert.equal(wire.connections, 1);
  await wire.close();
  assert.equal(wire.connections, 0);
  assert.equal(await exists(path), false);
  await client.close();
  await wire.close();
  await fake.stop();
});

test("FaultyWire refuses faults of calls and alerts, and places where it cannot listen", async () => {
  const start = (fault: Fault) => FaultyWire.start("/tmp/nobody.sock", { faults: [fault] });
  const wrong: Fault[] = [
    { type: "reset", code: 8 },
    { type: "stall" },
    { type: "drop", onCall: 1 },
    { type: "refuse", afterAlerts: 1 },
    { type: "restart" },
  ];
  for (const fault of wrong) {
    await assert.rejects(start(fault), {
      name: "TypeError",
      message: `Cannot inject the fault "${fault.type}": a wire knows no calls and no alerts. ` +
        "Inject it into a FakeFalco",
    });
  }
  await assert.rejects(start({ type: "split", bytes: 0 }), TypeError);
  const listen = `unix:///tmp/${"x".repeat(120)}`;
  await assert.rejects(FaultyWire.start("/tmp/nobody.sock", { listen }), FalcoError);
});

test("FaultyWire hangs up if nobody is behind it", async () => {
  const wire = await FaultyWire.start("unix:///tmp/there-is-nobody-here.sock");
  const client = new BareClient({ address: wire.address, credentials: undefined });
  assert(await isRefused(client));
  await client.close();
  await wire.close();
});

for (const wire of wires) {
  test(`FakeFalco puts a wire in front of itself, over ${wire.name}`, async () => {
    const clock = new FakeClock();
    const faults: Fault[] = [{ type: "split", bytes: 3 }];
    const fake = await wire.start({ faults, clock });
    const client = new BareClient(fake);
    try {
      fake.push(...alerts(1, 5));
      assert.deepEqual(await client.get(), rules(1, 5));
      assert.deepEqual(fake.faults.map(({ fault }) => fault.type), ["split"]);
      assert.equal(fake.connections, 1);
      fake.inject({ type: "refuse", forMs: 10 });
      const other = new BareClient(fake);
      await until("it refuses", () => isRefused(other));
      assert.deepEqual(await client.get(), []);
      clock.advance(10);
      await until("it is back", async () => !await isRefused(other));
      await other.close();
      // The address survives a reload, and the queue.
      await client.close();
      fake.push(...alerts(6));
      const { address } = fake;
      await fake.reload();
      assert.equal(fake.address, address);
      const third = new BareClient(fake);
      assert.deepEqual(await third.get(), rules(6));
      await third.close();
    } finally {
      await client.close();
      await fake.stop();
    }
    const late = new BareClient(fake);
    assert(await isRefused(late));
    await late.close();
    assert.equal(clock.pending, 0);
  });

  test(`FakeFalco with a wire is killed, over ${wire.name}`, async () => {
    const fake = await wire.start({ wire: true });
    const client = new BareClient(fake);
    const call = await client.sub(1);
    await client.roundTrip();
    await fake.kill();
    await call.end();
    assert.equal(call.status, undefined);
    assert(await isRefused(new BareClient(fake)));
    await client.close();
    await fake[Symbol.asyncDispose]();
  });
}

test("FakeFalco says that it needs a wire", async () => {
  const fake = await FakeFalco.start();
  assert.throws(() => fake.inject({ type: "split", bytes: 1 }), {
    name: "TypeError",
    message: 'Cannot inject the fault "split": it needs a wire. Start with { wire: true }',
  });
  await fake.stop();
});

test("FaultyWire counts bytes over all pieces", () =>
  withBytes(
    hundred,
    [{ type: "split", bytes: 7 }, { type: "truncate", afterBytes: 30 }],
    async ({ dial }) => {
      const seen = dial();
      await until("it is closed", () => seen.closed);
      assert.deepEqual(seen.got, hundred.slice(0, 30));
    },
    "stay",
  ));
