/** Literal pieces with anything between them. @module */
import type { TextTest } from "../values.ts";

/**
 * Makes a test for text that consists of pieces, in order, with any characters between each two.
 *
 * @param pieces At least one; a first or last one that is empty leaves that end open.
 * @returns The test. It looks at each character a bounded number of times, whatever the pieces are.
 */
export function makeWildcard(pieces: readonly string[]): TextTest {
  const first = pieces[0]!;
  if (pieces.length === 1) return (text) => text === first;
  const last = pieces[pieces.length - 1]!;
  const middle = pieces.slice(1, -1).filter((piece) => piece !== "");
  if (middle.length === 0) {
    if (first === "" && last === "") return () => true;
    if (last === "") return (text) => text.startsWith(first);
    if (first === "") return (text) => text.endsWith(last);
  }
  if (middle.length === 1 && first === "" && last === "") {
    const piece = middle[0]!;
    return (text) => text.includes(piece);
  }
  return (text) => {
    const end = text.length - last.length;
    let from = first.length;
    if (from > end || !text.startsWith(first) || !text.endsWith(last)) return false;
    for (const piece of middle) {
      const at = text.indexOf(piece, from);
      // The leftmost place leaves the most room for what follows.
      if (at < 0 || at + piece.length > end) return false;
      from = at + piece.length;
    }
    return true;
  };
}
