/** Alerts from a file that Falco writes. @module */
import type { Alert } from "../alert/alert.ts";
import { systemClock } from "../clock.ts";
import { AlertLines } from "./from_json_lines.ts";
import { requirePosition } from "./file_position.ts";
import type { FileIdentity, FilePosition } from "./file_position.ts";
import { FileTail } from "./file_tail.ts";
import type { FollowStatus } from "./follow_status.ts";
import { LineSource } from "./line_source.ts";
import type { LineSourceOptions } from "./line_source_options.ts";

/**
 * Options of {@linkcode followFile}.
 *
 * @example Go on where the last run ended
 * ```ts
 * import type { FollowFileOptions } from "@falco-streams/core";
 *
 * const options: FollowFileOptions = { from: "end", onStatus: (status) => console.error(status) };
 * console.assert(options.pollMs === undefined);
 * ```
 */
export interface FollowFileOptions extends LineSourceOptions {
  /**
   * Where to begin: at the `start`, at the `end`, or at a position that was saved earlier. A file that
   * was renamed since (to a name that begins with its own, as logrotate does) is found and read to
   * its end first, and so are those that took its place and were renamed as well (`.1`, `-20261130`;
   * not if they are compressed), by the time of their last byte. A file that is not there yet is read
   * from its first byte in any case.
   *
   * @default {"start"}
   */
  from?: "start" | "end" | FilePosition;
  /**
   * How often to look for more at the end of the file, in milliseconds. Default 250: what a person
   * takes for "at once", at a cost too small to measure.
   */
  pollMs?: number;
  /** Ends the alerts at the end of the file, instead of waiting for more. Default false. */
  once?: boolean;
  /** Learns of what happens to the file; what it throws fails the stream. */
  onStatus?: (status: FollowStatus) => void;
}

/**
 * The alerts of a followed file. Made by {@linkcode followFile}.
 *
 * @example
 * ```ts
 * import { followFile } from "@falco-streams/core";
 * import type { FollowedFile } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * const alerts: FollowedFile = followFile("/var/log/falco-alerts.json", { from: "end" });
 * assert.equal(alerts.stats().received, 0);
 * await alerts.cancel();
 * ```
 */
export class FollowedFile extends AlertLines {
  readonly #ends: WeakMap<Alert, AlertEnd>;

  /**
   * Made by {@linkcode followFile}.
   *
   * @param source What reads the lines.
   * @param ends Where the alerts ended.
   */
  constructor(source: LineSource, ends: WeakMap<Alert, AlertEnd>) {
    super(source);
    this.#ends = ends;
  }

  /**
   * Where an alert ended, to begin there another time: keep it when the alert is dealt with, and
   * nothing is lost or comes twice.
   *
   * @param alert An alert of this stream, the same object, whatever operators it went through.
   * @returns The position as plain data; undefined if the alert is not of this stream.
   */
  position(alert: Alert): FilePosition | undefined {
    const end = this.#ends.get(alert);
    return end?.file.positionAt(end.offset);
  }
}

/** Where the lines of an alert ended. */
interface AlertEnd {
  readonly file: FileIdentity;
  readonly offset: number;
}

/**
 * Follows a file of alerts as `tail -F` does: `file_output` of falco.yaml, or standard output that
 * was led into a file.
 *
 * - Rotation by rename: the old file is read to its end, and the new one begins when it holds its
 *   first byte, since Falco with `keep_alive: true` writes on into the renamed one until SIGUSR1.
 * - A file that is renamed twice between two looks (`pollMs`), or cut off and written beyond the place
 *   that was reached, cannot be told from one that was not: choose sizes that last for seconds.
 * - Truncation (logrotate's `copytruncate`), deletion, and a file that is not there yet are no errors;
 *   `onStatus` tells of them.
 * - Half a line waits for the rest of it: with `keep_alive: true` Falco holds alerts back until it has
 *   8 KiB, unless it runs with `-U`.
 * - Lines are taken as in {@linkcode fromJsonLines}.
 * - Cancelling it closes the file.
 *
 * @param path The file.
 * @param options Where to begin, how often to look, `onInvalid`, `signal`.
 * @returns The alerts. They do not end by themselves, unless `once` is set.
 * @throws {RangeError} If an option is out of range.
 * @throws {TypeError} If `from` is none of what it can be.
 *
 * @example
 * ```ts
 * import { followFile } from "@falco-streams/core";
 * import { formatAlert } from "@falco-streams/core";
 * import { buildAlert } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 * import { rm, writeFile } from "node:fs/promises";
 *
 * const path = `/tmp/falco-streams-example-${crypto.randomUUID()}.json`;
 * await writeFile(path, `${formatAlert(buildAlert({ rule: "Terminal shell in container" }))}\n`);
 * const alerts = followFile(path);
 * for await (const alert of alerts) {
 *   assert.equal(alert.rule, "Terminal shell in container");
 *   break;
 * }
 * await rm(path);
 * ```
 */
export function followFile(path: string, options: FollowFileOptions = {}): FollowedFile {
  const { from = "start", pollMs = 250, once = false, onStatus, clock = systemClock } = options;
  if (!(pollMs > 0)) {
    throw new RangeError(`Cannot follow "${path}" as "pollMs" must be above 0: it is ${pollMs}`);
  }
  if (from !== "start" && from !== "end") requirePosition(from);
  const tail = new FileTail(path, {
    from,
    pollMs,
    once,
    clock,
    onStatus: (status) => onStatus?.(status),
  });
  const ends = new WeakMap<Alert, AlertEnd>();
  const source = new LineSource(
    tail,
    options,
    (alert, offset, file) => file && ends.set(alert, { file, offset }),
  );
  return new FollowedFile(source, ends);
}
