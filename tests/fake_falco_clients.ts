/** Fakes and bare clients that the tests of the fake Falco share. @module */
import assert from "node:assert/strict";
import { lstat } from "node:fs/promises";
import { constants } from "node:http2";
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import { setImmediate } from "node:timers/promises";
import { buildAlert } from "../harness/build_alert.ts";
import { makeCertificates } from "../harness/certificates.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import type { FakeFalcoOptions } from "../harness/fake_falco_options.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { decodeAlert } from "../lib/alert/wire.ts";
import { FalcoConnectError } from "../lib/errors.ts";
import { parseAddress } from "../lib/transport/address.ts";
import { frameMessage, MessageSplitter } from "../lib/transport/message_splitter.ts";
import { SessionManager } from "../lib/transport/session_manager.ts";
import { DEADLINE_MS, until, within } from "./waits.ts";

/** The methods, as they stand on the wire. */
export const SUB = "falco.outputs.service/sub";
export const GET = "falco.outputs.service/get";
export const SUBSCRIBE = "falco.output.service/subscribe";
export const VERSION = "falco.version.service/version";

/** An encoded request: it has no fields. */
export const REQUEST = new Uint8Array();

/** A request of {@linkcode SUBSCRIBE} for alerts as they come. */
export const KEEPALIVE = new Uint8Array([0x08, 0x01]);

/** No protobuf message: a field that is cut short. */
export const GARBAGE = new Uint8Array([0x0a, 0xff]);

/** One of the two ways to reach a Falco. */
export interface Wire {
  readonly name: string;
  start(options?: FakeFalcoOptions): Promise<FakeFalco>;
}

// Once for all: what they are does not matter, and making them takes its time.
const certificates = await makeCertificates({ names: ["localhost", "127.0.0.1", "::1"] });

/** Both ways. What the fake does must not depend on it. */
export const wires: readonly Wire[] = [
  { name: "a unix socket", start: (options) => FakeFalco.start({ ...options, tls: false }) },
  { name: "TLS", start: (options) => FakeFalco.start({ ...options, tls: certificates }) },
];

/** What a test gets from {@linkcode withFake}. */
export interface Scene {
  readonly fake: FakeFalco;
  /** Makes a client with a connection of its own. */
  dial(): BareClient;
}

/** Runs a test against a new fake, and closes all clients and the fake whatever comes of it. */
export async function withFake(
  wire: Wire,
  body: (scene: Scene) => Promise<void>,
  options: FakeFalcoOptions = {},
): Promise<void> {
  const fake = await wire.start(options);
  const clients: BareClient[] = [];
  const dial = (): BareClient => {
    const client = new BareClient(fake);
    clients.push(client);
    return client;
  };
  try {
    await body({ fake, dial });
  } finally {
    for (const client of clients) await client.close();
    await fake[Symbol.asyncDispose]();
  }
}

/** A connection and calls on it, with nothing sent but what the test says. */
export class BareClient {
  readonly #manager: SessionManager;

  constructor(fake: Pick<FakeFalco, "address" | "credentials">) {
    this.#manager = new SessionManager(parseAddress(fake.address), {
      tls: fake.credentials,
      connectTimeoutMs: DEADLINE_MS,
    });
  }

  /** The connection, opened if there is none. */
  async session(): Promise<ClientHttp2Session> {
    return await this.#manager.session();
  }

  /** Opens a call; no request is sent yet. A header that is undefined is left out. */
  async call(
    method: string,
    headers: Readonly<Record<string, string | undefined>> = {},
  ): Promise<BareCall> {
    const all = {
      ":method": "POST",
      ":path": `/${method}`,
      "content-type": "application/grpc",
      "te": "trailers",
      ...headers,
    };
    const given = Object.entries(all).filter(([, value]) => value !== undefined);
    const session = await this.session();
    return new BareCall(session.request(Object.fromEntries(given), { endStream: false }));
  }

  /** Opens a `sub` and sends that many requests. */
  async sub(requests = 0): Promise<BareCall> {
    const call = await this.call(SUB);
    for (let sent = 0; sent < requests; sent++) call.request();
    return call;
  }

  /** Does a whole `get`: the rules of its alerts. */
  async get(): Promise<string[]> {
    const call = await this.call(GET);
    call.request();
    call.halfClose();
    await call.end();
    assert.equal(call.status, 0);
    return call.here();
  }

  /**
   * Two round trips on this connection: what the fake had sent on it before is here afterwards, and
   * what was sent to the fake before has been seen by it.
   */
  async roundTrip(): Promise<void> {
    for (let trip = 0; trip < 2; trip++) {
      const call = await this.call(VERSION);
      call.request();
      call.halfClose();
      await call.end();
      assert.equal(call.status, 0);
    }
  }

  /** Does round trips until something is so. `turn`: what to do instead, where calls hang. */
  async until(
    what: string,
    condition: () => boolean,
    turn: () => Promise<unknown> = () => this.roundTrip(),
  ): Promise<void> {
    await until(what, condition, turn);
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    await this.#manager.close();
  }
}

/** A call, and what has come on it. */
export class BareCall {
  /** What came, in order: `headers`, `message` (once for each), `trailers`, `error`, `end`. */
  readonly events: string[] = [];
  /** The response headers; undefined as long as there are none. */
  headers: IncomingHttpHeaders | undefined;
  /** The trailers. If the answer has no message they are the headers: gRPC's "trailers-only". */
  trailers: IncomingHttpHeaders | undefined;
  readonly #stream: ClientHttp2Stream;
  readonly #splitter = new MessageSplitter(64 * 1024 * 1024);
  readonly #messages: Uint8Array[] = [];
  /** Wakes all that wait. */
  #wake: () => void = () => {};

  constructor(stream: ClientHttp2Stream) {
    this.#stream = stream;
    stream.on("response", (headers) => {
      this.#note("headers");
      this.headers = headers;
      if (headers["grpc-status"] !== undefined) this.trailers = headers;
    });
    stream.on("trailers", (trailers: IncomingHttpHeaders) => {
      this.#note("trailers");
      this.trailers = trailers;
    });
    stream.on("data", (chunk: Uint8Array) => {
      for (const message of this.#splitter.push(chunk)) {
        this.#messages.push(message);
        this.#note("message");
      }
    });
    stream.on("error", () => this.#note("error"));
    const onEnd = () => {
      if (!this.events.includes("end")) this.#note("end");
      // The server is done with the call; our half would stay open.
      if (!stream.closed) stream.close(constants.NGHTTP2_NO_ERROR);
    };
    stream.on("end", () => {
      if (this.trailers !== undefined) onEnd();
    });
    stream.on("close", onEnd);
  }

  #note(event: string): void {
    this.events.push(event);
    const wake = this.#wake;
    this.#wake = () => {};
    wake();
  }

  /** The status; undefined as long as there is none. */
  get status(): number | undefined {
    const status = this.trailers?.["grpc-status"];
    return status === undefined ? undefined : Number(status);
  }

  /** Whether the call is over, in whatever way. */
  get ended(): boolean {
    return this.events.includes("end");
  }

  /** The HTTP/2 error code that the stream was closed with. */
  get resetCode(): number | undefined {
    return this.#stream.rstCode;
  }

  /** Sends a request. */
  request(message: Uint8Array = REQUEST): void {
    this.#stream.write(frameMessage(message));
  }

  /** Sends bytes without gRPC's frame. */
  raw(bytes: Uint8Array): void {
    this.#stream.write(bytes);
  }

  /** Says that no requests follow. */
  halfClose(): void {
    this.#stream.end();
  }

  /** Waits for that many alerts: their rules. Fails if the call ends before. */
  async read(count: number): Promise<string[]> {
    return (await this.readBytes(count)).map((message) => decodeAlert(message).rule);
  }

  /** Waits for that many messages. Fails if the call ends before. */
  async readBytes(count: number): Promise<Uint8Array[]> {
    await this.#when(`${count} messages`, () => this.#messages.length >= count || this.ended);
    assert.ok(this.#messages.length >= count, "the call ended early");
    return this.#messages.splice(0, count);
  }

  /** The rules of the alerts that have come by now. */
  here(): string[] {
    return this.#messages.splice(0).map((message) => decodeAlert(message).rule);
  }

  /** Waits for the end, in whatever way. */
  async end(): Promise<void> {
    await this.#when("the end of the call", () => this.ended);
  }

  /** Waits for news of this call until something is so. */
  async #when(what: string, condition: () => boolean): Promise<void> {
    await within(
      what,
      (async () => {
        while (!condition()) {
          const others = this.#wake;
          await new Promise<void>((resolve) =>
            this.#wake = () => {
              others();
              resolve();
            }
          );
        }
      })(),
    );
  }

  /** Reads nothing more, so that the connection fills up. */
  pause(): void {
    this.#stream.pause();
  }

  /** Reads on. */
  resume(): void {
    this.#stream.resume();
  }

  /** Cancels the call. */
  cancel(): void {
    this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#stream.resume();
  }
}

/** Alerts that are told apart by their rule: `a1`, `a2` and so on. */
export function alerts(from: number, to: number = from): Alert[] {
  return rules(from, to).map((rule) => buildAlert({ rule }));
}

/** The rules of {@linkcode alerts}. */
export function rules(from: number, to: number = from): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => `a${from + index}`);
}

/** Sorts rules of {@linkcode alerts} as the alerts were made. */
export function inOrder(some: readonly string[]): string[] {
  return some.toSorted((one, other) => Number(one.slice(1)) - Number(other.slice(1)));
}

/** The path of a fake's socket; undefined if it listens over TLS. */
export function socketPath(fake: FakeFalco): string | undefined {
  return /^unix:\/\/(.*)$/.exec(fake.address)?.[1];
}

/** Whether there is something at a path. */
export async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(() => true, () => false);
}

/** A turn of the event loop, for {@linkcode BareClient.until}. */
export async function idleTurn(): Promise<void> {
  await setImmediate();
}

/** Tries to connect: whether that fails. */
export async function isRefused(client: BareClient): Promise<boolean> {
  return await client.session().then(() => false, (error) => error instanceof FalcoConnectError);
}

/** Whether a promise has settled by now. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  for (let turn = 0; turn < 5; turn++) await setImmediate();
  return settled;
}
