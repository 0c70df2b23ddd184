/** Looks for several literal texts at the same time. @module */
import type { TextTest } from "../values.ts";

/**
 * Makes a test for text that contains one of several pieces.
 *
 * The platform's regular expressions find a piece among several in one pass, where `includes` takes
 * a pass for each. There is nothing in these that could be tried in two ways: at each place every
 * piece is compared once at most, so the time is that of the text times that of the pieces.
 *
 * @param pieces The pieces, at least one.
 * @returns The test.
 */
export function containsOneOf(pieces: readonly string[]): TextTest {
  const [only] = pieces;
  if (pieces.length === 1) return (text) => text.includes(only!);
  const anyPiece = new RegExp(pieces.map(escapeSigns).join("|"));
  return (text) => anyPiece.test(text);
}

function escapeSigns(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
