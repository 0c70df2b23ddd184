/** A gRPC call, seen from the server. @module */
import { constants } from "node:http2";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { setImmediate } from "node:timers";
import { frameMessage, FramingError, MessageSplitter } from "../transport/message_splitter.ts";
import { inflateMessage } from "./inflate_message.ts";

/** gRPC's default limit for what a server receives; requests to Falco are empty. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

const RESOURCE_EXHAUSTED = 8;

/** How much may wait in front of the socket: enough to keep it busy. */
const MAX_UNSENT_BYTES = 1024 * 1024;

/** Why no more requests will come; what is too large has been answered. */
export type RequestsEnd = "half-close" | "undecodable" | "too-large";

/** How the owner of a {@linkcode ServerCall} hears from the client. */
export interface CallHandler {
  /** A request message came. */
  onRequest(message: Uint8Array): void;
  /** The client said that it will send no more (half-close), or sent bytes that are no message. */
  onRequestsEnd(reason: RequestsEnd): void;
  /** The call was answered with a status. Called once at most. */
  onStatus(status: number): void;
  /** The call is over: cancelled, finished, or the connection is gone. Called once. */
  onClose(): void;
}

/** Makes the server's side of a call. */
export type MakeCall = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  handler: CallHandler,
) => ServerCall;

/**
 * One call on a `node:http2` server: gRPC's framing and trailers, and nothing that Falco does not
 * do: no header before the first message, no status unless {@linkcode ServerCall.finish} is called.
 */
export class ServerCall {
  /** Whether every message gets a DATA frame of its own: one is written when the last has gone. */
  oneMessagePerFrame = false;
  readonly #stream: ServerHttp2Stream;
  readonly #handler: CallHandler;
  #finished = false;
  #responded = false;
  #closed = false;
  #onDrain: (() => void) | undefined;
  readonly #socket: Socket | undefined;

  /**
   * @param stream The stream of the request.
   * @param headers Its request headers.
   * @param handler Who is told what the client does.
   */
  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, handler: CallHandler) {
    this.#stream = stream;
    this.#handler = handler;
    const encoding = headers["grpc-encoding"];
    const splitter = new MessageSplitter(
      MAX_REQUEST_BYTES,
      (message) => inflateMessage(message, encoding, MAX_REQUEST_BYTES),
    );
    let reading = true;
    stream.on("data", (chunk: Uint8Array) => {
      if (!reading) return;
      const messages: Uint8Array[] = [];
      let broken: FramingError | undefined;
      try {
        splitter.push(chunk, messages);
      } catch (error) {
        if (!(error instanceof FramingError)) throw error;
        broken = error;
      }
      // What came before the violation was in order.
      for (const message of messages) handler.onRequest(message);
      if (broken === undefined) return;
      reading = false;
      if (broken.tooLong === undefined) return handler.onRequestsEnd("undecodable");
      // gRPC's own limit; the only thing that ends a sub of Falco with words.
      const [tooLong, limit] = [broken.tooLong, MAX_REQUEST_BYTES];
      this.finish(RESOURCE_EXHAUSTED, `Received message larger than max (${tooLong} vs. ${limit})`);
      handler.onRequestsEnd("too-large");
    });
    let ended = false;
    const halfClose = (): void => {
      if (!reading) return;
      reading = false;
      handler.onRequestsEnd("half-close");
    };
    stream.on("end", () => {
      ended = true;
      // A cancelled call ends, too, and is known for one only a moment later, on all runtimes.
      setImmediate(() => {
        if (!this.closed) halfClose();
      });
    });
    // Looked up once: it is a proxy that is made anew each time.
    this.#socket = stream.session?.socket;
    stream.on("drain", () => this.oneMessagePerFrame || this.#drained());
    // A client that goes away is an everyday event for a server, told by "close" below.
    stream.on("error", () => {});
    stream.on("close", () => {
      // Bun closes a call that both sides have ended within that moment.
      if (ended && this.#finished && stream.rstCode === constants.NGHTTP2_NO_ERROR) halfClose();
      this.#closed = true;
      this.#onDrain = undefined;
      handler.onClose();
    });
  }

  /** Whether the call is over. */
  get closed(): boolean {
    // On Bun a stream whose connection has broken takes all that is written, until it is destroyed.
    return this.#closed || this.#stream.destroyed || this.#stream.aborted;
  }

  /**
   * Reads no more requests for now: those that come stay with the client, as far as HTTP/2's window
   * does not hold them.
   */
  pause(): void {
    this.#stream.pause();
  }

  /** Reads on. */
  resume(): void {
    this.#stream.resume();
  }

  /**
   * Sends a message, and the response headers before the first one.
   *
   * @param message The message, without gRPC's header.
   * @returns False if the connection's window is full: wait with {@linkcode ServerCall.onceDrained}.
   */
  write(message: Uint8Array): boolean {
    const frame = frameMessage(message);
    if (!this.oneMessagePerFrame) return this.writeBytes(frame);
    this.writeBytes(frame, () => this.#drained());
    return false;
  }

  /**
   * Sends bytes as they are, and the response headers before the first ones.
   *
   * @param bytes Messages with gRPC's headers, if all is well.
   * @param onSent Called once they have left the process; not at all if the call ends before.
   * @returns As {@linkcode ServerCall.write}.
   */
  writeBytes(bytes: Uint8Array, onSent?: () => void): boolean {
    if (this.#finished) return false; // in the middle of a drain
    if (!this.#responded) this.#respond();
    if (onSent === undefined) return this.#stream.write(bytes);
    return this.#stream.write(bytes, (error) => {
      if (error === null || error === undefined) onSent();
    });
  }

  /** Whether messages may be sent many at once. */
  get takesRuns(): boolean {
    return !this.oneMessagePerFrame;
  }

  /**
   * Whether the socket does not keep up. Deno hands it whatever HTTP/2's windows allow, and calls that
   * sent: without a look at it all that is queued would pile up here for a client that does not read.
   */
  get #isBlocked(): boolean {
    try {
      const socket = this.#socket;
      return socket !== undefined && !socket.destroyed && socket.writableNeedDrain &&
        socket.writableLength > MAX_UNSENT_BYTES;
    } catch {
      // The session has let go of its socket, and asking it anything throws: nothing to wait for.
      return false;
    }
  }

  #drained(): void {
    if (this.#isBlocked) {
      this.#socket!.once("drain", () => this.#drained());
      return;
    }
    const resume = this.#onDrain;
    this.#onDrain = undefined;
    resume?.();
  }

  /**
   * Asks to be called once there is room again; not called at all if the call ends before.
   *
   * @param resume What to call.
   */
  onceDrained(resume: () => void): void {
    this.#onDrain = resume;
  }

  /**
   * Ends the call with a gRPC status.
   *
   * @param status The status code.
   * @param message Its text; Falco sends none for most, and then the trailer is left out.
   */
  finish(status: number, message = ""): void {
    if (this.closed || this.#finished) return;
    this.#finished = true;
    this.#handler.onStatus(status);
    const trailers = {
      "grpc-status": String(status),
      ...(message === ""
        ? {}
        : { "grpc-message": encodeURIComponent(message).replaceAll("%20", " ") }),
    };
    if (!this.#responded) {
      // Trailers-only: one header block and the end, as gRPC's C core does without a message.
      this.#responded = true;
      this.#stream.respond({
        [constants.HTTP2_HEADER_STATUS]: 200,
        [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
        ...trailers,
      }, { endStream: true });
      return;
    }
    this.#stream.on("wantTrailers", () => this.#stream.sendTrailers(trailers));
    // No RST_STREAM for a client that has not half-closed, though gRPC's C core sends one: on Node
    // and Deno it overtakes the trailers. Clients close their half once they have the status.
    this.#stream.end();
  }

  /** Ends the call without a status: RST_STREAM with CANCEL. */
  reset(): void {
    if (!this.closed) this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #respond(): void {
    this.#responded = true;
    this.#stream.respond({
      [constants.HTTP2_HEADER_STATUS]: 200,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
      "grpc-accept-encoding": "identity, deflate, gzip",
    }, { waitForTrailers: true });
  }
}
