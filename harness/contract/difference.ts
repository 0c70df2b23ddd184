/** That something is not as Falco does it. @module */
import { isDeepStrictEqual } from "node:util";
import { FalcoError } from "../../lib/errors.ts";

/** The target does something else than Falco. The message says what was seen. */
export class Difference extends FalcoError {
  /** The name of the class. */
  override name: string = "Difference";
}

/**
 * Compares.
 *
 * @param what What was looked at, for the message.
 * @param seen What the target did.
 * @param expected What Falco does.
 * @throws {Difference} If it is not the same.
 */
export function same(what: string, seen: unknown, expected: unknown): void {
  if (isDeepStrictEqual(seen, expected)) return;
  throw new Difference(`${what}: ${show(seen)} instead of ${show(expected)}`);
}

/**
 * Insists.
 *
 * @param condition What must be so.
 * @param seen What is seen if it is not.
 * @throws {Difference} If it is not.
 */
export function insist(condition: boolean, seen: string): asserts condition {
  if (!condition) throw new Difference(seen);
}

/** What a target sent may be long, and hostile. */
function show(value: unknown): string {
  const text = JSON.stringify(value, (_, part) => typeof part === "bigint" ? String(part) : part);
  if (text === undefined) return "nothing";
  return text.length <= 160 ? text : `${text.slice(0, 157)}...`;
}
