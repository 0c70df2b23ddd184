/** What becomes of a stream when the wire under it is cut. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectSocket, createServer as createNetServer } from "node:net";
import type { Socket } from "node:net";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { encodeAlert } from "../lib/alert/wire.ts";
import { connect } from "../lib/client/connect.ts";
import type { FalcoClient } from "../lib/client/connect.ts";
import { frameMessage } from "../lib/transport/message_splitter.ts";
import {
  assertLost,
  callsOf,
  credentials,
  GRPC_HEADERS,
  rejection,
  roundTrip,
  testWays,
  withAnswer,
  withServer,
} from "./client_probes.ts";
import type { Way } from "./client_probes.ts";
import { until } from "./waits.ts";

/** What can happen to a wire. */
interface Wire {
  /** Cuts it for both sides. */
  cut(): void;
  /** Ends the server's half, and waits until the client has hung up, too. */
  hangUp(): Promise<void>;
}

/** A client that reaches a server through a wire that can be cut. */
async function withWire(
  address: string,
  { kind, transport }: Way,
  run: (falco: FalcoClient, wire: Wire) => Promise<void>,
): Promise<void> {
  const pairs: { near: Socket; far: Socket }[] = [];
  const cut = (): void => {
    for (const { near, far } of pairs) {
      near.destroy();
      far.destroy();
    }
  };
  const hangUp = async (): Promise<void> => {
    await Promise.all(pairs.map(async ({ near, far }) => {
      const closed = once(near, "close");
      far.unpipe(near);
      near.end();
      await closed;
    }));
  };
  const server = createNetServer({ allowHalfOpen: true }, (near) => {
    const far = address.startsWith("unix:")
      ? connectSocket(address.slice("unix://".length))
      : connectSocket(Number(new URL(address).port), "127.0.0.1");
    pairs.push({ near, far });
    for (const socket of [near, far]) socket.on("error", () => {});
    near.pipe(far).pipe(near);
  });
  await withServer(server, kind, async (proxy) => {
    const tls = kind === "tls" ? { tls: credentials } : {};
    const falco = connect(proxy, { ...tls, transport, clock: new FakeClock() });
    try {
      await run(falco, { cut, hangUp });
    } finally {
      await falco.close();
      cut();
    }
  });
}

testWays("Subscription without reconnect fails if the wire is cut", async (way) => {
  const fake = await FakeFalco.start({ tls: way.wire.tls });
  try {
    await withWire(fake.address, way, async (falco, wire) => {
      for (const rule of ["first", "second"]) fake.push(buildAlert({ rule }));
      const alerts = falco.outputs.subscribe({ reconnect: false });
      const reader = alerts.getReader();
      await reader.read();
      await reader.read();
      const failed = rejection(reader.read());
      await roundTrip(falco);
      wire.cut();
      assertLost(await failed, falco.address);
      await until("Falco has noticed", () => !callsOf(fake, "sub")[0]!.open);
    });
  } finally {
    await fake[Symbol.asyncDispose]();
  }
});

testWays("Streams never end in order with alerts missing", async (way) => {
  // More than any reader takes ahead, in fewer bytes than a server may send unasked (65,535).
  const count = 1000;
  let received: () => void;
  const allReceived = new Promise<void>((resolve) => received = resolve);
  await withAnswer((stream) => {
    const { session } = stream;
    stream.respond(GRPC_HEADERS, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    // The client has all of it when it answers what was sent after the status.
    stream.on("close", () => session?.ping(() => received()));
    // Each alert in a frame of its own, so that a lost one leaves no trace in what came before.
    let next = 0;
    const write = (): void => {
      if (next === count) return void stream.end();
      const alert = buildAlert({
        rule: `rule ${next++}`,
        outputFields: {},
        tags: [],
        output: "",
      });
      stream.write(frameMessage(encodeAlert(alert)), write);
    };
    write();
  }, async ({ address }) => {
    await withWire(address, way, async (falco, wire) => {
      const reader = falco.outputs.get().getReader();
      await reader.read();
      await allReceived;
      // Then the connection goes, though the status was OK. Not with a GOAWAY: after that, Node may
      // not look at the socket again before the answer has been read.
      await wire.hangUp();
      let read = 1;
      const error = await rejection((async () => {
        while (!(await reader.read()).done) read++;
        throw new Error("a clean end");
      })());
      if (read < count) assertLost(error, falco.address);
      else assert.match(String(error), /a clean end/);
    });
  }, { kind: way.kind });
});
