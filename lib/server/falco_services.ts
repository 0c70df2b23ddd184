/** The calls of Falco's gRPC server, with its manners. @module */
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { AlertQueue } from "./alert_queue.ts";
import { currentMethods } from "./falco_method.ts";
import type { FalcoMethod } from "./falco_method.ts";
import type { Method } from "./method.ts";
import { serveGet } from "./serve_get.ts";
import { serveSub } from "./serve_sub.ts";
import { serveSubscribe } from "./serve_subscribe.ts";
import { serveVersion } from "./serve_version.ts";
import { ServedCall } from "./served_call.ts";
import type { SharedState } from "./served_call.ts";
import type { ServerEvent } from "./server_event.ts";
import { Slots } from "./slots.ts";
import type { MakeCall } from "./server_call.ts";

/** What a server needs to know to answer. */
export interface FalcoBackend {
  /**
   * Gives a new call the queue that it drains: the same one to all calls, as Falco does, or one each.
   * Called when the call gets its slot, before its first request is looked at.
   *
   * @param method The method that was called.
   * @param caller Who calls.
   */
  openQueue(method: FalcoMethod, caller: Caller): AlertQueue;
  /** An encoded `falco.version.response`. */
  readonly versionMessage: Uint8Array;
  /** The methods that there are; all others are unimplemented. Default those of 0.24 to 0.43. */
  readonly methods?: readonly FalcoMethod[];
  /** Falco's `threadiness`: ten times as many calls of each method are served at once. Default 8. */
  readonly threadiness?: number;
  /** Hears of each connection as it is opened. */
  readonly onSession?: (session: ServerHttp2Session) => void;
  /** Makes the calls, for whoever wants them to go wrong. Default a plain `ServerCall`. */
  readonly makeCall?: MakeCall;
  /**
   * Whether every message gets an HTTP/2 DATA frame of its own, as Falco sends them. Default false:
   * what is there goes out together, which is faster and the same for a client that reads messages.
   */
  readonly oneMessagePerFrame?: boolean;
}

/** The call that a queue is opened for. */
export interface Caller {
  /** The number of the call. */
  readonly id: number;
  /** The number of its connection. */
  readonly connection: number;
  /**
   * Ends the call with a status, which Falco never does on its own; its queue must give nothing any
   * more. Does nothing if it has ended.
   *
   * @param status gRPC's number for it.
   * @param message What is told to the client.
   */
  end(status: number, message?: string): void;
}

/** What the services have to know of the connection that a call came on. */
export interface CallConnection {
  /** Its number. */
  readonly id: number;
  /** Something was sent or read for one of its calls. */
  onTraffic(): void;
  /** One of its calls is over. */
  onCallEnd(): void;
}

/** Falco's default up to 0.23, and in the examples of its documentation since. */
export const DEFAULT_THREADINESS = 8;

/** Contexts for each thread and method (Falco's grpc_server.cpp); measured on 0.43.1. */
const SLOTS_PER_THREAD = 10;

/** gRPC's C++ server refuses header blocks above this, measured on 0.43.1. */
const MAX_METADATA_BYTES = 8192;

/** What HTTP/2 adds to the length of each header (RFC 9113, section 6.5.2). */
const HEADER_OVERHEAD = 32;

const UNKNOWN = 2;
const RESOURCE_EXHAUSTED = 8;
const UNIMPLEMENTED = 12;

const methods: Readonly<Record<FalcoMethod, Method>> = {
  "falco.output.service/subscribe": serveSubscribe,
  "falco.outputs.service/sub": serveSub,
  "falco.outputs.service/get": serveGet,
  "falco.version.service/version": serveVersion,
};

/**
 * Answers calls as Falco 0.43.1 was seen to, pleasant or not; spec and measurements are named where
 * they matter.
 */
export class FalcoServices {
  readonly #backend: FalcoBackend;
  readonly #report: (event: ServerEvent) => void;
  readonly #open = new Map<ServedCall, string>();
  readonly #slots = new Map<string, Slots>();
  readonly #shared: SharedState;
  readonly #onStop = new Set<() => void>();
  #nextId = 1;
  #stopping = false;

  /**
   * @param backend Where alerts and the version come from.
   * @param report Hears of every call and request; must not throw.
   */
  constructor(backend: FalcoBackend, report: (event: ServerEvent) => void = () => {}) {
    this.#backend = backend;
    this.#report = report;
    const { methods = currentMethods, threadiness = DEFAULT_THREADINESS } = backend;
    for (const path of methods) this.#slots.set(path, new Slots(threadiness * SLOTS_PER_THREAD));
    const isStopping = () => this.#stopping;
    this.#shared = {
      versionMessage: backend.versionMessage,
      makeCall: backend.makeCall,
      threads: new Slots(threadiness),
      oneMessagePerFrame: backend.oneMessagePerFrame ?? false,
      get stopping() {
        return isStopping();
      },
      onStop: (listener) => this.#onStop.add(listener),
    };
  }

  /** The paths of the calls that are open, in the order they came. */
  get openCalls(): readonly string[] {
    return [...this.#open.values()];
  }

  /** Whether {@linkcode FalcoServices.stop} has been called. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /**
   * From now on every call ends with OK as soon as it next looks at the queue. Calls that still wait
   * for a slot are cancelled at once, as gRPC's server does with what it has not accepted.
   */
  stop(): void {
    this.#stopping = true;
    for (const served of this.#open.keys()) if (served.waiting) served.call.reset();
    const listeners = [...this.#onStop];
    this.#onStop.clear();
    for (const listener of listeners) listener();
  }

  /**
   * Ends every open call with OK, the half-closed ones among them. Falco does not do this; nobody's
   * queue must give anything any more.
   */
  finishCalls(): void {
    for (const served of this.#open.keys()) served.call.finish(0);
  }

  /**
   * Answers one stream of an HTTP/2 server.
   *
   * @param stream The stream.
   * @param headers Its request headers.
   * @param connection The connection it came on.
   */
  handle(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    connection: CallConnection,
  ): void {
    const path = String(headers[":path"] ?? "").replace(/^\//, "");
    const name = { path, id: this.#nextId++, connection: connection.id };
    const served: ServedCall = new ServedCall(stream, headers, name, this.#shared, {
      report: this.#report,
      onTraffic: () => connection.onTraffic(),
      onClose: () => {
        this.#open.delete(served);
        connection.onCallEnd();
      },
    });
    this.#open.set(served, path);
    const refusal = refusalOf(headers);
    const slots = this.#slots.get(path);
    if (refusal !== undefined) {
      this.#report({ ...name, type: "refused-headers" });
      served.call.finish(refusal.status, refusal.message);
    } else if (slots === undefined) served.call.finish(UNIMPLEMENTED);
    else {
      const method = path as FalcoMethod;
      const { id } = name;
      const end = (status: number, message?: string) => served.call.finish(status, message);
      const caller: Caller = { id, connection: connection.id, end };
      served.serve(methods[method], slots, () => this.#backend.openQueue(method, caller));
    }
  }
}

/** Why a call is refused whatever its method; undefined if it is not. */
function refusalOf(
  headers: IncomingHttpHeaders,
): { status: number; message?: string } | undefined {
  // Measured: GET, or a request without "te: trailers", is answered with status 2; any
  // content-type and any :authority will do.
  if (headers[":method"] !== "POST" || headers["te"] === undefined) return { status: UNKNOWN };
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : [value ?? ""]) {
      bytes += name.length + one.length + HEADER_OVERHEAD;
    }
  }
  if (bytes <= MAX_METADATA_BYTES) return undefined;
  return { status: RESOURCE_EXHAUSTED, message: "received initial metadata size exceeds limit" };
}
