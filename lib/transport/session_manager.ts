/** One HTTP/2 connection to Falco, opened when it is needed. @module */
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  ClientSessionRequestOptions,
  OutgoingHttpHeaders,
} from "node:http2";
import type { Socket } from "node:net";
import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import { FalcoClosedError, FalcoConnectError } from "../errors.ts";
import type { Address } from "./address.ts";
import { connectionError } from "./connection_error.ts";
import { isInFiles } from "./credentials.ts";
import type { TlsCredentials } from "./credentials.ts";
import { mostTelling } from "./most_telling.ts";
import { credentialsFor, openSession, openTcp, originOf } from "./open_session.ts";
import type { OpenSessionOptions } from "./open_session.ts";
import type { NamedOptions } from "./option_names.ts";

/** Options of {@linkcode SessionManager}. */
export interface SessionManagerOptions {
  /** Certificates, for an address over TCP. */
  tls?: TlsCredentials & NamedOptions | undefined;
  /** How long to wait for an open connection, in milliseconds. */
  connectTimeoutMs: number;
  /** Time for the limit above. */
  clock?: Clock | undefined;
  /** Tried in this order where there is nothing to be had at the address. */
  alternatives?: readonly Address[];
}

/**
 * Opens an HTTP/2 connection on demand, shares it, and opens a new one when it is gone.
 *
 * It does the work that connect-node's own manager does, whose wait for a ready connection never
 * returns in some failures on Deno, with the event loop blocked.
 */
export class SessionManager {
  readonly #addresses: readonly Address[];
  readonly #options: SessionManagerOptions;
  #address: Address;
  readonly #all = new Map<ClientHttp2Session, Socket>();
  /** How many requests are open on each connection. */
  readonly #requests = new WeakMap<ClientHttp2Session, number>();
  #opening: Promise<ClientHttp2Session> | undefined;
  #current: ClientHttp2Session | undefined;
  #wasOpen = false;
  readonly #closing = new AbortController();

  /**
   * @param address Where to connect to.
   * @param options Certificates and the time limit.
   */
  constructor(address: Address, options: SessionManagerOptions) {
    this.#address = address;
    this.#addresses = [address, ...options.alternatives ?? []];
    this.#options = options;
  }

  /** Where the connection goes, or went last; the first address as long as there was none. */
  get address(): Address {
    return this.#address;
  }

  /** All addresses that are tried, for messages. */
  get tried(): string {
    return this.#addresses.map(({ text }) => text).join(" or ");
  }

  /** Whether there is a connection that takes new calls. */
  get connected(): boolean {
    const current = this.#current;
    return current !== undefined && !current.closed && !current.destroyed;
  }

  /** The time, in milliseconds. */
  now(): number {
    return (this.#options.clock ?? systemClock).now();
  }

  /** The origin that requests carry. */
  get origin(): string {
    return originOf(this.#address);
  }

  /**
   * Starts a request on the open connection, or opens one for it.
   *
   * @param headers The request's headers.
   * @param options As `node:http2` takes them.
   * @returns The stream. The connection keeps the process alive only while requests are open on it.
   * @throws {FalcoConnectError} As {@linkcode SessionManager.session} does.
   * @throws {FalcoClosedError} Likewise.
   */
  async request(
    headers: OutgoingHttpHeaders,
    options?: ClientSessionRequestOptions,
  ): Promise<ClientHttp2Stream> {
    const session = await this.session();
    let stream: ClientHttp2Stream;
    try {
      stream = session.request(headers, options);
    } catch (error) {
      throw connectionError(this.#address, error, "open");
    }
    this.#countRequests(session, 1);
    stream.once("close", () => this.#countRequests(session, -1));
    return stream;
  }

  #countRequests(session: ClientHttp2Session, change: 1 | -1): void {
    const count = (this.#requests.get(session) ?? 0) + change;
    this.#requests.set(session, count);
    if (session.destroyed) return;
    if (count > 0) session.ref();
    else session.unref();
  }

  /**
   * Hands out the open connection, or opens one.
   *
   * @returns The connection.
   * @throws {FalcoConnectError} If there is none to be had within `connectTimeoutMs`; all who wait
   * for the same attempt get the same error.
   * @throws {FalcoClosedError} After {@linkcode SessionManager.close}.
   */
  async session(): Promise<ClientHttp2Session> {
    if (this.#closing.signal.aborted) throw this.#closedError();
    if (this.connected) return this.#current!;
    this.#opening ??= this.#open().then((session) => this.#current = session)
      .finally(() => this.#opening = undefined);
    return await this.#opening;
  }

  #closedError(): FalcoClosedError {
    return new FalcoClosedError(
      `Cannot call ${this.#address.text}: the client is closed. Make a new one with connect()`,
    );
  }

  async #open(): Promise<ClientHttp2Session> {
    const failures: FalcoConnectError[] = [];
    for (const address of this.#addresses) {
      try {
        const session = await this.#openAt(address);
        this.#address = address;
        return session;
      } catch (error) {
        if (!(error instanceof FalcoConnectError)) throw error;
        failures.push(error);
      }
    }
    throw mostTelling(failures);
  }

  async #openAt(address: Address): Promise<ClientHttp2Session> {
    const { tls, connectTimeoutMs, clock = systemClock } = this.#options;
    const renewable = this.#wasOpen && tls !== undefined && isInFiles(tls);
    const loaded = await credentialsFor(address, tls, renewable);
    if (this.#closing.signal.aborted) throw this.#closedError();
    // One limit for all steps.
    const late = new AbortController();
    const cancelTimer = clock.setTimer(
      () => late.abort(new DOMException("no answer in time", "TimeoutError")),
      connectTimeoutMs,
    );
    const endMs = clock.now() + connectTimeoutMs;
    const { signal } = this.#closing;
    const limits = { late: late.signal, endMs, clock, signal };
    try {
      const session = await this.#begin(address, { loaded, given: tls, renewable, ...limits });
      session.unref();
      this.#wasOpen = true;
      return session;
    } catch (error) {
      if (signal.aborted) throw this.#closedError();
      throw error;
    } finally {
      cancelTimer();
    }
  }

  async #begin(address: Address, options: OpenSessionOptions): Promise<ClientHttp2Session> {
    const tcp = await openTcp(address, options);
    if (this.#closing.signal.aborted) {
      tcp?.destroy();
      throw this.#closedError();
    }
    const { session, socket, ready } = openSession(address, { ...options, tcp });
    this.#all.set(session, socket);
    session.on("close", () => this.#all.delete(session));
    await ready;
    if (this.#closing.signal.aborted) throw this.#closedError();
    return session;
  }

  /**
   * Closes the connection and all that runs on it, one that is just being opened too, and refuses
   * new calls.
   *
   * @returns A promise that resolves when the socket is closed.
   */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#all].map(([session, socket]) => {
      if (session.destroyed) return;
      session.ref(); // or the process could end before "close" is told
      return new Promise<void>((resolve) => {
        session.once("close", () => resolve());
        // Without the GOAWAY that `session.destroy()` sends on an open socket: after a cancelled
        // call it crashes servers on Deno 2.9.
        if (socket.destroyed) return session.destroy();
        socket.once("close", () => session.destroy());
        socket.destroy();
      });
    }));
    await this.#opening?.catch(() => {});
  }
}
