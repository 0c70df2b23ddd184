/** Takes what is private out of alerts. @module */
import type { Alert, FieldValue } from "../alert/alert.ts";
import { operatorStages } from "./engine/operator_stages.ts";
import { OperatorStream } from "./engine/operator_stream.ts";
import { MapAsyncStream } from "./map_async_stream.ts";
import { MapStream } from "./map_stream.ts";
import { replaceTexts } from "./replace_texts.ts";

/**
 * Options of {@linkcode RedactStream}.
 *
 * @example
 * ```ts
 * import type { RedactStreamOptions } from "@falco-streams/core/streams";
 *
 * const options: RedactStreamOptions = { mask: "[removed]" };
 * console.assert(options.mask === "[removed]");
 * ```
 */
export interface RedactStreamOptions {
  /**
   * What stands for every value.
   *
   * @default {"***"}
   */
  mask?: string;
  /**
   * Puts a hash in the place of a value instead: equal values are still seen to be equal. It is the
   * first half of an HMAC-SHA-256 with this text as its key, as 32 hexadecimal digits. Not empty.
   *
   * The key is to be kept secret: names and addresses are so few that without a key anybody could hash
   * them all and compare.
   *
   * @default No hashes.
   */
  hashKey?: string;
}

/**
 * Takes the values of some output fields out of alerts, and out of their text.
 *
 * - A field that is named, or whose name a pattern matches, gets the mask or a hash as its value. A
 *   field without a value (`null` or `<NA>`) stays as it is.
 * - Wherever such a value occurs in `output` or `message`, it is replaced there too: text and numbers,
 *   as they are and as they are written in JSON (over gRPC `output` may be a line of JSON). Even a short
 *   value is replaced wherever it occurs, be it in the middle of a word.
 * - Other fields are not searched: a name can be in `proc.cmdline` too, so name that field as well. Nor is
 *   text found that Falco wrote otherwise than the field has it, such as a part of it.
 * - If the values to be replaced have more than a million characters in all, `output` and `message`
 *   become the mask as a whole, `***` where there are hashes: an alert is not to keep the stream busy.
 * - An alert in which there is nothing to replace is handed on as the very object.
 *
 * Hashes are made by WebCrypto, which is there on every runtime but answers later. With `hashKey` this
 * operator is therefore a `MapAsyncStream`: up to 16 alerts are under way, in their order.
 *
 * @example
 * ```ts
 * import { EventStream, RedactStream } from "@falco-streams/core/streams";
 * import type { Alert } from "@falco-streams/core";
 * import { buildAlert } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const alert: Alert = buildAlert({
 *   output: "Shell run by alice (user=alice)",
 *   outputFields: { "user.name": "alice", "proc.name": "bash" },
 * });
 * const redacted = EventStream.from([alert]).pipeThrough(new RedactStream(["user.name", /^fd\./]));
 * const [clean] = await Array.fromAsync(redacted);
 * assert.equal(clean?.output, "Shell run by *** (user=***)");
 * assert.deepEqual(clean?.outputFields, { "user.name": "***", "proc.name": "bash" });
 * ```
 */
export class RedactStream extends OperatorStream<Alert, Alert> {
  /**
   * Creates the operator.
   *
   * @param fields Names of fields, and patterns that match a part of a name or all of it.
   * @param options See {@linkcode RedactStreamOptions}.
   *
   * @throws {TypeError} when `fields` holds anything but text and patterns, or nothing, when `mask` or
   * `hashKey` is not text, `hashKey` is empty, or both are given.
   */
  constructor(fields: Iterable<string | RegExp>, options: RedactStreamOptions = {}) {
    const { mask, hashKey } = options;
    const names = new Set<string>();
    const patterns: RegExp[] = [];
    for (const field of fields) {
      if (typeof field === "string") names.add(field);
      else if (field instanceof RegExp) patterns.push(field);
      else throw optionError(`"fields" must hold text and patterns: it holds "${String(field)}"`);
    }
    if (names.size + patterns.length === 0) throw optionError(`"fields" must not be empty`);
    if (mask !== undefined && typeof mask !== "string") throw optionError(`"mask" must be text`);
    if (hashKey !== undefined && (typeof hashKey !== "string" || hashKey === "")) {
      throw optionError(`"hashKey" must be text, and not empty`);
    }
    if (mask !== undefined && hashKey !== undefined) {
      throw optionError(`"mask" and "hashKey" cannot both be given`);
    }
    // search() takes no notice of what a pattern with the flag "g" found last.
    const isPrivate = (name: string): boolean =>
      names.has(name) || patterns.some((pattern) => name.search(pattern) >= 0);
    const operator = hashKey === undefined
      ? new MapStream((alert: Alert) => masked(alert, isPrivate, mask ?? defaultMask))
      : new MapAsyncStream(hasher(isPrivate, hashKey), { concurrency: 16 });
    super(operator[operatorStages]());
  }
}

const defaultMask = "***";

function optionError(state: string): TypeError {
  return new TypeError(`Cannot create RedactStream: ${state}`);
}

/** The private fields that have a value, and that value as text. */
function privateTexts(
  alert: Alert,
  isPrivate: (name: string) => boolean,
): { name: string; value: FieldValue; text: string }[] {
  return Object.entries(alert.outputFields)
    .filter(([name, value]) => value !== null && value !== "<NA>" && isPrivate(name))
    .map(([name, value]) => ({ name, value, text: textOf(value) }));
}

function masked(alert: Alert, isPrivate: (name: string) => boolean, mask: string): Alert {
  const found = privateTexts(alert, isPrivate);
  return replaced(alert, found.map((field) => ({ ...field, by: mask })), mask);
}

function hasher(
  isPrivate: (name: string) => boolean,
  hashKey: string,
): (alert: Alert) => Promise<Alert> {
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  let imported: Promise<CryptoKey> | undefined;
  return async (alert) => {
    const found = privateTexts(alert, isPrivate);
    if (found.length === 0) return alert;
    imported ??= crypto.subtle.importKey("raw", encoder.encode(hashKey), algorithm, false, [
      "sign",
    ]);
    const key = await imported;
    return replaced(
      alert,
      await Promise.all(found.map(async (field) => {
        const signature = await crypto.subtle.sign("HMAC", key, encoder.encode(field.text));
        const half = [...new Uint8Array(signature, 0, 16)];
        return { ...field, by: half.map((byte) => byte.toString(16).padStart(2, "0")).join("") };
      })),
      defaultMask,
    );
  };
}

function replaced(
  alert: Alert,
  found: readonly { name: string; value: FieldValue; text: string; by: string }[],
  whole: string,
): Alert {
  if (found.length === 0) return alert;
  const newValues = new Map(found.map(({ name, by }) => [name, by]));
  const replacements = new Map<string, string>();
  for (const { value, text, by } of found) {
    for (const leaf of leavesOf(value)) {
      // A part of a list has no hash of its own; what stands for the list stands for it.
      replacements.set(leaf, leaf === text ? by : replacements.get(leaf) ?? by);
      replacements.set(JSON.stringify(leaf).slice(1, -1), replacements.get(leaf)!);
    }
  }
  const clean = (text: string): string => replaceTexts(text, replacements) ?? whole;
  const outputFields = Object.fromEntries(
    Object.entries(alert.outputFields).map(([name, value]) => [name, newValues.get(name) ?? value]),
  );
  const { message } = alert;
  return {
    ...alert,
    output: clean(alert.output),
    outputFields,
    ...(message === undefined ? {} : { message: clean(message) }),
  };
}

function textOf(value: FieldValue): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object") return String(value);
  return JSON.stringify(value, (_, one) => typeof one === "bigint" ? String(one) : one);
}

/** The texts and numbers in a value; true and false say nothing where they stand alone. */
function leavesOf(value: FieldValue): string[] {
  const leaves: string[] = [];
  const rest: FieldValue[] = [value];
  while (rest.length > 0) {
    const one = rest.pop()!;
    if (typeof one === "object") { for (const part of Object.values(one ?? {})) rest.push(part); }
    else if (typeof one !== "boolean" && one !== "") leaves.push(String(one));
  }
  return leaves;
}
