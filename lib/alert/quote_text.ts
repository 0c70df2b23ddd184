/** Text from outside, made harmless for messages. @module */

/** Controls (those of C1 drive terminals too), and the invisible: marks that reorder a line, odd line breaks. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Quotes text that an attacker may have chosen, so that a message with it can be printed.
 *
 * @param text The text; of a long one the first 40 characters are shown.
 * @returns The text in double quotes, escaped as in JSON, with whatever has no shape escaped too.
 */
export function quoteText(text: string): string {
  return JSON.stringify(text.slice(0, 40)).replace(
    UNPRINTABLE,
    (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`,
  );
}
