/** A `falco.yaml` to a {@linkcode FalcoConfig}. @module */
import { parsePriority } from "../../lib/alert/priority.ts";
import { DEFAULT_FALCO_VERSION } from "../era.ts";
import { logLevels } from "../outputs/falco_log.ts";
import type { LogLevel } from "../outputs/falco_log.ts";
import { quote } from "../../lib/yaml/yaml_problem.ts";
import { checkSchema } from "./check_schema.ts";
import { checkWithoutEffect } from "./check_without_effect.ts";
import { FalcoConfigError } from "./config_error.ts";
import type { FalcoConfigWarning } from "./config_error.ts";
import { readConfigFile } from "./config_node.ts";
import type { ConfigMap } from "./config_node.ts";
import { hasEffect, schemaOf } from "./config_schema.ts";
import { ConfigReader } from "./config_values.ts";
import type { ReadVariable } from "./expand_variables.ts";
import type { FalcoConfig, FalcoGrpcConfig } from "./falco_config.ts";

/** How much a configuration may be, in characters; that of Falco's packages has some 70,000. */
const MAX_CHARS = 2_000_000;

const MAX_UINT8 = 2 ** 8 - 1;
const MAX_UINT32 = 2 ** 32 - 1;

/**
 * Options of {@linkcode parseFalcoConfig}.
 *
 * @example
 * ```ts
 * import { parseFalcoConfig } from "@falco-streams/core/harness";
 * import type { ParseFalcoConfigOptions } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const options: ParseFalcoConfigOptions = { env: { LEVEL: "warning" } };
 * const text = "priority: ${LEVEL}\nstdout_output: { enabled: true }\n";
 * assert.equal(parseFalcoConfig(text, options).priority, "warning");
 * ```
 */
export interface ParseFalcoConfigOptions {
  /** The name of the file, for messages. Default `falco.yaml`. */
  file?: string;
  /** The Falco to be: decides which keys there are. Default 0.43.1. */
  falcoVersion?: string;
  /** What `${NAME}` in a value stands for. Default none: such a value becomes empty, as in Falco. */
  env?: { readonly [name: string]: string | undefined };
}

/** A file that was read, and its name. */
export interface ConfigSource {
  readonly file: string;
  readonly root: ConfigMap;
}

/**
 * Reads a `falco.yaml` as Falco does: an unknown key or a value of a wrong type is a warning, and
 * Falco goes on with its default; what Falco refuses to start with is an error.
 *
 * Rules, plugins and kernel drivers are not looked for. `config_files` is not followed here, but by
 * `FakeFalco.fromConfig`.
 *
 * @param text The file: YAML 1.2, where every scalar is read as Falco's yaml-cpp does (`yes` is true).
 * @param options Name, version and environment.
 * @returns What it comes to.
 * @throws {FalcoConfigError} If it is no YAML, if no output is enabled, if an enabled output lacks its
 * file name, program or url, or if a value is one that Falco refuses; with line and column.
 *
 * @example
 * ```ts
 * import { parseFalcoConfig } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const config = parseFalcoConfig("jsonoutput: true\nstdout_output: { enabled: yes }\n");
 * assert.equal(config.stdoutOutput, true);
 * assert.match(config.warnings[0]!.message, /^falco\.yaml:1:1: unknown key "jsonoutput"/);
 * ```
 */
export function parseFalcoConfig(
  text: string,
  options: ParseFalcoConfigOptions = {},
): FalcoConfig {
  const { file = "falco.yaml", falcoVersion = DEFAULT_FALCO_VERSION, env = {} } = options;
  const readVariable = (name: string) => Object.hasOwn(env, name) ? env[name] : undefined;
  return toFalcoConfig([parseConfigSource(text, file, readVariable)], minorOf(falcoVersion));
}

/**
 * Reads one file.
 *
 * @param text The file.
 * @param file Its name, for messages.
 * @param readVariable Looks up what stands in `${}`.
 * @returns The file, read.
 * @throws {FalcoConfigError} If it is too large, no YAML, or no mapping.
 */
export function parseConfigSource(
  text: string,
  file: string,
  readVariable: ReadVariable,
): ConfigSource {
  if (text.length > MAX_CHARS) {
    throw new FalcoConfigError(
      { file },
      `Cannot read the configuration: it is larger than ${MAX_CHARS} characters`,
    );
  }
  return { file, root: readConfigFile(text, file, readVariable) };
}

/**
 * The second number of a version of Falco.
 *
 * @param falcoVersion Three numbers.
 * @returns It; for a version from 1.0.0 on, more than all that there were.
 * @throws {RangeError} If it is no version.
 */
export function minorOf(falcoVersion: string): number {
  const [, major, minor] = /^(\d+)\.(\d+)\.\d+$/.exec(falcoVersion) ?? [];
  if (minor === undefined) {
    throw new RangeError(
      `Cannot be Falco ${JSON.stringify(falcoVersion)}: a version is three numbers, such as 0.43.1`,
    );
  }
  return major === "0" ? Number(minor) : Infinity;
}

/**
 * Makes a configuration of files.
 *
 * @param sources The files as they are, for warnings.
 * @param minor The second number of the version.
 * @param merged The files in one; default the first.
 * @returns The configuration.
 * @throws {FalcoConfigError} If Falco would refuse it.
 */
export function toFalcoConfig(
  sources: readonly ConfigSource[],
  minor: number,
  merged: ConfigMap = sources[0]!.root,
): FalcoConfig {
  const warnings: FalcoConfigWarning[] = [];
  for (const { root } of sources) warnings.push(...checkSchema(root, schemaOf(minor)));
  const read = new ConfigReader(merged);
  const { file } = sources[0]!;
  const refuse = (key: string, reason: string): never => {
    throw new FalcoConfigError(read.placeOf(key), reason);
  };
  const inFile = (reason: string) => `Error reading config file (${file}): ${reason}`;
  if (read.find("rules_file") !== undefined && read.find("rules_files") !== undefined) {
    refuse("rules_file", inFile("both 'rules_files' and 'rules_file' keys set"));
  }
  const grpc = minor < 44 && read.boolean("grpc.enabled", false) ? readGrpc(read) : undefined;
  const outputs = {
    grpc,
    grpcOutput: grpc !== undefined && read.boolean("grpc_output.enabled", true),
    stdoutOutput: read.boolean("stdout_output.enabled", false),
    syslogOutput: read.boolean("syslog_output.enabled", false),
    fileOutput: readFileOutput(read, (reason) => refuse("file_output", inFile(reason))),
    programOutput: readProgram(read, (reason) => refuse("program_output", inFile(reason))),
    httpOutput: readHttp(read, (reason) => refuse("http_output", inFile(reason))),
  };
  const priorityName = read.text("priority", "debug");
  const priority = parsePriority(priorityName) ?? refuse(
    "priority",
    `Unknown priority ${quote(priorityName)}--must be one of emergency, alert, critical, error, ` +
      "warning, notice, informational, debug",
  );
  const matching = read.text("rule_matching", "first");
  if (matching !== "first" && matching !== "all") {
    refuse(
      "rule_matching",
      `Unknown rule matching strategy ${quote(matching)}--must be one of first, all`,
    );
  }
  const level = read.text("log_level", "info");
  if (!isLogLevel(level)) return refuse("log_level", `Unknown log level ${level}`);
  checkWithoutEffect({
    read,
    minor,
    inFile,
    refuse: (place, reason) => {
      throw new FalcoConfigError(place, reason);
    },
  });
  const { grpcOutput, stdoutOutput, syslogOutput, fileOutput, programOutput, httpOutput } = outputs;
  const enabled = [grpcOutput, stdoutOutput, syslogOutput, fileOutput, programOutput, httpOutput];
  if (!enabled.some((output) => output !== undefined && output !== false)) {
    throw new FalcoConfigError(
      { file },
      "No output configured, please make sure at least one output is configured and enabled." +
        (minor < 44 ? "" : " Falco has no gRPC from 0.44 on"),
    );
  }
  const capacity = minor >= 36 ? read.unsigned("outputs_queue.capacity", 0, 2 ** 53) : 0;
  return {
    files: sources.map(({ file }) => file),
    warnings,
    withoutEffect: merged.entries.map(({ key }) => key)
      .filter((key) => Object.hasOwn(schemaOf(minor), key) && !hasEffect(key)).sort(),
    ...outputs,
    jsonOutput: read.boolean("json_output", false),
    jsonIncludeOutput: read.boolean("json_include_output_property", true),
    jsonIncludeTags: read.boolean("json_include_tags_property", true),
    jsonIncludeMessage: read.boolean("json_include_message_property", false),
    jsonIncludeOutputFields: read.boolean("json_include_output_fields_property", true),
    timeFormatIso8601: read.boolean("time_format_iso_8601", false),
    priority,
    bufferedOutputs: minor < 44 || read.boolean("buffered_outputs", false),
    queueCapacity: capacity === 0 ? Infinity : capacity,
    outputTimeoutMs: read.unsigned("output_timeout", 2000, MAX_UINT32),
    logLevel: level,
    logStderr: read.boolean("log_stderr", false),
    logSyslog: read.boolean("log_syslog", true),
    watchConfigFiles: read.boolean("watch_config_files", true),
  };
}

function isLogLevel(text: string): text is LogLevel {
  return (logLevels as readonly string[]).includes(text);
}

function readGrpc(read: ConfigReader): FalcoGrpcConfig {
  return {
    bindAddress: read.text("grpc.bind_address", "0.0.0.0:5060"),
    threadiness: read.unsigned("grpc.threadiness", 0, MAX_UINT32),
    privateKey: read.text("grpc.private_key", "/etc/falco/certs/server.key"),
    certChain: read.text("grpc.cert_chain", "/etc/falco/certs/server.crt"),
    rootCerts: read.text("grpc.root_certs", "/etc/falco/certs/ca.crt"),
  };
}

function readFileOutput(
  read: ConfigReader,
  refuse: (reason: string) => never,
): FalcoConfig["fileOutput"] {
  if (!read.boolean("file_output.enabled", false)) return undefined;
  const filename = read.text("file_output.filename", "");
  if (filename === "") return refuse("file output enabled but no filename in configuration block");
  // Read as text and compared, so `yes` is not true here.
  return { filename, keepAlive: read.text("file_output.keep_alive", "") === "true" };
}

function readProgram(
  read: ConfigReader,
  refuse: (reason: string) => never,
): FalcoConfig["programOutput"] {
  if (!read.boolean("program_output.enabled", false)) return undefined;
  const program = read.text("program_output.program", "");
  if (program === "") return refuse("program output enabled but no program in configuration block");
  return { program, keepAlive: read.text("program_output.keep_alive", "") === "true" };
}

function readHttp(
  read: ConfigReader,
  refuse: (reason: string) => never,
): FalcoConfig["httpOutput"] {
  if (!read.boolean("http_output.enabled", false)) return undefined;
  const url = read.text("http_output.url", "");
  if (url === "") return refuse("http output enabled but no url in configuration block");
  return {
    url,
    userAgent: read.text("http_output.user_agent", "falcosecurity/falco"),
    insecure: read.boolean("http_output.insecure", false),
    caCert: read.text("http_output.ca_cert", ""),
    caBundle: read.text("http_output.ca_bundle", ""),
    caPath: read.text("http_output.ca_path", "/etc/ssl/certs"),
    mtls: read.boolean("http_output.mtls", false),
    clientCert: read.text("http_output.client_cert", "/etc/ssl/certs/client.crt"),
    clientKey: read.text("http_output.client_key", "/etc/ssl/certs/client.key"),
    echo: read.boolean("http_output.echo", false),
    compressUploads: read.boolean("http_output.compress_uploads", false),
    keepAlive: read.boolean("http_output.keep_alive", false),
    maxConsecutiveTimeouts: read.unsigned("http_output.max_consecutive_timeouts", 5, MAX_UINT8),
  };
}
