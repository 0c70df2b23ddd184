/** A client's connection, seen from the server. @module */
import { constants } from "node:http2";
import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { setImmediate } from "node:timers";
import type { Clock } from "../clock.ts";
import type { CallConnection } from "./falco_services.ts";
import { PingPolicy } from "./ping_policy.ts";
import type { ConnectionEvent } from "./server_event.ts";

/** Watches a connection's PINGs, and knows whether calls are open on it. */
export class Connection implements CallConnection {
  /** @inheritdoc */
  readonly id: number;
  /** The HTTP/2 session below. */
  readonly session: ServerHttp2Session;
  readonly #socket: Socket | undefined;
  readonly #pings: PingPolicy;
  #openCalls = 0;

  /**
   * @param id Its number.
   * @param session The HTTP/2 session.
   * @param socket What the session is on, if it is known.
   * @param clock Measures the time between PINGs.
   * @param report Hears of strikes.
   */
  constructor(
    id: number,
    session: ServerHttp2Session,
    socket: Socket | undefined,
    clock: Clock,
    report: (event: ConnectionEvent) => void,
  ) {
    this.id = id;
    this.session = session;
    this.#socket = socket;
    this.#pings = new PingPolicy(clock);
    session.on("ping", () => {
      const verdict = this.#pings.ping(this.#openCalls);
      if (verdict === "fine") return;
      const closed = verdict === "too-many";
      report({ type: "ping-strike", connection: id, closed });
      if (closed) this.#closeForPings();
    });
  }

  /** How many calls are open on it. */
  get openCalls(): number {
    return this.#openCalls;
  }

  /** A call has come on it. */
  onCall(): void {
    this.#openCalls++;
  }

  /** @inheritdoc */
  onCallEnd(): void {
    this.#openCalls--;
  }

  /** @inheritdoc */
  onTraffic(): void {
    this.#pings.reset();
  }

  /**
   * Sends a PING and waits for its answer: what was sent before is with the client then.
   *
   * @returns A promise that resolves at the answer, or when the connection is gone.
   */
  ping(): Promise<void> {
    const { session } = this;
    return new Promise((resolve) => {
      if (session.destroyed || session.closed) return resolve();
      session.once("close", resolve);
      const done = (): void => {
        session.off("close", resolve);
        resolve();
      };
      if (!session.ping(done)) done();
    });
  }

  /** Ends the connection without waiting for the client, who may not even read. */
  cut(): void {
    this.session.destroy();
    this.#socket?.destroy();
  }

  /** Breaks the connection as the death of the process does: without a goodbye. */
  break(): void {
    // The socket first: the session would still say goodbye.
    this.#socket?.destroy();
    this.session.destroy();
  }

  #closeForPings(): void {
    const { session } = this;
    if (session.destroyed) return;
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from("too_many_pings"));
    // The words have to be out before the line is cut.
    setImmediate(() => this.cut());
  }
}
