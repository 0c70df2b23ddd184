/** The client. @module */
import { createClient } from "@connectrpc/connect";
import { service as versionService } from "../../gen/version_pb.ts";
import type { Alert } from "../alert/alert.ts";
import type { Clock } from "../clock.ts";
import { FalcoClosedError } from "../errors.ts";
import { EventStream } from "../streams/engine/event_stream.ts";
import { DEFAULT_ADDRESS, parseAddress } from "../transport/address.ts";
import { DEFAULT_MAX_MESSAGE_BYTES } from "../transport/client_call.ts";
import type { TlsCredentials } from "../transport/credentials.ts";
import { SessionManager } from "../transport/session_manager.ts";
import { createUnaryTransport, unaryError } from "../transport/unary_transport.ts";
import { CallSource } from "./call_source.ts";
import type { CallContext, CallOptions } from "./call_source.ts";
import { versionFromMessage } from "./falco_version.ts";
import type { FalcoVersion } from "./falco_version.ts";
import { Subscription } from "./subscription.ts";
import type { SubscribeOptions } from "./subscription.ts";

/**
 * Options of {@linkcode connect}.
 *
 * @example
 * ```ts
 * import { connect } from "@falco-streams/core";
 * import type { ConnectOptions } from "@falco-streams/core";
 *
 * const options: ConnectOptions = {
 *   tls: { ca: "/certs/ca.crt", cert: "/certs/client.crt", key: "/certs/client.key" },
 *   connectTimeoutMs: 5000,
 * };
 * await connect("https://falco.example.com:5060", options).close();
 * ```
 */
export interface ConnectOptions {
  /** Certificates. Required over TCP, where Falco always wants a client certificate; refused for a unix socket, where there is no TLS. */
  tls?: TlsCredentials | undefined;
  /**
   * How long to wait for an open connection, in milliseconds. Default 10000: a Falco that is alive
   * answers in a few, and a host behind a firewall that drops packets would hold for minutes.
   */
  connectTimeoutMs?: number;
  /**
   * The longest message to accept, in bytes. Default 4194304 (4 MiB), gRPC's own default. A longer
   * alert ends the stream with a `FalcoRpcError`, as in every gRPC client.
   */
  maxMessageBytes?: number;
  /** Time for polling and time limits. Default the machine's. */
  clock?: Clock;
}

/**
 * A client of one Falco. Made by {@linkcode connect}.
 *
 * @example
 * ```ts
 * import { connect } from "@falco-streams/core";
 * import type { FalcoClient } from "@falco-streams/core";
 * import { FakeFalco } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const fake = await FakeFalco.start();
 * const falco: FalcoClient = connect(fake.address);
 * assert.equal((await falco.version()).version, "0.43.1");
 * await falco.close();
 * await fake.stop();
 * ```
 */
export interface FalcoClient extends AsyncDisposable {
  /** The address in its full form, such as `unix:///run/falco/falco.sock`. */
  readonly address: string;
  /** The alerts. */
  readonly outputs: FalcoOutputs;
  /**
   * Asks for the version. Works on every Falco with gRPC, whether `grpc_output` is on or not, and so
   * tells whether there is a Falco at all.
   *
   * @param options `signal` ends the wait.
   * @returns The version.
   * @throws {FalcoConnectError} If there is no connection to be had.
   * @throws {FalcoRpcError} If the server answers with a status: then it is not a Falco.
   */
  version(options?: { signal?: AbortSignal }): Promise<FalcoVersion>;
  /**
   * Ends all that is open, and closes the connection. Readers get what has arrived already, then the
   * end of the stream; a `version()` that waits, and calls made later, throw
   * {@linkcode FalcoClosedError}.
   *
   * @returns A promise that resolves when the connection is closed.
   */
  close(): Promise<void>;
}

/**
 * The two ways to get alerts from a Falco; both take them out of one queue for all clients.
 *
 * @example
 * ```ts
 * import { connect } from "@falco-streams/core";
 * import type { FalcoOutputs } from "@falco-streams/core";
 * import { FakeFalco, scenarios } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const fake = await FakeFalco.start();
 * await fake.replay(scenarios.shellInContainer);
 * const falco = connect(fake.address);
 * const outputs: FalcoOutputs = falco.outputs;
 * const queued = await Array.fromAsync(outputs.get());
 * assert(queued.length >= 10);
 * await falco.close();
 * await fake.stop();
 * ```
 */
export interface FalcoOutputs {
  /**
   * What is queued now, then the end. The call starts with the first read.
   *
   * @param options `signal` and `onInvalid`.
   * @returns The alerts. Under constant load it can go on for long: the end comes when Falco finds
   * its queue empty.
   */
  get(options?: CallOptions): EventStream<Alert>;
  /**
   * Alerts as they are raised, after what is queued. The call starts with the first read.
   *
   * @param options `signal`, `onInvalid`, and the bounds of polling.
   * @returns The alerts.
   * @throws {FalcoClosedError} If the client is closed.
   * @throws {TypeError} If a subscription of this client is open already: the two would share the
   * alerts between them. Use `broadcastReadableStream` to give every reader all of them.
   */
  subscribe(options?: SubscribeOptions): Subscription;
}

/**
 * Makes a client. Nothing is opened until the first call, so a Falco that is not there shows then.
 *
 * The connection keeps the process alive only while a call is open on it.
 *
 * @param address `unix:///PATH` or a path, or `https://HOST:PORT`. Default
 * `unix:///run/falco/falco.sock`, Falco's own since 0.33.
 * @param options Certificates and limits.
 * @returns The client.
 * @throws {TypeError} If the address cannot be one, or has no certificates and needs them.
 * @throws {RangeError} If a limit is not above 0.
 *
 * @example
 * ```ts
 * import { connect } from "@falco-streams/core";
 * import { buildAlert, FakeFalco } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const fake = await FakeFalco.start({ tls: true });
 * fake.push(buildAlert({ priority: "critical" }));
 * const falco = connect(fake.address, { tls: fake.credentials });
 * const [alert] = await Array.fromAsync(falco.outputs.get());
 * assert.equal(alert?.priority, "critical");
 * await falco.close();
 * await fake.stop();
 * ```
 */
export function connect(
  address: string = DEFAULT_ADDRESS,
  options: ConnectOptions = {},
): FalcoClient {
  const {
    connectTimeoutMs = 10_000,
    maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES,
    tls,
    clock,
  } = options;
  for (const [name, value] of Object.entries({ connectTimeoutMs, maxMessageBytes })) {
    if (!(value > 0)) {
      throw new RangeError(`Cannot connect as "${name}" must be above 0: it is ${value}`);
    }
  }
  const parsed = parseAddress(address);
  if (parsed.kind === "tls" && tls === undefined) {
    throw new TypeError(
      `Cannot connect to ${parsed.text}: over TCP Falco wants a client certificate. ` +
        `Pass { tls: { ca, cert, key } }`,
    );
  }
  if (parsed.kind === "unix" && tls !== undefined) {
    throw new TypeError(
      `Cannot connect to ${parsed.text}: there is no TLS on a unix socket. Leave out "tls"`,
    );
  }
  const manager = new SessionManager(parsed, { tls, connectTimeoutMs, clock });
  return new Client(manager, { manager, maxMessageBytes, clock });
}

class Client implements FalcoClient {
  readonly address: string;
  readonly outputs: FalcoOutputs;
  readonly #manager: SessionManager;
  readonly #sources = new Set<CallSource | Subscription>();
  readonly #maxMessageBytes: number;
  #closed = false;

  constructor(manager: SessionManager, context: CallContext) {
    this.#manager = manager;
    this.#maxMessageBytes = context.maxMessageBytes;
    this.address = manager.address.text;
    let subscription: Subscription | undefined;
    this.outputs = {
      get: (options = {}) => {
        this.#refuseClosed();
        const source = new CallSource(context, {
          method: "falco.outputs.service/get",
          opened: (call) => call.send(new Uint8Array(), true),
        }, options);
        this.#track(source);
        return new EventStream(source);
      },
      subscribe: (options) => {
        this.#refuseClosed();
        if (subscription !== undefined) {
          throw new TypeError(
            `Cannot subscribe to ${this.address} twice: all subscriptions of a Falco share one ` +
              "queue, so each would get a part. Give one to several readers with " +
              "broadcastReadableStream",
          );
        }
        const opened = subscription = new Subscription(context, options);
        this.#track(opened);
        void opened.closed.then(() => subscription = undefined);
        return opened;
      },
    };
  }

  async version(options: { signal?: AbortSignal } = {}): Promise<FalcoVersion> {
    this.#refuseClosed();
    const { signal } = options;
    try {
      const transport = createUnaryTransport(this.#manager, this.#maxMessageBytes);
      const client = createClient(versionService, transport);
      const message = await client.version({}, signal === undefined ? {} : { signal });
      return versionFromMessage(message);
    } catch (error) {
      if (!signal?.aborted) this.#refuseClosed();
      throw unaryError(error, "falco.version.service/version", this.#manager, signal);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#sources].map((source) => source.close()));
    await this.#manager.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #track(source: CallSource | Subscription): void {
    this.#sources.add(source);
    void source.closed.then(() => this.#sources.delete(source));
  }

  #refuseClosed(): void {
    if (this.#closed) {
      throw new FalcoClosedError(
        `Cannot call ${this.address}: the client is closed. Make a new one with connect()`,
      );
    }
  }
}
