/** One HTTP/2 connection to Falco, opened when it is needed. @module */
import { connect as connectHttp2 } from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import { connect as connectSocket } from "node:net";
import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import { FalcoClosedError } from "../errors.ts";
import type { Address } from "./address.ts";
import { connectionError } from "./connection_error.ts";
import { loadCredentials } from "./credentials.ts";
import type { TlsCredentials } from "./credentials.ts";

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
  readonly #all = new Set<ClientHttp2Session>();
  #opening: Promise<ClientHttp2Session> | undefined;
  #current: Promise<ClientHttp2Session> | undefined;
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
   * Hands out the open connection, or opens one.
   *
   * @returns The connection. It keeps the process alive only while a request is open on it.
   * @throws {FalcoConnectError} If there is none to be had within `connectTimeoutMs`.
   * @throws {FalcoClosedError} After {@linkcode SessionManager.close}.
   */
  async session(): Promise<ClientHttp2Session> {
    if (this.#closed) {
      throw new FalcoClosedError(`Cannot call ${this.#address.text}: the client is closed`);
    }
    const current = await this.#current?.catch(() => undefined);
    if (current !== undefined && !current.closed && !current.destroyed) return current;
    // Another caller may have begun to reconnect while this one looked.
    if (this.#opening === undefined) {
      this.#opening = this.#open();
      this.#current = this.#opening;
      const done = () => this.#opening = undefined;
      this.#opening.then(done, done);
    }
    return await this.#opening;
  }

  async #open(): Promise<ClientHttp2Session> {
    const address = this.#address;
    const { tls, connectTimeoutMs, clock = systemClock } = this.#options;
    const settings = { enablePush: false };
    const loaded = address.kind === "unix" || tls === undefined
      ? {}
      : await loadCredentials(tls, address.text);
    let session: ClientHttp2Session;
    try {
      session = connectHttp2(
        this.origin,
        address.kind === "unix"
          ? { createConnection: () => connectSocket(address.path), settings }
          : { ...loaded, settings, ALPNProtocols: ["h2"] },
      );
    } catch (error) {
      throw connectionError(address, error); // Deno: a permission that was not granted
    }
    this.#all.add(session);
    let lastError: unknown;
    session.on("close", () => this.#all.delete(session));
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
      if (!session.destroyed) session.destroy();
      throw connectionError(address, lastError ?? error);
    }
    if (this.#closed) session.close();
    session.unref();
    return session;
  }

  /**
   * Closes the connection and all that runs on it, and refuses new calls.
   *
   * @returns A promise that resolves when the socket is closed.
   */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#opening?.catch(() => {});
    await Promise.all([...this.#all].map((session) => {
      if (session.destroyed) return;
      session.ref(); // or the process could end before "close" is told
      return new Promise<void>((resolve) => {
        session.once("close", () => resolve());
        session.destroy();
      });
    }));
  }
}

/** A PING; on Deno the call itself throws if the session is gone already. */
function verify(session: ClientHttp2Session, done: (error: Error | null) => void): void {
  try {
    session.ping((error) => done(error));
  } catch (error) {
    done(error as Error);
  }
}
