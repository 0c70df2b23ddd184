/** The operator `icontains`. @module */
import type { TextTest } from "../values.ts";
import { isAscii, toLowerAscii } from "./ascii.ts";

/**
 * Makes a test for text that contains a piece, whatever the case of A to Z is in both.
 *
 * @param piece The piece.
 * @returns The test.
 */
export function containsFolded(piece: string): TextTest {
  const lower = toLowerAscii(piece);
  if (!isAscii(lower)) return (text) => toLowerAscii(text).includes(lower);
  // The platform folds more letters, some to ASCII (U+212A to "k"): it finds all that is to be found,
  // and what it finds in other text than ASCII is looked at again.
  return (text) =>
    text.toLowerCase().includes(lower) && (isAscii(text) || toLowerAscii(text).includes(lower));
}
