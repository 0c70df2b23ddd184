/** What a configuration makes of a fake Falco, and remakes when it is read again. @module */
import { mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import process from "node:process";
import type { Alert } from "../../lib/alert/alert.ts";
import { systemClock } from "../../lib/clock.ts";
import { FalcoConfigError } from "./config_error.ts";
import type { ListenAddress } from "../../lib/server/falco_server.ts";
import type { HandshakeFailure } from "../../lib/server/handshake_failure.ts";
import { DEFAULT_FALCO_VERSION } from "../era.ts";
import { reasonOf } from "../listen_place.ts";
import { ConfiguredOutputs } from "../outputs/configured_outputs.ts";
import type { OutputStats } from "../outputs/configured_outputs.ts";
import { processStdout } from "../outputs/process_streams.ts";
import { parseSyslogTarget } from "../outputs/syslog_output.ts";
import type { FakeFalcoConfigOptions } from "./fake_falco_config_options.ts";
import type { FakeOutputs } from "./fake_outputs.ts";
import type { FalcoConfig } from "./falco_config.ts";
import { handshakeLine, stopped, stopping } from "./grpc_log.ts";
import { grpcPlace, socketPath } from "./grpc_place.ts";
import { loadFalcoConfig, readProcessVariable } from "./load_falco_config.ts";
import { minorOf } from "./parse_falco_config.ts";

/** Everything of a Falco that its configuration decides; the gRPC server itself is the fake's. */
export class FalcoSetup implements FakeOutputs {
  readonly #source: string;
  readonly #options: FakeFalcoConfigOptions;
  readonly #minor: number;
  readonly #toGrpc: (alert: Alert) => void;
  #config: FalcoConfig;
  #outputs: ConfiguredOutputs;
  /** What was pushed during a restart, in which Falco raises nothing. */
  #held: Alert[] | undefined;
  /** What the restart that is under way has read. */
  #next: FalcoConfig | undefined;

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
   * Makes the folders of the socket.
   *
   * @throws {FalcoConfigError} If they cannot be made.
   */
  async makeFolders(): Promise<void> {
    const { grpc, files } = this.#config;
    const path = grpc === undefined ? undefined : socketPath(grpc);
    if (path === undefined) return;
    const parent = dirname(path);
    try {
      await mkdir(parent, { recursive: true });
    } catch (error) {
      const reason = `${parent}: ${reasonOf(error)}`;
      throw new FalcoConfigError({ file: files[0]! }, reason, error);
    }
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

  /** The gRPC server stops: it waits until its clients have gone. */
  grpcStopping(): void {
    this.#outputs.log.write("info", stopping);
  }

  /** They have. */
  grpcStopped(): void {
    for (const line of stopped) this.#outputs.log.write("info", line);
  }

  /**
   * TLS has turned a client away.
   *
   * @param failure What was wrong with it.
   */
  handshakeFailed(failure: HandshakeFailure): void {
    const line = handshakeLine(failure);
    if (line !== undefined) this.#outputs.log.write("error", line);
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
   * SIGHUP: reads the configuration again and, if it is good, closes all channels. If not, Falco raises
   * an alert of its own about it, and goes on with what it has.
   *
   * @returns Whether it is a restart; false with `watch_config_files: false`. Then gRPC stops, too, and
   * until {@linkcode FalcoSetup.resume} what is pushed is held back.
   */
  async restart(): Promise<boolean> {
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
    this.#next = config;
    this.#held = [];
    await this.#outputs.stop();
    return true;
  }

  /** Starts once more, with what {@linkcode FalcoSetup.restart} has read; does nothing without it. */
  startAgain(): void {
    if (this.#next === undefined) return;
    this.#outputs.closeLog();
    this.#config = this.#next;
    this.#next = undefined;
    this.#outputs = this.#openOutputs();
    this.#logStart();
  }

  /** Raises what was held back during a restart. */
  resume(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const alert of held) this.#outputs.push(alert);
  }

  /**
   * SIGTERM: what waits goes out as long as `output_timeout` allows, and the summary is printed. gRPC
   * stops after that.
   *
   * @returns A promise that resolves when it is over, and never while a channel blocks.
   */
  async stop(): Promise<void> {
    // Falco says so after SIGTERM as well.
    this.#outputs.log.write("info", "SIGINT received, exiting...");
    // During a restart the channels have come to their end already.
    if (this.#next === undefined) await this.#outputs.stop();
  }

  /** The end of the process: nothing is logged any more. */
  close(): void {
    this.#outputs.closeLog();
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
