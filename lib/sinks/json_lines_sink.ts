/** Alerts as lines of JSON. @module */
import type { Alert } from "../alert/alert.ts";
import { formatAlert } from "../alert/format_alert.ts";
import { SinkStream } from "../streams/engine/sink_stream.ts";

/**
 * Options of {@linkcode JsonLinesSink}.
 *
 * @example
 * ```ts
 * import type { JsonLinesSinkOptions } from "@falco-streams/core";
 *
 * const options: JsonLinesSinkOptions = { preventClose: true };
 * console.assert(options.preventClose);
 * ```
 */
export interface JsonLinesSinkOptions {
  /**
   * Writes one alert as JSON, without a line break. What it throws fails the stream.
   *
   * @default {formatAlert} Falco's own JSON line.
   */
  format?: (alert: Alert) => string;
  /**
   * Leaves the target open at the end, and unlocks it: for standard output, or to write on.
   *
   * @default {false}
   */
  preventClose?: boolean;
}

/**
 * Writes alerts to a byte stream, one line of JSON each; an array of alerts, as `BatchStream` makes
 * them, becomes one line with one JSON array.
 *
 * - A write is settled when the target has taken the line, so a slow target slows the pipeline down.
 * - Closing it closes the target, unless `preventClose` is set.
 * - Aborting it aborts the target with the same reason, `preventClose` or not: what came before may
 *   be half a story, and whoever reads on should know.
 * - An error of the target fails the write at hand, and with it the pipeline.
 *
 * @example
 * ```ts
 * import { EventStream } from "@falco-streams/core/streams";
 * import { JsonLinesSink } from "@falco-streams/core";
 * import { buildAlert } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const bytes = new TransformStream<Uint8Array, Uint8Array>();
 * const text = new Response(bytes.readable).text();
 * await EventStream.from([buildAlert({ rule: "one" }), buildAlert({ rule: "two" })])
 *   .pipeTo(new JsonLinesSink(bytes.writable));
 * const rules = (await text).trimEnd().split("\n").map((line) => JSON.parse(line).rule);
 * assert.deepEqual(rules, ["one", "two"]);
 * ```
 */
export class JsonLinesSink extends SinkStream<Alert | readonly Alert[]> {
  /**
   * Creates the sink.
   *
   * @param target Where the bytes go, UTF-8. It is locked from now on.
   * @param options See {@linkcode JsonLinesSinkOptions}.
   *
   * @throws {TypeError} when `target` is locked already.
   */
  constructor(target: WritableStream<Uint8Array>, options: JsonLinesSinkOptions = {}) {
    const { format = formatAlert, preventClose = false } = options;
    const writer = target.getWriter();
    const encoder = new TextEncoder();
    super({
      async write(item) {
        const line = isAlert(item) ? format(item) : `[${item.map(format).join(",")}]`;
        await writer.ready;
        await writer.write(encoder.encode(`${line}\n`));
      },
      async close() {
        if (!preventClose) return await writer.close();
        writer.releaseLock();
      },
      abort: (reason) => writer.abort(reason),
    });
  }
}

function isAlert(item: Alert | readonly Alert[]): item is Alert {
  return !Array.isArray(item);
}
