/** A streaming gRPC call, seen from the client. @module */
import { constants } from "node:http2";
import type { ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import { setImmediate } from "node:timers";
import { FalcoError, FalcoRpcError } from "../errors.ts";
import { closeWhenReset } from "./close_when_reset.ts";
import { answerError, connectionError } from "./connection_error.ts";
import { frameMessage, FramingError, MessageSplitter } from "./message_splitter.ts";
import { rpcError } from "./rpc_error.ts";
import type { SessionManager } from "./session_manager.ts";
import { DEFAULT_MAX_MESSAGE_BYTES, HIGH_WATER_MARK } from "./stream_call.ts";
import type { StreamCall } from "./stream_call.ts";
import { unreadableError } from "./unreadable_error.ts";

const UNKNOWN = 2;
const RESOURCE_EXHAUSTED = 8;
const INTERNAL = 13;

/** A call over our own framing, a micro-batch of which is what one read of the socket brought. */
export class ClientCall implements StreamCall {
  readonly #stream: ClientHttp2Stream;
  readonly #method: string;
  readonly #manager: SessionManager;
  readonly #splitter: MessageSplitter;
  #messages: Uint8Array[] = [];
  /** What the server said. */
  #status: FalcoRpcError | "ok" | undefined;
  /** What the runtime reported, or a `FalcoError`: why no status would count. */
  #failure: Error | undefined;
  /** All that the server sent has been read. */
  #complete = false;
  #ended = false;
  #cancelled = false;
  #endedAtMs: number | undefined;
  #wake: (() => void) | undefined;
  /** {@linkcode ClientCall.#notifySoon} has been asked already. */
  #notifying = false;

  private constructor(
    stream: ClientHttp2Stream,
    method: string,
    manager: SessionManager,
    maxMessageBytes: number,
  ) {
    this.#stream = stream;
    this.#method = method;
    this.#manager = manager;
    this.#splitter = new MessageSplitter(maxMessageBytes);
    stream.on("response", (headers) => this.#onHeaders(headers));
    stream.on("trailers", (trailers) => this.#onStatus(trailers as IncomingHttpHeaders));
    stream.on("data", (chunk: Uint8Array) => this.#onData(chunk));
    stream.on("error", (error: Error) => this.#failure ??= error);
    stream.on("close", () => this.#onEnd());
    closeWhenReset(stream);
    stream.on("end", () => {
      this.#complete = true;
      if (this.#status !== undefined) this.#onEnd();
      // Without a status nothing more will come: "close" follows once our half is closed too.
      else if (!stream.writableEnded) stream.end();
    });
  }

  /**
   * Opens a connection if there is none, and starts a call.
   *
   * @param manager The connection.
   * @param method The method without the leading slash.
   * @param options The longest message to accept, in bytes.
   * @returns The call, with no request sent yet.
   * @throws {FalcoConnectError} If there is no connection to be had.
   */
  static async start(
    manager: SessionManager,
    method: string,
    options: { maxMessageBytes?: number } = {},
  ): Promise<ClientCall> {
    const stream = await manager.request({
      ":method": "POST",
      ":path": `/${method}`,
      "content-type": "application/grpc+proto",
      "te": "trailers",
      "user-agent": "falco-streams",
    }, { endStream: false });
    const { maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES } = options;
    return new ClientCall(stream, method, manager, maxMessageBytes);
  }

  /** @inheritdoc */
  send(message: Uint8Array, last = false): void {
    if (this.#stream.destroyed || this.#stream.closed) return; // told by `take`
    if (last) this.#stream.end(frameMessage(message));
    else this.#stream.write(frameMessage(message));
  }

  /** @inheritdoc */
  get endedAtMs(): number | undefined {
    return this.#endedAtMs;
  }

  /** @inheritdoc */
  take(): Uint8Array[] | undefined | null {
    if (this.#messages.length > 0) {
      const messages = this.#messages;
      this.#messages = [];
      if (this.#stream.isPaused()) this.#stream.resume();
      return messages;
    }
    if (this.#cancelled) return null;
    if (!this.#ended) return undefined;
    if (this.#failure instanceof FalcoError) throw this.#failure;
    if (this.#status instanceof FalcoRpcError) throw this.#status;
    // A connection that went away may have taken messages with it, whatever the status says.
    if (this.#status === "ok" && this.#complete) return null;
    throw connectionError(this.#manager.address, this.#failure, "open");
  }

  /** @inheritdoc */
  discard(): number {
    const count = this.#messages.length;
    this.#messages = [];
    return count;
  }

  /** @inheritdoc */
  onReady(wake: (() => void) | undefined): void {
    this.#wake = wake;
  }

  /** @inheritdoc */
  cancel(): Promise<void> {
    this.#cancelled = true;
    if (this.#stream.closed && this.#stream.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#stream.once("close", () => resolve());
      this.#stream.close(constants.NGHTTP2_CANCEL);
      // A paused stream would keep its data and never close.
      this.#stream.resume();
    });
  }

  #onHeaders(headers: IncomingHttpHeaders): void {
    const error = answerError(this.#manager.address, headers);
    if (error !== undefined) return this.#fail(error);
    if (headers["grpc-status"] !== undefined) this.#onStatus(headers);
  }

  #onStatus(headers: IncomingHttpHeaders): void {
    const given = String(headers["grpc-status"] ?? "");
    const status = /^\d+$/.test(given) ? Number(given) : UNKNOWN;
    if (status === 0) {
      this.#status = "ok";
      return;
    }
    const text = decodeMessage(String(headers["grpc-message"] ?? ""));
    this.#status = rpcError(this.#method, status, text);
  }

  #onData(chunk: Uint8Array): void {
    if (this.#cancelled || this.#failure instanceof FalcoError) return;
    const before = this.#messages.length;
    try {
      this.#splitter.push(chunk, this.#messages);
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      // gRPC clients report both as RESOURCE_EXHAUSTED and INTERNAL; the sentence says more.
      this.#fail(unreadableError(this.#method, RESOURCE_EXHAUSTED, error.message, error));
    }
    if (this.#messages.length === before) return;
    if (this.#messages.length >= HIGH_WATER_MARK) this.#stream.pause();
    this.#notifySoon();
  }

  #fail(error: FalcoError): void {
    this.#failure = error;
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #onEnd(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#endedAtMs = this.#manager.now();
    // The server is done with the call; without this, our half of the stream would stay open.
    if (!this.#stream.closed) this.#stream.close(constants.NGHTTP2_NO_ERROR);
    if (this.#splitter.midMessage && this.#status === "ok" && this.#complete) {
      this.#status = unreadableError(this.#method, INTERNAL, "it ends within a message");
    }
    this.#notify();
  }

  /**
   * Notifies once the read of the socket that is under way has been taken apart. Node and Bun let the
   * reader run after every HTTP/2 frame of it otherwise, and Falco sends each message as a frame.
   */
  #notifySoon(): void {
    if (this.#notifying || this.#wake === undefined) return;
    this.#notifying = true;
    setImmediate(() => {
      this.#notifying = false;
      this.#notify();
    });
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

/** grpc-message is percent-encoded; what is not stays as it is. */
function decodeMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
