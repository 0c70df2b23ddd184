/** Text as Falco sees it: bytes of UTF-8, of which only A to Z have another case. @module */

// deno-lint-ignore no-control-regex
const NOT_ASCII = /[^\x00-\x7f]/;

/**
 * Says whether a text has nothing but ASCII.
 *
 * @param text The text.
 * @returns False if one of its characters has more than one byte.
 */
export function isAscii(text: string): boolean {
  return !NOT_ASCII.test(text);
}

/**
 * Folds A to Z; no other letter.
 *
 * @param text The text.
 * @returns The text in lower case.
 */
export function toLowerAscii(text: string): string {
  if (isAscii(text)) return text.toLowerCase();
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/**
 * Raises a to z; no other letter.
 *
 * @param text The text.
 * @returns The text in upper case.
 */
export function toUpperAscii(text: string): string {
  if (isAscii(text)) return text.toUpperCase();
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}

/**
 * Counts the bytes of a text in UTF-8.
 *
 * @param text The text; half a surrogate pair counts as the three bytes of U+FFFD.
 * @returns How many.
 */
export function byteLength(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x80) continue;
    if (code < 0x800) length += 1;
    else if (code >= 0xd800 && code < 0xdc00 && isLowSurrogate(text.charCodeAt(index + 1))) {
      length += 2;
      index++;
    } else length += 2;
  }
  return length;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}

/**
 * Spells a text as bytes: one character, U+0000 to U+00FF, for each byte of UTF-8.
 *
 * @param text The text.
 * @returns The same string if it is ASCII.
 */
export function toBytes(text: string): string {
  if (isAscii(text)) return text;
  let bytes = "";
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return bytes;
}

/**
 * The text that bytes spell.
 *
 * @param bytes As {@linkcode toBytes} gives them.
 * @returns The text; what is no UTF-8 becomes U+FFFD.
 */
export function fromBytes(bytes: string): string {
  if (isAscii(bytes)) return bytes;
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(
    Uint8Array.from(bytes, (char) => char.charCodeAt(0)),
  );
}
