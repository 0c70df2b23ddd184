/** `b64()`. @module */

const LETTERS = /^[A-Za-z0-9+/]*$/;
/** The last letter of two, and of three: the bits that no byte takes must be zero. */
const LAST_OF_TWO = /[AQgw]$/;
const LAST_OF_THREE = /[AEIMQUYcgkosw048]$/;

/**
 * Decodes base64. Padding may be left out, wholly or in part; anything else wrong makes it fail.
 *
 * @param text The text; no blanks, no `-` and `_`.
 * @returns The text that the bytes spell in UTF-8, U+FFFD for what is none; undefined if it fails.
 */
export function decodeBase64(text: string): string | undefined {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 61) end--;
  const letters = text.slice(0, end);
  const tail = end % 4;
  const padding = text.length - end;
  const allowed = tail === 2 ? 2 : tail === 3 ? 1 : 0;
  if (tail === 1 || padding > allowed || !LETTERS.test(letters)) return undefined;
  if (tail === 2 && !LAST_OF_TWO.test(letters)) return undefined;
  if (tail === 3 && !LAST_OF_THREE.test(letters)) return undefined;
  const bytes = Uint8Array.from(atob(letters), (char) => char.charCodeAt(0));
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}
