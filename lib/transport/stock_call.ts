/** A streaming gRPC call through connect-node. @module */
import { constants } from "node:http2";
import type { ClientHttp2Stream } from "node:http2";
import { fromBinary } from "@bufbuild/protobuf";
import type { DescMessage, DescMethodStreaming, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { service as firstService } from "../../gen/legacy_output_pb.ts";
import { service as outputsService } from "../../gen/outputs_pb.ts";
import type { OutputsResponse } from "../alert/alert_of_response.ts";
import { closeWhenReset } from "./close_when_reset.ts";
import { connectionError } from "./connection_error.ts";
import type { SessionManager } from "./session_manager.ts";
import { createStockTransport, stockError } from "./stock_transport.ts";
import { DEFAULT_MAX_MESSAGE_BYTES, HIGH_WATER_MARK } from "./stream_call.ts";
import type { StreamCall } from "./stream_call.ts";
import { unreadableError } from "./unreadable_error.ts";

/** What connect says of an answer that ends within a message. */
const INCOMPLETE = "protocol error: incomplete envelope";

type Request = MessageShape<DescMessage>;

const methods: Readonly<Record<string, DescMethodStreaming>> = {
  "falco.outputs.service/get": outputsService.method.get,
  "falco.outputs.service/sub": outputsService.method.sub,
  "falco.output.service/subscribe": firstService.method.subscribe,
};

/**
 * A call whose framing and decoding are connect-node's and protobuf-es'.
 *
 * It is there to compare with, and for a server that our own framing would not understand. What
 * connect leaves open is closed here: the call when its reader leaves, and our half of the stream
 * when the server is done.
 */
export class StockCall implements StreamCall {
  readonly #manager: SessionManager;
  readonly #method: string;
  readonly #ending = new AbortController();
  #stream: ClientHttp2Stream | undefined;
  #requests: Request[] = [];
  #lastRequest = false;
  #messages: OutputsResponse[] = [];
  #outcome: { readonly error?: unknown } | undefined;
  #cancelled = false;
  #endedAtMs: number | undefined;
  #wake: (() => void) | undefined;
  /** A request is there, or there will be none. */
  #wakeSender: () => void = () => {};
  /** There is room for messages. */
  #wakeReceiver: () => void = () => {};

  private constructor(manager: SessionManager, method: string) {
    this.#manager = manager;
    this.#method = method;
  }

  /**
   * Opens a connection if there is none, and starts a call.
   *
   * @param manager The connection.
   * @param method The method without the leading slash: one of Falco's for alerts.
   * @param options The longest message to accept, in bytes.
   * @returns The call, with no request sent yet.
   * @throws {FalcoConnectError} If there is no connection to be had.
   */
  static async start(
    manager: SessionManager,
    method: string,
    options: { maxMessageBytes?: number } = {},
  ): Promise<StockCall> {
    const call = new StockCall(manager, method);
    await new Promise<void>((resolve, reject) => {
      const over = call.#run(options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES, (stream) => {
        call.#stream = stream;
        closeWhenReset(stream);
        resolve();
      });
      void over.then((error) => reject(error)); // no matter if the stream was there
    });
    return call;
  }

  /** Resolves when it is over, with the error if there was one. */
  async #run(
    maxMessageBytes: number,
    onStream: (stream: ClientHttp2Stream) => void,
  ): Promise<unknown> {
    const transport = createStockTransport(this.#manager, maxMessageBytes, onStream);
    const method = methods[this.#method]!;
    let trailer: Headers | undefined;
    try {
      const { signal } = this.#ending;
      const sent = this.#sent();
      const answer = await transport.stream(method, signal, undefined, undefined, sent);
      trailer = answer.trailer;
      for await (const message of answer.message) {
        if (this.#cancelled) break;
        this.#messages.push(message as OutputsResponse);
        this.#notify();
        if (this.#messages.length >= HIGH_WATER_MARK) {
          await new Promise<void>((resolve) => this.#wakeReceiver = resolve);
        }
      }
      this.#outcome = {};
    } catch (thrown) {
      this.#outcome = { error: this.#explain(thrown, trailer) };
    }
    this.#endedAtMs = this.#manager.now();
    this.#wakeSender(); // which ends our half of the stream: nobody else does when the server is done
    this.#notify();
    return this.#outcome.error;
  }

  #explain(thrown: unknown, trailer: Headers | undefined): unknown {
    // connect gives this a status of its own, whether the server sent one or was cut short.
    if (thrown instanceof ConnectError && thrown.rawMessage === INCOMPLETE) {
      if (trailer?.get("grpc-status") !== "0") {
        return connectionError(this.#manager.address, undefined, "open");
      }
      return unreadableError(this.#method, Code.Internal, "it ends within a message", thrown);
    }
    return stockError(thrown, this.#method, this.#manager);
  }

  async *#sent(): AsyncGenerator<Request> {
    while (this.#outcome === undefined) {
      for (const request of this.#requests.splice(0)) yield request;
      if (this.#lastRequest) return;
      if (this.#requests.length > 0) continue;
      await new Promise<void>((resolve) => this.#wakeSender = resolve);
    }
  }

  /** @inheritdoc */
  get endedAtMs(): number | undefined {
    return this.#endedAtMs;
  }

  /** @inheritdoc */
  send(message: Uint8Array, last = false): void {
    this.#requests.push(fromBinary(methods[this.#method]!.input, message));
    this.#lastRequest ||= last;
    this.#wakeSender();
  }

  /** @inheritdoc */
  take(): OutputsResponse[] | undefined | null {
    if (this.#messages.length > 0) {
      const messages = this.#messages;
      this.#messages = [];
      this.#wakeReceiver();
      return messages;
    }
    if (this.#cancelled) return null;
    if (this.#outcome === undefined) return undefined;
    if ("error" in this.#outcome) throw this.#outcome.error;
    return null;
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
    const stream = this.#stream!;
    if (stream.closed && stream.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      stream.once("close", () => resolve());
      this.#ending.abort();
      stream.close(constants.NGHTTP2_CANCEL);
      // What nobody reads any more would keep it from closing.
      stream.removeAllListeners("readable");
      stream.resume();
      this.#wakeReceiver();
      this.#wakeSender();
    });
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
