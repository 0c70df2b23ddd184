/** A client that counts alerts without decoding them: a program for {@linkcode SinkProcess}. @module */
import { connect } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** Where the sink connects. */
export interface SinkTarget {
  readonly address: string;
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string } | undefined;
}

/** What a `get` brought. */
export interface SinkCount {
  readonly bytes: number;
  readonly frames: number;
}

const DATA = 0;
const HEADERS = 1;
const SETTINGS = 4;
const WINDOW_UPDATE = 8;
const MAX_WINDOW = 2 ** 31 - 1;

const text = new TextEncoder();

function frame(type: number, flags: number, stream: number, payload: number[] = []): number[] {
  const { length } = payload;
  return [
    length >> 16,
    (length >> 8) & 255,
    length & 255,
    type,
    flags,
    0,
    0,
    0,
    stream,
    ...payload,
  ];
}

function number(value: number): number[] {
  return [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255];
}

/** A header of HPACK that is in no table and not compressed. */
function header(name: string, value: string): number[] {
  return [0, name.length, ...text.encode(name), value.length, ...text.encode(value)];
}

/** The whole of a `get`: the preface, windows as large as they can be, the call, its request. */
const call = new Uint8Array([
  ...text.encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  ...frame(SETTINGS, 0, 0, [0, 4, ...number(MAX_WINDOW)]),
  ...frame(WINDOW_UPDATE, 0, 0, number(MAX_WINDOW - 65_535)),
  ...frame(HEADERS, 4, 1, [
    ...header(":method", "POST"),
    ...header(":scheme", "http"),
    ...header(":path", "/falco.outputs.service/get"),
    ...header(":authority", "localhost"),
    ...header("content-type", "application/grpc"),
    ...header("te", "trailers"),
  ]),
  ...frame(DATA, 1, 1, [0, 0, 0, 0, 0]),
]);

function dial({ address, tls }: SinkTarget): Socket {
  if (tls === undefined) return connect(address.replace("unix://", ""));
  const { port } = new URL(address);
  const { ca, cert, key } = tls;
  const options = { ca, cert, key, servername: "localhost", ALPNProtocols: ["h2"] };
  return connectTls({ port: Number(port), host: "127.0.0.1", ...options });
}

/** Does a `get`, and walks from one frame to the next. */
function count(target: SinkTarget): Promise<SinkCount> {
  return new Promise((resolve, reject) => {
    const socket = dial(target);
    const head = new Uint8Array(9);
    let headAt = 0;
    let skip = 0;
    let frames = 0;
    let bytes = 0;
    let unacknowledged = 0;
    let isOver = false;
    socket.on("error", reject);
    socket.on("data", (chunk: Uint8Array) => {
      let at = 0;
      while (at < chunk.length) {
        if (skip > 0) {
          const step = Math.min(skip, chunk.length - at);
          skip -= step;
          at += step;
          continue;
        }
        head[headAt++] = chunk[at++]!;
        if (headAt < head.length) continue;
        headAt = 0;
        skip = (head[0]! << 16) | (head[1]! << 8) | head[2]!;
        if (head[3] === DATA) {
          frames++;
          bytes += skip;
          unacknowledged += skip;
        } else if (head[3] === HEADERS && frames > 0) {
          isOver = true; // the trailers
        } else if (head[3] === SETTINGS && (head[4]! & 1) === 0) {
          socket.write(new Uint8Array(frame(SETTINGS, 1, 0)));
        }
      }
      if (unacknowledged > 2 ** 30) {
        const update = [0, 1].flatMap((id) => frame(WINDOW_UPDATE, 0, id, number(unacknowledged)));
        socket.write(new Uint8Array(update));
        unacknowledged = 0;
      }
      if (!isOver) return;
      socket.destroy();
      resolve({ bytes, frames });
    });
    socket.write(call);
  });
}

let target: SinkTarget | undefined;
for await (const line of createInterface({ input: process.stdin })) {
  const said = JSON.parse(line) as SinkTarget | "get";
  if (said !== "get") target = said;
  console.log(JSON.stringify(said === "get" ? await count(target!) : "ready"));
}
