/** The configuration of a gateway, described. @module */
import { schemaOf } from "./config_shape.ts";
import type { ListShape, ObjectShape, Shape, TextShape, VariantShape } from "./config_shape.ts";
import type {
  GatewayAdminConfig,
  GatewayConfig,
  GatewayFileSourceConfig,
  GatewayGrpcSourceConfig,
  GatewayHttpSourceConfig,
  GatewayListenerConfig,
  GatewayQueueConfig,
  GatewaySourceConfig,
  GatewayStdinSourceConfig,
} from "./gateway_config.ts";

/** A shape for each key of a type: adding a key without its shape, or the other way, is no type. */
type Properties<T> = { readonly [K in keyof T]-?: Shape };

/** The largest number of milliseconds that a timer takes. */
const MAX_MS = 2_147_483_647;
const MIB = 1024 * 1024;

const name: TextShape = {
  kind: "text",
  // Short and plain: it becomes a label of metrics.
  pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
  expected: 'a name of at most 63 letters, digits, ".", "_" and "-"',
  about: "What logs and metrics call it.",
};

const type = (word: string): TextShape => ({ kind: "text", words: [word], about: "The kind." });

const text = (about: string): TextShape => ({ kind: "text", about });

const count = (about: string, value: number | undefined, min: number, max: number): Shape => ({
  kind: "number",
  min,
  max,
  about,
  ...(value === undefined ? {} : { default: value }),
});

const hostAndPort = (about: string): TextShape => ({
  kind: "text",
  pattern: "^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+):[0-9]{1,5}$",
  expected: "a host and a port, such as 127.0.0.1:2801",
  about,
});

const word = (about: string, words: readonly string[], value = words[0]!): TextShape => ({
  kind: "text",
  words,
  default: value,
  about,
});

const object = <T>(
  about: string,
  properties: Properties<T>,
  required: readonly (keyof T & string)[],
): ObjectShape => ({ kind: "object", properties, required, about });

const lineLimit = count("The longest line, in bytes.", 4 * MIB, 1024, 64 * MIB);
const textAlerts = word("What an alert in text counts as.", ["alert", "invalid"]);

const sources: Readonly<Record<GatewaySourceConfig["type"], ObjectShape>> = {
  grpc: object<GatewayGrpcSourceConfig>("A Falco 0.18 to 0.43, over gRPC.", {
    name,
    type: type("grpc"),
    address: text("unix:///PATH or https://HOST:PORT."),
    tls: object<NonNullable<GatewayGrpcSourceConfig["tls"]>>(
      "Certificates, over TCP: PEM files or PEM text.",
      {
        ca: text("The authority that signed Falco's certificate."),
        cert: text("The gateway's certificate."),
        key: text("Its key."),
        serverName: text("The name in Falco's certificate, if it is not the host of the address."),
      },
      ["ca", "cert", "key"],
    ),
    maxPollMs: count("How often an idle Falco is asked, in milliseconds.", 1000, 10, 60_000),
  }, ["name", "type", "address"]),
  http: object<GatewayHttpSourceConfig>("What Falco's http_output posts.", {
    name,
    type: type("http"),
    listen: hostAndPort("Where to listen, HOST:PORT."),
    path: {
      kind: "text",
      pattern: "^/[^?#\\s]*$",
      expected: 'a path that begins with "/"',
      about: "The path to accept alerts on; default any.",
    },
    tls: object<NonNullable<GatewayHttpSourceConfig["tls"]>>(
      "Serves HTTPS: PEM files or PEM text.",
      {
        cert: text("The server's certificate."),
        key: text("Its key."),
        clientCa: text("The authority that must have signed a sender's certificate."),
      },
      ["cert", "key"],
    ),
    token: text("A secret that senders must show."),
    tokenFile: text("A file that holds the secret."),
    allowInsecure: {
      kind: "boolean",
      default: false,
      about: "Lets everybody post who reaches an address that is not loopback.",
    },
    maxBodyBytes: count("The longest body, in bytes.", 4 * MIB, 1024, 64 * MIB),
    maxConnections: count("How many connections at once.", 256, 1, 65_536),
    requestTimeoutMs: count("How long a request may take, in milliseconds.", 10_000, 1, MAX_MS),
    maxQueuedAlerts: count("How many alerts may wait to be passed on.", 1024, 1, 1_000_000),
    overflow: word("What happens beyond that.", ["block", "refuse"]),
    text: textAlerts,
  }, ["name", "type", "listen"]),
  file: object<GatewayFileSourceConfig>("A file that Falco writes.", {
    name,
    type: type("file"),
    path: text("The file."),
    from: word("Where to begin.", ["start", "end"], "end"),
    pollMs: count("How often to look for more, in milliseconds.", 250, 10, 60_000),
    maxLineBytes: lineLimit,
    text: textAlerts,
  }, ["name", "type", "path"]),
  stdin: object<GatewayStdinSourceConfig>("Standard input.", {
    name,
    type: type("stdin"),
    maxLineBytes: lineLimit,
    text: textAlerts,
  }, ["name", "type"]),
};

const source: VariantShape = { kind: "variant", variants: sources, about: "A source." };

const listener: ObjectShape = object<GatewayListenerConfig>("A place where clients connect.", {
  name,
  address: text("unix:///PATH, or HOST:PORT with tls."),
  tls: object<NonNullable<GatewayListenerConfig["tls"]>>(
    "Certificates, over TCP: PEM files or PEM text.",
    {
      ca: text("The authority that signed the clients' certificates."),
      cert: text("The server's certificate."),
      key: text("Its key."),
    },
    ["ca", "cert", "key"],
  ),
  delivery: word("Whether every client gets an alert, or one of them.", ["fanout", "shared"]),
  filter: text("A condition in Falco's filter language."),
  queue: object<GatewayQueueConfig>("What may wait for clients.", {
    alerts: count("How many alerts, with fanout for each client.", 8192, 1, 10_000_000),
    bytes: count("How many bytes for the whole listener.", 64 * MIB, 65_536, 2 ** 40),
    overflow: word("What happens to one alert more.", [
      "drop-oldest",
      "drop-newest",
      "disconnect",
      "block",
    ]),
  }, []),
  replay: object<NonNullable<GatewayListenerConfig["replay"]>>(
    "The latest alerts, which a new client gets first.",
    { alerts: count("How many.", undefined, 1, 1_000_000) },
    ["alerts"],
  ),
  maxSubscribers: count("How many sub and get calls at once.", 1000, 1, 100_000),
  maxConnections: count("How many connections at once.", 1024, 1, 65_536),
}, ["name", "address"]);

const list = (of: Shape, about: string): ListShape => ({ kind: "list", of, about });

/** All of it. */
export const gatewayShape: ObjectShape = object<GatewayConfig>("A gateway for Falco's alerts.", {
  version: { kind: "number", min: 1, max: 1, about: "The version of this format." },
  sources: list(source, "Where alerts come from."),
  listeners: list(listener, "Where clients connect."),
  admin: object<GatewayAdminConfig>("Serves /metrics, /healthz and /readyz.", {
    listen: hostAndPort("HOST:PORT, in plain HTTP."),
    allowInsecure: {
      kind: "boolean",
      default: false,
      about: "Lets everybody read it who reaches an address that is not loopback.",
    },
  }, ["listen"]),
  falcoVersion: {
    kind: "text",
    pattern: "^0\\.(2[4-9]|3[0-9]|4[0-3])\\.[0-9]{1,4}$",
    expected: "a version from 0.24.0 to 0.43, such as 0.43.1",
    default: "0.43.1",
    about: "The Falco that clients are told.",
  },
  drainMs: count("How long a stop may wait for clients, in milliseconds.", 10_000, 0, 3_600_000),
  logLevel: word("The least severe log entries.", ["debug", "info", "warn", "error"], "info"),
  maxSeries: count("How many series of alerts /metrics tells apart.", 1024, 1, 100_000),
}, ["version", "sources", "listeners"]);

/**
 * The JSON Schema of `gateway.yaml`, for editors. It is in the package as `gateway.schema.json`.
 *
 * The check at the start looks at more: names that come twice, addresses, conditions, and what would
 * let everybody in.
 *
 * @returns The schema, as plain data.
 *
 * @example
 * ```ts
 * import { gatewaySchema } from "@falco-streams/core/gateway";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(gatewaySchema()["required"], ["version", "sources", "listeners"]);
 * ```
 */
export function gatewaySchema(): Record<string, unknown> {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "gateway.yaml of falco-streams",
    ...schemaOf(gatewayShape),
  };
}
