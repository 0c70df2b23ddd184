/** The only file that knows which engine matches regular expressions. @module */
import { RE2JS } from "re2js";
import type { TextTest } from "../values.ts";

/**
 * Makes a test of a regular expression that has to match the whole text. The engine's time is
 * linear in the length of the text, whatever the expression is: it simulates an automaton and never
 * goes back.
 *
 * @param pattern The expression in RE2's syntax, in which `^` and `$` also match at line breaks.
 * @returns The test.
 *
 * @throws {Error} when the engine does not take the expression, because it is too large.
 */
export function makeLinearRegex(pattern: string): TextTest {
  const regex = RE2JS.compile(pattern, RE2JS.MULTILINE);
  return (text) => regex.matches(text);
}
