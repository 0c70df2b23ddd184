/** Fakes and bare clients that the tests of the fake Falco share. @module */
import { setImmediate } from "node:timers/promises";
import { buildAlert } from "../harness/build_alert.ts";
import { makeCertificates } from "../harness/certificates.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import type { FakeFalcoOptions } from "../harness/fake_falco_options.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { decodeAlert } from "../lib/alert/wire.ts";
import { systemClock } from "../lib/clock.ts";
import { parseAddress } from "../lib/transport/address.ts";
import { ClientCall } from "../lib/transport/client_call.ts";
import { SessionManager } from "../lib/transport/session_manager.ts";

/** The methods, as they stand on the wire. */
export const SUB = "falco.outputs.service/sub";
export const GET = "falco.outputs.service/get";
export const VERSION = "falco.version.service/version";

/** An encoded request: it has no fields. */
export const REQUEST = new Uint8Array();

/** No protobuf message: a field that is cut short. */
export const GARBAGE = new Uint8Array([0x0a, 0xff]);

/** How long something may take that must happen, in milliseconds; only a failing test waits that long. */
const DEADLINE_MS = 10_000;

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

  constructor(fake: FakeFalco) {
    this.#manager = new SessionManager(parseAddress(fake.address), {
      tls: fake.credentials,
      connectTimeoutMs: DEADLINE_MS,
    });
  }

  /** Opens a call; no request is sent yet. */
  async call(method: string): Promise<BareCall> {
    return new BareCall(await ClientCall.start(this.#manager, method));
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
    call.request(REQUEST, true);
    return await call.end();
  }

  /**
   * Two round trips on this connection: what the fake had sent on it before is here afterwards, and
   * what was sent to the fake before has been seen by it.
   */
  async roundTrip(): Promise<void> {
    for (let trip = 0; trip < 2; trip++) {
      const call = await this.call(VERSION);
      call.request(REQUEST, true);
      await call.end();
    }
  }

  /** Does round trips until something is so. */
  async until(what: string, condition: () => boolean): Promise<void> {
    await until(what, condition, () => this.roundTrip());
  }

  /** Closes the connection. */
  async close(): Promise<void> {
    await this.#manager.close();
  }
}

/** A call, and what has come on it. */
export class BareCall {
  readonly #call: ClientCall;
  #messages: Uint8Array[] = [];

  constructor(call: ClientCall) {
    this.#call = call;
  }

  /** Sends a request. */
  request(message: Uint8Array = REQUEST, last = false): void {
    this.#call.send(message, last);
  }

  /** Waits for that many alerts: their rules. */
  async read(count: number): Promise<string[]> {
    const messages = await within(`${count} alerts`, this.#read(count));
    return messages.map((message) => decodeAlert(message).rule);
  }

  /** Waits for one message: its bytes. */
  async readBytes(): Promise<Uint8Array> {
    return (await within("a message", this.#read(1)))[0]!;
  }

  async #read(count: number): Promise<Uint8Array[]> {
    while (this.#messages.length < count) {
      const messages = this.#call.take();
      if (messages === null) throw new Error("the call has ended with OK");
      if (messages === undefined) await this.#news();
      else this.#messages.push(...messages);
    }
    return this.#messages.splice(0, count);
  }

  /** The rules of what has come by now; throws if the call has ended. */
  here(): string[] {
    for (let some = this.#call.take(); some !== undefined; some = this.#call.take()) {
      if (some === null) throw new Error("the call has ended with OK");
      this.#messages.push(...some);
    }
    return this.#messages.splice(0).map((message) => decodeAlert(message).rule);
  }

  /** Waits for the end with OK: the rules of the alerts before it; rejects with another end. */
  async end(): Promise<string[]> {
    const messages = await within("the end of the call", this.#end());
    // An answer of `version` is none, but of the same kind as far as this reading goes.
    return messages.map((message) => decodeAlert(message).rule);
  }

  async #end(): Promise<Uint8Array[]> {
    for (;;) {
      const messages = this.#call.take();
      if (messages === null) return this.#messages.splice(0);
      if (messages === undefined) await this.#news();
      else this.#messages.push(...messages);
    }
  }

  #news(): Promise<void> {
    return new Promise((resolve) => this.#call.onReady(resolve));
  }

  /** Cancels the call. */
  async cancel(): Promise<void> {
    await this.#call.cancel();
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

/** Fails a wait for something that must happen and does not. */
export async function within<T>(what: string, happens: Promise<T>): Promise<T> {
  let cancelTimer: () => void = () => {};
  const tooLate = new Promise<never>((_, reject) => {
    const error = new Error(`waited ${DEADLINE_MS / 1000} s in vain for ${what}`);
    cancelTimer = systemClock.setTimer(() => reject(error), DEADLINE_MS);
  });
  try {
    return await Promise.race([happens, tooLate]);
  } finally {
    cancelTimer();
  }
}

/** Lets the event loop turn until something is so. */
export async function until(
  what: string,
  condition: () => boolean,
  turn: () => Promise<unknown> = () => setImmediate(),
): Promise<void> {
  const lastMoment = Date.now() + DEADLINE_MS;
  while (!condition()) {
    if (Date.now() > lastMoment) throw new Error(`waited in vain until ${what}`);
    await turn();
  }
}

/** Whether a promise has settled by now. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  for (let turn = 0; turn < 5; turn++) await setImmediate();
  const pending = Symbol();
  const first = await Promise.race([promise.catch(() => {}), Promise.resolve(pending)]);
  return first !== pending;
}
