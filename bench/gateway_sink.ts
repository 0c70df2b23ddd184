/** Any number of subscribers that count alerts without decoding them, on a thread of their own. @module */
import { connect } from "node:http2";
import type { ClientHttp2Stream } from "node:http2";
import { createConnection } from "node:net";
import { setImmediate } from "node:timers";
import { parentPort, workerData } from "node:worker_threads";

/** What the subscribers do. */
export interface SubscriberTarget {
  /** The path of the socket. */
  readonly path: string;
  readonly subscribers: number;
  /** How many alerts each of them waits for. */
  readonly count: number;
}

/** How often a subscriber asks, in milliseconds: what a busy client of this library does. */
const POLL_MS = 10;

/** gRPC's header in front of each message. */
const HEADER_BYTES = 5;

const request = new Uint8Array(HEADER_BYTES);

/** Counts the messages of a stream whatever pieces it comes in. */
class MessageCounter {
  #missing = 0;
  readonly #header: number[] = [];
  messages = 0;
  bytes = 0;

  add(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#missing > 0) {
        const step = Math.min(this.#missing, chunk.length - at);
        at += step;
        this.#missing -= step;
      } else {
        this.#header.push(chunk[at++]!);
        if (this.#header.length < HEADER_BYTES) continue;
        const [, a, b, c, d] = this.#header as [number, number, number, number, number];
        this.#missing = ((a * 256 + b) * 256 + c) * 256 + d;
        this.bytes += this.#missing;
        this.#header.length = 0;
      }
      if (this.#missing === 0 && this.#header.length === 0) this.messages++;
    }
  }
}

function subscribe({ path, count }: SubscriberTarget): Promise<number> {
  return new Promise((resolve, reject) => {
    const session = connect("http://localhost", { createConnection: () => createConnection(path) });
    session.on("error", reject);
    const call: ClientHttp2Stream = session.request({
      ":method": "POST",
      ":path": "/falco.outputs.service/sub",
      "content-type": "application/grpc",
      te: "trailers",
    }, { endStream: false });
    call.on("error", reject);
    call.write(request);
    const timer = setInterval(() => call.write(request), POLL_MS);
    const counter = new MessageCounter();
    call.on("data", (chunk: Uint8Array) => {
      counter.add(chunk);
      if (counter.messages < count) return;
      clearInterval(timer);
      // Not in the middle of what it hands over: Deno 2.9 crashes over that now and then.
      setImmediate(() => session.destroy());
      resolve(counter.bytes);
    });
  });
}

const target = workerData as SubscriberTarget;
const all = Array.from({ length: target.subscribers }, () => subscribe(target));
const bytes = await Promise.all(all);
parentPort?.postMessage(bytes.reduce((sum, one) => sum + one, 0));
