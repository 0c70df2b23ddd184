/** Gateways, senders and readers that the gateway's tests share. @module */
import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { startGateway } from "../gateway/mod.ts";
import type {
  Gateway,
  GatewayConfig,
  GatewayListenerConfig,
  GatewayLogEntry,
  GatewayOptions,
} from "../gateway/mod.ts";
import { buildAlert } from "../harness/build_alert.ts";
import { makeCertificates } from "../harness/certificates.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { connect } from "../lib/client/connect.ts";
import type { FalcoClient } from "../lib/client/connect.ts";
import { BareClient } from "./fake_falco_clients.ts";
import { until } from "./waits.ts";

/** Certificates for gateways and their clients; made once. */
export const certificates = await makeCertificates({ names: ["localhost", "127.0.0.1", "::1"] });

/** What a client of a gateway with these certificates needs. */
export const credentials = {
  ca: certificates.ca,
  cert: certificates.client.cert,
  key: certificates.client.key,
};

/** What such a gateway needs. */
export const serverTls = {
  ca: certificates.ca,
  cert: certificates.server.cert,
  key: certificates.server.key,
};

/** The two ways out. */
export const wires = ["unix", "tls"] as const;

/** What a test gets from {@linkcode withGateway}. */
export interface GatewayScene {
  readonly gateway: Gateway;
  /** What it has said so far. */
  readonly log: readonly GatewayLogEntry[];
  /** A folder of its own. */
  readonly folder: string;
  /** A client of the library for the listener `out`, or another. */
  client(listener?: string): FalcoClient;
  /** A bare client. */
  dial(listener?: string): BareClient;
  /**
   * Posts alerts to the source `in`, a hundred at a time, in order.
   *
   * @returns A promise that resolves when listeners have them, or with `"posted"` when the sender does.
   */
  post(alerts: readonly Alert[], until?: "posted"): Promise<void>;
  /** The value of a metric; undefined if there is none. */
  metric(series: string): number | undefined;
}

/** A configuration with a receiver `in` and a listener `out`, and whatever else the test wants. */
export function configOf(
  folder: string,
  wire: (typeof wires)[number],
  listener: Partial<GatewayListenerConfig> = {},
  more: Partial<GatewayConfig> = {},
): GatewayConfig {
  const place = wire === "unix"
    ? { address: `unix://${folder}/gateway.sock` }
    : { address: "localhost:0", tls: serverTls };
  return {
    version: 1,
    sources: [{ name: "in", type: "http", listen: "127.0.0.1:0" }],
    listeners: [{ name: "out", ...place, ...listener }],
    ...more,
  };
}

/** Runs a test against a new gateway, and closes everything whatever comes of it. */
export async function withGateway(
  make: (folder: string) => GatewayConfig,
  body: (scene: GatewayScene) => Promise<void>,
  options: GatewayOptions = {},
): Promise<void> {
  const folder = await makeTempFolder();
  const log: GatewayLogEntry[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const clients: { close(): Promise<void> }[] = [];
  let gateway: Gateway | undefined;
  let total = 0;
  try {
    // Tests that want to wait for clients say so themselves.
    const config = { drainMs: 0, ...make(folder.path) };
    const running = gateway = await startGateway(config, {
      onLog: (entry) => log.push(entry),
      ...options,
    });
    const target = (listener: string) => {
      const address = running.addresses.get(listener)!;
      return { address, credentials: address.startsWith("https") ? credentials : undefined };
    };
    await body({
      gateway,
      log,
      folder: folder.path,
      client(listener = "out") {
        const { address, credentials } = target(listener);
        const client = connect(address, { tls: credentials });
        clients.push(client);
        return client;
      },
      dial(listener = "out") {
        const client = new BareClient(target(listener));
        clients.push(client);
        return client;
      },
      async post(alerts, end) {
        total += alerts.length;
        const url = running.receivers.get("in")!;
        for (let from = 0; from < alerts.length; from += 100) {
          const lines = alerts.slice(from, from + 100).map((alert) => formatAlert(alert));
          assert.equal(await post(url, `[${lines.join(",")}]`, agent), 200);
        }
        const received = () => metricOf(running.metrics(), 'source_received_total{source="in"}');
        if (end === undefined) await until("the source has them", () => received()! >= total);
      },
      metric: (series) => metricOf(running.metrics(), series),
    });
  } finally {
    agent.destroy();
    await Promise.all(clients.map((client) => client.close()));
    await gateway?.close();
    await folder.remove();
  }
}

function post(url: string, body: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "POST", agent }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode!));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Finds a value in Prometheus' text. */
export function metricOf(text: string, series: string): number | undefined {
  const line = text.split("\n").find((one) => one.startsWith(`falco_gateway_${series} `));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(" ") + 1));
}

/** Waits until so many calls are being served. */
export async function subscribed(scene: GatewayScene, count: number, listener = "out") {
  const series = `listener_subscribers{listener="${listener}"}`;
  await until(`${count} subscribers`, () => scene.metric(series) === count);
}

/** Reads so many alerts: the places in their rules. */
export async function readRules(client: FalcoClient, count: number): Promise<string[]> {
  const rules: string[] = [];
  if (count === 0) return rules;
  for await (const alert of client.outputs.subscribe({ minPollMs: 10, maxPollMs: 20 })) {
    rules.push(alert.rule);
    if (rules.length === count) break;
  }
  return rules;
}

/** An alert with a field of so many characters. */
export function large(rule: string, length: number): Alert {
  return buildAlert({ rule, outputFields: { "fd.name": "x".repeat(length) } });
}
