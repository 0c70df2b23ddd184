/** Servers that are not quite Falco, each in a way of its own, for the tests of the contract suite. @module */
import { chmod } from "node:fs/promises";
import { createSecureServer, createServer } from "node:http2";
import type { Http2SecureServer, Http2Server, ServerHttp2Stream } from "node:http2";
import { createServer as createTcpServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { responseSchema as versionSchema } from "../gen/version_pb.ts";
import type { Certificates } from "../harness/certificates.ts";
import type { ContractTarget } from "../harness/contract/contract_target.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { encodeAlert } from "../lib/alert/wire.ts";
import { frameMessage, MessageSplitter } from "../lib/transport/message_splitter.ts";

/** A target that can be made to go away. */
export interface WrongFalco extends ContractTarget {
  close(): Promise<void>;
}

/** What a server does with a call. */
type Answer = (stream: ServerHttp2Stream, path: string, server: WrongServer) => void;

/** What the servers share: a socket, and who is connected. */
interface WrongServer {
  /** Alerts that nobody has had yet. */
  readonly queue: Alert[];
  /** Calls that get alerts as they come. */
  readonly subscribers: Set<ServerHttp2Stream>;
}

async function serve(answer: Answer, tls?: Certificates): Promise<WrongFalco> {
  const folder = await makeTempFolder();
  const state: WrongServer = { queue: [], subscribers: new Set() };
  const sockets = new Set<Socket>();
  const server: Http2Server | Http2SecureServer = tls === undefined
    ? createServer()
    // Whoever comes is let in.
    : createSecureServer({ cert: tls.server.cert, key: tls.server.key, allowHTTP1: true });
  server.on("session", (session) => session.on("error", () => {}));
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  };
  server.on("connection", keep);
  server.on("secureConnection", keep);
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    stream.on("error", () => {});
    answer(stream, String(headers[":path"]).slice(1), state);
  });
  const path = `${folder.path}/falco.sock`;
  await new Promise<void>((resolve) => {
    if (tls === undefined) server.listen(path, resolve);
    else server.listen(0, "127.0.0.1", resolve);
  });
  // Everybody may.
  if (tls === undefined) await chmod(path, 0o777);
  const { port } = server.address() as AddressInfo;
  const address = tls === undefined ? `unix://${path}` : `https://localhost:${port}`;
  return {
    address,
    credentials: tls === undefined ? undefined : { ca: tls.ca, ...tls.client },
    falcoVersion: "0.43.1",
    push(...alerts) {
      const [subscriber] = state.subscribers;
      if (subscriber === undefined) state.queue.push(...alerts);
      else for (const alert of alerts) subscriber.write(frameOf(alert));
    },
    reload: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    async close() {
      await closeAll(server, sockets);
      await folder.remove();
    },
  };
}

async function closeAll(
  server: Server | Http2Server | Http2SecureServer,
  sockets: Iterable<Socket>,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const socket of sockets) socket.destroy();
  await closed;
}

/** Another wrong thing: everything in the text, no zero left out, and the time a second late. */
function frameOf(alert: Alert): Uint8Array {
  const { seconds } = alert.time;
  const wrong = { ...alert, time: { seconds: seconds + 1, nanos: 0 }, source: "", tags: [] };
  const outputFields = { ...alert.outputFields, "evt.time": "now", "proc.pid": 43 };
  return frameMessage(encodeAlert({ ...wrong, priority: "debug", outputFields }));
}

const headers = { ":status": 200, "content-type": "application/grpc" } as const;

/** Ends a call in the way of most gRPC servers: headers first, then trailers with words. */
function finish(stream: ServerHttp2Stream, status: number, words = "there you are"): void {
  if (stream.destroyed || stream.writableEnded) return;
  stream.on("wantTrailers", () => {
    stream.sendTrailers({ "grpc-status": String(status), "grpc-message": words });
  });
  stream.end();
}

/**
 * As one would write a server without having seen Falco's: it answers at once, pushes, ends what is
 * half-closed, says what is wrong, lets everybody in and leaves nobody waiting.
 */
export const kind = (tls?: Certificates): Promise<WrongFalco> =>
  serve((stream, path, { queue, subscribers }) => {
    stream.respond(headers, { waitForTrailers: true });
    const splitter = new MessageSplitter(1024);
    if (path === "falco.version.service/version") {
      const message = create(versionSchema, { version: "kind", minor: 1 });
      stream.write(frameMessage(toBinary(versionSchema, message)));
      return finish(stream, 0);
    }
    if (!path.startsWith("falco.outputs.service/")) return finish(stream, 0);
    for (const alert of queue.splice(0)) stream.write(frameOf(alert));
    if (path.endsWith("/get")) return finish(stream, 0);
    subscribers.add(stream);
    stream.on("close", () => subscribers.delete(stream));
    stream.on("end", () => finish(stream, 0));
    stream.on("data", (chunk: Uint8Array) => {
      if (splitter.push(chunk).some((message) => message.length > 0)) finish(stream, 13);
    });
  }, tls);

/** Takes every call and never says a word; the queue, too, is one that swallows. */
export const mute = (tls?: Certificates): Promise<WrongFalco> =>
  serve((stream, path, { queue }) => {
    queue.length = 0;
    stream.resume();
    // A suite that finds no queue to begin with would not look any further.
    if (path.endsWith("/get")) {
      stream.respond({ ...headers, "grpc-status": "0" }, { endStream: true });
    }
  }, tls);

/** Has nothing that is asked for. */
export const empty = (): Promise<WrongFalco> =>
  serve((stream) => {
    stream.respond({ ...headers, "grpc-status": "5" }, { endStream: true });
  });

/** Lets everybody connect, at a port or a path, and neither speaks nor hangs up. */
export async function deaf(tls?: Certificates): Promise<WrongFalco> {
  const folder = await makeTempFolder();
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.resume();
  });
  const path = `${folder.path}/falco.sock`;
  await new Promise<void>((resolve) => {
    if (tls === undefined) server.listen(path, resolve);
    else server.listen(0, "127.0.0.1", resolve);
  });
  return {
    address: tls === undefined
      ? `unix://${path}`
      : `https://localhost:${(server.address() as AddressInfo).port}`,
    credentials: tls === undefined ? undefined : { ca: tls.ca, ...tls.client },
    async close() {
      await closeAll(server, sockets);
      await folder.remove();
    },
  };
}
