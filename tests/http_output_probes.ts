/** Servers for `http_output`, and what it made of them, that its tests share. @module */
import { Buffer } from "node:buffer";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { buildAlert } from "../harness/build_alert.ts";
import type { FalcoHttpConfig } from "../harness/falco_config/falco_config.ts";
import { parseFalcoConfig } from "../harness/falco_config/parse_falco_config.ts";
import { HttpOutput } from "../harness/outputs/http_output.ts";
import { systemClock } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";

/** A response that is complete. */
export const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** What a server does with a connection: it is told of each piece of a request. */
export type Serve = (socket: Socket, text: string, connection: number) => void;

/** A server that records what it gets. */
export class RecordingServer {
  readonly connections: Buffer[][] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(serve: Serve, tls?: object) {
    const onSocket = (socket: Socket) => {
      const pieces: Buffer[] = [];
      const number = this.connections.push(pieces);
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => {});
      socket.on("data", (bytes: Uint8Array) => {
        pieces.push(Buffer.from(bytes));
        serve(socket, Buffer.concat(pieces).toString("latin1"), number);
      });
    };
    this.#server = tls === undefined ? createServer(onSocket) : createTlsServer(tls, onSocket);
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.connections.flat());
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Answers each complete request. */
export const answer = (response: string): Serve => {
  const answered = new Map<Socket, number>();
  return (socket, text) => {
    const requests = requestsIn(text).length;
    for (let done = answered.get(socket) ?? 0; done < requests; done++) socket.write(response);
    answered.set(socket, requests);
  };
};

/** The bodies of the complete requests in a text. */
export function requestsIn(text: string): string[] {
  const bodies: string[] = [];
  for (let at = 0;;) {
    const end = text.indexOf("\r\n\r\n", at);
    const length = Number(/^content-length: (\d+)/im.exec(text.slice(at, end))?.[1]);
    if (end < 0 || text.length < end + 4 + length) return bodies;
    bodies.push(text.slice(end + 4, end + 4 + length));
    at = end + 4 + length;
  }
}

/** The configuration with a url, and more lines of its section. */
export function configure(url: string, more = ""): FalcoHttpConfig {
  const text = `http_output:\n  enabled: true\n  url: ${url}\n${more}`;
  return parseFalcoConfig(text).httpOutput!;
}

/** An output with what it logged and echoed. */
export function outputOf(options: FalcoHttpConfig, json = true, clock: Clock = systemClock) {
  const log: string[] = [];
  let echoed = "";
  const output = new HttpOutput(options, {
    json,
    stdout: (bytes) => void (echoed += Buffer.from(bytes).toString()),
    log: (_level, text) => log.push(text.replace("libcurl failed to perform call: ", "")),
    clock,
  });
  const write = (line: string) => output.write({ alert: buildAlert(), line });
  return { output, log, write, echoed: () => echoed };
}

/** Sends lines to a server and returns what it saw and what was logged. */
export async function run(serve: Serve, lines: readonly string[], more = "", json = true) {
  const server = new RecordingServer(serve);
  const port = await server.listen();
  const { output, log, write, echoed } = outputOf(
    configure(`http://127.0.0.1:${port}/falco`, more),
    json,
  );
  try {
    for (const line of lines) await write(line);
  } finally {
    output.close();
    await server.close();
  }
  return { server, port, log, lost: output.lost, echoed: echoed() };
}
