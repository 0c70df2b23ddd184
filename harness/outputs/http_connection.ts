/** One HTTP/1.1 connection, used as libcurl uses it. @module */
import { Buffer } from "node:buffer";
import { connect as connectTcp, isIP } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectionOptions } from "node:tls";
import type { Clock } from "../../lib/clock.ts";
import { connectFailure, CurlError } from "./curl_error.ts";
import { HttpResponseReader } from "./http_response_reader.ts";

/** How long libcurl waits for `100 Continue` before it sends the body all the same, in milliseconds. */
const CONTINUE_MS = 1000;

/** Where to connect to. */
export interface HttpTarget {
  /** A host name or an address, without brackets. */
  readonly host: string;
  /** The port. */
  readonly port: number;
  /** What TLS needs; undefined without TLS. */
  readonly tls: ConnectionOptions | undefined;
  /** `http_output.keep_alive`: TCP keepalive, nothing else. */
  readonly keepAlive: boolean;
}

/** A request, written out. */
export interface HttpRequest {
  /** All up to and including the empty line. */
  readonly head: string;
  /** The body. */
  readonly body: Uint8Array;
  /** Whether the head asks for `100 Continue`. */
  readonly expectsContinue: boolean;
}

/** A connection that takes one request at a time. */
export class HttpConnection {
  readonly #socket: Socket;
  #reader: HttpResponseReader | undefined;
  #isOpen = true;
  #isReused = false;
  /** Called at whatever the socket does next. */
  #onEvent: () => void = () => {};
  #failure: unknown;
  #ended = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const over = (error?: unknown) => {
      this.#isOpen = false;
      this.#ended = true;
      this.#failure ??= error;
      this.#onEvent();
    };
    socket.on("data", (bytes: Uint8Array) => {
      // Nobody asked for anything: libcurl takes such a connection for broken.
      if (this.#reader === undefined) return this.destroy();
      this.#reader.add(bytes);
      this.#onEvent();
    });
    socket.on("error", over);
    socket.on("end", () => over());
    socket.on("close", () => over());
  }

  /**
   * Connects.
   *
   * @param target Where to.
   * @param onSocket Gets the socket at once, so that a kill can end the attempt.
   * @returns The connection.
   * @throws {CurlError} If there is none to be had.
   */
  static connect(
    { host, port, tls, keepAlive }: HttpTarget,
    onSocket: (socket: Socket) => void,
  ): Promise<HttpConnection> {
    return new Promise((resolve, reject) => {
      const socket = tls === undefined ? connectTcp({ host, port }) : connectTls({
        host,
        port,
        // An address has no name to be asked for.
        ...(isIP(host) === 0 ? { servername: host } : {}),
        ALPNProtocols: ["http/1.1"],
        ...tls,
      });
      onSocket(socket);
      socket.setKeepAlive(keepAlive);
      socket.setNoDelay(true);
      socket.once(tls === undefined ? "connect" : "secureConnect", () => {
        socket.removeAllListeners("error");
        socket.removeAllListeners("close");
        resolve(new HttpConnection(socket));
      });
      socket.once("error", (error) => {
        socket.destroy();
        reject(connectFailure(error));
      });
      socket.once("close", () => {
        reject(new CurlError(tls === undefined ? "noConnection" : "tlsFailed"));
      });
    });
  }

  /** Whether another request can be sent. */
  get isOpen(): boolean {
    return this.#isOpen && !this.#socket.destroyed;
  }

  /** Whether a request was answered here before. */
  get isReused(): boolean {
    return this.#isReused;
  }

  /**
   * Sends a request and reads the whole response, without any limit of time.
   *
   * @param request The request.
   * @param clock Time for `Expect`.
   * @param onBody Takes the body of the response in pieces.
   * @throws {CurlError} If there was no whole response.
   */
  async send(
    { head, body, expectsContinue }: HttpRequest,
    clock: Clock,
    onBody: ((bytes: Uint8Array) => void) | undefined,
  ): Promise<void> {
    const reader = this.#reader = new HttpResponseReader(onBody);
    if (expectsContinue) {
      this.#socket.write(head, "latin1");
      await this.#continued(reader, clock);
      if (!reader.hasFinalHead && !this.#ended) this.#socket.write(body);
    } else {
      this.#socket.write(Buffer.concat([Buffer.from(head, "latin1"), body]));
    }
    while (!reader.isComplete) {
      const failure = reader.failure;
      if (failure !== undefined) throw this.#fail(new CurlError(failure));
      if (this.#ended) {
        if (reader.endsWithConnection) break;
        throw this.#fail(
          reader.hasFinalHead ? new CurlError("partialBody", this.#failure) : new CurlError(
            this.#failure === undefined ? "nothingReturned" : "receiveFailed",
            this.#failure,
          ),
        );
      }
      await this.#nextEvent();
    }
    this.#reader = undefined;
    this.#isReused = true;
    if (!reader.keepsConnection) this.destroy();
  }

  /** Whether the server gave no sign of having seen the request that failed. */
  get hadNoAnswer(): boolean {
    return this.#reader?.isEmpty ?? true;
  }

  /** Closes the connection. */
  destroy(): void {
    this.#isOpen = false;
    this.#socket.destroy();
  }

  async #continued(reader: HttpResponseReader, clock: Clock): Promise<void> {
    let isLate = false;
    const cancelTimer = clock.setTimer(() => {
      isLate = true;
      this.#onEvent();
    }, CONTINUE_MS);
    while (!isLate && !reader.mayContinue && !reader.hasFinalHead && !this.#ended) {
      await this.#nextEvent();
    }
    cancelTimer();
  }

  #nextEvent(): Promise<void> {
    return new Promise((resolve) => this.#onEvent = resolve);
  }

  #fail(error: CurlError): CurlError {
    this.destroy();
    return error;
  }
}
