/** What a recording's name says. @module */
import { basename } from "node:path";
import { UsageError } from "../usage_error.ts";

/**
 * How alerts are written: `json`, Falco's JSON lines, or `wire`, the messages as they are on the wire,
 * in base64.
 */
export type RecordForm = "json" | "wire";

/** A file's name, taken apart. */
export interface RecordName {
  readonly form: RecordForm;
  /** The path without its kind. */
  readonly stem: string;
  /** Its kind with the dot, such as `.wire.jsonl`. */
  readonly extension: string;
}

/**
 * Takes a file's name apart.
 *
 * @param path The path that was given.
 * @returns Its parts.
 * @throws {UsageError} If it does not say what to write.
 */
export function recordName(path: string): RecordName {
  const [extension] = /(?:\.wire\.jsonl|\.jsonl|\.ndjson|\.json)$/i.exec(path) ?? [];
  const stem = path.slice(0, path.length - (extension?.length ?? 0));
  if (extension === undefined || basename(stem) === "" || stem.endsWith("/")) {
    throw new UsageError(
      `${path}: unknown kind of recording. ` +
        "Name it .wire.jsonl (as on the wire) or .jsonl, .ndjson or .json (Falco's JSON lines)",
    );
  }
  return { form: /^\.wire\./i.test(extension) ? "wire" : "json", stem, extension };
}

/**
 * Names the files of a recording that is cut by size.
 *
 * @param name The name that was given.
 * @param number From 1.
 * @returns Such as `alerts.0001.wire.jsonl`: the kind stays at the end, and a shell lists them in order.
 */
export function numberedName({ stem, extension }: RecordName, number: number): string {
  return `${stem}.${String(number).padStart(4, "0")}${extension}`;
}
