/** Alerts from any stream of lines. @module */
import { EventStream } from "../streams/engine/event_stream.ts";
import type { Alert } from "../alert/alert.ts";
import { LineSource } from "./line_source.ts";
import type { LineSourceOptions, LineSourceStats } from "./line_source_options.ts";

/**
 * The alerts of a stream of lines. Made by {@linkcode fromJsonLines}.
 *
 * @example
 * ```ts
 * import { fromJsonLines } from "@falco-streams/core";
 * import type { AlertLines } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * const alerts: AlertLines = fromJsonLines(new Blob(["Events detected: 0\n"]).stream());
 * assert.deepEqual(await Array.fromAsync(alerts), []);
 * assert.equal(alerts.stats().other, 1);
 * ```
 */
export class AlertLines extends EventStream<Alert> {
  readonly #source: LineSource;

  /**
   * Made by {@linkcode fromJsonLines}.
   *
   * @param source What reads the lines.
   */
  constructor(source: LineSource) {
    super(source);
    this.#source = source;
  }

  /**
   * Counts so far.
   *
   * @returns A snapshot.
   */
  stats(): LineSourceStats {
    return this.#source.stats();
  }
}

/**
 * Reads the alerts out of lines: what Falco writes to standard output, into a file or to the standard
 * input of a program, or anything that hands its JSON on.
 *
 * - JSON (`json_output: true`) and text are both understood, see {@linkcode LineSourceOptions}.
 * - What a syslog daemon writes into its file is read as well: the header before a line of Falco's is
 *   left out. Lines of other programs there are no alerts.
 * - Falco's own log lines and its closing summary are expected, and left out. A line that is neither
 *   is skipped, counted, and handed to `onInvalid`: one bad line never ends the stream.
 * - Bytes may be split anywhere: Falco writes blocks of 4096 bytes to a pipe unless it runs with `-U`.
 * - Nothing is read before the first alert is asked for, and no more than the reader asks for.
 * - Cancelling it, or leaving a `for await`, cancels `bytes` with the same reason. An iterator is told
 *   to return; one that is waiting for bytes at that moment is not waited for, since it may never get
 *   any, and what it throws then is not heard.
 *
 * @param bytes Any byte stream: standard input, the body of a `fetch`, the output of a child process.
 * It belongs to the alerts from now on.
 * @param options `onInvalid`, `signal`, how to take text.
 * @returns The alerts. They end with the bytes, and fail as the bytes do.
 * @throws {TypeError} If the stream is locked.
 * @throws {RangeError} If an option is out of range.
 *
 * @example What came over standard output, summary and all
 * ```ts
 * import { fromJsonLines } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * const printed = '{"hostname":"node-1","output":"o","output_fields":{},"priority":"Notice",' +
 *   '"rule":"Terminal shell in container","source":"syscall","tags":[],' +
 *   '"time":"2026-01-01T00:00:00.000000005Z"}\nEvents detected: 1\n';
 * const alerts = fromJsonLines(new Blob([printed]).stream());
 * for await (const alert of alerts) assert.equal(alert.rule, "Terminal shell in container");
 * assert.deepEqual(alerts.stats(), { received: 1, lines: 2, other: 1, invalid: 0, lossyText: 0 });
 * ```
 */
export function fromJsonLines(
  bytes: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>,
  options: LineSourceOptions = {},
): AlertLines {
  const iterable = bytes instanceof ReadableStream ? readerOf(bytes) : iteratorOf(bytes);
  return new AlertLines(new LineSource(iterable, options));
}

function readerOf(stream: ReadableStream<Uint8Array>) {
  const reader = stream.getReader();
  return {
    read: async () => (await reader.read()).value ?? null,
    cancel: (reason: unknown) => reader.cancel(reason),
  };
}

function iteratorOf(iterable: AsyncIterable<Uint8Array>) {
  const iterator = iterable[Symbol.asyncIterator]();
  let isReading = false;
  return {
    async read() {
      isReading = true;
      try {
        const { done, value } = await iterator.next();
        return done === true ? null : value as Uint8Array;
      } finally {
        isReading = false;
      }
    },
    async cancel() {
      const leaving = iterator.return?.();
      // A generator does not return before its `next` has settled, which may be never.
      if (isReading) leaving?.catch(() => {});
      else await leaving;
    },
  };
}
