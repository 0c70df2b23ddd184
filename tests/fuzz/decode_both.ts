/** A message through our decoder and through protobuf's own, compared. @module */
import { fromBinary } from "@bufbuild/protobuf";
import assert from "node:assert/strict";
import { responseSchema } from "../../gen/outputs_pb.ts";
import type { response } from "../../gen/outputs_pb.ts";
import type { Alert } from "../../lib/alert/alert.ts";
import { AlertReader, decodeAlert } from "../../lib/alert/decode_alert.ts";
import { priorities } from "../../lib/alert/priority.ts";
import { toAlertTime } from "../../lib/alert/time.ts";
import { AlertFormatError } from "../../lib/errors.ts";

/** What protobuf's own reader lets pass, and ours refuses with good reason. */
const stricter = /has wire type|unknown priority|longer than its length says/;

/** Our reader, which counts the texts that it had to mend. */
export class CountingReader extends AlertReader {
  readonly #counts: { mended: number };

  /** A reader that has read nothing yet. */
  constructor() {
    const counts = { mended: 0 };
    super({ onInvalidUtf8: () => void counts.mended++ });
    this.#counts = counts;
  }

  /** How many texts so far. */
  get mended(): number {
    return this.#counts.mended;
  }
}

/** What became of a message. */
export type Verdict = "alert" | "refused";

/** The alert in a message, as protobuf's own reader sees it. */
export function alertOf(message: response): Alert {
  const { rule, output, outputFields, hostname, tags } = message;
  const { seconds, nanos } = message.time ?? { seconds: 0n, nanos: 0 };
  const priority = priorities[message.priority]!;
  const name = ["syscall", "k8s_audit", "internal"][message.sourceDeprecated] ?? "plugin";
  const source = message.source === "" ? name : message.source;
  const time = toAlertTime(Number(seconds), nanos);
  return { time, priority, source, rule, output, outputFields, hostname, tags };
}

/**
 * Decodes a message in each of the three ways, and fails unless they agree.
 *
 * @param bytes Any bytes.
 * @param reader A reader that has read anything before.
 * @returns What became of it.
 * @throws {AssertionError} If a decoder threw anything but an `AlertFormatError`, or saw another alert.
 */
export function decodeBoth(bytes: Uint8Array, reader: CountingReader): Verdict {
  const before = reader.mended;
  const ours = attempt(() => reader.decode(bytes));
  const mended = reader.mended - before;
  let mendedOnce = 0;
  const once = attempt(() => decodeAlert(bytes, { onInvalidUtf8: () => void mendedOnce++ }));
  if (ours instanceof Error || once instanceof Error) {
    assert(ours instanceof AlertFormatError, `not an AlertFormatError: ${String(ours)}`);
    assert(once instanceof AlertFormatError, `not an AlertFormatError: ${String(once)}`);
    assert.equal(once.message, ours.message);
  } else {
    assert.deepEqual(ours, once);
    assert.equal(mended, mendedOnce);
    assert.equal(Object.getPrototypeOf(ours.outputFields), Object.prototype);
  }
  const theirs = attempt(() => fromBinary(responseSchema, bytes));
  if (ours instanceof Error) {
    assert(
      theirs instanceof Error || stricter.test(ours.message),
      `refused alone: ${ours.message}`,
    );
    return "refused";
  }
  if (theirs instanceof Error) {
    assert(mended > 0, `accepted alone: ${String(theirs)}`); // they refuse what is not UTF-8
  } else {
    assert.equal(mended, 0);
    assert.deepEqual(ours, alertOf(theirs));
  }
  return "alert";
}

function attempt<T>(work: () => T): T | Error {
  try {
    return work();
  } catch (error) {
    return error instanceof Error ? error : new Error(`thrown: ${String(error)}`);
  }
}
