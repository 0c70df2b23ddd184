/** A place where clients connect. @module */
import type { Alert } from "../lib/alert/alert.ts";
import type { Clock } from "../lib/clock.ts";
import { compileCondition } from "../lib/condition/compile_condition.ts";
import { FalcoError } from "../lib/errors.ts";
import { FalcoServer } from "../lib/server/falco_server.ts";
import type { ListenAddress } from "../lib/server/falco_server.ts";
import type { ServerEvent } from "../lib/server/server_event.ts";
import { parseAddress } from "../lib/transport/address.ts";
import { loadKeyPair } from "../lib/transport/load_key_pair.ts";
import { loadPem } from "../lib/transport/load_pem.ts";
import type { PemFailure } from "../lib/transport/load_pem.ts";
import { Delivery } from "./delivery.ts";
import type { GatewayListenerConfig } from "./gateway_config.ts";
import type { GatewayLog } from "./gateway_log.ts";

/** How long a TLS handshake may take, in milliseconds: with the whole world between, some hundreds. */
const HANDSHAKE_MS = 10_000;

/** How long a client may take to say goodbye, in milliseconds. */
const GOODBYE_MS = 1000;

/** Slots for calls. The gateway refuses what is too much, where Falco would let it wait in silence. */
const THREADINESS = 1_000_000;

/** What a listener works with. */
export interface ListenerContext {
  readonly log: GatewayLog;
  readonly clock: Clock;
  /** An encoded `falco.version.response`. */
  readonly versionMessage: Uint8Array;
}

/** Why somebody was not served. */
export type ListenerRefusal = "connections" | "subscribers" | "handshake" | "pings";

/** Serves Falco's gRPC API to any number of clients. */
export class GatewayListener {
  /** What it is called. */
  readonly name: string;
  /** What its clients get. */
  readonly delivery: Delivery;
  readonly #accepts: ((alert: Alert) => boolean) | undefined;
  readonly #log: GatewayLog;
  readonly #refused = { connections: 0, handshake: 0, pings: 0 };
  #server: FalcoServer | undefined;
  #filtered = 0;

  private constructor(config: GatewayListenerConfig, log: GatewayLog) {
    this.name = config.name;
    this.#log = log;
    this.#accepts = config.filter === undefined ? undefined : compileCondition(config.filter);
    this.delivery = new Delivery(config, () => {
      log.addRarely(`disconnected ${this.name}`, "warn", "client-too-slow", {
        listener: this.name,
      });
    });
  }

  /**
   * Starts to listen.
   *
   * @param config Where, and what to serve.
   * @param context What it works with.
   * @returns It, when clients can connect.
   * @throws {FalcoError} If it cannot listen there, or a certificate cannot be read.
   */
  static async start(
    config: GatewayListenerConfig,
    context: ListenerContext,
  ): Promise<GatewayListener> {
    const { log, clock, versionMessage } = context;
    const listener = new GatewayListener(config, log);
    const listen = await listenAddress(config);
    try {
      listener.#server = await FalcoServer.listen(listen, {
        openQueue: (method, caller) => listener.delivery.open(method, caller),
        versionMessage,
        threadiness: THREADINESS,
      }, {
        clock,
        report: (event) => listener.#onEvent(event),
        maxConnections: config.maxConnections ?? 1024,
        handshakeTimeoutMs: HANDSHAKE_MS,
      });
    } catch (cause) {
      const { message } = cause as Error;
      throw new FalcoError(`Cannot listen at ${config.address}: ${message}`, { cause });
    }
    return listener;
  }

  /** Where it listens: `unix:///PATH` or `https://HOST:PORT`. */
  get address(): string {
    return this.#server!.address;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#server!.connections;
  }

  /** How many alerts the filter kept away. */
  get filtered(): number {
    return this.#filtered;
  }

  /** Who was not served, and why. */
  get refused(): Readonly<Record<ListenerRefusal, number>> {
    return { ...this.#refused, subscribers: this.delivery.refused };
  }

  /**
   * Whether its clients are to get an alert.
   *
   * @param alert The alert.
   */
  wants(alert: Alert): boolean {
    if (this.#accepts === undefined || this.#accepts(alert)) return true;
    this.#filtered++;
    return false;
  }

  /**
   * Ends all calls in order: what is not taken by now is lost. Connections have a second to close.
   *
   * @returns How many alerts were lost, each counted for each client.
   */
  async stop(): Promise<number> {
    const server = this.#server!;
    const lost = this.delivery.log.finish();
    server.services.finishCalls();
    let late = (): void => {};
    // On the machine's clock: sockets know no other.
    const timer = setTimeout(() => late(), GOODBYE_MS);
    await Promise.race([server.stop(), new Promise<void>((resolve) => late = resolve)]);
    clearTimeout(timer);
    await server.kill();
    return lost;
  }

  #onEvent(event: ServerEvent): void {
    const listener = this.name;
    switch (event.type) {
      case "connect":
        return this.#log.add("debug", "connect", { listener, connection: event.connection });
      case "disconnect":
        this.delivery.leave(event.connection);
        return this.#log.add("debug", "disconnect", { listener, connection: event.connection });
      case "call": {
        const { id: call, path, connection } = event;
        return this.#log.add("debug", "call", {
          listener,
          connection,
          call,
          path: path.slice(0, 100),
        });
      }
      case "refused":
        this.#refused.connections++;
        return this.#log.addRarely(`refused ${listener}`, "warn", "too-many-connections", {
          listener,
        });
      case "handshake-error":
        this.#refused.handshake++;
        return this.#log.addRarely(`handshake ${listener}`, "warn", "handshake-failed", {
          listener,
          problem: event.error.message.slice(0, 500),
        });
      case "ping-strike":
        if (event.closed) this.#refused.pings++;
    }
  }
}

async function listenAddress(config: GatewayListenerConfig): Promise<ListenAddress> {
  const address = parseAddress(config.address, { listening: true });
  if (address.kind === "unix") return { kind: "unix", path: address.path };
  const fail: PemFailure = (problem, cause) => {
    throw new FalcoError(`Cannot start the listener "${config.name}": ${problem}`, { cause });
  };
  const tls = config.tls!;
  const credentials = {
    ca: await loadPem(tls, "ca", "certificate", fail),
    ...await loadKeyPair(tls, fail),
  };
  return { kind: "tls", host: address.host, port: address.port, credentials };
}
