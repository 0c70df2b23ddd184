/** Alerts to a program. @module */
import type { Alert } from "../alert/alert.ts";
import { formatAlert } from "../alert/format_alert.ts";
import { systemClock } from "../clock.ts";
import { SinkStream } from "../streams/engine/sink_stream.ts";
import type { Delivered, DeliveryOptions, DeliveryStats } from "./delivery_options.ts";
import { DeliveryQueue } from "./delivery_queue.ts";
import { ProgramDelivery } from "./program_delivery.ts";
import { requirePositive } from "./require_positive.ts";

/**
 * Options of {@linkcode ProgramSink}.
 *
 * @example
 * ```ts
 * import type { ProgramSinkOptions } from "@falco-streams/core";
 *
 * const options: ProgramSinkOptions = { args: ["--tag", "falco"], env: { PATH: "/usr/bin" } };
 * console.assert(options.shell === undefined);
 * ```
 */
export interface ProgramSinkOptions extends DeliveryOptions {
  /** Its arguments, each as it is: no shell looks at them. */
  args?: readonly string[];
  /** Has `sh -c` run the command, as Falco's `program_output` does. Not together with `args`. Default false. */
  shell?: boolean;
  /** The folder that it runs in. Default that of this process. */
  cwd?: string;
  /** Its environment. Default that of this process, which Deno wants `--allow-env` for. */
  env?: Readonly<Record<string, string>>;
  /** Where its standard output goes. Default nowhere. */
  stdout?: "ignore" | "inherit";
  /** Where its error output goes. Default to that of this process. */
  stderr?: "ignore" | "inherit";
  /**
   * Starts it again when it ends by itself, after the waits of `retry`. Default true; with false the
   * sink fails then.
   */
  restart?: boolean;
  /**
   * How long it may take to read what is written to it, in milliseconds; it is then killed and started
   * again. Default for ever: a slow program slows the pipeline down.
   */
  timeoutMs?: number;
  /**
   * Writes one alert, without a line break at its end or within. What it throws fails the sink.
   *
   * @default {formatAlert} Falco's own JSON line.
   */
  format?: (alert: Alert) => string;
}

/**
 * What a {@linkcode ProgramSink} counted so far.
 *
 * @example
 * ```ts
 * import { ProgramSink } from "@falco-streams/core";
 * import type { ProgramSinkStats } from "@falco-streams/core";
 *
 * const stats: ProgramSinkStats = new ProgramSink("logger").stats();
 * console.assert(stats.starts === 0);
 * ```
 */
export interface ProgramSinkStats extends DeliveryStats {
  /** How often the program was started. */
  readonly starts: number;
}

/**
 * Writes alerts to the standard input of a program, a line of JSON each, as Falco's `program_output`
 * with `keep_alive: true` does.
 *
 * - One process for all alerts, started with the first one, without a shell unless asked for.
 * - Delivered means that the pipe has taken it. What a program has not read when it ends is lost, up
 *   to the 64 KiB that a pipe holds; an alert that was only partly taken is written again.
 * - A program that does not read slows the pipeline down, or see `overflow`.
 * - One that ends is started again with the next alert, after the waits of `retry`; that it ended is
 *   told to `onRetry`. One that cannot be started fails the sink.
 * - Closing ends its input and waits for it, for `closeTimeoutMs` in all; it is killed then, and the
 *   sink fails, as it does if the program ends with another status than 0. Aborting kills it.
 * - On Deno it needs `--allow-run=COMMAND` (`--allow-run=sh` for a shell), and `--allow-env`. With
 *   `env` the one name that Deno looks at will do: `--allow-env=NODE_V8_COVERAGE`.
 *
 * @example
 * ```ts
 * import { ProgramSink } from "@falco-streams/core";
 * import { EventStream } from "@falco-streams/core/streams";
 * import { buildAlert } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const sink = new ProgramSink("cat");
 * await EventStream.from([buildAlert(), buildAlert()]).pipeTo(sink);
 * assert.equal(sink.stats().delivered, 2);
 * ```
 */
export class ProgramSink extends SinkStream<Delivered> {
  readonly #queue: DeliveryQueue;
  readonly #delivery: ProgramDelivery;

  /**
   * Creates the sink; nothing is started before the first alert.
   *
   * @param command The program: a path, or a name to be found in `PATH`.
   * @param options Its arguments, what to do when it ends, limits.
   * @throws {TypeError} If `command` is empty, or there are `args` beside `shell`.
   * @throws {RangeError} If a limit is out of range.
   */
  constructor(command: string, options: ProgramSinkOptions = {}) {
    const {
      args = [],
      shell = false,
      cwd,
      env,
      stdout = "ignore",
      stderr = "inherit",
      restart = true,
      timeoutMs,
      format = formatAlert,
      clock = systemClock,
    } = options;
    if (command === "") throw new TypeError("Cannot create the sink: the command is empty");
    if (shell && args.length > 0) {
      throw new TypeError(
        'Cannot create the sink: "args" would be taken apart by the shell. Put them into the command',
      );
    }
    requirePositive({ ...(timeoutMs === undefined ? {} : { timeoutMs }) });
    const spawn = {
      shell,
      stdio: ["pipe", stdout, stderr] as ["pipe", "ignore", "inherit"],
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env }),
    };
    const delivery = new ProgramDelivery(command, {
      args,
      spawn,
      format,
      restart,
      timeoutMs,
      clock,
    });
    const queue = new DeliveryQueue(delivery, options);
    super(queue);
    this.#queue = queue;
    this.#delivery = delivery;
  }

  /**
   * Counts so far.
   *
   * @returns A snapshot.
   */
  stats(): ProgramSinkStats {
    return { ...this.#queue.stats(), starts: this.#delivery.starts };
  }
}
