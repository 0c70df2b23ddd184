/** What a gateway can be told. @module */

/**
 * The configuration of a gateway: what a `gateway.yaml` holds, and what {@linkcode startGateway} takes.
 *
 * @example
 * ```ts
 * import { checkGatewayConfig } from "@falco-streams/core/gateway";
 * import type { GatewayConfig } from "@falco-streams/core/gateway";
 *
 * const config: GatewayConfig = {
 *   version: 1,
 *   sources: [{ name: "falco", type: "http", listen: "127.0.0.1:2801" }],
 *   listeners: [{ name: "local", address: "unix:///run/falco/falco.sock" }],
 * };
 * checkGatewayConfig(config);
 * ```
 */
export interface GatewayConfig {
  /** The version of the format: 1. */
  readonly version: 1;
  /** Where alerts come from; at least one. */
  readonly sources: readonly GatewaySourceConfig[];
  /** Where clients connect; at least one. */
  readonly listeners: readonly GatewayListenerConfig[];
  /** Serves `/metrics`, `/healthz` and `/readyz`. Default: nobody is served. */
  readonly admin?: GatewayAdminConfig;
  /**
   * The Falco that `falco.version.service` reports. Default 0.43.1: the last one with this API, which
   * clients know how to deal with.
   */
  readonly falcoVersion?: string;
  /**
   * How long a stop may wait for clients to take what they are owed, in milliseconds. Default 10000:
   * clients poll once a second or more often, and service managers lose patience after 30 seconds.
   */
  readonly drainMs?: number;
  /** The least severe log entries that are written. Default `info`. */
  readonly logLevel?: GatewayLogLevel;
  /**
   * How many combinations of rule, priority and source `/metrics` tells apart; what is beyond counts
   * as `other`. Default 1024: Falco's own rules are some 100, and every series costs the database that
   * scrapes it.
   */
  readonly maxSeries?: number;
}

/**
 * How much a gateway says.
 *
 * @example
 * ```ts
 * import type { GatewayLogLevel } from "@falco-streams/core/gateway";
 *
 * const level: GatewayLogLevel = "warn";
 * console.assert(level.length === 4);
 * ```
 */
export type GatewayLogLevel = "debug" | "info" | "warn" | "error";

/**
 * A source of any kind.
 *
 * @example
 * ```ts
 * import type { GatewaySourceConfig } from "@falco-streams/core/gateway";
 *
 * const sources: GatewaySourceConfig[] = [
 *   { name: "old", type: "grpc", address: "unix:///run/falco/falco.sock" },
 *   { name: "file", type: "file", path: "/var/log/falco.json" },
 * ];
 * console.assert(sources.length === 2);
 * ```
 */
export type GatewaySourceConfig =
  | GatewayGrpcSourceConfig
  | GatewayHttpSourceConfig
  | GatewayFileSourceConfig
  | GatewayStdinSourceConfig;

/**
 * A Falco 0.18 to 0.43, subscribed to over gRPC.
 *
 * @example
 * ```ts
 * import type { GatewayGrpcSourceConfig } from "@falco-streams/core/gateway";
 *
 * const source: GatewayGrpcSourceConfig = {
 *   name: "node-1",
 *   type: "grpc",
 *   address: "https://node-1:5060",
 *   tls: { ca: "ca.crt", cert: "client.crt", key: "client.key" },
 * };
 * console.assert(source.tls?.serverName === undefined);
 * ```
 */
export interface GatewayGrpcSourceConfig {
  /** What logs and metrics call it: letters, digits, `.`, `_` and `-`. */
  readonly name: string;
  /** The kind. */
  readonly type: "grpc";
  /** `unix:///PATH` or `https://HOST:PORT`. */
  readonly address: string;
  /** Over TCP: PEM files, or PEM text. */
  readonly tls?: {
    /** The authority that signed Falco's certificate. */
    readonly ca: string;
    /** The gateway's certificate. */
    readonly cert: string;
    /** Its key. */
    readonly key: string;
    /** The name in Falco's certificate, if it is not the host of the address. */
    readonly serverName?: string;
  };
  /** How often an idle Falco is asked at least, in milliseconds. Default 1000. */
  readonly maxPollMs?: number;
}

/**
 * What Falco's `http_output` posts, Falcosidekick, or a webhook.
 *
 * @example
 * ```ts
 * import type { GatewayHttpSourceConfig } from "@falco-streams/core/gateway";
 *
 * const source: GatewayHttpSourceConfig = {
 *   name: "cluster",
 *   type: "http",
 *   listen: "0.0.0.0:2801",
 *   tls: { cert: "server.crt", key: "server.key", clientCa: "ca.crt" },
 * };
 * console.assert(source.allowInsecure === undefined);
 * ```
 */
export interface GatewayHttpSourceConfig {
  /** What logs and metrics call it: letters, digits, `.`, `_` and `-`. */
  readonly name: string;
  /** The kind. */
  readonly type: "http";
  /** Where to listen, `HOST:PORT`. Another host than loopback wants `token`, `tls` with `clientCa`, or `allowInsecure`. */
  readonly listen: string;
  /** The path to accept alerts on. Default any. */
  readonly path?: string;
  /** Serves HTTPS. PEM files, or PEM text. */
  readonly tls?: {
    /** The server's certificate. */
    readonly cert: string;
    /** Its key. */
    readonly key: string;
    /** The authority that must have signed a sender's certificate. */
    readonly clientCa?: string;
  };
  /** A secret that senders must show. */
  readonly token?: string;
  /** A file that holds the secret; read at the start, white space around it is left out. */
  readonly tokenFile?: string;
  /** Lets everybody post who reaches an address that is not loopback. Default false. */
  readonly allowInsecure?: boolean;
  /** The longest body, in bytes. Default 4194304. */
  readonly maxBodyBytes?: number;
  /** How many connections at once. Default 256. */
  readonly maxConnections?: number;
  /** How long a request may take to come in, in milliseconds. Default 10000. */
  readonly requestTimeoutMs?: number;
  /** How many alerts may wait to be passed on. Default 1024. */
  readonly maxQueuedAlerts?: number;
  /** Beyond that: hold answers back (`block`, the default), or answer 503 and drop (`refuse`). */
  readonly overflow?: "block" | "refuse";
  /** Whether alerts in text count as alerts (`alert`, the default) or as invalid. */
  readonly text?: "alert" | "invalid";
}

/**
 * A file that Falco writes, followed over rotation.
 *
 * @example
 * ```ts
 * import type { GatewayFileSourceConfig } from "@falco-streams/core/gateway";
 *
 * const source: GatewayFileSourceConfig = { name: "file", type: "file", path: "/var/log/falco.json" };
 * console.assert(source.from === undefined);
 * ```
 */
export interface GatewayFileSourceConfig {
  /** What logs and metrics call it: letters, digits, `.`, `_` and `-`. */
  readonly name: string;
  /** The kind. */
  readonly type: "file";
  /** The file. It need not be there yet. */
  readonly path: string;
  /** Where to begin: at the `end`, the default, since a gateway keeps no position, or at the `start`. */
  readonly from?: "start" | "end";
  /** How often to look for more, in milliseconds. Default 250. */
  readonly pollMs?: number;
  /** How long a line may be, in bytes. Default 4194304, as a longer alert fits into no gRPC message. */
  readonly maxLineBytes?: number;
  /** Whether alerts in text count as alerts (`alert`, the default) or as invalid. */
  readonly text?: "alert" | "invalid";
}

/**
 * Standard input: `falco | gateway -c gateway.yaml`. When it ends and no other source is left, the
 * gateway stops in order.
 *
 * @example
 * ```ts
 * import type { GatewayStdinSourceConfig } from "@falco-streams/core/gateway";
 *
 * const source: GatewayStdinSourceConfig = { name: "stdin", type: "stdin" };
 * console.assert(source.type === "stdin");
 * ```
 */
export interface GatewayStdinSourceConfig {
  /** What logs and metrics call it: letters, digits, `.`, `_` and `-`. */
  readonly name: string;
  /** The kind. */
  readonly type: "stdin";
  /** How long a line may be, in bytes. Default 4194304. */
  readonly maxLineBytes?: number;
  /** Whether alerts in text count as alerts (`alert`, the default) or as invalid. */
  readonly text?: "alert" | "invalid";
}

/**
 * A place where clients connect, and what they get there.
 *
 * @example Only what is severe, to clients that divide it among themselves
 * ```ts
 * import type { GatewayListenerConfig } from "@falco-streams/core/gateway";
 *
 * const listener: GatewayListenerConfig = {
 *   name: "workers",
 *   address: "localhost:5060",
 *   tls: { ca: "ca.crt", cert: "server.crt", key: "server.key" },
 *   delivery: "shared",
 *   filter: "alert.priority >= warning",
 * };
 * console.assert(listener.queue === undefined);
 * ```
 */
export interface GatewayListenerConfig {
  /** What logs and metrics call it: letters, digits, `.`, `_` and `-`. */
  readonly name: string;
  /** `unix:///PATH`, or `HOST:PORT` for TCP, which needs `tls`. Port 0: any. */
  readonly address: string;
  /** Over TCP: PEM files, or PEM text. Clients must show a certificate signed by `ca`. */
  readonly tls?: {
    /** The authority that signed the clients' certificates. */
    readonly ca: string;
    /** The server's certificate. */
    readonly cert: string;
    /** Its key. */
    readonly key: string;
  };
  /**
   * Who gets an alert: every client (`fanout`), or one of them, whoever asks first, as with Falco
   * itself (`shared`). Default `fanout`.
   */
  readonly delivery?: "fanout" | "shared";
  /** A condition in Falco's filter language; other alerts do not come here. Default all. */
  readonly filter?: string;
  /** What may wait for clients. */
  readonly queue?: GatewayQueueConfig;
  /** With `fanout`: the latest alerts, which a new client gets first. Default none. */
  readonly replay?: {
    /** How many. */
    readonly alerts: number;
  };
  /** How many `sub` and `get` calls at once; more are refused with RESOURCE_EXHAUSTED. Default 1000. */
  readonly maxSubscribers?: number;
  /** How many connections at once; more are closed. Default 1024. */
  readonly maxConnections?: number;
}

/**
 * What may wait for the clients of a listener.
 *
 * @example
 * ```ts
 * import type { GatewayQueueConfig } from "@falco-streams/core/gateway";
 *
 * const queue: GatewayQueueConfig = { alerts: 100_000, overflow: "disconnect" };
 * console.assert(queue.bytes === undefined);
 * ```
 */
export interface GatewayQueueConfig {
  /** How many alerts, with `fanout` for each client. Default 8192: at 100 a second, over a minute. */
  readonly alerts?: number;
  /**
   * How many bytes for the whole listener: clients share what waits for several of them. Default
   * 67108864 (64 MiB).
   */
  readonly bytes?: number;
  /**
   * What happens to one alert more.
   *
   * - `drop-oldest`: the client that is behind misses the oldest one.
   * - `drop-newest`: it is not taken in; with `shared` only.
   * - `disconnect`: the client that is behind is sent away with RESOURCE_EXHAUSTED, so that it knows;
   *   with `fanout` only.
   * - `block`: sources wait for the slowest client, and with them all other clients; with `shared`
   *   also when there is no client.
   *
   * @default {"drop-oldest"} A slow client harms nobody but itself.
   */
  readonly overflow?: "drop-oldest" | "drop-newest" | "disconnect" | "block";
}

/**
 * Where a gateway tells of itself.
 *
 * @example
 * ```ts
 * import type { GatewayAdminConfig } from "@falco-streams/core/gateway";
 *
 * const admin: GatewayAdminConfig = { listen: "127.0.0.1:9376" };
 * console.assert(admin.allowInsecure === undefined);
 * ```
 */
export interface GatewayAdminConfig {
  /** `HOST:PORT`, in plain HTTP. Another host than loopback wants `allowInsecure`. */
  readonly listen: string;
  /** Lets everybody read it who reaches an address that is not loopback. Default false. */
  readonly allowInsecure?: boolean;
}
