/** The three calls of Falco's gRPC server, with its manners. @module */
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import type { AlertQueue } from "./alert_queue.ts";
import { ServerCall } from "./server_call.ts";

/** The methods of Falco 0.24 to 0.43, by their path. */
export type FalcoMethod =
  | "falco.outputs.service/sub"
  | "falco.outputs.service/get"
  | "falco.version.service/version";

/** What a server needs to know to answer. */
export interface FalcoBackend {
  /**
   * Gives a new call the queue that it drains: the same one to all calls, as Falco does, or one each.
   *
   * @param method The method that was called.
   */
  openQueue(method: FalcoMethod): AlertQueue;
  /** An encoded `falco.version.response`. */
  readonly versionMessage: Uint8Array;
}

/** What a server tells whoever watches it. */
export type ServerEvent =
  | { readonly type: "call"; readonly path: string; readonly id: number }
  | { readonly type: "request"; readonly path: string; readonly id: number }
  | { readonly type: "half-close"; readonly path: string; readonly id: number }
  | { readonly type: "alert"; readonly path: string; readonly id: number }
  | { readonly type: "call-end"; readonly path: string; readonly id: number };

const UNKNOWN = 2;
const UNIMPLEMENTED = 12;
const INTERNAL = 13;

/**
 * Answers calls as Falco 0.43.1 was seen to, pleasant or not; spec and measurements are named where
 * they matter.
 */
export class FalcoServices {
  readonly #backend: FalcoBackend;
  readonly #report: (event: ServerEvent) => void;
  readonly #open = new Map<number, string>();
  #nextId = 1;
  #stopping = false;

  /**
   * @param backend Where alerts and the version come from.
   * @param report Hears of every call and request; must not throw.
   */
  constructor(backend: FalcoBackend, report: (event: ServerEvent) => void = () => {}) {
    this.#backend = backend;
    this.#report = report;
  }

  /** The paths of the calls that are open, in the order they came. */
  get openCalls(): readonly string[] {
    return [...this.#open.values()];
  }

  /** From now on every call ends with OK as soon as it next looks at the queue. */
  stop(): void {
    this.#stopping = true;
  }

  /**
   * Answers one stream of an HTTP/2 server.
   *
   * @param stream The stream.
   * @param headers Its request headers.
   */
  handle(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const path = String(headers[":path"] ?? "").replace(/^\//, "");
    const id = this.#nextId++;
    this.#open.set(id, path);
    this.#report({ type: "call", path, id });
    const handler: Handler = {
      request: () => {},
      requestsEnd: () => {},
      close: () => {},
    };
    const call = new ServerCall(stream, {
      onRequest: (message) => {
        this.#report({ type: "request", path, id });
        handler.request(message);
      },
      onRequestsEnd: (reason) => {
        if (reason === "half-close") this.#report({ type: "half-close", path, id });
        handler.requestsEnd();
      },
      onClose: () => {
        this.#open.delete(id);
        handler.close();
        this.#report({ type: "call-end", path, id });
      },
    });
    // Measured: GET, or a request without "te: trailers", is answered with status 2; any
    // content-type and any :authority will do.
    if (headers[":method"] !== "POST" || headers["te"] === undefined) return call.finish(UNKNOWN);
    const delivered = () => this.#report({ type: "alert", path, id });
    switch (path) {
      case "falco.version.service/version":
        return this.#version(call, handler);
      case "falco.outputs.service/get":
        return this.#get(call, handler, delivered);
      case "falco.outputs.service/sub":
        return this.#sub(call, handler, delivered);
      default:
        return call.finish(UNIMPLEMENTED);
    }
  }

  #version(call: ServerCall, handler: Handler): void {
    onSingleRequest(call, handler, () => {
      call.write(this.#backend.versionMessage);
      call.finish(0);
    });
  }

  /** Drains the queue and ends; "empty" is what each single look at the queue finds. */
  #get(call: ServerCall, handler: Handler, delivered: () => void): void {
    onSingleRequest(call, handler, () => {
      const queue = this.#backend.openQueue("falco.outputs.service/get");
      handler.close = () => queue.close?.();
      const process = (): void => {
        while (!call.closed) {
          const message = queue.tryPop();
          if (message === undefined || this.#stopping) return call.finish(0);
          delivered();
          if (!call.write(message)) return call.onceDrained(process);
        }
      };
      process();
    });
  }

  /**
   * Pull, not push (`request_bidi_context` in Falco's grpc_request_context.cpp): a request drains
   * the queue, then nothing comes until the next one. A request that finds the queue empty is gone
   * without an answer. Half-close or an undecodable request leaves the call open for ever.
   */
  #sub(call: ServerCall, handler: Handler, delivered: () => void): void {
    const queue = this.#backend.openQueue("falco.outputs.service/sub");
    /** Requests that came while an earlier one was being served: read one by one afterwards. */
    let unread = 0;
    let serving = false;
    let dead = false;
    const process = (): void => {
      while (!call.closed) {
        // Falco takes an alert out before it looks whether it should stop: that alert is lost.
        const message = queue.tryPop();
        if (this.#stopping) return call.finish(0);
        if (message !== undefined) {
          delivered();
          if (!call.write(message)) return call.onceDrained(process);
        } else if (unread > 0) {
          unread--;
        } else {
          serving = false;
          return;
        }
      }
    };
    handler.request = (message) => {
      if (dead) return;
      if (!isDecodable(message)) {
        dead = true;
      } else if (serving) {
        unread++;
      } else {
        serving = true;
        process();
      }
    };
    handler.requestsEnd = () => {
      dead = true;
    };
    handler.close = () => queue.close?.();
  }
}

/** What a method does with what its client does. */
interface Handler {
  request: (message: Uint8Array) => void;
  requestsEnd: () => void;
  close: () => void;
}

/** For methods with one request: gRPC's C++ server refuses what it cannot decode, and none at all. */
function onSingleRequest(call: ServerCall, handler: Handler, serve: () => void): void {
  let served = false;
  handler.request = (message) => {
    if (served) return;
    served = true;
    if (isDecodable(message)) serve();
    else call.finish(INTERNAL, "Unable to parse request");
  };
  handler.requestsEnd = () => {
    if (served) return;
    served = true;
    call.finish(INTERNAL, "Unable to parse request");
  };
}

/** Falco's requests are empty messages; fields of older or newer clients are skipped. */
function isDecodable(message: Uint8Array): boolean {
  try {
    const reader = new BinaryReader(message);
    while (reader.pos < reader.len) {
      const [number, type] = reader.tag();
      reader.skip(type, number);
    }
    return reader.pos === reader.len;
  } catch {
    return false;
  }
}
