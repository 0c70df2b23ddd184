/** Which alerts a call gets. @module */
import type { AlertQueue } from "../lib/server/alert_queue.ts";
import type { FalcoMethod } from "../lib/server/falco_method.ts";
import type { Caller } from "../lib/server/falco_services.ts";
import { AlertLog } from "./alert_log.ts";
import type { LogCursor } from "./alert_log.ts";
import type { GatewayListenerConfig } from "./gateway_config.ts";

/** gRPC's RESOURCE_EXHAUSTED. */
const RESOURCE_EXHAUSTED = 8;

/** What calls that get no alerts drain: those of `version`, and those that were refused. */
const nothing: AlertQueue = { tryPop: () => undefined, tryPopRun: () => undefined };

/**
 * Hands the alerts of one listener to its calls.
 *
 * - `fanout`: a `sub` gets every alert from when it came, after the replay window. A `get` gets what
 *   came since the last `get` of the same connection, or for the first one the replay window: so a
 *   client that polls with `get` misses and repeats nothing, as it would with Falco itself.
 * - `shared`: all calls drain one queue.
 */
export class Delivery {
  /** What waits. */
  readonly log: AlertLog;
  readonly #maxSubscribers: number;
  readonly #shared: LogCursor | undefined;
  /** What `get` calls have read, by connection. */
  readonly #getters = new Map<number, LogCursor>();
  readonly #onDisconnected: () => void;
  #subscribers = 0;
  #refused = 0;
  #disconnected = 0;

  /**
   * @param config How to deliver.
   * @param onDisconnected A client was sent away for being too far behind.
   */
  constructor(config: GatewayListenerConfig, onDisconnected: () => void) {
    const { delivery = "fanout", queue = {}, replay, maxSubscribers = 1000 } = config;
    const { alerts = 8192, bytes = 64 * 1024 * 1024, overflow = "drop-oldest" } = queue;
    this.log = new AlertLog({
      maxAlerts: alerts,
      maxBytes: bytes,
      replay: replay?.alerts ?? 0,
      overflow,
    });
    this.#maxSubscribers = maxSubscribers;
    this.#onDisconnected = onDisconnected;
    this.#shared = delivery === "shared" ? this.log.open(true) : undefined;
  }

  /** How many `sub` and `get` calls are being served. */
  get subscribers(): number {
    return this.#subscribers;
  }

  /** How many calls came while there were too many. */
  get refused(): number {
    return this.#refused;
  }

  /** How many clients were sent away for being too far behind. */
  get disconnected(): number {
    return this.#disconnected;
  }

  /**
   * Gives a call its queue.
   *
   * @param method The method that was called.
   * @param caller Who calls.
   * @returns The queue; one without alerts for a call that has no part in them.
   */
  open(method: FalcoMethod, caller: Caller): AlertQueue {
    if (method === "falco.version.service/version") return nothing;
    if (this.#subscribers >= this.#maxSubscribers) {
      this.#refused++;
      caller.end(RESOURCE_EXHAUSTED, "the gateway has as many subscribers as it may have");
      return nothing;
    }
    this.#subscribers++;
    if (this.#shared !== undefined) return this.#part(this.#shared, false);
    if (method === "falco.outputs.service/get") {
      const { connection } = caller;
      const cursor = this.#getters.get(connection) ?? this.log.open(false);
      this.#getters.set(connection, cursor);
      return this.#part(cursor, false);
    }
    const cursor = this.log.open(true, () => {
      this.#disconnected++;
      caller.end(RESOURCE_EXHAUSTED, "the client is too slow: alerts were dropped");
      this.#onDisconnected();
    });
    return this.#part(cursor, true);
  }

  /**
   * A connection is gone.
   *
   * @param connection Its number.
   */
  leave(connection: number): void {
    this.#getters.get(connection)?.close();
    this.#getters.delete(connection);
  }

  #part(cursor: LogCursor, owned: boolean): AlertQueue {
    let open = true;
    return {
      tryPop: () => cursor.tryPop(),
      tryPopRun: () => cursor.tryPopRun(),
      close: () => {
        if (!open) return;
        open = false;
        this.#subscribers--;
        if (owned) cursor.close();
      },
    };
  }
}
