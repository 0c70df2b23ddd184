/** The patterns of `glob` and `iglob`: fnmatch without flags, in the C locale. @module */
import type { TextTest } from "../values.ts";
import { fromBytes, toBytes, toLowerAscii } from "./ascii.ts";
import { readBracket } from "./glob_bracket.ts";
import { makeWildcard } from "./wildcard.ts";

/** What stands for one byte or for any number of them. */
type Token =
  | { readonly type: "byte"; readonly code: number }
  | { readonly type: "any" }
  | { readonly type: "star" }
  | { readonly type: "set"; readonly set: Uint8Array };

/**
 * Makes a test of a pattern: `*` is any number of bytes, `?` one byte, `[...]` one of some bytes, a
 * backslash takes the next character as it is. The whole text has to match.
 *
 * The time is that of the text, for each 32 bytes of the pattern: all that it could stand for so far is
 * followed at the same time, and nothing is tried again.
 *
 * @param pattern The pattern. One that ends in a backslash matches nothing.
 * @param foldsCase Whether A to Z and a to z are the same.
 * @returns The test.
 */
export function makeGlob(pattern: string, foldsCase: boolean): TextTest {
  const tokens = readTokens(toBytes(pattern), foldsCase);
  if (tokens === undefined) return () => false;
  const pieces = literalPieces(tokens);
  if (pieces === undefined) return makeByteTest(tokens, foldsCase);
  // In UTF-8 no character is part of another, so texts can be searched as they are.
  if (!foldsCase) return makeWildcard(pieces);
  const test = makeWildcard(pieces.map(toLowerAscii));
  return (text) => test(toLowerAscii(text));
}

function readTokens(pattern: string, foldsCase: boolean): Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length;) {
    const char = pattern[at++]!;
    if (char === "*") {
      if (tokens[tokens.length - 1]?.type !== "star") tokens.push({ type: "star" });
    } else if (char === "?") {
      tokens.push({ type: "any" });
    } else if (char === "\\") {
      if (at === pattern.length) return undefined;
      tokens.push({ type: "byte", code: pattern.charCodeAt(at++) });
    } else {
      const bracket = char === "[" ? readBracket(pattern, at, foldsCase) : undefined;
      if (bracket === undefined) {
        // A bracket that is not closed is a bracket.
        tokens.push({ type: "byte", code: char.charCodeAt(0) });
      } else {
        if (bracket.set === undefined) return undefined;
        tokens.push({ type: "set", set: bracket.set });
        at = bracket.end;
      }
    }
  }
  return tokens;
}

/** The pieces between the stars, if there is nothing but stars and bytes. */
function literalPieces(tokens: readonly Token[]): string[] | undefined {
  const pieces = [""];
  for (const token of tokens) {
    if (token.type === "star") pieces.push("");
    else if (token.type === "byte") {
      pieces[pieces.length - 1] += String.fromCharCode(token.code);
    } else return undefined;
  }
  return pieces.map(fromBytes);
}

/**
 * Follows a text with a bit for each place in the pattern: bit n is set if the first n tokens that are
 * no stars can stand for what was read.
 */
function makeByteTest(tokens: readonly Token[], foldsCase: boolean): TextTest {
  const last = tokens.filter((token) => token.type !== "star").length;
  const width = (last >> 5) + 1;
  // Places with a star: any byte leaves them as they are.
  const stays = new Int32Array(width);
  // Places that each byte leads to, from the one before.
  const leads = new Int32Array(256 * width);
  let place = 0;
  for (const token of tokens) {
    if (token.type === "star") {
      setBit(stays, 0, place);
      continue;
    }
    place++;
    for (let byte = 0; byte < 256; byte++) {
      if (accepts(token, byte, foldsCase)) setBit(leads, byte * width, place);
    }
  }
  const endsOpen = hasBit(stays, last);
  return (text) => {
    const places = new Int32Array(width);
    places[0] = 1;
    const bytes = toBytes(text);
    for (let at = 0; at < bytes.length; at++) {
      const row = bytes.charCodeAt(at) * width;
      let carry = 0;
      let any = 0;
      for (let word = 0; word < width; word++) {
        const now = places[word]!;
        const next = (now << 1 | carry) & leads[row + word]! | now & stays[word]!;
        carry = now >>> 31;
        any |= next;
        places[word] = next;
      }
      if (any === 0) return false;
      if (endsOpen && hasBit(places, last)) return true;
    }
    return hasBit(places, last);
  };
}

function accepts(token: Token, byte: number, foldsCase: boolean): boolean {
  if (token.type === "set") return token.set[byte] === 1;
  if (token.type !== "byte") return true;
  const { code } = token;
  return byte === code || foldsCase && isLetter(code) && (byte | 32) === (code | 32);
}

function setBit(words: Int32Array, from: number, bit: number): void {
  words[from + (bit >> 5)]! |= 1 << (bit & 31);
}

function hasBit(words: Int32Array, bit: number): boolean {
  return (words[bit >> 5]! & 1 << (bit & 31)) !== 0;
}

function isLetter(code: number): boolean {
  const lower = code | 32;
  return lower >= 97 && lower <= 122;
}
