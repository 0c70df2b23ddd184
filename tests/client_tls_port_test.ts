/** Ports where nobody speaks gRPC over TLS, and the one PING that shows whether somebody does. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { Http2Server } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { createServer as createNetServer } from "node:net";
import type { Server, Socket } from "node:net";
import { test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { FakeClock } from "../harness/fake_clock.ts";
import { connect } from "../lib/client/connect.ts";
import type { FalcoConnectError, FalcoConnectReason } from "../lib/errors.ts";
import { certificates, credentials, join, rejection, withServer } from "./client_probes.ts";
import { assertFails } from "./tls_probes.ts";
import { within } from "./waits.ts";

const noTls = /the other side does not speak TLS \(.+\)\. Check that this is the port of grpc/;
const otherTls = /TLS failed \(.+\)\. Check .+that this is the port of grpc\.bind_address$/;
const noHttp2 =
  /: the other side speaks TLS, but not HTTP\/2 \(.+\)\. Check that this is the port of/;
const strangers: readonly {
  name: string;
  make(): Server | Http2Server;
  message: RegExp;
  passing?: boolean;
  reason?: FalcoConnectReason;
}[] = [
  {
    name: "plain HTTP/1",
    make: () => createHttpServer((_, response) => response.end("hi")),
    message: noTls,
  },
  { name: "plain HTTP/2", make: () => createHttp2Server(), message: noTls },
  {
    name: "garbage",
    make: () => createNetServer((socket) => void socket.write("?".repeat(99))),
    message: noTls,
  },
  {
    name: "HTTP/1 over TLS",
    make: () => createHttpsServer({ ...certificates.server }, (_, response) => response.end("hi")),
    message: noHttp2,
    reason: "protocol",
  },
  {
    name: "TLS without ALPN, and answers in HTTP/1",
    make: () => quietTls((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
    message: noHttp2,
    reason: "protocol",
  },
  {
    name: "TLS without ALPN, and never answers",
    make: () => quietTls(() => {}),
    message: noHttp2,
    reason: "protocol",
  },
  {
    name: "nothing, and closes",
    make: () => createNetServer((socket) => socket.destroy()),
    message: otherTls,
    // As a proxy does whose Falco is not there yet.
    passing: true,
  },
];

function quietTls(answer: (socket: Socket) => void): Server {
  return createTlsServer({ ...certificates.server }, (socket) => {
    socket.on("error", () => {});
    answer(socket);
  });
}

for (const { name, make, message, ...expected } of strangers) {
  test(`FalcoClient reports a port that speaks ${name}`, async () => {
    await withServer(
      make(),
      "tls",
      (address) => assertFails(address, credentials, message, expected),
    );
  });
}

const PING = 6;
const PREFACE_BYTES = 24;

/** The types of the HTTP/2 frames that a client has sent. */
function frameTypes(bytes: Uint8Array): number[] {
  const types: number[] = [];
  for (let at = PREFACE_BYTES; at + 9 <= bytes.length;) {
    const [high = 0, middle = 0, low = 0, type = 0] = bytes.subarray(at);
    types.push(type);
    at += 9 + high * 65536 + middle * 256 + low;
  }
  return types;
}

test("FalcoClient is connected over TLS once a PING was answered, and sends no other", async () => {
  let seen: Uint8Array = new Uint8Array();
  let pinged = (): void => {};
  const ping = new Promise<void>((resolve) => pinged = resolve);
  const server = createTlsServer({
    ...certificates.server,
    ALPNProtocols: ["h2"],
  }, (socket) => {
    socket.on("error", () => {});
    socket.write(Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0)); // SETTINGS, and not a word more
    socket.on("data", (chunk: Uint8Array) => {
      seen = join(seen, chunk);
      if (frameTypes(seen).includes(PING)) pinged();
    });
  });
  await withServer(server, "tls", async (address) => {
    const clock = new FakeClock();
    const falco = connect(address, { tls: credentials, clock });
    try {
      const failed = rejection(falco.version());
      await within("a PING", ping);
      assert.equal(clock.pending, 1);
      clock.advance(10_000);
      assert.equal((await failed as FalcoConnectError).reason, "timeout");
      assert.equal(frameTypes(seen).filter((type) => type === PING).length, 1);
    } finally {
      await falco.close();
    }
  });
});

test("FalcoClient sends no PING at all on a unix socket", async () => {
  let seen: Uint8Array = new Uint8Array();
  const server = createNetServer((socket: Socket) => {
    socket.write(Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0));
    socket.on("data", (chunk: Uint8Array) => seen = join(seen, chunk));
  });
  await withServer(server, "unix", async (address) => {
    const falco = connect(address, { clock: new FakeClock() });
    try {
      const HEADERS = 1;
      const failed = rejection(falco.version());
      const [socket] = await once(server, "connection") as [Socket];
      while (!frameTypes(seen).includes(HEADERS)) await once(socket, "data");
      assert(!frameTypes(seen).includes(PING));
      await falco.close();
      await failed;
    } finally {
      await falco.close();
    }
  });
});
