/** `gateway.yaml`: what is right, what is wrong and where. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  checkGatewayConfig,
  GatewayConfigError,
  parseGatewayConfig,
  startGateway,
} from "../gateway/mod.ts";
import type { GatewayConfig } from "../gateway/mod.ts";
import { full, least } from "./gateway_yaml.ts";

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
