/** `falco.yaml` as Falco refuses it, and as somebody hostile would write it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FalcoConfigError } from "../harness/falco_config/config_error.ts";
import { parseFalcoConfig } from "../harness/falco_config/parse_falco_config.ts";
import { stdout } from "./falco_yaml.ts";

describe("parseFalcoConfig", () => {
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
