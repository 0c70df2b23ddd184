/** `falco.yaml` to a configuration: defaults, warnings where Falco goes on, more than one file. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { FalcoConfigError } from "../harness/falco_config/config_error.ts";
import { loadFalcoConfig } from "../harness/falco_config/load_falco_config.ts";
import { parseFalcoConfig } from "../harness/falco_config/parse_falco_config.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import type { TempFolder } from "../harness/temp_folder.ts";
import { documented, stdout } from "./falco_yaml.ts";

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
