/** One HTTP/2 connection to Falco, opened when it is needed. @module */
import { connect as connectHttp2 } from "node:http2";
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  ClientSessionRequestOptions,
  OutgoingHttpHeaders,
} from "node:http2";
import { connect as connectSocket, isIP } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import { FalcoClosedError } from "../errors.ts";
import type { Address } from "./address.ts";
import { connectionError } from "./connection_error.ts";
import { loadCredentials } from "./credentials.ts";
import type { LoadedCredentials, TlsCredentials } from "./credentials.ts";

/** Options of {@linkcode SessionManager}. */
export interface SessionManagerOptions {
  /** Certificates, for an address over TCP. */
  tls?: TlsCredentials | undefined;
  /** How long to wait for an open connection, in milliseconds. */
  connectTimeoutMs: number;
  /** Time for the limit above. */
  clock?: Clock | undefined;
}

/**
 * Opens an HTTP/2 connection on demand, shares it, and opens a new one when it is gone.
 *
 * "Open" means that the server's SETTINGS have come; over TLS also that a PING was answered, because
 * with TLS 1.3 a refused client certificate shows only after the client believes to be connected. No
 * other PING is ever sent: Falco ends connections for them.
 *
 * It does the work that connect-node's own manager does, whose wait for a ready connection never
 * returns in some failures on Deno, with the event loop blocked.
 */
export class SessionManager {
  readonly #address: Address;
  readonly #options: SessionManagerOptions;
  readonly #all = new Map<ClientHttp2Session, Socket>();
  /** How many requests are open on each connection. */
  readonly #requests = new WeakMap<ClientHttp2Session, number>();
  #opening: Promise<ClientHttp2Session> | undefined;
  #current: ClientHttp2Session | undefined;
  #closed = false;

  /**
   * @param address Where to connect to.
   * @param options Certificates and the time limit.
   */
  constructor(address: Address, options: SessionManagerOptions) {
    this.#address = address;
    this.#options = options;
  }

  /** The address, for messages. */
  get address(): Address {
    return this.#address;
  }

  /** The origin that requests carry. On a unix socket any will do for Falco. */
  get origin(): string {
    const address = this.#address;
    if (address.kind === "unix") return "http://localhost";
    return new URL(address.text).origin;
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
    if (this.#closed) throw this.#closedError();
    const current = this.#current;
    if (current !== undefined && !current.closed && !current.destroyed) return current;
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
    const address = this.#address;
    const { tls, connectTimeoutMs, clock = systemClock } = this.#options;
    const loaded = address.kind === "unix" || tls === undefined
      ? {}
      : await loadCredentials(tls, address.text);
    if (this.#closed) throw this.#closedError();
    let socket: Socket;
    let session: ClientHttp2Session;
    try {
      socket = openSocket(address, loaded);
      session = connectHttp2(this.origin, {
        createConnection: () => socket,
        settings: { enablePush: false },
      });
    } catch (error) {
      throw connectionError(address, error); // Deno: a permission that was not granted
    }
    this.#all.set(session, socket);
    let lastError: unknown;
    session.on("close", () => this.#all.delete(session));
    socket.on("error", () => {}); // the session tells of it, as long as it is there
    // After the connection is open its streams tell their callers; here it must only not be thrown.
    session.on("error", (error: unknown) => lastError = error);
    try {
      await new Promise<void>((resolve, reject) => {
        const cancelTimer = clock.setTimer(() => {
          reject(new DOMException("no answer in time", "TimeoutError"));
          session.destroy();
        }, connectTimeoutMs);
        const settle = (action: () => void) => {
          cancelTimer();
          action();
        };
        session.on("error", (error: unknown) => settle(() => reject(error)));
        session.on("close", () => settle(() => reject(lastError)));
        session.once("remoteSettings", () => {
          if (address.kind === "unix") return settle(resolve);
          verify(session, (error) => settle(() => error === null ? resolve() : reject(error)));
        });
      });
    } catch (error) {
      socket.destroy();
      if (!session.destroyed) session.destroy();
      if (this.#closed) throw this.#closedError();
      throw connectionError(address, lastError ?? error, "connecting", tls?.serverName);
    }
    if (this.#closed) throw this.#closedError();
    session.unref();
    return session;
  }

  /**
   * Closes the connection and all that runs on it, one that is just being opened too, and refuses
   * new calls.
   *
   * @returns A promise that resolves when the socket is closed.
   */
  async close(): Promise<void> {
    this.#closed = true;
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

function openSocket(address: Address, loaded: Partial<LoadedCredentials>): Socket {
  if (address.kind === "unix") return connectSocket(address.path);
  const { host, port } = address;
  // An IP address is no name to ask for.
  const name = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({ host, port, ALPNProtocols: ["h2"], ...name, ...loaded });
}

/** A PING; on Deno the call itself throws if the session is gone already. */
function verify(session: ClientHttp2Session, done: (error: Error | null) => void): void {
  try {
    session.ping((error) => done(error));
  } catch (error) {
    done(error as Error);
  }
}
