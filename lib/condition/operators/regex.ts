/** The operator `regex`: POSIX expressions as RE2 reads them for Falco. @module */
import type { TextTest } from "../values.ts";
import { containsOneOf } from "./contains_one_of.ts";
import { makeLinearRegex } from "./linear_regex.ts";
import { readPosixRegex } from "./posix_regex.ts";
import { makeWildcard } from "./wildcard.ts";

/** A regular expression that is no good, and why. */
export interface InvalidRegex {
  /** Why Falco's engine does not take it. */
  readonly reason: string;
}

/**
 * Makes a test of a regular expression that has to match the whole text.
 *
 * @param pattern The expression.
 * @returns The test; for an invalid expression, which Falco accepts and never matches, the reason.
 */
export function makeRegex(pattern: string): TextTest | InvalidRegex {
  const read = readPosixRegex(pattern);
  if (read.error !== undefined) return { reason: read.error };
  if (read.pieces !== undefined) {
    const test = makeWildcard(read.pieces);
    // The dot does not match a line break, so ".*" goes as far as the line does.
    return read.pieces.length === 1 ? test : (text) => !text.includes("\n") && test(text);
  }
  try {
    const test = makeLinearRegex(read.pattern);
    const { required } = read;
    if (required === undefined) return test;
    const mayMatch = containsOneOf(required);
    return (text) => mayMatch(text) && test(text);
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}
