/** A gRPC call that shows everything that comes on it. @module */
import { constants } from "node:http2";
import type { ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import { decodeAlert } from "../../lib/alert/wire.ts";
import type { Clock } from "../../lib/clock.ts";
import { frameMessage, MessageSplitter } from "../../lib/transport/message_splitter.ts";
import { Difference } from "./difference.ts";

/** Longer messages than any that the suite asks for. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** An encoded request: it has no fields. */
export const REQUEST: Uint8Array = new Uint8Array();

/** No protobuf message: a field that is cut short. */
export const GARBAGE: Uint8Array = new Uint8Array([0x0a, 0xff]);

/** Something that came on a call. */
export type CallEvent = "headers" | "message" | "trailers" | "error" | "end";

/** A call with nothing sent but what the caller says, and everything noted that comes back. */
export class ContractCall {
  /** What came, in order. */
  readonly events: CallEvent[] = [];
  /** The response headers; undefined as long as there are none. */
  headers: IncomingHttpHeaders | undefined;
  /** The trailers. If the answer has no message they are the headers: gRPC's "trailers-only". */
  trailers: IncomingHttpHeaders | undefined;
  readonly #stream: ClientHttp2Stream;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #splitter = new MessageSplitter(MAX_MESSAGE_BYTES);
  readonly #messages: Uint8Array[] = [];
  #wake: () => void = () => {};

  /**
   * @param stream The HTTP/2 stream of the call.
   * @param clock Limits how long it is waited for something.
   * @param timeoutMs The limit, in milliseconds.
   */
  constructor(stream: ClientHttp2Stream, clock: Clock, timeoutMs: number) {
    this.#stream = stream;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    stream.on("response", (headers) => {
      this.headers = headers;
      if (headers["grpc-status"] !== undefined) this.trailers = headers;
      this.#note("headers");
    });
    stream.on("trailers", (trailers: IncomingHttpHeaders) => {
      this.trailers = trailers;
      this.#note("trailers");
    });
    stream.on("data", (chunk: Uint8Array) => this.#read(chunk));
    stream.on("error", () => this.#note("error")); // "close" follows
    const onEnd = (): void => {
      if (!this.ended) this.#note("end");
      // The server is done with the call; our half would stay open.
      if (!stream.closed) stream.close(constants.NGHTTP2_NO_ERROR);
    };
    stream.on("end", () => {
      if (this.trailers !== undefined) onEnd();
    });
    stream.on("close", onEnd);
  }

  #read(chunk: Uint8Array): void {
    try {
      for (const message of this.#splitter.push(chunk)) {
        this.#messages.push(message);
        this.#note("message");
      }
    } catch {
      this.#note("error"); // compressed, or no gRPC at all
    }
  }

  #note(event: CallEvent): void {
    this.events.push(event);
    this.#wake();
  }

  /** The status; undefined as long as there is none. */
  get status(): number | undefined {
    const status = this.trailers?.["grpc-status"];
    return status === undefined ? undefined : Number(status);
  }

  /** Whether the call is over, in whatever way. */
  get ended(): boolean {
    return this.events.includes("end");
  }

  /** The HTTP/2 error code that the stream was closed with. */
  get resetCode(): number | undefined {
    return this.#stream.rstCode;
  }

  /**
   * Sends a request.
   *
   * @param message The message; its frame is put in front.
   */
  request(message: Uint8Array = REQUEST): void {
    this.#stream.write(frameMessage(message));
  }

  /**
   * Sends bytes without gRPC's frame.
   *
   * @param bytes The bytes.
   */
  raw(bytes: Uint8Array): void {
    this.#stream.write(bytes);
  }

  /** Says that no requests follow. */
  halfClose(): void {
    this.#stream.end();
  }

  /** Cancels the call. */
  cancel(): void {
    this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#stream.resume();
  }

  /**
   * Waits for messages.
   *
   * @param count How many.
   * @returns Them.
   * @throws {Difference} If they do not come.
   */
  async messages(count: number): Promise<Uint8Array[]> {
    await this.#when(() => this.#messages.length >= count || this.ended);
    if (this.#messages.length < count) {
      throw new Difference(
        `${this.#messages.length} of ${count} messages came${this.ended ? ", then an end" : ""}`,
      );
    }
    return this.#messages.splice(0, count);
  }

  /**
   * Waits for alerts.
   *
   * @param count How many.
   * @returns Their rules.
   * @throws {Difference} If they do not come.
   */
  async rules(count: number): Promise<string[]> {
    return (await this.messages(count)).map((message) => decodeAlert(message).rule);
  }

  /**
   * Looks what has come by now.
   *
   * @returns The rules of the alerts.
   */
  here(): string[] {
    return this.#messages.splice(0).map((message) => decodeAlert(message).rule);
  }

  /**
   * Waits for the end, in whatever way.
   *
   * @returns The status; undefined if it ended without one.
   * @throws {Difference} If it does not end.
   */
  async end(): Promise<number | undefined> {
    await this.#when(() => this.ended);
    if (!this.ended) {
      throw new Difference(`the call did not end; ${this.events.join(", ") || "nothing"} came`);
    }
    return this.status;
  }

  /** Waits for news of this call until something is so, or it has taken too long. */
  async #when(condition: () => boolean): Promise<void> {
    let tooLate = false;
    const cancelTimer = this.#clock.setTimer(() => {
      tooLate = true;
      this.#wake();
    }, this.#timeoutMs);
    while (!condition() && !tooLate) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    cancelTimer();
  }
}
