/** `gateway.yaml`: what is right, what is wrong and where, and the published schema. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import {
  checkGatewayConfig,
  GatewayConfigError,
  gatewaySchema,
  parseGatewayConfig,
  startGateway,
} from "../gateway/mod.ts";
import type { GatewayConfig } from "../gateway/mod.ts";

const schemaFile = new URL("../gateway/gateway.schema.json", import.meta.url);

/** Every key there is, each with a value that is right. */
const full = `version: 1
falcoVersion: 0.42.0
drainMs: 5000
logLevel: debug
maxSeries: 100
admin: { listen: "0.0.0.0:9376", allowInsecure: true }
sources:
  - name: old
    type: grpc
    address: https://falco:5060
    tls: { ca: ca.crt, cert: client.crt, key: client.key, serverName: localhost }
    maxPollMs: 100
  - name: new
    type: http
    listen: "[::1]:2801"
    path: /falco
    tls: { cert: server.crt, key: server.key, clientCa: ca.crt }
    tokenFile: token
    allowInsecure: true
    maxBodyBytes: 100000
    maxConnections: 10
    requestTimeoutMs: 1000
    maxQueuedAlerts: 10
    overflow: refuse
    text: invalid
  - { name: file, type: file, path: a.json, from: start, pollMs: 100, maxLineBytes: 2000, text: alert }
  - { name: in, type: stdin, maxLineBytes: 2000, text: invalid }
  - { name: token, type: http, listen: "0.0.0.0:2802", token: s3cret }
listeners:
  - name: local
    address: unix:///run/falco/falco.sock
    delivery: fanout
    filter: alert.priority >= warning and proc.name in (bash, sh)
    queue: { alerts: 100, bytes: 1000000, overflow: disconnect }
    replay: { alerts: 10 }
    maxSubscribers: 5
    maxConnections: 6
  - name: remote
    address: localhost:5060
    tls: { ca: ca.crt, cert: server.crt, key: server.key }
    delivery: shared
    queue: { overflow: drop-newest }
`;

const least = `version: 1
sources:
  - name: falco
    type: http
    listen: 127.0.0.1:2801
listeners:
  - name: local
    address: unix:///run/falco.sock
`;

describe("parseGatewayConfig", () => {
  it("takes every key there is, and only what is needed", () => {
    const config = parseGatewayConfig(full);
    assert.deepEqual(config.sources.map(({ name }) => name), ["old", "new", "file", "in", "token"]);
    assert.deepEqual(config.listeners[0]?.queue, {
      alerts: 100,
      bytes: 1_000_000,
      overflow: "disconnect",
    });
    assert.deepEqual(parseGatewayConfig(least), {
      version: 1,
      sources: [{ name: "falco", type: "http", listen: "127.0.0.1:2801" }],
      listeners: [{ name: "local", address: "unix:///run/falco.sock" }],
    });
  });

  /** A change of `least`, and what is said of it. */
  const mistakes: readonly [
    name: string,
    text: string,
    line: number,
    column: number,
    message: RegExp,
  ][] = [
    ["nothing", "", 1, 1, /the file is empty/],
    ["no YAML", "version: [1", 1, 12, /never closed|not closed/],
    ["no mapping", "- 1", 1, 1, /it must be a mapping: it is a list/],
    [
      "an unknown key",
      `${least}sorces: 1\n`,
      9,
      1,
      /unknown key "sorces"\. Did you mean "sources"\?/,
    ],
    ["a key twice", `${least}version: 1\n`, 9, 1, /duplicate key "version"/],
    [
      "another version",
      least.replace("1\n", "2\n"),
      1,
      10,
      /"version" must be a whole number from 1 to 1/,
    ],
    ["no version", least.replace("version: 1\n", ""), 1, 1, /it has no "version"/],
    [
      "no sources",
      "version: 1\nsources: []\nlisteners: []\n",
      2,
      10,
      /at least one: it is an empty list/,
    ],
    ["no type", least.replace("    type: http\n", ""), 3, 5, /"sources\[0\]" has no "type"/],
    [
      "an unknown type",
      least.replace("http", "kafka"),
      4,
      11,
      /one of grpc, http, file, stdin: it is "kafka"/,
    ],
    [
      "another type's key",
      least.replace("type: http", "type: stdin"),
      5,
      5,
      /unknown key "listen"/,
    ],
    [
      "an empty value",
      least.replace(" 127.0.0.1:2801", ""),
      5,
      12,
      /"sources\[0\]\.listen" must be .*: it is empty/,
    ],
    ["a bad name", least.replace("name: falco", "name: a b"), 3, 11, /a name of at most 63/],
    ["a number for text", least.replace("name: falco", "name: 7"), 3, 11, /it is 7/],
    [
      "text for a number",
      `${least}drainMs: soon\n`,
      9,
      10,
      /"drainMs" must be a whole number from 0 to 3600000: it is "soon"/,
    ],
    ["a number too large", `${least}drainMs: 9007199254740993\n`, 9, 10, /it is 9007199254740993/],
    ["half a number", `${least}drainMs: 1.5\n`, 9, 10, /it is 1\.5/],
    [
      "no boolean",
      `${least}admin: { listen: "0.0.0.0:1", allowInsecure: yes }\n`,
      9,
      46,
      /true or false: it is "yes"/,
    ],
    ["a word that is none", `${least}logLevel: loud\n`, 9, 11, /one of debug, info, warn, error/],
    ["a port that is none", least.replace("2801", "70000"), 5, 13, /names port 70000/],
    ["no port", least.replace(":2801", ""), 5, 13, /a host and a port/],
    [
      "no address",
      least.replace("unix:///run/falco.sock", "ftp://x"),
      8,
      14,
      /is no address\. .*scheme "ftp"/,
    ],
    [
      "TCP without TLS",
      least.replace("unix:///run/falco.sock", "localhost:5060"),
      8,
      14,
      /which needs mutual TLS\. Add "tls"/,
    ],
    [
      "TLS on a socket",
      `${least}    tls: { ca: a, cert: b, key: c }\n`,
      9,
      10,
      /there is no TLS on unix sockets/,
    ],
    [
      "TLS without an authority",
      `${least.replace("unix:///run/falco.sock", "localhost:5060")}    tls: { cert: b, key: c }\n`,
      9,
      10,
      /"listeners\[0\]\.tls" has no "ca"/,
    ],
    [
      "an open receiver",
      least.replace("127.0.0.1", "0.0.0.0"),
      5,
      13,
      /would let everybody .* forge alerts/,
    ],
    [
      "TLS without client certificates in the open",
      `${least.replace("127.0.0.1:2801", "0.0.0.0:2801\n    tls: { cert: a, key: b }")}`,
      5,
      13,
      /would let everybody/,
    ],
    [
      "two tokens",
      least.replace("    type", "    token: a\n    tokenFile: b\n    type"),
      5,
      16,
      /cannot stand beside "token"/,
    ],
    ["an open admin", `${least}admin: { listen: "0.0.0.0:9376" }\n`, 9, 18, /would tell everybody/],
    [
      "a condition that is none",
      `${least}    filter: proc.name bash\n`,
      9,
      13,
      /is no condition\. /,
    ],
    [
      "a bracket that is not closed",
      `${least}    filter: (proc.name = bash\n`,
      9,
      13,
      /is no condition\. /,
    ],
    [
      "a policy of the other delivery",
      `${least}    queue: { overflow: drop-newest }\n`,
      9,
      24,
      /cannot be drop-newest with delivery fanout\. That goes with shared/,
    ],
    [
      "a policy of this delivery",
      `${least}    delivery: shared\n    queue: { overflow: disconnect }\n`,
      10,
      24,
      /cannot be disconnect with delivery shared/,
    ],
    [
      "a window for shared",
      `${least}    delivery: shared\n    replay: { alerts: 1 }\n`,
      10,
      13,
      /goes with delivery fanout/,
    ],
    [
      "a name twice",
      `${least}  - { name: local, address: "unix:///a" }\n`,
      9,
      13,
      /"listeners\[1\]\.name" is taken by "listeners\[0\]\.name"/,
    ],
    [
      "an address twice",
      `${least}  - { name: b, address: "unix:///run/falco.sock" }\n`,
      9,
      25,
      /is taken by "listeners\[0\]\.address"/,
    ],
    [
      "a port twice",
      `${least}admin: { listen: "127.0.0.1:2801" }\n`,
      9,
      18,
      /is taken by "sources\[0\]\.listen"/,
    ],
    [
      "standard input twice",
      least.replace(
        "listeners:",
        "  - { name: a, type: stdin }\n  - { name: b, type: stdin }\nlisteners:",
      ),
      7,
      22,
      /is taken by/,
    ],
    ["a hostile key", `${least}__proto__: 1\n`, 9, 1, /unknown key "__proto__"/],
    [
      "a hostile type",
      least.replace("type: http", "type: __proto__"),
      4,
      11,
      /one of grpc, http, file, stdin/,
    ],
    ["a key with escapes", `${least}"\\e[2J\\x9b": 1\n`, 9, 1, /unknown key "\\u001b\[2J\\u009b"/],
  ];
  for (const [name, text, line, column, message] of mistakes) {
    it(`says where there is ${name}`, () => {
      let error: unknown;
      try {
        parseGatewayConfig(text);
      } catch (thrown) {
        error = thrown;
      }
      assert(error instanceof GatewayConfigError, String(error));
      assert.match(error.message, message);
      assert.match(error.message, /^Cannot read the gateway configuration: /);
      assert.deepEqual([error.line, error.column], [line, column]);
    });
  }

  it("finds as much in code, before anything is opened", async () => {
    const config = parseGatewayConfig(least);
    const wrong = { ...config, sources: [] };
    assert.throws(() => checkGatewayConfig(wrong), {
      name: "GatewayConfigError",
      message: 'Cannot use the gateway configuration: "sources" must be a list of at least one: ' +
        "it is an empty list",
    });
    await assert.rejects(() => startGateway(wrong), GatewayConfigError);
    const undefinedOption = { ...config, drainMs: undefined } as unknown as GatewayConfig;
    checkGatewayConfig(undefinedOption);
  });
});

describe("gateway.schema.json", () => {
  const schema = JSON.parse(readFileSync(schemaFile, "utf8")) as Schema;

  it("is what the parser's own description comes to", () => {
    assert.deepEqual(schema, gatewaySchema());
  });

  it("accepts what the parser accepts", () => {
    assert.deepEqual(violations(parseGatewayConfig(full), schema), []);
    assert.deepEqual(violations(parseGatewayConfig(least), schema), []);
  });

  it("and the parser agree on every single change of a right configuration", () => {
    const config = JSON.parse(JSON.stringify(parseGatewayConfig(full)));
    let changes = 0;
    let refused = 0;
    for (const changed of mutations(config)) {
      changes++;
      const bySchema = violations(changed, schema).length > 0;
      let problem = "";
      try {
        checkGatewayConfig(changed as GatewayConfig);
      } catch (error) {
        problem = (error as Error).message;
      }
      // What a schema cannot say: what the values mean together.
      const ofMeaning =
        / is no |would |which needs|there is no TLS|goes with|is taken|names port|beside/;
      const byParser = problem !== "" && !ofMeaning.test(problem);
      assert.equal(bySchema, byParser, `${problem}\n${JSON.stringify(changed)}`);
      if (byParser) refused++;
    }
    assert(changes > 400 && refused > 300, `${refused} of ${changes}`);
  });
});

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean;
  readonly oneOf?: readonly Schema[];
}

/** As much of JSON Schema as the file uses, by the book. */
function violations(value: unknown, schema: Schema): string[] {
  const found: string[] = [];
  const type = Array.isArray(value) ? "array" : value === null ? "null" : typeof value;
  const isType = schema.type === undefined || schema.type === type ||
    schema.type === "integer" && Number.isInteger(value);
  if (!isType) found.push(`${type} is no ${schema.type}`);
  if (schema.enum !== undefined && !schema.enum.includes(value)) found.push("enum");
  if (typeof value === "string") {
    if (schema.pattern !== undefined && !new RegExp(schema.pattern, "u").test(value)) {
      found.push("pattern");
    }
    if (value.length < (schema.minLength ?? 0)) found.push("minLength");
    if (value.length > (schema.maxLength ?? Infinity)) found.push("maxLength");
  }
  if (typeof value === "number") {
    if (value < (schema.minimum ?? -Infinity)) found.push("minimum");
    if (value > (schema.maximum ?? Infinity)) found.push("maximum");
  }
  if (Array.isArray(value)) {
    if (value.length < (schema.minItems ?? 0)) found.push("minItems");
    if (schema.items !== undefined) {
      found.push(...value.flatMap((item) => violations(item, schema.items!)));
    }
  } else if (typeof value === "object" && value !== null && schema.oneOf === undefined) {
    const { properties = {}, required = [], additionalProperties = true } = schema;
    found.push(...required.filter((key) => !Object.hasOwn(value, key)));
    for (const [key, one] of Object.entries(value)) {
      const known = Object.hasOwn(properties, key);
      if (known) found.push(...violations(one, properties[key]!));
      else if (!additionalProperties) found.push(key);
    }
  }
  if (schema.oneOf !== undefined) {
    const fits = schema.oneOf.filter((one) => violations(value, one).length === 0);
    if (fits.length !== 1) found.push("oneOf");
  }
  return found;
}

/** Every value replaced by each of some others, every key removed, and a key added everywhere. */
function* mutations(value: unknown): Generator<unknown> {
  for (const other of [null, true, 7, -1, 1.5, 1e12, "", "x", "unix:///x", [], {}]) yield other;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      for (const one of mutations(item)) yield value.with(index, one);
    }
  } else if (typeof value === "object" && value !== null) {
    yield { ...value, surprise: 1 };
    for (const [key, item] of Object.entries(value)) {
      const { [key]: _, ...rest } = value as Record<string, unknown>;
      yield rest;
      for (const one of mutations(item)) yield { ...value, [key]: one };
    }
  }
}
