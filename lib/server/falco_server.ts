/** The listening side: a unix socket in plain text, or TCP with mutual TLS, as Falco offers them. @module */
import { createSecureServer, createServer } from "node:http2";
import type { Http2SecureServer, Http2Server, ServerHttp2Session } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { systemClock } from "../clock.ts";
import type { CancelTimer, Clock } from "../clock.ts";
import { requireListening } from "../transport/require_listening.ts";
import { Connection } from "./connection.ts";
import { FalcoServices } from "./falco_services.ts";
import type { FalcoBackend } from "./falco_services.ts";
import { handshakeFailure } from "./handshake_failure.ts";
import type { ServerEvent } from "./server_event.ts";
import { SocketFile } from "./socket_file.ts";

/** Where to listen. Falco has no plain TCP, and neither has this. */
export type ListenAddress =
  | { readonly kind: "unix"; readonly path: string }
  | {
    readonly kind: "tls";
    readonly host: string;
    /** 0 for any free port. */
    readonly port: number;
    /** PEM texts: the server's own pair, and the authority that signed the clients' certificates. */
    readonly credentials: { readonly ca: string; readonly cert: string; readonly key: string };
  };

/** The HTTP/2 settings that Falco's gRPC C++ server sends (measured on 0.43.1). */
const SETTINGS = {
  headerTableSize: 4096,
  initialWindowSize: 4194303,
  maxFrameSize: 4194303,
  maxHeaderListSize: 8192,
};

/**
 * How long a stopping server gives a client that has no call open to take leave, in milliseconds:
 * gRPC's graceful GOAWAY waits so long for the answer to the PING that goes with it.
 */
const GOAWAY_MS = 20_000;

/** Options of {@linkcode FalcoServer.listen}. */
export interface FalcoServerOptions {
  /** Hears of every connection, call and request; must not throw. */
  readonly report?: (event: ServerEvent) => void;
  /** Time for PINGs and for leave-taking. Default the machine's. */
  readonly clock?: Clock;
  /** Whether missing folders of a socket are created, as Falco does since 0.33. Default true. */
  readonly makeFolders?: boolean;
  /** How many connections at once; those above are closed. Default without limit, as Falco's. */
  readonly maxConnections?: number;
  /** How long a TLS handshake may take, in milliseconds. Default 120000, the platform's. */
  readonly handshakeTimeoutMs?: number;
}

/** A listening gRPC server that serves {@linkcode FalcoServices}. */
export class FalcoServer {
  /** The calls that it answers. */
  readonly services: FalcoServices;
  readonly #server: Http2Server | Http2SecureServer;
  readonly #listen: ListenAddress;
  readonly #clock: Clock;
  readonly #onOpen: (session: ServerHttp2Session) => void;
  readonly #report: (event: ServerEvent) => void;
  readonly #connections = new Map<ServerHttp2Session, Connection>();
  readonly #sockets = new Set<Socket>();
  /** Those among the sockets that TLS has not been agreed on yet. */
  readonly #handshakes = new Set<Socket>();
  #closed: Promise<void> | undefined;
  #ended: Promise<void> | undefined;
  /** The socket that the next session is on. */
  #arriving: Socket | undefined;
  #nextId = 1;
  #address = "";
  /** On a unix socket. */
  #file: SocketFile | undefined;

  private constructor(
    server: Http2Server | Http2SecureServer,
    listen: ListenAddress,
    backend: FalcoBackend,
    { report = () => {}, clock = systemClock, maxConnections = Infinity }: FalcoServerOptions,
  ) {
    this.#server = server;
    this.#listen = listen;
    this.#clock = clock;
    this.#report = report;
    this.#onOpen = backend.onSession ?? (() => {});
    this.services = new FalcoServices(backend, report);
    // Before the runtime's own listener, which makes the session of it.
    const arrival = listen.kind === "tls" ? "secureConnection" : "connection";
    server.prependListener(arrival, (socket: Socket) => this.#arriving = socket);
    server.prependListener("connection", (socket: Socket) => {
      if (this.#sockets.size >= maxConnections) {
        report({ type: "refused" });
        // Without TLS the runtime makes a session of it in any case; that one is ended as it comes.
        if (listen.kind === "tls") socket.destroy();
        return;
      }
      this.#keep(socket);
      if (listen.kind === "tls") this.#handshakes.add(socket);
    });
    server.prependListener("secureConnection", (socket: Socket) => {
      for (const below of this.#handshakes) {
        // From now on it belongs to the other, and would not close in order without it.
        if (below.remotePort === socket.remotePort) this.#forget(below);
      }
      this.#keep(socket);
    });
    server.on("tlsClientError", (error: Error, socket?: TLSSocket) => {
      report({ type: "handshake-error", error, failure: handshakeFailure(error, socket) });
    });
    server.on("session", (session: ServerHttp2Session) => this.#onSession(session));
    server.on("stream", (stream, headers) => {
      const connection = this.#connections.get(stream.session as ServerHttp2Session);
      if (connection === undefined) return stream.destroy(); // it is gone already
      connection.onCall();
      this.services.handle(stream, headers, connection);
    });
    // Falco closes at once on a client that does not ask for h2.
    server.on("unknownProtocol", (socket: Socket) => socket.destroy());
  }

  #onSession(session: ServerHttp2Session): void {
    if (this.#arriving !== undefined && !this.#sockets.has(this.#arriving)) {
      session.on("error", () => {}); // the client's affair
      session.destroy();
      this.#arriving.destroy();
      this.#arriving = undefined;
      return;
    }
    const id = this.#nextId++;
    const connection = new Connection(id, session, this.#arriving, this.#clock, this.#report);
    this.#arriving = undefined;
    this.#connections.set(session, connection);
    this.#report({ type: "connect", connection: id });
    session.on("close", () => {
      this.#connections.delete(session);
      this.#report({ type: "disconnect", connection: id });
    });
    session.on("error", () => {}); // the client's affair; "close" follows
    this.#onOpen(session);
    if (this.#ended !== undefined) session.close();
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#forget(socket));
    socket.setMaxListeners(0); // each call waits for it to drain
    socket.on("error", () => {}); // the client's affair; "close" follows
  }

  #forget(socket: Socket): void {
    this.#sockets.delete(socket);
    this.#handshakes.delete(socket);
  }

  /**
   * Listens.
   *
   * On a unix socket whatever socket stands at the path is taken over, even a live one, as Falco does;
   * any other file is left alone and is an error.
   *
   * @param listen Where.
   * @param backend What to serve.
   * @param options Who hears of it, and the clock.
   * @returns The server, once clients can connect.
   * @throws {Error} With the `code` of the system call that failed, such as `EADDRINUSE`.
   */
  static async listen(
    listen: ListenAddress,
    backend: FalcoBackend,
    options: FalcoServerOptions = {},
  ): Promise<FalcoServer> {
    if (listen.kind === "unix") {
      const server = createServer({ settings: SETTINGS });
      const falco = new FalcoServer(server, listen, backend, options);
      try {
        falco.#file = await SocketFile.listen(
          listen.path,
          options.makeFolders ?? true,
          (path) => started(server, () => server.listen(path)),
        );
      } catch (error) {
        if (server.listening) await falco.kill();
        throw error;
      }
      falco.#address = `unix://${listen.path}`;
      return falco;
    }
    const { ca, cert, key } = listen.credentials;
    const server = createSecureServer({
      ca,
      cert,
      key,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: "TLSv1.2",
      settings: SETTINGS,
      ...(options.handshakeTimeoutMs === undefined
        ? {}
        : { handshakeTimeout: options.handshakeTimeoutMs }),
    });
    const falco = new FalcoServer(server, listen, backend, options);
    // "localhost" may stand for two addresses; clients try both, the fake needs one of them.
    const host = listen.host === "localhost" ? "127.0.0.1" : listen.host;
    await started(server, () => {
      requireListening(host, listen.port);
      server.listen(listen.port, host);
    });
    const { port } = server.address() as AddressInfo;
    const shown = listen.host.includes(":") ? `[${listen.host}]` : listen.host;
    falco.#address = `https://${shown}:${port}`;
    return falco;
  }

  /** The address that clients connect to: `unix:///PATH` or `https://HOST:PORT`. */
  get address(): string {
    return this.#address;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#connections.size;
  }

  /**
   * Waits until every client has all that was sent to it so far, by a PING that it has to answer.
   *
   * @returns A promise that resolves then; clients that are gone are not waited for.
   */
  async flushed(): Promise<void> {
    await Promise.all([...this.#connections.values()].map((connection) => connection.ping()));
  }

  /**
   * Breaks connections as the death of the process does, and goes on.
   *
   * @param session The connection; all of them if it is left out.
   */
  cut(session?: ServerHttp2Session): void {
    for (const connection of this.#connections.values()) {
      if (session === undefined || connection.session === session) connection.break();
    }
  }

  /**
   * Stops as Falco does on SIGTERM: no new connections or calls, the socket file is gone at once, and
   * then it waits, without limit, for open calls. An idle `sub` holds it until that client sends a
   * request, which is then answered with the end of the call, or cancels. A client without calls has
   * 20 s to take leave, as gRPC's server gives it; then its connection is cut.
   *
   * @returns A promise that resolves when all is over; the same one however often it is called.
   */
  stop(): Promise<void> {
    this.#ended ??= this.#stop();
    return this.#ended;
  }

  async #stop(): Promise<void> {
    this.services.stop();
    await this.#file?.remove();
    const closed = this.#allClosed();
    for (const session of this.#connections.keys()) session.close();
    // Nobody has called there yet.
    for (const socket of this.#handshakes) socket.destroy();
    let cancelTimer: CancelTimer = () => {};
    const cut = (): void => {
      for (const connection of this.#connections.values()) {
        if (connection.openCalls === 0) connection.cut();
      }
      cancelTimer = this.#clock.setTimer(cut, GOAWAY_MS);
    };
    cancelTimer = this.#clock.setTimer(cut, GOAWAY_MS);
    await closed;
    cancelTimer();
  }

  /**
   * Ends as Falco does on SIGKILL: connections break, and the socket file stays behind.
   *
   * @returns A promise that resolves when nothing is open any more.
   */
  async kill(): Promise<void> {
    this.#file?.leaveDead();
    const closed = this.#allClosed();
    this.#ended ??= closed;
    // Sockets first: a session would still say goodbye.
    for (const socket of this.#sockets) socket.destroy();
    for (const session of this.#connections.keys()) session.destroy();
    this.services.stop();
    await closed;
  }

  /** Takes no more connections, and waits until those that are there are closed. */
  async #allClosed(): Promise<void> {
    this.#closed ??= new Promise((resolve) => this.#server.close(() => resolve()));
    const sessions = [...this.#connections.keys()].map((session) =>
      new Promise<void>((resolve) => session.once("close", () => resolve()))
    );
    await Promise.all([this.#closed, ...sessions]);
  }
}

function started(server: Http2Server | Http2SecureServer, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      resolve();
    });
    listen();
  });
}
