/** The listening side: a unix socket in plain text, or TCP with mutual TLS, as Falco offers them. @module */
import { lstat, mkdir, rename, rm } from "node:fs/promises";
import { createSecureServer, createServer } from "node:http2";
import type { Http2SecureServer, Http2Server, ServerHttp2Session } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { dirname, join } from "node:path";
import process from "node:process";
import { FalcoServices } from "./falco_services.ts";
import type { FalcoBackend, ServerEvent } from "./falco_services.ts";

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

/** The longest path that a socket can have; a longer one would be cut, or could not be connected to. */
const MAX_PATH_BYTES = process.platform === "darwin" ? 103 : 107;

/** A listening gRPC server that serves {@linkcode FalcoServices}. */
export class FalcoServer {
  /** The calls that it answers. */
  readonly services: FalcoServices;
  readonly #server: Http2Server | Http2SecureServer;
  readonly #listen: ListenAddress;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #sockets = new Set<Socket>();
  /** Those among the sockets that TLS has not been agreed on yet. */
  readonly #handshakes = new Set<Socket>();
  #closed: Promise<void> | undefined;
  #ended: Promise<void> | undefined;
  #address = "";

  private constructor(
    server: Http2Server | Http2SecureServer,
    listen: ListenAddress,
    services: FalcoServices,
  ) {
    this.#server = server;
    this.#listen = listen;
    this.services = services;
    server.on("connection", (socket: Socket) => {
      this.#keep(socket);
      if (listen.kind === "tls") this.#handshakes.add(socket);
    });
    server.on("secureConnection", (socket: Socket) => {
      for (const below of this.#handshakes) {
        // From now on it belongs to the other, and would not close in order without it.
        if (below.remotePort === socket.remotePort) this.#forget(below);
      }
      this.#keep(socket);
    });
    server.on("session", (session: ServerHttp2Session) => {
      this.#sessions.add(session);
      session.on("close", () => this.#sessions.delete(session));
      session.on("error", () => {}); // likewise
      if (this.#ended !== undefined) session.close();
    });
    server.on("stream", (stream, headers) => services.handle(stream, headers));
    // Falco closes at once on a client that does not ask for h2.
    server.on("unknownProtocol", (socket: Socket) => socket.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#forget(socket));
    socket.on("error", () => {}); // the client's affair; "close" follows
  }

  #forget(socket: Socket): void {
    this.#sockets.delete(socket);
    this.#handshakes.delete(socket);
  }

  /**
   * Listens.
   *
   * On a unix socket, folders that are missing are created and whatever socket stands at the path is
   * taken over, even a live one, as Falco does; any other file is left alone and is an error.
   *
   * @param listen Where.
   * @param backend What to serve.
   * @param report Hears of every call and request.
   * @returns The server, once clients can connect.
   * @throws {Error} With the `code` of the system call that failed, such as `EADDRINUSE`.
   */
  static async listen(
    listen: ListenAddress,
    backend: FalcoBackend,
    report?: (event: ServerEvent) => void,
  ): Promise<FalcoServer> {
    const services = new FalcoServices(backend, report);
    if (listen.kind === "tls") {
      const { ca, cert, key } = listen.credentials;
      const server = createSecureServer({
        ca,
        cert,
        key,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: "TLSv1.2",
        settings: SETTINGS,
      });
      const falco = new FalcoServer(server, listen, services);
      // "localhost" may stand for two addresses; clients try both, the fake needs one of them.
      const host = listen.host === "localhost" ? "127.0.0.1" : listen.host;
      await started(server, () => server.listen(listen.port, host));
      const { port } = server.address() as AddressInfo;
      const shown = listen.host.includes(":") ? `[${listen.host}]` : listen.host;
      falco.#address = `https://${shown}:${port}`;
      return falco;
    }
    const { path } = listen;
    if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
      throw Object.assign(new Error("path too long for a socket"), { code: "ENAMETOOLONG" });
    }
    await mkdir(dirname(path), { recursive: true });
    const present = await lstat(path).catch(() => undefined);
    if (present !== undefined && !present.isSocket()) {
      throw Object.assign(new Error("address already in use"), { code: "EADDRINUSE" });
    }
    const server = createServer({ settings: SETTINGS });
    const falco = new FalcoServer(server, listen, services);
    // Listening under another name and renaming takes the path over in one step, and keeps the
    // runtime from removing the file when the server is killed: Falco's stays behind then, too.
    const temporary = join(dirname(path), `.${Math.random().toString(36).slice(2, 8)}`);
    await started(server, () => server.listen(temporary));
    try {
      await rename(temporary, path);
    } catch (error) {
      await falco.kill();
      throw error;
    }
    falco.#address = `unix://${path}`;
    return falco;
  }

  /** The address that clients connect to: `unix:///PATH` or `https://HOST:PORT`. */
  get address(): string {
    return this.#address;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#sessions.size;
  }

  /**
   * Stops as Falco does on SIGTERM: no new connections or calls, the socket file is gone at once, and
   * then it waits, without limit, for open calls. An idle `sub` holds it until that client sends a
   * request, which is then answered with the end of the call, or cancels.
   *
   * @returns A promise that resolves when all is over; the same one however often it is called.
   */
  stop(): Promise<void> {
    this.#ended ??= this.#stop();
    return this.#ended;
  }

  async #stop(): Promise<void> {
    this.services.stop();
    if (this.#listen.kind === "unix") await removeSocket(this.#listen.path);
    const closed = this.#allClosed();
    for (const session of this.#sessions) session.close();
    // Nobody has called there yet.
    for (const socket of this.#handshakes) socket.destroy();
    await closed;
  }

  /**
   * Ends as Falco does on SIGKILL: connections break, and the socket file stays behind.
   *
   * @returns A promise that resolves when nothing is open any more.
   */
  async kill(): Promise<void> {
    const closed = this.#allClosed();
    this.#ended ??= closed;
    // Sockets first: a session would still say goodbye.
    for (const socket of this.#sockets) socket.destroy();
    for (const session of this.#sessions) session.destroy();
    await closed;
  }

  /** Takes no more connections, and waits until those that are there are closed. */
  async #allClosed(): Promise<void> {
    this.#closed ??= new Promise((resolve) => this.#server.close(() => resolve()));
    const sessions = [...this.#sessions].map((session) =>
      new Promise<void>((resolve) => session.once("close", () => resolve()))
    );
    await Promise.all([this.#closed, ...sessions]);
  }
}

/** Removes a socket, and nothing else that somebody may have put in its place. */
async function removeSocket(path: string): Promise<void> {
  const present = await lstat(path).catch(() => undefined);
  if (present?.isSocket()) await rm(path, { force: true });
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
