/** What a configuration makes of a fake Falco, and remakes when it is read again. @module */
import { availableParallelism } from "node:os";
import process from "node:process";
import type { Alert } from "../../lib/alert/alert.ts";
import { systemClock } from "../../lib/clock.ts";
import type { Clock } from "../../lib/clock.ts";
import { FalcoConfigError } from "./config_error.ts";
import type { ListenAddress } from "../../lib/server/falco_server.ts";
import { DEFAULT_FALCO_VERSION } from "../era.ts";
import { ConfiguredOutputs } from "../outputs/configured_outputs.ts";
import type { OutputStats } from "../outputs/configured_outputs.ts";
import { processStdout } from "../outputs/process_streams.ts";
import { parseSyslogTarget } from "../outputs/syslog_output.ts";
import type { FalcoConfig } from "./falco_config.ts";
import { grpcPlace } from "./grpc_place.ts";
import { loadFalcoConfig, readProcessVariable } from "./load_falco_config.ts";
import { minorOf } from "./parse_falco_config.ts";

/**
 * Options of {@linkcode FakeFalco.fromConfig}: what is not in the file.
 *
 * Such a fake hands what {@linkcode FakeFalco.push} takes to all channels that its `falco.yaml`
 * enables, in Falco's order and with its bytes: file, standard output, syslog, program, http, gRPC.
 * Rules are not evaluated: an alert is raised if its priority is at least that of the file. The file
 * is read as Falco reads it; what Falco goes on with is in `outputs.config.warnings`.
 *
 * Deno: `--allow-read` for the files that it names, `--allow-write` for `file_output`,
 * `--allow-run=/bin/sh --allow-env` for programs and `logger`, `--allow-net` for gRPC, http and UDP.
 *
 * @example Collect what Falco would write to its standard streams
 * ```ts
 * import { buildAlert, FakeFalco } from "@falco-streams/core/harness";
 * import type { FakeFalcoConfigOptions } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * let text = "";
 * const options: FakeFalcoConfigOptions = {
 *   stdout: (bytes) => void (text += new TextDecoder().decode(bytes)),
 *   unbuffered: true,
 * };
 * const fake = await FakeFalco.fromConfig("json_output: true\nstdout_output: {enabled: true}", options);
 * fake.push(buildAlert({ rule: "Terminal shell in container" }));
 * assert.equal(JSON.parse(text).rule, "Terminal shell in container");
 * await fake.stop();
 * assert.match(text, /\nEvents detected: 1\n/);
 * ```
 */
export interface FakeFalcoConfigOptions {
  /** The Falco to be: decides which keys there are, and what goes over gRPC. Default 0.43.1. */
  falcoVersion?: string;
  /** Time for `replay`, timeouts and the log. Default the machine's. */
  clock?: Clock;
  /** What `${NAME}` in the file stands for. Default the environment of this process; on Deno that needs `--allow-env` for the names that occur. */
  env?: { readonly [name: string]: string | undefined };
  /** What Falco's variable `FALCO_HOSTNAME` would be: the host of all alerts. Default each alert's own. */
  hostname?: string;
  /** Falco's `-U`: nothing is held back in buffers. Default false, as in Falco: standard output, files and programs get blocks of some KiB. */
  unbuffered?: boolean;
  /** Takes standard output. A promise holds up all channels. Default that of this process. */
  stdout?: (bytes: Uint8Array) => void | Promise<void>;
  /** Whether standard output is a terminal, which gets each line at once. Default that of this process; false if `stdout` is given. */
  stdoutIsTerminal?: boolean;
  /** Takes standard error: the log, if `log_stderr` is on. Default that of this process. */
  stderr?: (bytes: Uint8Array) => void | Promise<void>;
  /** Where syslog messages go: `udp://HOST:PORT`, or `logger` for the machine's own syslog. Default `logger` for alerts; Falco's log only goes to syslog if this is given. */
  syslog?: string;
}

/**
 * What the configuration of a fake Falco adds to it: `fake.outputs`.
 *
 * @example
 * ```ts
 * import { buildAlert, FakeFalco } from "@falco-streams/core/harness";
 * import type { FakeOutputs } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * let log = "";
 * const fake = await FakeFalco.fromConfig(
 *   "log_stderr: true\nfile_output: { enabled: true, filename: /no/such/folder/events.txt }\n",
 *   { stderr: (bytes) => void (log += new TextDecoder().decode(bytes)) },
 * );
 * const outputs: FakeOutputs = fake.outputs!;
 * fake.push(buildAlert());
 * await outputs.idle();
 * assert.equal(outputs.stats.lost["file"], 1);
 * assert.match(log, /: file: failed to open output file \/no\/such\/folder\/events\.txt\n/);
 * await fake.stop();
 * ```
 */
export interface FakeOutputs {
  /** The configuration in force, with its warnings. */
  readonly config: FalcoConfig;
  /** What became of the alerts since the start, or the last reload. */
  readonly stats: OutputStats;
  /** SIGUSR1: files and programs are closed and opened again, once what was pushed before is through. */
  reopen(): void;
  /**
   * Waits until the channels have taken all alerts: they are in the file, the server has answered,
   * they are in the queue for gRPC; or in a buffer, unless it is `unbuffered`.
   *
   * @returns A promise that never resolves while a channel blocks.
   */
  idle(): Promise<void>;
}

/** Everything of a Falco that its configuration decides; the gRPC server itself is the fake's. */
export class FalcoSetup implements FakeOutputs {
  readonly #source: string;
  readonly #options: FakeFalcoConfigOptions;
  readonly #minor: number;
  readonly #toGrpc: (alert: Alert) => void;
  #config: FalcoConfig;
  #outputs: ConfiguredOutputs;
  /** What was pushed while the old channels came to their end. */
  #held: Alert[] | undefined;

  private constructor(
    source: string,
    options: FakeFalcoConfigOptions,
    config: FalcoConfig,
    toGrpc: (alert: Alert) => void,
  ) {
    this.#source = source;
    this.#options = options;
    this.#minor = minorOf(options.falcoVersion ?? DEFAULT_FALCO_VERSION);
    this.#toGrpc = toGrpc;
    this.#config = config;
    this.#outputs = this.#openOutputs();
    this.#logStart();
  }

  /**
   * Reads the configuration and opens the channels.
   *
   * @param source The path of a file, or its text.
   * @param options What is not in the file.
   * @param toGrpc Takes what goes to gRPC clients.
   * @returns The setup.
   * @throws {FalcoConfigError} If Falco would refuse the configuration.
   * @throws {RangeError} If there is no such Falco.
   * @throws {TypeError} If `syslog` is no such address.
   */
  static async open(
    source: string,
    options: FakeFalcoConfigOptions,
    toGrpc: (alert: Alert) => void,
  ): Promise<FalcoSetup> {
    return new FalcoSetup(source, options, await load(source, options), toGrpc);
  }

  /** The configuration in force. */
  get config(): FalcoConfig {
    return this.#config;
  }

  /** What became of the alerts so far. */
  get stats(): OutputStats {
    return this.#outputs.stats;
  }

  /**
   * Where gRPC listens, and says so in the log.
   *
   * @returns The address; undefined without gRPC, or if Falco could not listen there.
   */
  listen(): ListenAddress | undefined {
    const { grpc } = this.#config;
    if (grpc === undefined) return undefined;
    const threads = grpc.threadiness === 0 ? availableParallelism() : grpc.threadiness;
    this.#outputs.log.write("info", `gRPC server threadiness equals to ${threads}`);
    this.#outputs.log.write("info", `Starting gRPC server at ${grpc.bindAddress}`);
    const place = grpcPlace(grpc);
    if (typeof place !== "string") return place;
    this.grpcFailed(place);
    return undefined;
  }

  /**
   * Says in the log that there is no gRPC server; Falco runs on without.
   *
   * @param reason Why.
   */
  grpcFailed(reason: string): void {
    this.#outputs.log.write("error", reason);
    this.#outputs.log.write("emergency", "Error starting gRPC server");
  }

  /**
   * Raises an alert, which goes out through all channels.
   *
   * @param alert The alert.
   */
  push(alert: Alert): void {
    if (this.#held === undefined) this.#outputs.push(alert);
    else this.#held.push(alert);
  }

  /** SIGUSR1. */
  reopen(): void {
    this.#outputs.reopen();
  }

  /**
   * Waits until all channels have taken all alerts.
   *
   * @returns A promise that never resolves while a channel blocks.
   */
  idle(): Promise<void> {
    return this.#outputs.idle();
  }

  /**
   * SIGHUP: reads the configuration again and, if it is good, closes all channels and opens the new
   * ones. If not, Falco raises an alert of its own about it, and goes on with what it has.
   *
   * @returns Whether it was a restart; false with `watch_config_files: false`.
   */
  async reload(): Promise<boolean> {
    if (!this.#config.watchConfigFiles) return false;
    let config: FalcoConfig;
    try {
      config = await load(this.#source, this.#options);
    } catch (error) {
      if (!(error instanceof FalcoConfigError)) throw error;
      this.#outputs.push(this.#restartFailure(error.reason));
      return false;
    }
    this.#outputs.log.write("info", "SIGHUP received, restarting...");
    const held: Alert[] = this.#held = [];
    await this.#outputs.stop();
    this.#config = config;
    this.#outputs = this.#openOutputs();
    this.#held = undefined;
    this.#logStart();
    for (const alert of held) this.#outputs.push(alert);
    return true;
  }

  /**
   * SIGTERM: what waits goes out as long as `output_timeout` allows, and the summary is printed.
   *
   * @returns A promise that resolves when it is over, and never while a channel blocks.
   */
  async stop(): Promise<void> {
    // Falco says so after SIGTERM as well.
    this.#outputs.log.write("info", "SIGINT received, exiting...");
    await this.#outputs.stop();
  }

  /** SIGKILL. */
  kill(): void {
    this.#outputs.kill();
  }

  #openOutputs(): ConfiguredOutputs {
    const { clock = systemClock, stdout, stderr, syslog, hostname, unbuffered } = this.#options;
    const isTerminal = stdout === undefined && processStdout().isTerminal;
    return new ConfiguredOutputs(this.#config, {
      minor: this.#minor,
      clock,
      stdout,
      stdoutIsTerminal: this.#options.stdoutIsTerminal ?? isTerminal,
      stderr,
      syslog: syslog === undefined ? undefined : parseSyslogTarget(syslog),
      unbuffered: unbuffered ?? false,
      hostname,
      toGrpc: this.#toGrpc,
    });
  }

  #logStart(): void {
    const { log } = this.#outputs;
    const { grpc, grpcOutput, files, warnings } = this.#config;
    const { falcoVersion = DEFAULT_FALCO_VERSION, hostname } = this.#options;
    if (this.#minor === 43 && grpc !== undefined) {
      log.write(
        "warning",
        "Using deprecated gRPC server (deprecated as consequence of gRPC output deprecation).",
      );
      if (grpcOutput) {
        log.write(
          "warning",
          "Using deprecated gRPC output. Please consider using other outputs.",
        );
      }
    }
    log.write("info", `Falco version: ${falcoVersion} (${machine(process.arch)})`);
    log.write("info", "Falco initialized with configuration files:");
    for (const file of files) {
      const failed = warnings.find((warning) => warning.file === file && warning.schema)?.schema;
      // Validated since 0.40.
      const validation = this.#minor >= 40 ? ` | schema validation: ${failed ?? "ok"}` : "";
      log.write("info", `   ${file}${validation}`);
    }
    if (hostname !== undefined) {
      log.write(
        "info",
        `Hostname value has been overridden via environment variable to: ${hostname}`,
      );
    }
  }

  #restartFailure(reason: string): Alert {
    const { clock = systemClock, hostname = "falco-fake" } = this.#options;
    const ms = clock.now();
    const seconds = Math.floor(ms / 1000);
    return {
      time: { seconds, nanos: Math.floor((ms - seconds * 1000) * 1e6) },
      priority: "critical",
      source: "internal",
      rule: "Falco internal: hot restart failure",
      output: `Falco internal: hot restart failure: ${reason}`,
      outputFields: {},
      hostname,
      tags: [],
    };
  }
}

async function load(source: string, options: FakeFalcoConfigOptions): Promise<FalcoConfig> {
  const { env, falcoVersion = DEFAULT_FALCO_VERSION } = options;
  const readVariable = env === undefined
    ? readProcessVariable
    : (name: string) => Object.hasOwn(env, name) ? env[name] : undefined;
  return await loadFalcoConfig(source, { minor: minorOf(falcoVersion), readVariable });
}

/** What Falco's builds call the processor. */
function machine(arch: string): string {
  return arch === "x64" ? "x86_64" : arch === "arm64" ? "aarch64" : arch;
}
