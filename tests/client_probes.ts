/** Servers, and ways to wait for them, that the client tests share. @module */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createSecureServer, createServer } from "node:http2";
import type {
  Http2SecureServer,
  Http2Server,
  OutgoingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo, Server, Socket } from "node:net";
import { test } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { makeCertificates } from "../harness/certificates.ts";
import type { Certificates } from "../harness/certificates.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import type { RecordedCall } from "../harness/call_log.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { connect } from "../lib/client/connect.ts";
import type { ConnectOptions, FalcoClient } from "../lib/client/connect.ts";
import { FalcoConnectError } from "../lib/errors.ts";
import type { TlsCredentials } from "../lib/transport/credentials.ts";
// The first call with it would wait for a file to be read, longer than a round trip may take.
import "../lib/transport/stock_call.ts";
import { settled } from "./stream_probes.ts";

/** The certificates of all servers of the client tests. */
export const certificates: Certificates = await makeCertificates();

/** What a client needs for them. */
export const credentials: TlsCredentials = { ca: certificates.ca, ...certificates.client };

/** The two ways a Falco can be reached. */
export const wires = [
  { name: "a unix socket", tls: false },
  { name: "mutual TLS", tls: certificates },
] as const;

/** What can read streams of alerts: all that a test says holds for both. */
export const transports = ["own", "stock"] as const;

/** A wire and a transport, and how a test's name tells them apart. */
export interface Way {
  readonly name: string;
  readonly kind: "unix" | "tls";
  readonly transport: (typeof transports)[number];
  readonly wire: (typeof wires)[number];
}

/** What holds for our own transport alone, and why. Tests are skipped with that reason. */
const ownOnly: Readonly<Record<string, string>> = {
  "Streams skip, count and report messages that are no alerts":
    "protobuf-es ends the call with the first one",
  "Streams replace text that is not UTF-8, and count it": "protobuf-es takes it for no message",
  "Streams fail on a message above maxMessageBytes": "connect may lose the alert before it, too",
  "Streams fail on bytes that are no messages": "connect calls them a compressed message",
  "Streams fail with a status and words that are not encoded": "connect loses the status over them",
  "Streams take trailers without a status for UNKNOWN": "connect calls the answer cut short",
  "Streams take a status that is no number for UNKNOWN": "connect makes it INTERNAL",
  "Streams go on without a word if nobody asks for bad messages":
    "protobuf-es ends the call with the first one",
};

/** Every transport on every wire. */
export const ways: readonly Way[] = wires.flatMap((wire) =>
  transports.map((transport) => ({
    name: transport === "own" ? `over ${wire.name}` : `over ${wire.name}, with connect-node`,
    kind: wire.tls ? "tls" : "unix",
    transport,
    wire,
  }))
);

/** Registers a test for each wire and transport. */
export function testWays(
  name: string,
  run: (way: Way) => Promise<void>,
  options: { timeout?: number } = {},
): void {
  for (const way of ways) {
    const skip = way.transport === "stock" && name in ownOnly;
    test(`${name}, ${way.name}`, { ...options, skip }, () => run(way));
  }
}

/** A fake Falco, and a client whose polls and time limits are moved by hand. */
export interface Pair {
  readonly fake: FakeFalco;
  readonly falco: FalcoClient;
  readonly clock: FakeClock;
}

/** Runs a test on each wire, with each transport. The client must have left no call open at the end. */
export function testOnWires(
  name: string,
  run: (pair: Pair) => Promise<void>,
  options: ConnectOptions & { falcoVersion?: string } = {},
): void {
  const { falcoVersion = "0.43.1", ...rest } = options;
  testWays(name, async ({ transport, wire }) => {
    const fake = await FakeFalco.start({ tls: wire.tls, falcoVersion });
    const clock = new FakeClock(1000);
    const tls = fake.credentials;
    const falco = connect(fake.address, { tls, clock, transport, ...rest });
    try {
      await run({ fake, falco, clock });
    } finally {
      await falco.close();
      await fake[Symbol.asyncDispose]();
    }
  });
}

/** Waits until the server has seen all that the client sent, and the client all that came back. */
export async function roundTrip(falco: FalcoClient): Promise<void> {
  await settled();
  // Twice: the first may have had to wait for the connection, as what came before it.
  await falco.version();
  await falco.version();
  await settled();
}

/** The calls of a method that a fake Falco has seen. */
export function callsOf(fake: FakeFalco, method: "sub" | "get"): RecordedCall[] {
  return fake.requests.filter((call) => call.method === `falco.outputs.service/${method}`);
}

/** A path for a socket in a folder of its own. */
export async function withSocketPath(run: (path: string) => Promise<void>): Promise<void> {
  const folder = await makeTempFolder();
  try {
    await run(`${folder.path}/falco.sock`);
  } finally {
    await folder.remove();
  }
}

/** Lets a server listen, on a unix socket or on a port, and ends it with all its connections. */
export async function withServer(
  server: Server | Http2Server | Http2SecureServer,
  kind: "unix" | "tls",
  run: (address: string) => Promise<void>,
): Promise<void> {
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  const emitter: Server = server as Server;
  emitter.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  emitter.on("tlsClientError", () => {});
  emitter.on("sessionError", () => {});
  emitter.on("session", (session: ServerHttp2Session) => {
    sessions.add(session);
    session.on("error", () => {});
  });
  await withSocketPath(async (path) => {
    if (kind === "unix") emitter.listen(path);
    else emitter.listen(0, "127.0.0.1");
    await once(emitter, "listening");
    const { port } = emitter.address() as AddressInfo;
    try {
      await run(kind === "unix" ? `unix://${path}` : `https://localhost:${port}`);
    } finally {
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
      emitter.close();
    }
  });
}

/**
 * Runs a client against an HTTP/2 server that answers each call as it is told, for answers that no
 * Falco gives.
 */
export async function withAnswer(
  answer: (stream: ServerHttp2Stream) => void,
  run: (falco: FalcoClient) => Promise<void>,
  options: ConnectOptions & { kind?: "unix" | "tls" } = {},
): Promise<void> {
  const { kind = "unix", ...rest } = options;
  const server = kind === "unix"
    ? createServer()
    : createSecureServer({ ca: certificates.ca, ...certificates.server, requestCert: true });
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.on("error", () => {});
    answer(stream);
  });
  await withServer(server, kind, async (address) => {
    const falco = connect(address, { ...(kind === "tls" ? { tls: credentials } : {}), ...rest });
    try {
      await run(falco);
    } finally {
      await falco.close();
    }
  });
}

/** The headers of an answer of a gRPC server. */
export const GRPC_HEADERS = { ":status": 200, "content-type": "application/grpc" };

/** Answers a call with bytes and trailers. */
export function answerWith(
  stream: ServerHttp2Stream,
  body: Uint8Array,
  trailers: OutgoingHttpHeaders = { "grpc-status": "0" },
): void {
  stream.respond(GRPC_HEADERS, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  stream.end(body);
}

/** An alert whose rule says which one it is. */
export function numbered(index: number): Alert {
  return buildAlert({ rule: `rule ${index}` });
}

/** Puts bytes together. */
export function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** What a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("the promise was not rejected");
}

/** That an error says what a connection that went away is reported as. */
export function assertLost(error: unknown, address: string): void {
  assert(error instanceof FalcoConnectError, String(error));
  assert.equal(error.reason, "lost");
  assert.equal(error.address, address);
  assert(error.message.startsWith(`Lost the connection to ${address}: `));
  assert.match(error.message, /\. Falco may have been stopped or restarted$/);
}

/** Whether this user may open every file, as root may. */
export async function mayOpenAll(): Promise<boolean> {
  const folder = await makeTempFolder();
  try {
    await writeFile(`${folder.path}/secret`, "", { mode: 0 });
    return await readFile(`${folder.path}/secret`).then(() => true, () => false);
  } finally {
    await folder.remove();
  }
}
