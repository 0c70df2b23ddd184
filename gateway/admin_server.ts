/** Tells of a gateway over HTTP. @module */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { FalcoError } from "../lib/errors.ts";
import { requireListening } from "../lib/transport/require_listening.ts";

/** Scrapers and probes have short heads. */
const MAX_HEAD_BYTES = 8192;

/** How long a request may take, in milliseconds. */
const REQUEST_MS = 5000;

/** A scraper, probes and a person: some more, so that none is locked out by a stuck one. */
const MAX_CONNECTIONS = 64;

/** What it tells. */
export interface AdminPages {
  /** Prometheus' text format. */
  metrics(): string;
  /** Undefined if ready, or else why not. */
  notReady(): string | undefined;
}

/** Serves `/metrics`, `/healthz` and `/readyz`, and nothing else. */
export class AdminServer {
  readonly #server: Server;
  #url = "";

  private constructor(pages: AdminPages) {
    const settings = {
      maxHeaderSize: MAX_HEAD_BYTES,
      requestTimeout: REQUEST_MS,
      headersTimeout: REQUEST_MS,
      connectionsCheckingInterval: 1000,
    };
    this.#server = createServer(settings, (request, response) => serve(pages, request, response));
    let connections = 0;
    this.#server.on("connection", (socket: Socket) => {
      if (connections >= MAX_CONNECTIONS) return socket.destroy();
      connections++;
      socket.once("close", () => connections--);
    });
  }

  /**
   * Starts to listen.
   *
   * @param listen `HOST:PORT`.
   * @param pages What to tell.
   * @returns The server.
   * @throws {FalcoError} If it cannot listen there.
   */
  static async start(listen: string, pages: AdminPages): Promise<AdminServer> {
    const admin = new AdminServer(pages);
    const colon = listen.lastIndexOf(":");
    const host = listen.slice(0, colon);
    const server = admin.#server;
    const name = host.replace(/^\[|\]$/g, "");
    const port = Number(listen.slice(colon + 1));
    await new Promise<void>((resolve, reject) => {
      requireListening(name, port);
      server.once("error", reject);
      server.listen(port, name, resolve);
    }).catch((cause: Error) => {
      throw new FalcoError(`Cannot listen on ${listen}: ${cause.message}`, { cause });
    });
    admin.#url = `http://${host}:${(server.address() as AddressInfo).port}`;
    return admin;
  }

  /** The address, without a path. */
  get url(): string {
    return this.#url;
  }

  /** Stops, without waiting for anybody. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}

function serve(pages: AdminPages, request: IncomingMessage, response: ServerResponse): void {
  const answer = (status: number, text: string, type = "text/plain; charset=utf-8"): void => {
    const body = new TextEncoder().encode(text);
    // A body that nobody reads would be taken for the next request.
    const { "content-length": length, "transfer-encoding": encoding } = request.headers;
    if (length !== undefined || encoding !== undefined) response.setHeader("Connection", "close");
    response.writeHead(status, {
      "Content-Type": type,
      "Content-Length": body.length,
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
    });
    response.end(request.method === "HEAD" ? undefined : body);
  };
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("Allow", "GET, HEAD");
    return answer(405, "only GET and HEAD\n");
  }
  switch (request.url?.split("?", 1)[0]) {
    case "/healthz":
      return answer(200, "ok\n");
    case "/readyz": {
      const problem = pages.notReady();
      return problem === undefined ? answer(200, "ready\n") : answer(503, `${problem}\n`);
    }
    case "/metrics":
      return answer(200, pages.metrics(), "text/plain; version=0.0.4; charset=utf-8");
    default:
      return answer(404, "there are /metrics, /healthz and /readyz\n");
  }
}
