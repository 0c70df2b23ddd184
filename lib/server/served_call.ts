/** A call on its way from its arrival to its end. @module */
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { AlertQueue } from "./alert_queue.ts";
import type { Method, MethodContext, RequestHandler } from "./method.ts";
import type { CallEvent } from "./server_event.ts";
import { ServerCall } from "./server_call.ts";
import type { CallHandler, MakeCall } from "./server_call.ts";
import type { Slots } from "./slots.ts";

/** How many requests are kept of a call that waits for a slot, before its client has to wait, too. */
const MAX_EARLY = 100;

/** What all calls of a server share. */
export interface SharedState {
  readonly versionMessage: Uint8Array;
  readonly makeCall: MakeCall | undefined;
  readonly threads: Slots;
  readonly stopping: boolean;
  /** Whether every message gets a DATA frame of its own. */
  readonly oneMessagePerFrame: boolean;
  onStop(listener: () => void): void;
}

/** Who is told of a call. */
export interface CallWatcher {
  /** Hears of everything. */
  report(event: CallEvent): void;
  /** Something was sent or read. */
  onTraffic(): void;
  /** It is over. */
  onClose(): void;
}

/** What is different from one type of event to the next. */
type Detail<Event = CallEvent> = Event extends CallEvent ? Omit<Event, keyof CallName> : never;

/** How events name a call. */
type CallName = Pick<CallEvent, "id" | "path" | "connection">;

/** Reports what happens on a call, holds requests back until it has a slot, and tells its method. */
export class ServedCall implements MethodContext {
  /** The call itself. */
  readonly call: ServerCall;
  /** @inheritdoc */
  draining = false;
  readonly #name: CallName;
  readonly #shared: SharedState;
  readonly #watcher: CallWatcher;
  /** Made once: there are many of them. */
  readonly #alertEvent: CallEvent;
  #handler: RequestHandler | undefined;
  #early: ((handler: RequestHandler) => void)[] = [];
  #openQueue: (() => AlertQueue) | undefined;
  #queue: AlertQueue | undefined;
  #leave: () => void = () => {};

  /**
   * @param stream The stream of the request.
   * @param headers Its request headers.
   * @param name How events name it.
   * @param shared What all calls of the server share.
   * @param watcher Who is told.
   */
  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    name: CallName,
    shared: SharedState,
    watcher: CallWatcher,
  ) {
    this.#name = name;
    this.#shared = shared;
    this.#watcher = watcher;
    this.#alertEvent = { ...name, type: "alert", count: 1 };
    const callHandler: CallHandler = {
      onRequest: (message) => {
        this.#report({ type: "request", bytes: message.length });
        watcher.onTraffic();
        this.#tell((handler) => handler.request(message));
      },
      onRequestsEnd: (reason) => {
        this.#report({ type: reason });
        this.#tell((handler) => handler.requestsEnd());
      },
      onStatus: (status) => {
        this.#report({ type: "status", status });
        watcher.onTraffic();
      },
      onClose: () => {
        this.#leave();
        this.#queue?.close?.();
        watcher.onClose();
        this.#report({ type: "call-end", draining: this.draining });
      },
    };
    this.call = shared.makeCall?.(stream, headers, callHandler) ??
      new ServerCall(stream, headers, callHandler);
    this.call.oneMessagePerFrame = shared.oneMessagePerFrame;
    this.#report({ type: "call" });
  }

  /**
   * Serves it as soon as there is a slot.
   *
   * @param method How.
   * @param slots Of which it takes one.
   * @param openQueue Opens the queue that it may drain.
   */
  serve(method: Method, slots: Slots, openQueue: () => AlertQueue): void {
    this.#openQueue = openQueue;
    let late = false;
    this.#leave = slots.acquire((leave) => {
      this.#leave = leave;
      if (late) this.#report({ type: "served" });
      // Now, not with the first request: who fans out counts from here what the client is to get.
      this.#queue = openQueue();
      const handler = this.#handler = method(this.call, this);
      const early = this.#early;
      this.#early = [];
      for (const what of early) this.#deliver(handler, what);
      if (early.length >= MAX_EARLY) this.call.resume();
    });
    if (!this.waiting) return;
    late = true;
    this.#report({ type: "waiting" });
  }

  /** Whether it has no slot yet. */
  get waiting(): boolean {
    return this.#handler === undefined && this.#openQueue !== undefined;
  }

  #tell(what: (handler: RequestHandler) => void): void {
    if (this.#handler !== undefined) this.#deliver(this.#handler, what);
    else if (this.#early.push(what) === MAX_EARLY && this.waiting) this.call.pause();
  }

  /** On a free thread, of which only calls of the first service ever take one for long. */
  #deliver(handler: RequestHandler, what: (handler: RequestHandler) => void): void {
    this.#shared.threads.acquire((leave) => {
      if (!this.call.closed) what(handler);
      leave();
    });
  }

  #report(detail: Detail): void {
    this.#watcher.report({ ...this.#name, ...detail });
  }

  /** @inheritdoc */
  get versionMessage(): Uint8Array {
    return this.#shared.versionMessage;
  }

  /** @inheritdoc */
  get queue(): AlertQueue {
    return this.#queue ??= this.#openQueue!();
  }

  /** @inheritdoc */
  get stopping(): boolean {
    return this.#shared.stopping;
  }

  /** @inheritdoc */
  get threads(): Slots {
    return this.#shared.threads;
  }

  /** @inheritdoc */
  onStop(listener: () => void): void {
    this.#shared.onStop(listener);
  }

  /** @inheritdoc */
  alert(): void {
    this.#watcher.onTraffic();
    this.#watcher.report(this.#alertEvent);
  }

  /** @inheritdoc */
  sendRun(): boolean | undefined {
    if (this.stopping || !this.call.takesRuns) return undefined;
    const run = this.queue.tryPopRun?.();
    if (run === undefined) return undefined;
    this.#watcher.onTraffic();
    this.#report({ type: "alert", count: run.count });
    return this.call.writeBytes(run.bytes);
  }

  /** @inheritdoc */
  emptyPull(): void {
    this.#report({ type: "empty-pull" });
  }

  /** @inheritdoc */
  undecodable(): void {
    this.#report({ type: "undecodable" });
  }

  /** @inheritdoc */
  leave(): void {
    this.#queue?.close?.();
    this.#leave();
  }
}
