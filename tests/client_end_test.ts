/** How a stream ends that the server, or the network, ends. */
import assert from "node:assert/strict";
import { createServer as createNetServer } from "node:net";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { connect } from "../lib/client/connect.ts";
import {
  answerWith,
  assertLost,
  GRPC_HEADERS,
  join,
  rejection,
  roundTrip,
  testOnWires,
  testWays,
  withAnswer,
  withServer,
} from "./client_probes.ts";
import { withPlace } from "./own_port.ts";
import { outcome } from "./stream_probes.ts";
import { until, within } from "./waits.ts";

function pushNumbered(fake: FakeFalco, count: number): void {
  for (let index = 0; index < count; index++) fake.push(buildAlert({ rule: `rule ${index}` }));
}

testOnWires(
  "Subscription without reconnect ends if Falco stops in order",
  async ({ fake, falco, clock }) => {
    pushNumbered(fake, 3);
    const alerts = falco.outputs.subscribe({ reconnect: false });
    const reader = alerts.getReader();
    for (let index = 0; index < 3; index++) await reader.read();
    const read = reader.read();
    await roundTrip(falco);
    const stopped = fake.stop();
    // Falco answers the next request with the end of the call.
    clock.advance(10);
    assert.deepEqual(await read, { done: true, value: undefined });
    await reader.closed;
    assert.equal(await alerts.closed, undefined);
    await stopped;
    assert.equal(clock.pending, 0);
    assert.deepEqual({ ...alerts.stats() }, {
      received: 3,
      polls: 2,
      reconnects: 0,
      gaps: 0,
      invalid: 0,
      lossyText: 0,
      dropped: 0,
      missedStatuses: 0,
    });
  },
);

testOnWires(
  "Subscription without reconnect fails if Falco is killed while it waits",
  async ({ fake, falco, clock }) => {
    const alerts = falco.outputs.subscribe({ reconnect: false });
    const failed = rejection(alerts.getReader().read());
    await roundTrip(falco);
    await fake.kill();
    const error = await failed;
    assertLost(error, fake.address);
    assert.equal(await alerts.closed, error);
    assert.equal(clock.pending, 0);
  },
);

testOnWires(
  "Subscription without reconnect fails if Falco is killed in the middle of a backlog",
  async ({ fake, falco }) => {
    pushNumbered(fake, 10_000);
    const alerts = falco.outputs.subscribe({ reconnect: false });
    const reader = alerts.getReader();
    let next = 0;
    for (; next < 1000; next++) assert.equal((await reader.read()).value?.rule, `rule ${next}`);
    await fake.kill();
    const failed = rejection((async () => {
      for (;; next++) {
        const { done, value } = await reader.read();
        if (done) assert.fail("this is no clean end");
        assert.equal(value.rule, `rule ${next}`);
      }
    })());
    assertLost(await failed, fake.address);
    assert(next < 10_000);
    const { received, dropped } = alerts.stats();
    assert.deepEqual([received, dropped], [next, 0]);
  },
);

testOnWires("outputs.get() fails if Falco is killed in the middle", async ({ fake, falco }) => {
  pushNumbered(fake, 10_000);
  const reader = falco.outputs.get().getReader();
  await reader.read();
  await fake.kill();
  const failed = rejection((async () => {
    while (!(await reader.read()).done);
  })());
  assertLost(await failed, fake.address);
});

testWays(
  "FalcoClient subscribes again after a restart",
  (way) =>
    withPlace(way.wire, async (place) => {
      const { wire, transport } = way;
      const first = await FakeFalco.start({ tls: wire.tls, ...place });
      const { address, credentials: tls } = first;
      const falco = connect(address, { tls, transport, clock: new FakeClock() });
      try {
        const failed = rejection(falco.outputs.subscribe({ reconnect: false }).getReader().read());
        await roundTrip(falco);
        await first.kill();
        assertLost(await failed, address);
        const second = await FakeFalco.start({ listen: address, tls: wire.tls });
        try {
          second.push(buildAlert({ rule: "of the second" }));
          const { value } = await falco.outputs.subscribe({ reconnect: false }).getReader().read();
          assert.equal(value?.rule, "of the second");
        } finally {
          await falco.close();
          await second.kill();
        }
      } finally {
        await falco.close();
        await first[Symbol.asyncDispose]();
      }
    }),
);

testWays("Streams fail if the answer has no status", async ({ kind, transport }) => {
  await withAnswer((stream) => {
    stream.respond(GRPC_HEADERS);
    stream.end();
  }, async (falco) => {
    for (const alerts of [falco.outputs.get(), falco.outputs.subscribe({ reconnect: false })]) {
      const { items, error } = await outcome(alerts);
      assert.deepEqual(items, []);
      assertLost(error, falco.address);
    }
  }, { kind, transport });
});

for (const code of [0, 2, 7, 8]) {
  testWays(
    `Streams fail if the server resets them with code ${code}`,
    async ({ kind, transport }) => {
      await withAnswer((stream) => {
        stream.respond(GRPC_HEADERS);
        stream.close(code);
      }, async (falco) => {
        for (const alerts of [falco.outputs.get(), falco.outputs.subscribe({ reconnect: false })]) {
          assertLost((await outcome(alerts)).error, falco.address);
        }
      }, { kind, transport });
    },
  );
}

testWays(
  "Streams end if the server ends them with OK before the first request",
  async ({ kind, transport }) => {
    await withAnswer((stream) => answerWith(stream, new Uint8Array()), async (falco) => {
      assert.deepEqual(await outcome(falco.outputs.get()), { items: [] });
      assert.deepEqual(await outcome(falco.outputs.subscribe({ reconnect: false })), { items: [] });
    }, { kind, transport });
    await withAnswer((stream) => {
      stream.respond({ ...GRPC_HEADERS, "grpc-status": "0" }, { endStream: true });
    }, async (falco) => {
      assert.deepEqual(await outcome(falco.outputs.get()), { items: [] });
      assert.deepEqual(await outcome(falco.outputs.subscribe({ reconnect: false })), { items: [] });
    }, { kind, transport });
  },
);

/** A frame of HTTP/2. */
function frame(type: number, flags: number, streamId: number, payload: number[] = []): Uint8Array {
  return Uint8Array.of(0, 0, payload.length, type, flags, 0, 0, 0, streamId, ...payload);
}

const [DATA, HEADERS, RST_STREAM, SETTINGS] = [0, 1, 3, 4];
const END_STREAM = 1;
const END_HEADERS = 4;
const PREFACE_BYTES = 24;

/** The frames of streams that a client has sent so far. */
function* streamFrames(bytes: Uint8Array): Generator<{ type: number; flags: number; id: number }> {
  for (let at = PREFACE_BYTES; at + 9 <= bytes.length;) {
    const [high = 0, middle = 0, low = 0, type = 0, flags = 0, , , , id = 0] = bytes.subarray(at);
    if (id !== 0) yield { type, flags, id };
    at += 9 + high * 65536 + middle * 256 + low;
  }
}

/** A header field with a name of its own, for HPACK. */
function literal(name: string, value: string): number[] {
  const text = (part: string): number[] => [part.length, ...new TextEncoder().encode(part)];
  return [0, ...text(name), ...text(value)];
}

const endings = [
  { name: "neither sends a status nor resets them", type: DATA, flags: 0, payload: [], ok: false },
  {
    name: "sends a status and does not reset them",
    type: HEADERS,
    flags: END_HEADERS,
    payload: literal("grpc-status", "0"),
    ok: true,
  },
];

for (const ending of endings) {
  testWays(`Streams end even if the server ${ending.name}`, async (way) => {
    if (way.kind === "tls") return; // nothing of it has to do with TLS
    // :status 200, and content-type application/grpc: HPACK's static table, and one literal.
    const type = [...new TextEncoder().encode("application/grpc")];
    const headers = [0x88, 0x0f, 0x10, type.length, ...type];
    let seen = new Uint8Array();
    const server = createNetServer((socket) => {
      socket.write(frame(SETTINGS, 0, 0));
      let answered = false;
      socket.on("data", (chunk: Uint8Array) => {
        seen = join(seen, chunk);
        const streamId = [...streamFrames(seen)].find(({ type }) => type === HEADERS)?.id;
        if (answered || streamId === undefined) return;
        answered = true;
        socket.write(frame(HEADERS, END_HEADERS, streamId, headers));
        socket.write(frame(ending.type, ending.flags | END_STREAM, streamId, ending.payload));
      });
    });
    await withServer(server, "unix", async (address) => {
      const falco = connect(address, { transport: way.transport, clock: new FakeClock() });
      try {
        const { error } = await outcome(falco.outputs.subscribe({ reconnect: false }));
        if (ending.ok) assert.equal(error, undefined);
        else assertLost(error, address);
        // Or the connection would count as in use for ever.
        await until(
          "our half is closed",
          () =>
            [...streamFrames(seen)].some(({ type, flags }) =>
              type === RST_STREAM || type === DATA && (flags & END_STREAM) !== 0
            ),
        );
      } finally {
        await falco.close();
      }
    });
  });
}

testWays("Streams end if the server resets them with code 0 and reads no request", async (way) => {
  if (way.kind === "tls") return; // nothing of it has to do with TLS
  const noRoom = [0, 4, 0, 0, 0, 0]; // SETTINGS_INITIAL_WINDOW_SIZE: 0
  const server = createNetServer((socket) => {
    socket.write(frame(SETTINGS, 0, 0, noRoom));
    let seen = new Uint8Array();
    let reset = 0;
    socket.on("data", (chunk: Uint8Array) => {
      seen = join(seen, chunk);
      for (const { type, id } of streamFrames(seen)) {
        if (type !== HEADERS || id <= reset) continue;
        reset = id;
        socket.write(frame(RST_STREAM, 0, id, [0, 0, 0, 0]));
      }
    });
  });
  await withServer(server, "unix", async (address) => {
    const falco = connect(address, { transport: way.transport, clock: new FakeClock() });
    try {
      for (const alerts of [falco.outputs.get(), falco.outputs.subscribe({ reconnect: false })]) {
        assertLost((await within("the end", outcome(alerts))).error, address);
      }
    } finally {
      await within("the client to close", falco.close());
    }
  });
});
