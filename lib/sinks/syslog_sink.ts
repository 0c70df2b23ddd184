/** Alerts to syslog. @module */
import type { Alert } from "../alert/alert.ts";
import { formatAlert } from "../alert/format_alert.ts";
import { systemClock } from "../clock.ts";
import { FalcoError } from "../errors.ts";
import { SinkStream } from "../streams/engine/sink_stream.ts";
import type { PemFailure } from "../transport/load_pem.ts";
import type { Delivered, DeliveryOptions, DeliveryStats } from "./delivery_options.ts";
import { DeliveryQueue } from "./delivery_queue.ts";
import { loadSinkTls } from "./load_sink_tls.ts";
import { requirePositive } from "./require_positive.ts";
import { StreamCarrier, UdpCarrier } from "./syslog_carrier.ts";
import type { SyslogCarrier, SyslogTls } from "./syslog_carrier.ts";
import { SyslogDelivery } from "./syslog_delivery.ts";

/**
 * The part of a system that a message of syslog is said to be of.
 *
 * @example
 * ```ts
 * import type { SyslogFacility } from "@falco-streams/core";
 *
 * const facility: SyslogFacility = "authpriv";
 * console.assert(facility.length > 0);
 * ```
 */
export type SyslogFacility =
  | "user"
  | "daemon"
  | "auth"
  | "authpriv"
  | "local0"
  | "local1"
  | "local2"
  | "local3"
  | "local4"
  | "local5"
  | "local6"
  | "local7";

const FACILITIES: Readonly<Record<SyslogFacility, number>> = {
  user: 1,
  daemon: 3,
  auth: 4,
  authpriv: 10,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
};
/** RFC 5426, RFC 6587 (none is registered; 601 is what receivers use), RFC 5425. */
const PORTS: Readonly<Record<string, number>> = { "udp:": 514, "tcp:": 601, "tls:": 6514 };

/**
 * Options of {@linkcode SyslogSink}.
 *
 * @example The text of an alert alone
 * ```ts
 * import type { SyslogSinkOptions } from "@falco-streams/core";
 *
 * const options: SyslogSinkOptions = { facility: "local0", message: (alert) => alert.output };
 * console.assert(options.appName === undefined);
 * ```
 */
export interface SyslogSinkOptions extends DeliveryOptions {
  /** Default `"user"`, which Falco's own syslog output uses. */
  facility?: SyslogFacility;
  /** The name of the program. Default `"falco"`. */
  appName?: string;
  /**
   * What a message says after its header. Control characters in it are escaped, line breaks among
   * them. What it throws fails the sink. Default Falco's own JSON line.
   */
  message?: (alert: Alert) => string;
  /**
   * The enterprise number in `[falco@NUMBER rule="..." source="..." tags="..."]`. Default 32473, the
   * one for examples (RFC 5612), since Falco has none.
   */
  enterpriseNumber?: number;
  /**
   * How long a message may be, in bytes. Default 8192, which rsyslog takes unless it is told
   * otherwise. A longer one is cut, not within a character, and counted.
   */
  maxMessageBytes?: number;
  /** How long connecting and sending may take, in milliseconds. Default 10000. */
  timeoutMs?: number;
  /**
   * Certificates for `tls:`, each as PEM text, a path or a `file:` URL; by default what the machine trusts.
   * `cert` and `key`, for a receiver that wants a client certificate, go together.
   */
  tls?: {
    readonly ca?: string | URL;
    readonly cert?: string | URL;
    readonly key?: string | URL;
  };
}

/**
 * What a {@linkcode SyslogSink} counted so far.
 *
 * @example
 * ```ts
 * import { SyslogSink } from "@falco-streams/core";
 * import type { SyslogSinkStats } from "@falco-streams/core";
 *
 * const stats: SyslogSinkStats = new SyslogSink("udp://127.0.0.1").stats();
 * console.assert(stats.cut === 0);
 * ```
 */
export interface SyslogSinkStats extends DeliveryStats {
  /** Messages that were longer than `maxMessageBytes`. */
  readonly cut: number;
  /** How often it has connected; each time after the first, what was under way before may be lost. */
  readonly connections: number;
}

/**
 * Sends alerts to a syslog receiver, as messages of RFC 5424 with the severity of the alert's priority.
 *
 * - `udp://HOST:514`: a datagram a message. Nobody learns of those that are lost.
 * - `tcp://HOST:601`: one connection, each message with its length before it.
 * - `tls://HOST:6514`: the same, encrypted, with a client certificate if you like.
 * - Delivered means that this machine has sent it: syslog has no answers. What is on its way when a
 *   connection breaks is lost; an alert whose sending failed is sent again.
 * - An alert cannot forge another: control characters are escaped wherever they stand, as `#012`.
 *
 * @example
 * ```ts
 * import { SyslogSink } from "@falco-streams/core";
 * import { EventStream } from "@falco-streams/core/streams";
 * import { buildAlert } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 * import { createServer } from "node:net";
 * import { once } from "node:events";
 *
 * let received = "";
 * const server = createServer((socket) => void socket.on("data", (bytes) => received += bytes));
 * await once(server.listen(0, "127.0.0.1"), "listening");
 * const { port } = server.address() as { port: number };
 * await EventStream.from([buildAlert({ priority: "warning", hostname: "node-1" })])
 *   .pipeTo(new SyslogSink(`tcp://127.0.0.1:${port}`));
 * await once(server.close(), "close");
 * assert.match(received, /^\d+ <12>1 \S+Z node-1 falco - - \[falco@32473 rule=/);
 * ```
 */
export class SyslogSink extends SinkStream<Delivered> {
  readonly #queue: DeliveryQueue;
  readonly #delivery: SyslogDelivery;

  /**
   * Creates the sink; nothing is connected before the first alert.
   *
   * @param url The receiver: `udp:`, `tcp:` or `tls:`, a host, and a port unless it is the usual one.
   * @param options Facility, what to say, certificates, limits.
   * @throws {TypeError} If the URL is none, or says more or less than that, or an option is unknown.
   * @throws {RangeError} If a limit is out of range.
   */
  constructor(url: string | URL, options: SyslogSinkOptions = {}) {
    const {
      facility = "user",
      appName = "falco",
      message = formatAlert,
      enterpriseNumber = 32473,
      maxMessageBytes = 8192,
      timeoutMs = 10_000,
      clock = systemClock,
    } = options;
    requirePositive({ enterpriseNumber, maxMessageBytes, timeoutMs });
    if (!Object.hasOwn(FACILITIES, facility)) {
      throw new TypeError(`Cannot create the sink: there is no facility "${facility}"`);
    }
    const target = new URL(url);
    const delivery = new SyslogDelivery(carrierTo(target, options.tls), {
      name: `${target.protocol}//${target.host}`,
      header: {
        facility: FACILITIES[facility],
        appName,
        dataId: `falco@${Math.trunc(enterpriseNumber)}`,
        message,
      },
      maxMessageBytes,
      timeoutMs,
      clock,
    });
    const queue = new DeliveryQueue(delivery, options);
    super(queue);
    this.#queue = queue;
    this.#delivery = delivery;
  }

  /**
   * Counts so far.
   *
   * @returns A snapshot.
   */
  stats(): SyslogSinkStats {
    const { cut, connections } = this.#delivery;
    return { ...this.#queue.stats(), cut, connections };
  }
}

function carrierTo(url: URL, tls: SyslogSinkOptions["tls"]): SyslogCarrier {
  const { protocol, hostname } = url;
  const usualPort = PORTS[protocol];
  if (usualPort === undefined || hostname === "" || !/^\/?$/.test(url.pathname + url.search)) {
    throw new TypeError(
      `Cannot send to "${url}": it must be udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT`,
    );
  }
  if (tls !== undefined && protocol !== "tls:") {
    throw new TypeError(`Cannot send to "${url}": there are certificates for it. Use tls:`);
  }
  const place = {
    host: hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? usualPort : Number(url.port),
  };
  if (protocol === "udp:") return new UdpCarrier(place);
  return new StreamCarrier(place, protocol === "tls:" ? () => loadTls(url, tls ?? {}) : undefined);
}

async function loadTls(
  url: URL,
  tls: NonNullable<SyslogSinkOptions["tls"]>,
): Promise<SyslogTls> {
  const fail: PemFailure = (problem, cause) => {
    throw new FalcoError(`Cannot deliver to ${url.protocol}//${url.host}: ${problem}`, { cause });
  };
  return await loadSinkTls(tls, fail);
}
