/** Sources in, Falco's gRPC API out. @module */
import type { Alert } from "../lib/alert/alert.ts";
import { encodeAlert } from "../lib/alert/wire.ts";
import { systemClock, wait } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import { encodeVersionMessage } from "../lib/server/version_message.ts";
import { frameMessage } from "../lib/transport/message_splitter.ts";
import { AdminServer } from "./admin_server.ts";
import { AlertCounter } from "./alert_counter.ts";
import { checkGatewayConfig } from "./check_gateway_config.ts";
import type { GatewayConfig } from "./gateway_config.ts";
import { GatewayListener } from "./gateway_listener.ts";
import { GatewayLog } from "./gateway_log.ts";
import type { GatewayLogEntry } from "./gateway_log.ts";
import { gatewayMetrics } from "./gateway_metrics.ts";
import { GatewaySource } from "./gateway_source.ts";

/** What gRPC clients accept by default, in bytes: a larger alert would end the streams of all. */
const MAX_ALERT_BYTES = 4 * 1024 * 1024;

/**
 * What a gateway is given beside its configuration.
 *
 * @example
 * ```ts
 * import { formatLogEntry } from "@falco-streams/core/gateway";
 * import type { GatewayOptions } from "@falco-streams/core/gateway";
 *
 * const options: GatewayOptions = { onLog: (entry) => console.error(formatLogEntry(entry)) };
 * console.assert(options.clock === undefined);
 * ```
 */
export interface GatewayOptions {
  /** Takes what it says while it runs; must not throw. Default: nobody does. */
  onLog?: (entry: GatewayLogEntry) => void;
  /** What a source of type `stdin` reads. Default standard input of the process. */
  stdin?: ReadableStream<Uint8Array>;
  /** Time and chance. Default the machine's. */
  clock?: Clock;
}

/**
 * A running gateway. Made by {@linkcode startGateway}.
 *
 * @example
 * ```ts
 * import { startGateway } from "@falco-streams/core/gateway";
 * import type { Gateway } from "@falco-streams/core/gateway";
 * import { makeTempFolder } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const folder = await makeTempFolder();
 * const gateway: Gateway = await startGateway({
 *   version: 1,
 *   sources: [{ name: "falco", type: "http", listen: "127.0.0.1:0" }],
 *   listeners: [{ name: "local", address: `unix://${folder.path}/falco.sock` }],
 * });
 * assert.match(gateway.metrics(), /^falco_gateway_source_up\{source="falco"\} 1$/m);
 * await gateway.close();
 * await folder.remove();
 * ```
 */
export interface Gateway extends AsyncDisposable {
  /** Where clients connect, by the name of the listener: `unix:///PATH` or `https://HOST:PORT`. */
  readonly addresses: ReadonlyMap<string, string>;
  /** Where alerts are posted, by the name of the source; those of type `http` alone. */
  readonly receivers: ReadonlyMap<string, string>;
  /** Where it tells of itself, without a path; undefined without `admin`. */
  readonly adminUrl: string | undefined;
  /** Resolves when it is over, whatever the reason. */
  readonly closed: Promise<void>;
  /**
   * Says why it is not ready.
   *
   * @returns Undefined if it is: it is not stopping, and at least one source is up.
   */
  notReady(): string | undefined;
  /**
   * Writes its counts.
   *
   * @returns Prometheus' text format, as at `/metrics`.
   */
  metrics(): string;
  /**
   * Stops in order: sources take nothing in any more, clients get what they are owed for at most
   * `drainMs`, then all calls end with OK, and connections have a second to close. What is left then
   * is lost, and its number logged. Clients that connect meanwhile are still served.
   *
   * @returns A promise that resolves when nothing is open any more; the same one if called again.
   */
  close(): Promise<void>;
}

/**
 * Starts a gateway: alerts from any Falco in, Falco's own gRPC API out, to any number of clients.
 *
 * Its clients see `falco.outputs.service` and `falco.version.service` as Falco 0.24 to 0.43 has them:
 * `sub` is asked for alerts, `get` gives what is there. What is not as with Falco, and meant: with
 * delivery `fanout` every client gets every alert; queues have bounds; a stop ends calls.
 *
 * @param config What to do. Checked at once.
 * @param options A log, standard input, time.
 * @returns The gateway, when clients can connect and senders can post.
 * @throws {GatewayConfigError} If the configuration has a mistake.
 * @throws {FalcoError} If it cannot listen, or a certificate cannot be read. Then nothing is open.
 *
 * @example An alert over HTTP in, over gRPC out
 * ```ts
 * import { connect, formatAlert } from "@falco-streams/core";
 * import { startGateway } from "@falco-streams/core/gateway";
 * import { buildAlert, makeTempFolder } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const folder = await makeTempFolder();
 * const gateway = await startGateway({
 *   version: 1,
 *   sources: [{ name: "falco", type: "http", listen: "127.0.0.1:0" }],
 *   listeners: [{
 *     name: "local",
 *     address: `unix://${folder.path}/falco.sock`,
 *     replay: { alerts: 100 },
 *   }],
 * });
 * const body = formatAlert(buildAlert({ rule: "Terminal shell in container" }));
 * await fetch(gateway.receivers.get("falco")!, { method: "POST", body });
 *
 * const falco = connect(gateway.addresses.get("local")!);
 * for await (const alert of falco.outputs.subscribe()) {
 *   assert.equal(alert.rule, "Terminal shell in container");
 *   break;
 * }
 * await falco.close();
 * await gateway.close();
 * await folder.remove();
 * ```
 */
export async function startGateway(
  config: GatewayConfig,
  options: GatewayOptions = {},
): Promise<Gateway> {
  checkGatewayConfig(config);
  return await new RunningGateway(config, options).start();
}

class RunningGateway implements Gateway {
  readonly closed: Promise<void>;
  readonly addresses: Map<string, string> = new Map();
  readonly receivers: Map<string, string> = new Map();
  readonly #config: GatewayConfig;
  readonly #clock: Clock;
  readonly #log: GatewayLog;
  readonly #alerts: AlertCounter;
  readonly #sources: GatewaySource[];
  readonly #listeners: GatewayListener[] = [];
  readonly #startedAt: number;
  readonly #end: PromiseWithResolvers<void> = Promise.withResolvers();
  #admin: AdminServer | undefined;
  #oversize = 0;
  #closing: Promise<void> | undefined;

  constructor(config: GatewayConfig, options: GatewayOptions) {
    const { onLog = () => {}, stdin, clock = systemClock } = options;
    this.#config = config;
    this.#clock = clock;
    this.#log = new GatewayLog(config.logLevel ?? "info", clock, onLog);
    this.#alerts = new AlertCounter(config.maxSeries ?? 1024);
    this.#startedAt = clock.now() / 1000;
    this.closed = this.#end.promise;
    const publish = (alert: Alert) => this.#publish(alert);
    this.#sources = config.sources.map((source) =>
      new GatewaySource(source, { publish, log: this.#log, clock, stdin })
    );
  }

  get adminUrl(): string | undefined {
    return this.#admin?.url;
  }

  async start(): Promise<this> {
    const { admin, falcoVersion = "0.43.1" } = this.#config;
    const started: GatewaySource[] = [];
    try {
      const versionMessage = encodeVersionMessage(falcoVersion);
      // Clients first: what sources bring is then for somebody.
      for (const listener of this.#config.listeners) {
        const context = { log: this.#log, clock: this.#clock, versionMessage };
        const running = await GatewayListener.start(listener, context);
        this.#listeners.push(running);
        this.addresses.set(running.name, running.address);
        this.#log.add("info", "listening", { listener: running.name, address: running.address });
      }
      if (admin !== undefined) {
        this.#admin = await AdminServer.start(admin.listen, this);
        this.#log.add("info", "listening", { admin: true, address: this.#admin.url });
      }
      for (const source of this.#sources) {
        await source.start();
        started.push(source);
        if (source.url !== undefined) this.receivers.set(source.name, source.url);
      }
    } catch (error) {
      await Promise.all(started.map((source) => source.stop()));
      await this.#admin?.close();
      await Promise.all(this.#listeners.map((listener) => listener.stop()));
      throw error;
    }
    void Promise.all(this.#sources.map(({ ended }) => ended)).then(() => {
      if (this.#closing !== undefined) return;
      this.#log.add("info", "sources-ended");
      return this.close();
    });
    this.#log.add("info", "ready");
    return this;
  }

  notReady(): string | undefined {
    if (this.#closing !== undefined) return "the gateway is stopping";
    if (this.#sources.some(({ state }) => state === "up")) return undefined;
    return "no source is up";
  }

  metrics(): string {
    return gatewayMetrics({
      alerts: this.#alerts,
      sources: this.#sources,
      listeners: this.#listeners,
      oversize: this.#oversize,
      startedAt: this.#startedAt,
      ready: this.notReady() === undefined,
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close().finally(() => this.#end.resolve());
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #publish(alert: Alert): Promise<void> | undefined {
    this.#alerts.add(alert);
    // Encoded once, whoever gets it, and not at all for nobody.
    let framed: Uint8Array | undefined;
    let blocked: Promise<void>[] | undefined;
    for (const listener of this.#listeners) {
      if (!listener.wants(alert)) continue;
      if (framed === undefined) {
        const message = encodeAlert(alert);
        if (message.length > MAX_ALERT_BYTES) {
          this.#oversize++;
          this.#log.addRarely("oversize", "warn", "oversize", { bytes: message.length });
          return undefined;
        }
        framed = frameMessage(message);
      }
      const { log } = listener.delivery;
      log.append(framed);
      if (log.isBlocked) (blocked ??= []).push(log.room());
    }
    return blocked === undefined ? undefined : Promise.all(blocked).then(() => {});
  }

  async #close(): Promise<void> {
    const { drainMs = 10_000 } = this.#config;
    this.#log.add("info", "stopping", { drainMs });
    const drained = new AbortController();
    const { signal } = drained;
    const deadline = wait(drainMs, { clock: this.#clock, signal }).then(() => true, () => true);
    const drain = (async () => {
      await Promise.all(this.#sources.map((source) => source.stop()));
      await Promise.all(this.#listeners.map(({ delivery }) => delivery.log.drained()));
      return false;
    })();
    const isLate = await Promise.race([drain, deadline]);
    drained.abort();
    const lost = await Promise.all(this.#listeners.map((listener) => listener.stop()));
    await Promise.all(this.#sources.map((source) => source.dispose()));
    await drain;
    await this.#admin?.close();
    const undelivered = lost.reduce((sum, one) => sum + one, 0);
    const level = undelivered > 0 || isLate ? "warn" : "info";
    this.#log.add(level, "stopped", { undelivered, deadlineMissed: isLate });
  }
}
