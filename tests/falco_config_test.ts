/** `falco.yaml` to a configuration: defaults, warnings where Falco goes on, errors where it refuses. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { FalcoConfigError } from "../harness/falco_config/config_error.ts";
import { loadFalcoConfig } from "../harness/falco_config/load_falco_config.ts";
import { parseFalcoConfig } from "../harness/falco_config/parse_falco_config.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";

const stdout = "stdout_output: { enabled: true }\n";

/** The configuration over the network of Falco's documentation, and the one on a socket. */
const documented = {
  tls: `grpc:
  enabled: true
  bind_address: "0.0.0.0:5060"
  threadiness: 8
  private_key: "/etc/falco/certs/server.key"
  cert_chain: "/etc/falco/certs/server.crt"
  root_certs: "/etc/falco/certs/ca.crt"
grpc_output:
  enabled: true
`,
  unix: `grpc:
  enabled: true
  bind_address: "unix:///var/run/falco.sock"
  threadiness: 8
grpc_output:
  enabled: true
`,
};

describe("parseFalcoConfig", () => {
  it("reads both configurations of Falco's documentation", () => {
    const tls = parseFalcoConfig(documented.tls);
    assert.deepEqual(tls.grpc, {
      bindAddress: "0.0.0.0:5060",
      threadiness: 8,
      privateKey: "/etc/falco/certs/server.key",
      certChain: "/etc/falco/certs/server.crt",
      rootCerts: "/etc/falco/certs/ca.crt",
    });
    assert.equal(tls.grpcOutput, true);
    // The real schema forgets these keys, and every Falco with mutual TLS warns of them.
    assert.deepEqual(
      tls.warnings.map(({ line, column, schema }) => [line, column, schema?.slice(0, 24)]),
      [5, 6, 7].map((line) => [line, 3, "failed for <root>[grpc]:"]),
    );
    const unix = parseFalcoConfig(documented.unix);
    assert.equal(unix.grpc?.bindAddress, "unix:///var/run/falco.sock");
    assert.deepEqual(unix.warnings, []);
  });

  it("fills in the defaults of Falco's code, not those of its packaged file", () => {
    const config = parseFalcoConfig(stdout);
    assert.deepEqual(config, {
      files: ["falco.yaml"],
      warnings: [],
      withoutEffect: [],
      grpc: undefined,
      grpcOutput: false,
      stdoutOutput: true,
      syslogOutput: false,
      fileOutput: undefined,
      programOutput: undefined,
      httpOutput: undefined,
      jsonOutput: false,
      jsonIncludeOutput: true,
      jsonIncludeTags: true,
      jsonIncludeMessage: false,
      jsonIncludeOutputFields: true,
      timeFormatIso8601: false,
      priority: "debug",
      bufferedOutputs: true,
      queueCapacity: Infinity,
      outputTimeoutMs: 2000,
      logLevel: "info",
      logStderr: false,
      logSyslog: true,
      watchConfigFiles: true,
    });
  });

  it("reads grpc_output as on if it is absent, and threadiness as 0", () => {
    const { grpc, grpcOutput } = parseFalcoConfig("grpc: { enabled: true }");
    assert.equal(grpcOutput, true);
    assert.equal(grpc?.bindAddress, "0.0.0.0:5060");
    assert.equal(grpc?.threadiness, 0);
  });

  const booleans: readonly (readonly [written: string, value: boolean, warns: boolean])[] = [
    ["true", true, false],
    ["false", false, false],
    ['"true"', true, false],
    ["True", true, true],
    ["TRUE", true, true],
    ["yes", true, true],
    ["on", true, true],
    ["y", true, true],
    ["tRue", false, true],
    ["maybe", false, true],
    ["1", false, true],
    ["[true]", false, true],
    ["{a: true}", false, true],
    ["", false, true],
  ];
  for (const [written, value, warns] of booleans) {
    it(`takes json_output ${JSON.stringify(written)} for ${value}${warns ? ", and warns" : ""}`, () => {
      const { jsonOutput, warnings } = parseFalcoConfig(`${stdout}json_output: ${written}\n`);
      assert.equal(jsonOutput, value);
      const schema =
        "failed for <root>[json_output]: Value type not permitted by 'type' constraint.";
      assert.deepEqual(warnings.map((warning) => warning.schema), warns ? [schema] : []);
      assert.deepEqual(warnings.map(({ line }) => line), warns ? [2] : []);
    });
  }

  const threads: readonly (readonly [written: string, value: number, warns: boolean])[] = [
    ["8", 8, false],
    ["0x10", 16, true],
    ["010", 8, false],
    ["x", 0, true],
    ["1.5", 0, true],
    ["-1", 0, false],
    ["99999999999", 0, false],
  ];
  for (const [written, value, warns] of threads) {
    it(`takes grpc.threadiness ${written} for ${value}${warns ? ", and warns" : ""}`, () => {
      const text = `grpc:\n  enabled: true\n  threadiness: ${written}\n`;
      const { grpc, warnings } = parseFalcoConfig(text);
      assert.equal(grpc?.threadiness, value);
      assert.deepEqual(warnings.map(({ line, column }) => [line, column]), warns ? [[3, 16]] : []);
    });
  }

  it("reads keep_alive of file and program as text, where only true is true", () => {
    for (const [written, value] of [["true", true], ["yes", false], ["True", false]] as const) {
      const text = `file_output: { enabled: true, filename: x, keep_alive: ${written} }\n` +
        `program_output: { enabled: true, program: x, keep_alive: ${written} }\n`;
      const { fileOutput, programOutput } = parseFalcoConfig(text);
      assert.deepEqual([fileOutput?.keepAlive, programOutput?.keepAlive], [value, value], written);
    }
  });

  it("warns of unknown keys with line, column and what was meant, and goes on", () => {
    const { warnings, jsonOutput } = parseFalcoConfig(
      `${stdout}jsonoutput: true\nhttp_output:\n  urll: x\nnonsense: 1\n`,
    );
    assert.equal(jsonOutput, false);
    assert.deepEqual(warnings.map(({ message }) => message), [
      'falco.yaml:2:1: unknown key "jsonoutput". Did you mean "json_output"? Falco ignores it',
      'falco.yaml:4:3: unknown key "urll". Did you mean "url"? Allowed are enabled, url, ' +
      "user_agent, insecure, ca_cert, ca_bundle, ca_path, mtls, client_cert, client_key, echo, " +
      "compress_uploads, keep_alive, max_consecutive_timeouts. Falco ignores it",
      'falco.yaml:5:1: unknown key "nonsense". Falco ignores it',
    ]);
    assert.equal(
      warnings[2]?.schema,
      "failed for <root>: Object contains a property that could not be validated using " +
        "'properties' or 'additionalProperties' constraints: 'nonsense'.",
    );
  });

  it("takes the first of two equal keys, and says so", () => {
    const { jsonOutput, warnings } = parseFalcoConfig(
      `json_output: true\n${stdout}json_output: false\n`,
    );
    assert.equal(jsonOutput, true);
    assert.match(warnings[0]!.message, /^falco\.yaml:3:1: duplicate key "json_output"/);
  });

  it("names the keys that only a real Falco acts on", () => {
    const text = `${stdout}rules_files: [a.yaml]\nwebserver: { enabled: true }\nnonsense: 1\n`;
    assert.deepEqual(parseFalcoConfig(text).withoutEffect, ["rules_files", "webserver"]);
  });

  it("knows the rate limit of outputs before 0.37, and that the fake has none", () => {
    const text = "outputs: { rate: 1, max_burst: 1000 }\nstdout_output: { enabled: true }\n";
    for (const [falcoVersion, isKnown] of [["0.36.2", true], ["0.37.0", false]] as const) {
      const { warnings, withoutEffect } = parseFalcoConfig(text, { falcoVersion });
      assert.deepEqual(withoutEffect, isKnown ? ["outputs"] : []);
      assert.equal(warnings.length, isKnown ? 0 : 1);
    }
  });

  it("knows no gRPC from 0.44 on, and looks at buffered_outputs from then on", () => {
    const text = `${stdout}${documented.unix}buffered_outputs: false\n`;
    const config = parseFalcoConfig(text, { falcoVersion: "0.44.0" });
    assert.equal(config.grpc, undefined);
    assert.equal(config.bufferedOutputs, false);
    assert.deepEqual(config.warnings.map(({ line }) => line), [2, 6]);
    assert.match(config.warnings[0]!.message, /unknown key "grpc"/);
    assert.equal(parseFalcoConfig(text).bufferedOutputs, true);
    assert.throws(
      () => parseFalcoConfig(documented.unix, { falcoVersion: "0.44.0" }),
      /^FalcoConfigError: falco\.yaml: No output configured, .* Falco has no gRPC from 0\.44 on$/,
    );
  });

  it("puts in variables as Falco does", () => {
    const env = { URL: "http://a/", P: "warning" };
    const url = (written: string) =>
      parseFalcoConfig(`http_output: { enabled: true, url: "${written}" }\n`, { env }).httpOutput
        ?.url;
    assert.equal(url("${URL}x"), "http://a/x");
    assert.equal(url("a${NONE}b"), "ab");
    assert.equal(url("$${URL}"), "${URL}");
    assert.equal(url("$5 ${URL}"), "$5 ${URL}");
    assert.equal(url("${URL"), "${URL");
    assert.equal(parseFalcoConfig(`${stdout}priority: \${P}\n`, { env }).priority, "warning");
    // Nothing inherited passes for a variable.
    assert.equal(url("x${constructor}${__proto__}"), "x");
  });

  const refused: readonly (readonly [name: string, text: string, message: RegExp])[] = [
    ["no output", "json_output: true\n", /^falco\.yaml: No output configured, please make sure/],
    ["an empty file", "", /^falco\.yaml: No output configured/],
    ["only comments", "# one\n\n  # two\n", /^falco\.yaml: No output configured/],
    ["gRPC output without server", "grpc_output: { enabled: true }", /No output configured/],
    [
      "gRPC server without output",
      "grpc: { enabled: true }\ngrpc_output: { enabled: false }\n",
      /No output configured/,
    ],
    [
      "http without url",
      "http_output:\n  enabled: true\n",
      /^falco\.yaml:2:3: Error reading config file \(falco\.yaml\): http output enabled but no url in/,
    ],
    [
      "file without filename",
      `${stdout}file_output: { enabled: true }\n`,
      /^falco\.yaml:2:14: .* file output enabled but no filename in configuration block$/,
    ],
    [
      "program without program",
      "program_output: { enabled: true, program: '' }\n",
      /^falco\.yaml:1:17: .* program output enabled but no program in configuration block$/,
    ],
    [
      "priority loud",
      `${stdout}priority: loud\n`,
      /^falco\.yaml:2:11: Unknown priority "loud"--must be one of emergency, alert, critical, error, warning, notice, informational, debug$/,
    ],
    ["priority warn", `${stdout}priority: warn\n`, /:2:11: Unknown priority "warn"/],
    ["priority 3", `${stdout}priority: 3\n`, /:2:11: Unknown priority "3"/],
    ["log_level loud", `${stdout}log_level: loud\n`, /:2:12: Unknown log level loud$/],
    ["log_level Info", `${stdout}log_level: Info\n`, /:2:12: Unknown log level Info$/],
    [
      "rule_matching bogus",
      `${stdout}rule_matching: bogus\n`,
      /:2:16: Unknown rule matching strategy "bogus"--must be one of first, all$/,
    ],
    [
      "http_output as text",
      `${stdout}http_output: text\n`,
      /:2:14: Config error at key "http_output\.enabled": operator\[\] call on a scalar/,
    ],
    [
      "rules_file and rules_files",
      `${stdout}rules_file: a\nrules_files: [b]\n`,
      /:2:13: .*both 'rules_files' and 'rules_file' keys set$/,
    ],
    [
      "an engine that is none",
      `${stdout}engine: { kind: bogus }\n`,
      /:2:17: Error reading config file \(falco\.yaml\): engine\.kind 'bogus' is not a valid kind\.$/,
    ],
    [
      "a web server at a name",
      `${stdout}webserver: { listen_address: localhost }\n`,
      /:2:30: .*webserver listen address "localhost" is not a valid IP address$/,
    ],
    ...["x", "0", "50ms", "1m1h", "''"].map((interval) =>
      [
        `metrics every ${interval}`,
        `${stdout}metrics: { enabled: true, output_rule: true, interval: ${interval} }\n`,
        /:2:56: Metrics interval must have a minimum value of 100ms and reflect a Prometheus/,
      ] as const
    ),
    [
      "metrics without output",
      `${stdout}metrics: { enabled: true, interval: 1h30m }\n`,
      /:2:10: Metrics are enabled with no output configured\.$/,
    ],
    [
      "a threshold of drops above 1",
      `${stdout}syscall_event_drops: { threshold: 1.5 }\n`,
      /:2:35: .*must be a double in the range \[0, 1\]$/,
    ],
    [
      "an action on drops that is none",
      `${stdout}syscall_event_drops: { actions: [log, cry] }\n`,
      /:2:33: .*available actions for syscall event drops are "ignore"/,
    ],
    [
      "a plugin that is not described",
      `${stdout}plugins: [{ name: json }]\nload_plugins: [json, nope]\n`,
      /:3:22: Cannot load plugin 'nope': plugin config not found for given name$/,
    ],
    ["bad YAML", "a: [1\nb: 2\n", /^falco\.yaml:\d+:\d+: Cannot read the configuration: /],
    ["a list", "- a\n- b\n", /^falco\.yaml:1:1: .*it is no mapping/],
    ["text", "hello\n", /^falco\.yaml:1:1: .*it is no mapping/],
    ["two documents", `${stdout}---\n${stdout}`, /^falco\.yaml:2:1: .*more than one document/],
  ];
  for (const [name, text, message] of refused) {
    it(`refuses ${name}`, () => {
      assert.throws(() => parseFalcoConfig(text), (error: unknown) => {
        assert(error instanceof FalcoConfigError);
        assert.match(error.message, message);
        assert(error.message.endsWith(error.reason));
        return true;
      });
    });
  }

  it("takes what Falco takes in sections that the fake does nothing with", () => {
    for (
      const section of [
        "engine: { kind: nodriver }",
        "webserver: { listen_address: '::1' }",
        "metrics: { interval: x }",
        "metrics: { enabled: true, output_file: /tmp/m, interval: 100ms }",
        "metrics: { enabled: true, output_rule: true, interval: 1h30m5s }",
        "syscall_event_drops: { threshold: 1, actions: [log, alert] }",
        "plugins: [{ name: json }]\nload_plugins: [json]",
        "load_plugins: []",
      ]
    ) {
      assert.deepEqual(parseFalcoConfig(`${stdout}${section}\n`).warnings, [], section);
    }
  });

  for (const good of ["info", "WARNING", "Informational"]) {
    it(`takes priority ${good}`, () => {
      assert.notEqual(parseFalcoConfig(`${stdout}priority: ${good}\n`).priority, "debug");
    });
  }

  it("refuses a version that is none", () => {
    assert.throws(() => parseFalcoConfig(stdout, { falcoVersion: "banana" }), RangeError);
  });
});

describe("parseFalcoConfig on hostile files", () => {
  const bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" +
    Array.from({ length: 9 }, (_, i) => {
      const [name, before] = [String.fromCharCode(98 + i), String.fromCharCode(97 + i)];
      return `${name}: &${name} [${Array(10).fill(`*${before}`).join(", ")}]\n`;
    }).join("");
  const cases: readonly (readonly [name: string, text: string, message: RegExp])[] = [
    ["a bomb of aliases", stdout + bomb, /its aliases stand for more than 1000000 values/],
    ["deep nesting", `${stdout}x: ${"[".repeat(5000)}${"]".repeat(5000)}`, /nested/],
    ["deep mappings", `${stdout}x: ${"{a: ".repeat(500)}1${"}".repeat(500)}`, /nested/],
    ["an alias to itself", `${stdout}x: &x [*x]\n`, /stands for itself/],
    ["a huge file", `${stdout}#${"x".repeat(2_000_001)}`, /it is larger than 2000000 characters/],
    ["an unknown tag", `${stdout}x: !!python/object 1\n`, /tag/],
  ];
  for (const [name, text, message] of cases) {
    it(`refuses ${name} quickly`, () => {
      assert.throws(() => parseFalcoConfig(text), (error: unknown) => {
        assert(error instanceof FalcoConfigError);
        assert.match(error.message, message);
        assert(error.message.length < 400);
        return true;
      });
    });
  }

  it("finds the places of 20,000 unknown keys in linear time", () => {
    const text = stdout + Array.from({ length: 20_000 }, (_, i) => `k${i}: 1\n`).join("");
    const { warnings } = parseFalcoConfig(text);
    assert.equal(warnings.length, 20_000);
    assert.deepEqual([warnings[19_999]?.line, warnings[19_999]?.column], [20_001, 1]);
  });

  it("has no use for __proto__ and shows no terminal escapes", () => {
    const text = `${stdout}__proto__: { jsonOutput: true }\n"\\e[31mred": 1\nconstructor: 1\n`;
    const { warnings, jsonOutput } = parseFalcoConfig(text);
    assert.equal(jsonOutput, false);
    assert.equal(warnings.length, 3);
    // deno-lint-ignore no-control-regex
    for (const { message } of warnings) assert.doesNotMatch(message, /[\x00-\x1f]/);
  });

  it("takes a wrong type at every key for a warning or a refusal, never for a crash", () => {
    const keys = ["grpc", "grpc_output", "stdout_output", "syslog_output", "file_output"]
      .concat(["program_output", "http_output", "outputs_queue", "priority", "log_level"])
      .concat(["log_stderr", "json_output", "config_files", "rules_files", "output_timeout"]);
    for (const key of keys) {
      for (const value of ["", "x", "1", "-1", "1e999", "[]", "[[x]]", "{}", "{enabled: {}}"]) {
        try {
          parseFalcoConfig(`file_output: {enabled: true, filename: x}\n${key}: ${value}\n`);
        } catch (error) {
          assert(error instanceof FalcoConfigError, `${key}: ${value}: ${error}`);
        }
      }
    }
  });
});

describe("loadFalcoConfig", () => {
  let folder: TempFolder;
  before(async () => {
    folder = await makeTempFolder();
  });
  after(() => folder.remove());
  const write = (name: string, text: string): string => {
    const path = join(folder.path, name);
    writeFileSync(path, text);
    return path;
  };
  const load = (path: string) =>
    loadFalcoConfig(path, { minor: 43, readVariable: () => undefined });

  it("merges config_files: files and folders in order, with a strategy each", async () => {
    mkdirSync(join(folder.path, "config.d"));
    write("config.d/b.yaml", "priority: error\njson_output: true\n");
    write("config.d/a.yaml", `priority: notice\n${stdout}rules_files: [b]\n`);
    const add = write("add.yaml", "priority: debug\nlog_level: debug\n");
    const main = write(
      "main.yaml",
      `priority: alert\nrules_files: [a]\nconfig_files:\n  - ${folder.path}/config.d\n` +
        `  - /no/such/file.yaml\n  - { path: ${add}, strategy: add-only }\n`,
    );
    const config = await load(main);
    assert.equal(config.priority, "error");
    assert.equal(config.jsonOutput, true);
    assert.equal(config.stdoutOutput, true);
    assert.equal(config.logLevel, "debug");
    assert.deepEqual(
      config.files.map((file) => file.slice(folder.path.length)),
      ["/main.yaml", "/config.d/a.yaml", "/config.d/b.yaml", "/add.yaml"],
    );
  });

  it("names the file that is wrong, and refuses config_files in one", async () => {
    const part = write("part.yaml", `${stdout}priority: loud\n`);
    const main = write("outer.yaml", `config_files: [${part}]\n`);
    await assert.rejects(() => load(main), (error: FalcoConfigError) => {
      assert.equal(error.file, part);
      assert.deepEqual([error.line, error.column], [2, 11]);
      return true;
    });
    write("part.yaml", `${stdout}config_files: []\n`);
    await assert.rejects(
      () => load(main),
      /part\.yaml:2:1: Config error: 'config_files' directive in included config file/,
    );
  });

  it("says that a file is missing, or a folder", async () => {
    await assert.rejects(
      () => load("/no/such/falco.yaml"),
      /^FalcoConfigError: \/no\/such\/falco\.yaml: Could not find configuration file at/,
    );
    await assert.rejects(() => load(folder.path), FalcoConfigError);
  });
});
