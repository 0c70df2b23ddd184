/**
 * What hostile senders do to an HTTP receiver, while a good one goes on: shared by the test, with few
 * of each, and by bench/abuse.ts, with many.
 */
import { Buffer } from "node:buffer";
import { Agent, request } from "node:http";
import { Agent as TlsAgent, request as requestTls } from "node:https";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectionOptions } from "node:tls";
import { gzipSync } from "node:zlib";
import { buildAlert } from "../harness/build_alert.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { post } from "./raw_http.ts";

/** How many of each kind. */
export interface AbuseCounts {
  readonly slow: number;
  readonly large: number;
  readonly compressed: number;
  readonly pipelined: number;
  readonly invalid: number;
}

/** Certificates of a sender, as PEM text. */
export interface SenderTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Posts alerts over one connection, one after the other, as Falco does; returns how many were taken. */
export class GoodSender {
  readonly #url: string;
  readonly #agent: Agent;
  readonly #request: typeof request;
  #sent = 0;
  #taken = 0;
  #isOver = false;
  readonly #done: Promise<void>;

  constructor(url: string, tls?: SenderTls) {
    this.#url = url;
    const keep = { keepAlive: true, maxSockets: 1 };
    this.#agent = tls === undefined ? new Agent(keep) : new TlsAgent({ ...keep, ...tls });
    this.#request = tls === undefined ? request : requestTls;
    this.#done = this.#run();
  }

  /** Alerts that were answered with 200. */
  get taken(): number {
    return this.#taken;
  }

  async stop(): Promise<{ sent: number; taken: number }> {
    this.#isOver = true;
    await this.#done;
    this.#agent.destroy();
    return { sent: this.#sent, taken: this.#taken };
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      this.#sent++;
      const body = formatAlert(buildAlert({ rule: "good", output: `${this.#sent}` }));
      // As libcurl does: once more on a new connection, if the one used before was closed.
      if (await this.#post(body) || await this.#post(body)) this.#taken++;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #post(body: string): Promise<boolean> {
    return new Promise((resolve) => {
      const sent = this.#request(this.#url, { method: "POST", agent: this.#agent }, (response) => {
        response.resume();
        response.on("close", () => resolve(response.statusCode === 200));
      });
      sent.on("error", () => resolve(false));
      sent.end(body);
    });
  }
}

/** Opens a connection, sends something, and waits for its end if there is to be one. */
function sendRaw(
  url: string,
  bytes: string | Uint8Array,
  stays: Socket[] | undefined,
): Promise<void> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname, () => {
      socket.write(bytes, () => stays !== undefined && resolve());
      stays?.push(socket);
    });
    socket.on("error", () => resolve());
    socket.on("close", () => resolve());
    socket.resume();
  });
}

/** Runs work so often, a number at the same time. */
async function repeat(count: number, width: number, work: (index: number) => Promise<unknown>) {
  let next = 0;
  await Promise.all(Array.from({ length: width }, async () => {
    while (next < count) await work(next++);
  }));
}

const head = (length: number, more = ""): string =>
  `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n${more}\r\n`;

/** Does all of it, and leaves. */
export async function abuse(url: string, counts: AbuseCounts): Promise<void> {
  const stays: Socket[] = [];
  const beginnings = ["P", "POST / HTTP/1.1\r\nHo", head(1000) + '{"output', head(3_000_000)];
  await repeat(counts.slow, 100, (n) => sendRaw(url, beginnings[n % beginnings.length]!, stays));

  await repeat(counts.large, 8, async (n) => {
    if (n % 2 === 0) return await sendRaw(url, head(1e12), undefined);
    const chunk = `100000\r\n${"x".repeat(0x100000)}\r\n`;
    const start = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    await sendRaw(url, start + chunk.repeat(5), undefined);
  });

  const bomb = gzipSync(Buffer.alloc(50_000_000));
  const bodies = [bomb, Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3])];
  await repeat(counts.compressed, 8, async (n) => {
    const body = bodies[n % 2]!;
    const start = Buffer.from(head(body.length, "Content-Encoding: gzip\r\nConnection: close\r\n"));
    await sendRaw(url, Buffer.concat([start, body]), undefined);
  });

  await repeat(counts.pipelined, 8, async () => {
    await sendRaw(url, `${post("{oops").repeat(20)}\x00\xff GARBAGE \r\n\r\n`, undefined);
  });

  // After so many the receiver would close the connection itself.
  await repeat(Math.ceil(counts.invalid / 100), 4, async () => {
    const bytes = post("{oops").repeat(99) + post("{oops", { Connection: "close" });
    await sendRaw(url, bytes, undefined);
  });
  for (const socket of stays) socket.destroy();
}

/**
 * Tries to get in where a certificate of the receiver's authority is asked for: without one, with one of
 * another authority, without TLS, and with what is no TLS, in turns.
 *
 * @param url The receiver.
 * @param count How often.
 * @param stranger Certificates of another authority, but for `ca`.
 * @returns How often an alert was answered with something else than the end of the connection.
 */
export async function abuseTls(url: string, count: number, stranger: SenderTls): Promise<number> {
  const { hostname, port } = new URL(url);
  const { ca, cert, key } = stranger;
  const place = { host: hostname, port: Number(port), servername: "localhost", ca };
  const alert = post(formatAlert(buildAlert({ rule: "forged" })));
  let answered = 0;
  const tries: (() => Promise<unknown>)[] = [
    async () => answered += await postOverTls(place, alert) ? 1 : 0,
    async () => answered += await postOverTls({ ...place, cert, key }, alert) ? 1 : 0,
    () => sendRaw(url, alert, undefined),
    () => sendRaw(url, Buffer.from([0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5]), undefined),
  ];
  await repeat(count, 8, (n) => tries[n % tries.length]!());
  return answered;
}

/** Returns whether anything came back. */
function postOverTls(place: ConnectionOptions, bytes: string): Promise<boolean> {
  return new Promise((resolve) => {
    let got = false;
    const socket = connectTls(place, () => socket.write(bytes));
    socket.on("data", () => {
      got = true;
      socket.destroy();
    });
    socket.on("error", () => resolve(got));
    socket.on("close", () => resolve(got));
  });
}
