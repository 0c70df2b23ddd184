/** The client. @module */
import type { Alert } from "../alert/alert.ts";
import type { Clock } from "../clock.ts";
import type { EventStream } from "../streams/engine/event_stream.ts";
import { DEFAULT_ADDRESS, OLDER_DEFAULT_ADDRESS, parseAddress } from "../transport/address.ts";
import { ClientCall } from "../transport/client_call.ts";
import type { TlsCredentials } from "../transport/credentials.ts";
import { SessionManager } from "../transport/session_manager.ts";
import { DEFAULT_MAX_MESSAGE_BYTES } from "../transport/stream_call.ts";
import type { ReconnectOptions } from "./backoff.ts";
import type { CallOptions } from "./call_source.ts";
import { Client } from "./client.ts";
import type { FalcoVersion } from "./falco_version.ts";
import { OutputsService } from "./outputs_service.ts";
import type { SubscribeOptions, Subscription } from "./subscription.ts";

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
   * alert ends the call with a `FalcoRpcError`, as in every gRPC client: `get()` fails with it, a
   * subscription counts it in `stats().invalid`, tells `onInvalid`, and connects again.
   */
  maxMessageBytes?: number;
  /**
   * What reads streams of alerts. Default `"own"`.
   *
   * - `"own"`: a decoder made for alerts. It takes every alert that Falco sends.
   * - `"stock"`: connect-node with protobuf-es, as other gRPC clients for JavaScript work: several
   *   times slower. For comparison, and for a server that `"own"` turns out not to understand. One
   *   message that is not what the contract says, such as a text that is not UTF-8, breaks the call:
   *   alerts that were under way with it are lost.
   */
  transport?: "own" | "stock";
  /** Time and chance for polling, time limits and back-off. Default the machine's. */
  clock?: Clock;
}

/**
 * Options of `version()`.
 *
 * @example Wait until Falco has started, but no longer than a minute
 * ```ts
 * import type { VersionOptions } from "@falco-streams/core";
 *
 * const options: VersionOptions = { waitForReady: true, signal: AbortSignal.timeout(60_000) };
 * console.assert(options.waitForReady === true);
 * ```
 */
export interface VersionOptions {
  /** Ends the wait: the call fails with `signal.reason`. */
  signal?: AbortSignal;
  /**
   * How long to wait for the answer once there is a connection, in milliseconds. Default 10000: Falco
   * answers in a few, but keeps a call waiting without a word while all its slots are taken.
   */
  timeoutMs?: number;
  /**
   * Whether to try again as a subscription does, where waiting may help. Default false: the call
   * fails at once.
   */
  waitForReady?: boolean | ReconnectOptions;
}

/**
 * Options of `outputs.get()`.
 *
 * @example Wait for a Falco that is just starting
 * ```ts
 * import type { GetOptions } from "@falco-streams/core";
 *
 * const options: GetOptions = { waitForReady: { maxAttempts: 5 } };
 * console.assert(options.signal === undefined);
 * ```
 */
export interface GetOptions extends CallOptions {
  /**
   * Whether to wait for a connection as a subscription does, where waiting may help. Default false:
   * the stream fails at once. A connection that is lost later fails it in any case.
   */
  waitForReady?: boolean | ReconnectOptions;
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
  /**
   * The address in its full form, such as `unix:///run/falco/falco.sock`. Of the two default ones,
   * the one that was last connected to, or the first.
   */
  readonly address: string;
  /** The alerts. */
  readonly outputs: FalcoOutputs;
  /**
   * Asks for the version. Works on every Falco with gRPC, whether `grpc_output` is on or not, and so
   * tells whether there is a Falco at all.
   *
   * @param options `signal` ends the wait; `waitForReady` tries until there is an answer.
   * @returns The version.
   * @throws {FalcoConnectError} If there is no connection to be had, or no answer within `timeoutMs`.
   * @throws {RangeError} If `timeoutMs` is not above 0.
   * @throws {FalcoRpcError} If the server answers with a status: it is a Falco 0.18 or 0.19, which
   * had no version yet, or none at all.
   */
  version(options?: VersionOptions): Promise<FalcoVersion>;
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
   * @param options `signal`, `onInvalid` and `waitForReady`.
   * @returns The alerts. Under constant load it can go on for long: the end comes when Falco finds
   * its queue empty. Fails if there is no connection to be had, or it is lost: what was taken out of
   * the queue by then is not there for a second try. Once there is a connection it waits without a
   * limit: a Falco whose slots are all taken (10 for each thread of `grpc.threadiness`) says nothing
   * until another client leaves. Pass `signal`, such as `AbortSignal.timeout(60_000)`, where that is
   * too long.
   */
  get(options?: GetOptions): EventStream<Alert>;
  /**
   * Alerts as they are raised, after what is queued. The call starts with the first read.
   *
   * @param options `signal`, `onInvalid`, `reconnect`, and the bounds of polling.
   * @returns The alerts. That none come says nothing: a Falco without alerts, one with `grpc_output`
   * off and one whose slots are all taken look alike. `doctor` on the command line tells what can be
   * told.
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
 * @param address `unix:///PATH` or a path, or `https://HOST:PORT`. Default: Falco's own, which is
 * `unix:///run/falco/falco.sock` since 0.33, and if nothing is to be had there
 * `unix:///var/run/falco.sock`, the one before. Errors name both.
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
  address?: string,
  options: ConnectOptions = {},
): FalcoClient {
  const {
    connectTimeoutMs = 10_000,
    maxMessageBytes = DEFAULT_MAX_MESSAGE_BYTES,
    tls,
    transport = "own",
    clock,
  } = options;
  if (transport !== "own" && transport !== "stock") {
    throw new TypeError(
      `Cannot connect as "transport" must be "own" or "stock": it is ${JSON.stringify(transport)}`,
    );
  }
  for (const [name, value] of Object.entries({ connectTimeoutMs, maxMessageBytes })) {
    if (!(value > 0)) {
      throw new RangeError(`Cannot connect as "${name}" must be above 0: it is ${value}`);
    }
  }
  const parsed = parseAddress(address ?? DEFAULT_ADDRESS);
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
  const alternatives = address === undefined ? [parseAddress(OLDER_DEFAULT_ADDRESS)] : [];
  const manager = new SessionManager(parsed, { tls, connectTimeoutMs, clock, alternatives });
  return new Client({
    manager,
    async startCall(method) {
      if (transport === "own") return await ClientCall.start(manager, method, { maxMessageBytes });
      const { StockCall } = await import("../transport/stock_call.ts");
      return await StockCall.start(manager, method, { maxMessageBytes });
    },
    outputs: new OutputsService(),
    maxMessageBytes,
    clock,
  });
}
