/** All output channels of a configuration, from an alert to the closing summary. @module */
import { Buffer } from "node:buffer";
import type { Alert } from "../../lib/alert/alert.ts";
import { isAtLeast } from "../../lib/alert/priority.ts";
import type { Clock } from "../../lib/clock.ts";
import type { FalcoConfig } from "../falco_config/falco_config.ts";
import type { AlertOutput } from "./alert_output.ts";
import { FalcoLog, logLevels } from "./falco_log.ts";
import { FileOutput } from "./file_output.ts";
import { HttpOutput } from "./http_output.ts";
import { formatOutput } from "./output_format.ts";
import type { OutputFormat } from "./output_format.ts";
import { OutputSummary } from "./output_summary.ts";
import { OutputWorker } from "./output_worker.ts";
import { processStderr, processStdout } from "./process_streams.ts";
import { ProgramOutput } from "./program_output.ts";
import { StdoutOutput } from "./stdout_output.ts";
import type { WriteBytes } from "./stdout_output.ts";
import { SyslogOutput, SyslogSender } from "./syslog_output.ts";
import type { SyslogTarget } from "./syslog_output.ts";

/** What surrounds the channels, and is not in the file. */
export interface OutputSurroundings {
  /** The second number of Falco's version. */
  readonly minor: number;
  /** Time. */
  readonly clock: Clock;
  /** Takes standard output; undefined: this process's own. */
  readonly stdout: WriteBytes | undefined;
  /** Whether standard output is a terminal. */
  readonly stdoutIsTerminal: boolean;
  /** Takes standard error; undefined: this process's own. */
  readonly stderr: WriteBytes | undefined;
  /** Where syslog messages go; undefined: alerts through `logger`, the log nowhere. */
  readonly syslog: SyslogTarget | undefined;
  /** Falco's `-U`. */
  readonly unbuffered: boolean;
  /** `FALCO_HOSTNAME`. */
  readonly hostname: string | undefined;
  /** Takes what goes to gRPC clients. */
  readonly toGrpc: (alert: Alert) => void;
}

/**
 * What became of the alerts that were pushed to a fake Falco made by `FakeFalco.fromConfig`, since its
 * start or its last reload.
 *
 * @example
 * ```ts
 * import { buildAlert, FakeFalco } from "@falco-streams/core/harness";
 * import type { OutputStats } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const text = "priority: warning\nfile_output: { enabled: true, filename: /no/such/folder/x }\n";
 * const fake = await FakeFalco.fromConfig(text, { stderr: () => {}, stdout: () => {} });
 * fake.push(buildAlert({ priority: "notice" }), buildAlert({ priority: "error" }));
 * const stats: OutputStats | undefined = fake.outputs?.stats;
 * assert.deepEqual(stats, {
 *   belowPriority: 1,
 *   waiting: 0,
 *   dropped: 0,
 *   discarded: 0,
 *   lost: { file: 1 },
 * });
 * await fake.stop();
 * ```
 */
export interface OutputStats {
  /** How many were less severe than `priority` asks for, and were not raised. */
  readonly belowPriority: number;
  /** How many wait for the channels, the one in work not counted. */
  readonly waiting: number;
  /** How many were dropped because `outputs_queue.capacity` of them waited. */
  readonly dropped: number;
  /** How many were thrown away at the end, because the channels took longer than `output_timeout`, or by a kill. */
  readonly discarded: number;
  /** How many each enabled channel has lost by itself, by its name. */
  readonly lost: { readonly [channel: string]: number };
}

/** The channels of one run of a Falco: from its start, or a hot restart, to its end. */
export class ConfiguredOutputs {
  /** Falco's log. */
  readonly log: FalcoLog;
  readonly #config: FalcoConfig;
  readonly #format: OutputFormat;
  readonly #channels: readonly AlertOutput[];
  readonly #worker: OutputWorker;
  readonly #summary = new OutputSummary();
  readonly #stdout: WriteBytes;
  readonly #stderr: WriteBytes;
  readonly #logSender: SyslogSender | undefined;
  #belowPriority = 0;

  /**
   * @param config The configuration.
   * @param surroundings What surrounds the channels.
   */
  constructor(config: FalcoConfig, surroundings: OutputSurroundings) {
    const { minor, clock, hostname, syslog } = surroundings;
    this.#config = config;
    this.#stdout = surroundings.stdout ?? processStdout().write;
    this.#stderr = surroundings.stderr ?? processStderr();
    this.#format = {
      minor,
      json: config.jsonOutput,
      includeOutput: config.jsonIncludeOutput,
      includeTags: config.jsonIncludeTags,
      includeMessage: config.jsonIncludeMessage,
      includeOutputFields: config.jsonIncludeOutputFields,
      isoTime: config.timeFormatIso8601,
      hostname,
    };
    const sender = config.logSyslog && syslog !== undefined
      ? new SyslogSender(syslog, clock)
      : undefined;
    this.#logSender = sender;
    this.log = new FalcoLog({
      level: config.logLevel,
      isoTime: config.timeFormatIso8601,
      stderr: config.logStderr ? (line) => void this.#stderr(Buffer.from(line)) : undefined,
      syslog: sender === undefined
        ? undefined
        : (level, text) => void sender.send(logLevels.indexOf(level), text),
      clock,
    });
    this.#channels = this.#open(surroundings);
    this.#worker = new OutputWorker(this.#channels, {
      capacity: config.queueCapacity,
      timeoutMs: config.outputTimeoutMs,
      clock,
      log: (level, text) => this.log.write(level, text),
    });
  }

  /** What became of the alerts so far. */
  get stats(): OutputStats {
    const { depth, dropped, discarded } = this.#worker;
    return {
      belowPriority: this.#belowPriority,
      waiting: depth,
      dropped,
      discarded,
      lost: Object.fromEntries(this.#channels.map(({ name, lost }) => [name, lost])),
    };
  }

  /**
   * Raises an alert.
   *
   * @param alert The alert. Falco's internal ones are never too little severe.
   */
  push(alert: Alert): void {
    if (alert.source !== "internal" && !isAtLeast(alert.priority, this.#config.priority)) {
      this.#belowPriority++;
      return;
    }
    this.#summary.add(alert);
    this.#worker.push({ alert, line: formatOutput(alert, this.#format) });
  }

  /** SIGUSR1. */
  reopen(): void {
    this.log.write("info", "SIGUSR1 received, reopening outputs...");
    this.#worker.reopen();
  }

  /**
   * Waits until all channels have taken all alerts.
   *
   * @returns A promise that never resolves while a channel blocks.
   */
  idle(): Promise<void> {
    return this.#worker.idle();
  }

  /**
   * The orderly end: what waits goes out as long as `output_timeout` allows, the channels are closed,
   * and the summary is printed: to standard output if that is a channel, else to standard error.
   *
   * @returns A promise that resolves when it is over.
   */
  async stop(): Promise<void> {
    await this.#worker.stop();
    const write = this.#config.stdoutOutput ? this.#stdout : this.#stderr;
    await write(Buffer.from(this.#summary.text));
  }

  /** Lets go of syslog; the log must not be written to any more. */
  closeLog(): void {
    this.#logSender?.close();
  }

  /** SIGKILL. */
  kill(): void {
    this.#worker.kill();
    this.#logSender?.close();
  }

  /** In the order in which Falco serves them. */
  #open(surroundings: OutputSurroundings): AlertOutput[] {
    const { clock, stdout, stderr, syslog, unbuffered, hostname, toGrpc } = surroundings;
    const { fileOutput, stdoutOutput, syslogOutput, programOutput, httpOutput, grpcOutput } =
      this.#config;
    const buffered = this.#config.bufferedOutputs && !unbuffered;
    const channels: AlertOutput[] = [];
    if (fileOutput !== undefined) channels.push(new FileOutput({ ...fileOutput, buffered }));
    if (stdoutOutput) {
      const { stdoutIsTerminal } = surroundings;
      channels.push(new StdoutOutput(this.#stdout, buffered && !stdoutIsTerminal));
    }
    if (syslogOutput) {
      channels.push(new SyslogOutput(new SyslogSender(syslog ?? { kind: "logger" }, clock)));
    }
    if (programOutput !== undefined) {
      channels.push(new ProgramOutput({ ...programOutput, buffered, stdout, stderr }));
    }
    if (httpOutput !== undefined) {
      channels.push(
        new HttpOutput(httpOutput, {
          json: this.#config.jsonOutput,
          stdout: this.#stdout,
          log: (level, text) => this.log.write(level, text),
          clock,
        }),
      );
    }
    if (grpcOutput) {
      channels.push({
        name: "grpc",
        lost: 0,
        write: ({ alert, line }) =>
          toGrpc({ ...alert, output: line, hostname: hostname ?? alert.hostname }),
      });
    }
    return channels;
  }
}
