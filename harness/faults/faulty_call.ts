/** A call that goes wrong when it is told to. @module */
import { constants } from "node:http2";
import type {
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
} from "node:http2";
import { setImmediate } from "node:timers";
import type { CancelTimer, Clock } from "../../lib/clock.ts";
import { ServerCall } from "../../lib/server/server_call.ts";
import type { CallHandler } from "../../lib/server/server_call.ts";
import { frameMessage } from "../../lib/transport/message_splitter.ts";
import { alterMessage } from "./alter_message.ts";
import type { Fault, FaultMethod } from "./fault.ts";
import type { FaultPlan, PlannedCall } from "./fault_plan.ts";

const methods: { readonly [path: string]: FaultMethod } = {
  "falco.output.service/subscribe": "sub",
  "falco.outputs.service/sub": "sub",
  "falco.outputs.service/get": "get",
  "falco.version.service/version": "version",
};

/** What a call needs of the fake it belongs to. */
export interface FaultyCallContext {
  /** Says what goes wrong. */
  readonly plan: FaultPlan<FaultyCall>;
  /** Time for delays. */
  readonly clock: Clock;
  /** Breaks the call's connection. */
  cut(session: ServerHttp2Session | undefined): void;
}

/** A {@linkcode ServerCall} that asks its {@linkcode FaultPlan} at each step. */
export class FaultyCall extends ServerCall implements PlannedCall {
  /** @inheritdoc */
  readonly method: FaultMethod | undefined;
  readonly #stream: ServerHttp2Stream;
  readonly #context: FaultyCallContext;
  /** What waits for the end of a stall or a delay; undefined if there is none. */
  #held: (() => void)[] | undefined;
  #resume: (() => void) | undefined;
  #cancelTimer: CancelTimer = () => {};
  /** A fault has taken the call over: its method has no say any more. */
  #taken = false;

  /**
   * @param stream The stream of the request.
   * @param headers Its request headers.
   * @param handler Who is told what the client does.
   * @param context The fake it belongs to.
   */
  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    handler: CallHandler,
    context: FaultyCallContext,
  ) {
    super(stream, headers, handler);
    const path = String(headers[":path"]).replace(/^\//, "");
    this.method = Object.hasOwn(methods, path) ? methods[path] : undefined;
    this.#stream = stream;
    this.#context = context;
    stream.on("close", () => {
      this.#cancelTimer();
      context.plan.onCallEnd(this);
    });
    context.plan.onCall(this);
  }

  /** @inheritdoc */
  get taken(): boolean {
    return this.#taken;
  }

  /** @inheritdoc */
  override get closed(): boolean {
    return this.#taken || super.closed;
  }

  /** @inheritdoc */
  override write(message: Uint8Array): boolean {
    if (this.#taken) return false;
    if (this.#held !== undefined) {
      this.#held.push(() => this.write(message));
      return false;
    }
    if (this.#context.plan.idle || this.method === "version") return super.write(message);
    return this.#send(message, this.#context.plan.beforeAlert(this));
  }

  /** @inheritdoc */
  override get takesRuns(): boolean {
    if (this.#taken || this.#held !== undefined || this.oneMessagePerFrame) return false;
    return this.#context.plan.idle;
  }

  /** @inheritdoc */
  override onceDrained(resume: () => void): void {
    if (this.#held === undefined) super.onceDrained(resume);
    else this.#resume = resume;
  }

  /** @inheritdoc */
  override finish(status: number, message?: string): void {
    if (this.#taken) return;
    if (this.#held === undefined) super.finish(status, message);
    else this.#held.push(() => this.finish(status, message));
  }

  #send(message: Uint8Array, faults: readonly Fault[]): boolean {
    let frame = frameMessage(message) as Uint8Array;
    let delayMs = 0;
    for (const fault of faults) {
      switch (fault.type) {
        case "lose":
          return true;
        case "delay":
          delayMs += fault.ms;
          break;
        case "alter":
          frame = alterMessage(message, fault.to, fault.bytes);
          break;
        case "truncate":
          return this.#truncate(frame, fault.then);
      }
    }
    if (delayMs === 0) return this.#sendFrame(frame);
    this.#hold(delayMs);
    this.#held!.push(() => this.#sendFrame(frame));
    return false;
  }

  #sendFrame(frame: Uint8Array): boolean {
    const next = this.#context.plan.afterAlert(this);
    if (next === undefined) return this.writeBytes(frame);
    // Nothing must follow before it has left, and the fault has struck.
    this.#hold();
    this.writeBytes(frame, () =>
      this.#whenArrived(() => {
        const held = this.#held;
        next();
        // Unless the fault holds the call itself.
        if (this.#held === held) this.#release();
      }));
    return false;
  }

  /**
   * Waits for the client's answer to a PING: whatever breaks the connection then, it has all that was
   * sent before. (A written byte may still be in this process, above all over TLS.)
   */
  #whenArrived(then: () => void): void {
    const session = this.#session;
    if (session === undefined || session.destroyed) return;
    // Not within the callback: a connection that is broken there takes Deno 2.9 with it (SIGSEGV).
    session.ping(() => void setImmediate(then));
  }

  #truncate(frame: Uint8Array, then: "silence" | "close" = "close"): boolean {
    this.#taken = true;
    this.writeBytes(frame.subarray(0, Math.ceil(frame.length / 2)), () => {
      if (then === "close") this.#whenArrived(() => this.#context.cut(this.#session));
    });
    return false;
  }

  /** Lets nothing out, for a time or for good. */
  #hold(forMs?: number): void {
    this.#held = [...this.#held ?? []];
    this.#cancelTimer();
    if (forMs !== undefined) {
      this.#cancelTimer = this.#context.clock.setTimer(() => this.#release(), forMs);
    }
  }

  #release(): void {
    const held = this.#held ?? [];
    const resume = this.#resume;
    this.#held = this.#resume = undefined;
    // Each may hold again; what is left then lines up behind.
    for (const step of held) step();
    if (resume === undefined || this.closed) return;
    if (this.#held === undefined) resume();
    else this.#resume = resume;
  }

  /** @inheritdoc */
  strike(fault: Fault): void {
    const session = this.#session;
    switch (fault.type) {
      case "stall":
        return this.#hold(fault.forMs);
      case "drop":
        return this.#context.cut(session);
      case "reset":
        this.#taken = true;
        return void this.#stream.close(fault.code);
      case "goaway":
        return this.#goaway(session, fault.code, fault.text);
      case "trailers":
        return this.#end(fault.trailers as OutgoingHttpHeaders);
      case "status":
        return this.#end({
          "grpc-status": String(fault.status),
          ...(fault.message === undefined
            ? {}
            : { "grpc-message": encodeURIComponent(fault.message) }),
        });
    }
  }

  get #session(): ServerHttp2Session | undefined {
    return this.#stream.session as ServerHttp2Session | undefined;
  }

  #goaway(session: ServerHttp2Session | undefined, code: number, text?: string): void {
    if (session === undefined || session.destroyed) return;
    if (code === 0) return session.close();
    session.goaway(code, 0, text === undefined ? undefined : new TextEncoder().encode(text));
    // The words have to be out before the line is cut.
    setImmediate(() => this.#context.cut(session));
  }

  #end(trailers: OutgoingHttpHeaders): void {
    this.#taken = true;
    if (!this.#stream.headersSent) {
      this.#stream.respond({
        [constants.HTTP2_HEADER_STATUS]: 200,
        [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
        ...trailers,
      }, { endStream: true });
      return;
    }
    this.#stream.on("wantTrailers", () => this.#stream.sendTrailers(trailers));
    this.#stream.end();
  }
}
