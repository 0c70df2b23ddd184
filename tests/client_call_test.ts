/** Messages reach the reader a read of the socket at a time, not one by one. */
import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { FakeFalco } from "../harness/fake_falco.ts";
import { buildAlert } from "../harness/build_alert.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import { decodeAlert } from "../lib/alert/decode_alert.ts";
import { encodeAlert } from "../lib/alert/wire.ts";
import { parseAddress } from "../lib/transport/address.ts";
import { ClientCall } from "../lib/transport/client_call.ts";
import { frameMessage } from "../lib/transport/message_splitter.ts";
import { SessionManager } from "../lib/transport/session_manager.ts";

const GET = "falco.outputs.service/get";

/** HTTP/2's frames by type and flags. */
const DATA = [0x0, 0] as const;
const HEADERS = [0x1, 0x4] as const;
const TRAILERS = [0x1, 0x5] as const;
const SETTINGS = [0x4, 0] as const;
const SETTINGS_ACK = [0x4, 0x1] as const;

/** A frame of HTTP/2. */
function http2Frame([type, flags]: readonly [number, number], stream: number, payload: Uint8Array) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Whether a client has sent the headers of a request, behind the preface of 24 bytes. */
function hasHeaders(received: Buffer): boolean {
  for (let at = 24; at + 9 <= received.length; at += 9 + received.readUIntBE(at, 3)) {
    if (received[at + 3] === HEADERS[0]) return true;
  }
  return false;
}

/** A header that no table knows. */
function literal(name: string, value: string): Buffer {
  const text = (of: string) => [Buffer.from([of.length]), Buffer.from(of)];
  return Buffer.concat([Buffer.of(0), ...text(name), ...text(value)]);
}

/** An answer whose messages are frames of their own, as Falco's, all in one write. */
function answer(rules: readonly string[]): Buffer {
  const status200 = Buffer.of(0x88);
  const headers = Buffer.concat([status200, literal("content-type", "application/grpc")]);
  const messages = rules.map((rule) => frameMessage(encodeAlert(buildAlert({ rule }))));
  return Buffer.concat([
    http2Frame(SETTINGS_ACK, 0, Buffer.alloc(0)),
    http2Frame(HEADERS, 1, headers),
    ...messages.map((message) => http2Frame(DATA, 1, message)),
    http2Frame(TRAILERS, 1, literal("grpc-status", "0")),
  ]);
}

/** Reads a call of `get` to its end: the rules, and how many came at once. */
async function readAll(manager: SessionManager): Promise<{ rules: string[]; batches: number[] }> {
  const rules: string[] = [];
  const batches: number[] = [];
  const call = await ClientCall.start(manager, GET);
  call.send(new Uint8Array(), true);
  for (;;) {
    const messages = call.take();
    if (messages === null) return { rules, batches };
    if (messages === undefined) {
      await new Promise<void>((resolve) => call.onReady(resolve));
      continue;
    }
    batches.push(messages.length);
    rules.push(...messages.map((message) => decodeAlert(message).rule));
  }
}

function rulesUpTo(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `rule ${at}`);
}

test("ClientCall hands over at once what one write of a server brought in many frames", async () => {
  const folder = await makeTempFolder();
  const path = join(folder.path, "falco.sock");
  const expected = rulesUpTo(200);
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.write(http2Frame(SETTINGS, 0, Buffer.alloc(0)));
    let received = Buffer.alloc(0);
    let answered = false;
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (answered || !hasHeaders(received)) return;
      answered = true;
      socket.write(answer(expected));
    });
  }).listen(path);
  await once(server, "listening");
  const manager = new SessionManager(parseAddress(path), { connectTimeoutMs: 10_000 });
  try {
    const { rules, batches } = await readAll(manager);
    assert.deepEqual(rules, expected);
    assert(batches.length <= 20, `${batches.length} batches`);
  } finally {
    await manager.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    await folder.remove();
  }
});

for (const tls of [false, true]) {
  test(`ClientCall holds no more than it should at once (${tls ? "tls" : "unix"})`, async () => {
    const fake = await FakeFalco.start({ tls });
    const manager = new SessionManager(parseAddress(fake.address), {
      tls: fake.credentials,
      connectTimeoutMs: 10_000,
    });
    const expected = rulesUpTo(3000);
    try {
      fake.push(...expected.map((rule) => buildAlert({ rule })));
      const { rules, batches } = await readAll(manager);
      assert.deepEqual(rules, expected);
      assert(Math.max(...batches) < 1500, `a batch of ${Math.max(...batches)}`);
    } finally {
      await manager.close();
      await fake.stop();
    }
  });
}
