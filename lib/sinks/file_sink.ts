/** Alerts to a file. @module */
import type { Alert } from "../alert/alert.ts";
import { formatAlert } from "../alert/format_alert.ts";
import { systemClock } from "../clock.ts";
import { SinkStream } from "../streams/engine/sink_stream.ts";
import type { Delivered, DeliveryOptions, DeliveryStats } from "./delivery_options.ts";
import { DeliveryQueue } from "./delivery_queue.ts";
import { FileDelivery } from "./file_delivery.ts";
import { requirePositive } from "./require_positive.ts";

/**
 * Options of {@linkcode FileSink}.
 *
 * @example Ten files of 100 MB at most
 * ```ts
 * import type { FileSinkOptions } from "@falco-streams/core";
 *
 * const options: FileSinkOptions = { maxBytes: 100_000_000, keep: 9 };
 * console.assert(options.mode === undefined);
 * ```
 */
export interface FileSinkOptions extends DeliveryOptions {
  /**
   * Writes one alert, without a line break at its end or within. What it throws fails the sink.
   *
   * @default {formatAlert} Falco's own JSON line.
   */
  format?: (alert: Alert) => string;
  /**
   * How large the file may become, in bytes. The next line then begins a new one, and the full one gets
   * `.1` at the end of its name. Default no limit.
   */
  maxBytes?: number;
  /** How many full files to keep beside the current one, from 1. Default 5; only with `maxBytes`. */
  keep?: number;
  /** The permissions of a new file. Default 0o600: alerts hold the command lines of others. */
  mode?: number;
}

/**
 * What a {@linkcode FileSink} counted so far.
 *
 * @example
 * ```ts
 * import { FileSink } from "@falco-streams/core";
 * import type { FileSinkStats } from "@falco-streams/core";
 *
 * const stats: FileSinkStats = new FileSink("/var/log/alerts.jsonl").stats();
 * console.assert(stats.rotated === 0);
 * ```
 */
export interface FileSinkStats extends DeliveryStats {
  /** How often a full file was followed by a new one. */
  readonly rotated: number;
  /** How often the path was opened anew since somebody else had renamed or deleted the file. */
  readonly reopened: number;
}

/**
 * Appends alerts to a file, a line of JSON each, as Falco's `file_output` does; several alerts that
 * are written as an array become several lines.
 *
 * - Whole lines only: what cannot be written as a whole, as on a full disk, is taken back and tried
 *   again, and half a line that a crash has left is ended first.
 * - With `maxBytes` the file is renamed when it is full: `x.jsonl` to `x.jsonl.1`, that to
 *   `x.jsonl.2`, and so on, `keep` of them.
 * - Somebody else may rename or delete it too, as logrotate does: within a second of the next alert
 *   the path is opened anew. Nobody has to send a signal.
 * - What comes while the disk is busy is written at once; closing waits until the disk has all of it.
 * - The file is made, or opened, with the first alert. A missing folder and missing rights fail the
 *   sink; a full disk, or a folder that vanishes later, is waited out.
 *
 * @example
 * ```ts
 * import { FileSink, followFile } from "@falco-streams/core";
 * import { EventStream } from "@falco-streams/core/streams";
 * import { buildAlert } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 * import { rm } from "node:fs/promises";
 *
 * const path = `/tmp/falco-streams-example-${crypto.randomUUID()}.jsonl`;
 * await EventStream.from([buildAlert({ rule: "Terminal shell in container" })])
 *   .pipeTo(new FileSink(path));
 * const [alert] = await Array.fromAsync(followFile(path, { once: true }));
 * assert.equal(alert?.rule, "Terminal shell in container");
 * await rm(path);
 * ```
 */
export class FileSink extends SinkStream<Delivered> {
  readonly #queue: DeliveryQueue;
  readonly #delivery: FileDelivery;

  /**
   * Creates the sink; nothing is opened before the first alert.
   *
   * @param path The file.
   * @param options Format, size, limits.
   * @throws {TypeError} If there is `keep` without `maxBytes`.
   * @throws {RangeError} If a limit is out of range.
   */
  constructor(path: string, options: FileSinkOptions = {}) {
    const {
      format = formatAlert,
      maxBytes = Infinity,
      keep = 5,
      mode = 0o600,
      clock = systemClock,
    } = options;
    requirePositive({ maxBytes, keep });
    if (!Number.isInteger(keep)) {
      throw new RangeError(`Cannot create the sink: "keep" must be a whole number: it is ${keep}`);
    }
    if (options.keep !== undefined && options.maxBytes === undefined) {
      throw new TypeError('Cannot create the sink: "keep" means nothing without "maxBytes"');
    }
    const delivery = new FileDelivery(path, { format, maxBytes, keep, mode, clock });
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
  stats(): FileSinkStats {
    const { rotated, reopened } = this.#delivery;
    return { ...this.#queue.stats(), rotated, reopened };
  }
}
