/** Text that watched processes chose, made safe to show on a terminal. @module */

/**
 * What is never shown raw. Listed by number rather than as `\p{Cf}`: the runtimes do not agree on a
 * version of Unicode, and the same alert is to look the same on all of them.
 *
 * - `\p{Cc}`: C0 with ESC, tab and line breaks, DEL, and C1 with CSI (U+009B) and NEL (U+0085)
 * - U+00AD, U+180E, U+200B to U+200D, U+2060 to U+206F, U+FEFF, U+E0000 to U+E0FFF: not to be seen,
 *   so that `ba<U+200B>sh` would look like `bash`
 * - U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069: turn the direction of text around
 * - U+2028, U+2029: line and paragraph separator
 * - U+FFF9 to U+FFFB: marks of annotations
 * - U+D800 to U+DFFF: half of a surrogate pair (a whole pair is one character to this expression)
 */
const HARMFUL =
  /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\u{e0000}-\u{e0fff}]/gu;

/**
 * Shows the characters that a terminal would obey, or would not show, as escapes.
 *
 * Control characters become `\n`, `\r`, `\t` or `\x1b`; the others `\u202e` or `\u{e0041}`. All
 * other text stays as it is, whatever its script. A backslash stays single, so the way back is not
 * safe: this is for eyes, JSON is for programs.
 *
 * @param text Any text.
 * @returns One line that cannot move the cursor, set a title or colour, or reorder what stands beside
 * it. The same text for the same input on every runtime.
 */
export function harmless(text: string): string {
  return text.replace(HARMFUL, escape);
}

function escape(character: string): string {
  if (character === "\n") return "\\n";
  if (character === "\r") return "\\r";
  if (character === "\t") return "\\t";
  const hex = character.codePointAt(0)!.toString(16);
  if (hex.length <= 2) return `\\x${hex.padStart(2, "0")}`;
  return hex.length <= 4 ? `\\u${hex.padStart(4, "0")}` : `\\u{${hex}}`;
}
