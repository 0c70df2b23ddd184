/** What clients did with a fake Falco. @module */
import type { Clock } from "../lib/clock.ts";
import type { CallEvent, ServerEvent } from "../lib/server/server_event.ts";
import { ViolationLog } from "./violation.ts";
import type { Violation } from "./violation.ts";

/** How many calls are remembered: enough for a test, bounded for a server that runs for weeks. */
const MAX_CALLS = 1000;

/** More requests than this without an alert, within {@linkcode WINDOW_MS}, are a busy loop: one in 10 ms. */
const MAX_EMPTY_PULLS = 100;
const WINDOW_MS = 1000;

const SUB = "falco.outputs.service/sub";
const GET = "falco.outputs.service/get";
const SUBSCRIBE = "falco.output.service/subscribe";

/**
 * A call that a client made, as {@linkcode FakeFalco.requests} lists it.
 *
 * @example
 * ```ts
 * import type { RecordedCall } from "@falco-streams/core/harness";
 *
 * const call: RecordedCall = {
 *   method: "falco.outputs.service/sub",
 *   connection: 1,
 *   requests: 2,
 *   emptyPulls: 1,
 *   alerts: 5,
 *   halfClosed: false,
 *   waiting: false,
 *   open: true,
 *   status: undefined,
 * };
 * console.assert(call.open);
 * ```
 */
export interface RecordedCall {
  /** The method as it came, without the leading slash. */
  readonly method: string;
  /** The number of its connection, from 1 after each start or reload. */
  readonly connection: number;
  /** Requests that came on it so far. */
  readonly requests: number;
  /** Those of `sub` among them that found the queue empty, and so have no answer. */
  readonly emptyPulls: number;
  /** Alerts that were taken out of the queue for it. */
  readonly alerts: number;
  /** Whether the client said that no more requests follow; on `sub` that leaves the call hanging. */
  readonly halfClosed: boolean;
  /** Whether it waits for one of its method's slots. */
  readonly waiting: boolean;
  /** Whether it is still open. */
  readonly open: boolean;
  /** The gRPC status it was answered with; undefined as long as there is none, and if it was cancelled. */
  readonly status: number | undefined;
}

type OwnCall = { -readonly [key in keyof RecordedCall]: RecordedCall[key] } & {
  /** When the first of the requests that are being counted came. */
  windowAt: number;
  /** How many of them found the queue empty. */
  windowPulls: number;
};

/** Remembers calls, of more than 1,000 not the oldest closed ones, and what was wrong with them. */
export class CallLog {
  readonly #clock: Clock;
  readonly #queueDepth: () => number;
  readonly #calls = new Set<OwnCall>();
  readonly #violations = new ViolationLog();
  readonly #listeners = new Set<() => void>();
  #events = 0;
  /** Whether the fake is being killed: what becomes of calls now is not the clients' doing. */
  killed = false;

  /**
   * @param clock Tells how fast requests come.
   * @param queueDepth Tells how many alerts wait.
   */
  constructor(clock: Clock, queueDepth: () => number) {
    this.#clock = clock;
    this.#queueDepth = queueDepth;
  }

  /** The calls, oldest first, as they are now. */
  get calls(): readonly RecordedCall[] {
    return [...this.#calls].map(({ windowAt: _, windowPulls: __, ...call }) => call);
  }

  /** How much has happened. */
  get events(): number {
    return this.#events;
  }

  /** What clients did wrong. */
  get violations(): readonly Violation[] {
    const unpulled = [...this.#calls].filter((call) =>
      call.method === SUB && call.open && call.requests === 0
    );
    if (unpulled.length === 0 || this.#queueDepth() === 0) return this.#violations.all;
    const log = new ViolationLog(this.#violations.all);
    for (const _ of unpulled) log.add("never-pulled", this.#neverPulled());
    return log.all;
  }

  /**
   * Asks to be called after each event.
   *
   * @param listener What to call.
   * @returns Takes it back.
   */
  onEvent(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Forgets violations and closed calls. */
  clear(): void {
    this.#violations.clear();
    for (const call of this.#calls) if (!call.open) this.#calls.delete(call);
  }

  /**
   * Makes a recorder for one server. Servers number their calls each from the start, so every one
   * needs its own.
   *
   * @returns What the server shall report to.
   */
  recorder(): (event: ServerEvent) => void {
    const open = new Map<number, OwnCall>();
    return (event) => {
      this.#events++;
      if (!("id" in event)) {
        this.#onConnectionEvent(event);
      } else if (event.type === "call") {
        const call = newCall(event);
        open.set(event.id, call);
        this.#add(call);
      } else {
        const call = open.get(event.id);
        if (call !== undefined) this.#onCallEvent(call, event);
        if (event.type === "call-end") open.delete(event.id);
      }
      for (const listener of this.#listeners) listener();
    };
  }

  #onConnectionEvent(event: Exclude<ServerEvent, CallEvent>): void {
    if (event.type === "ping-strike") {
      const { connection, closed } = event;
      const what = closed ? "it was closed for too many of them" : "too soon after the last";
      this.#violations.add("ping-abuse", `Connection ${connection} sent a PING: ${what}`);
    } else if (event.type === "handshake-error") {
      this.#violations.add("handshake-failed", describeHandshake(event));
    }
  }

  #onCallEvent(call: OwnCall, event: CallEvent): void {
    const { method } = call;
    switch (event.type) {
      case "alert":
        call.alerts += event.count;
        return;
      case "waiting":
        call.waiting = true;
        return this.#violations.add(
          "no-slot",
          `A call of ${method} came while all slots were taken`,
        );
      case "served":
        call.waiting = false;
        return;
      case "request":
        call.requests++;
        if (call.requests === 1 && (method === SUB || method === GET)) this.#onConsumer(call);
        if (event.bytes > 0 && method !== SUBSCRIBE) {
          const what = `A request of ${method} holds ${event.bytes} bytes`;
          this.#violations.add("request-not-empty", what);
        }
        return;
      case "empty-pull":
        return this.#onEmptyPull(call);
      case "half-close":
        call.halfClosed = true;
        if (method === SUB) {
          this.#violations.add("half-closed", `A call of ${method} was half-closed`);
        }
        return;
      case "undecodable":
        return this.#violations.add(
          "undecodable",
          `A request of ${method} is no message that can be decoded`,
        );
      case "too-large":
        return this.#violations.add(
          "request-not-empty",
          `A request of ${method} is longer than the 4 MiB that gRPC allows`,
        );
      case "refused-headers":
        return this.#violations.add(
          "refused-headers",
          `A call of ${method} has headers that are refused`,
        );
      case "status":
        return this.#onStatus(call, event.status);
      case "call-end":
        return this.#onEnd(call, event.draining);
    }
  }

  #onConsumer(call: OwnCall): void {
    for (const other of this.#calls) {
      if (other === call || !other.open || other.requests === 0) continue;
      const drains = other.method === SUB && !other.halfClosed ||
        other.method === GET && other.status === undefined;
      if (!drains) continue;
      this.#violations.add(
        "competing-consumers",
        `A call of ${call.method} drains the queue while another call of ${other.method} does`,
      );
      return;
    }
  }

  #onEmptyPull(call: OwnCall): void {
    call.emptyPulls++;
    const now = this.#clock.now();
    if (now - call.windowAt >= WINDOW_MS) {
      call.windowAt = now;
      call.windowPulls = 0;
    }
    if (++call.windowPulls !== MAX_EMPTY_PULLS + 1) return;
    this.#violations.add(
      "pulled-too-fast",
      `A call of ${call.method} sent more than ${MAX_EMPTY_PULLS} requests within ` +
        `${WINDOW_MS} ms that found no alert`,
    );
  }

  #onStatus(call: OwnCall, status: number): void {
    call.status = status;
    const { method } = call;
    if (status === 12) {
      this.#violations.add("unknown-method", `There is no method ${JSON.stringify(method)}`);
    }
  }

  #onEnd(call: OwnCall, draining: boolean): void {
    call.open = call.waiting = false;
    if (this.killed || call.status !== undefined) return;
    if (draining) {
      this.#violations.add(
        "cancelled-mid-drain",
        `A call of ${call.method} ended while alerts were on their way to it`,
      );
    } else if (call.method === SUB && call.requests === 0 && this.#queueDepth() > 0) {
      this.#violations.add("never-pulled", this.#neverPulled());
    }
  }

  #neverPulled(): string {
    return `A call of ${SUB} was sent no request while alerts waited (${this.#queueDepth()})`;
  }

  #add(call: OwnCall): void {
    this.#calls.add(call);
    for (const old of this.#calls) {
      if (this.#calls.size <= MAX_CALLS) return;
      if (!old.open) this.#calls.delete(old);
    }
  }
}

function describeHandshake(
  { failure, error }: Extract<ServerEvent, { type: "handshake-error" }>,
): string {
  switch (failure) {
    case "no-certificate":
      return "A client showed no certificate";
    case "untrusted-certificate":
      return "A client showed a certificate that is expired or of another authority";
    case "no-tls":
      return "A client did not speak TLS";
    case "old-tls":
      return "A client speaks only TLS 1.1 or older";
    case "other":
      return `A client could not agree on TLS: ${error.message.trim()}`;
  }
}

function newCall({ path, connection }: CallEvent): OwnCall {
  return {
    method: path,
    connection,
    requests: 0,
    emptyPulls: 0,
    alerts: 0,
    halfClosed: false,
    waiting: false,
    open: true,
    status: undefined,
    windowAt: -Infinity,
    windowPulls: 0,
  };
}

/**
 * Looks whether a call is one that alerts go to as they come, or as it asks.
 *
 * @param call The call.
 */
export function isSubscriber(call: RecordedCall): boolean {
  if (!call.open || call.waiting || call.requests === 0) return false;
  // Clients of the first service half-close right after their one request.
  return call.method === SUBSCRIBE || call.method === SUB && !call.halfClosed;
}
