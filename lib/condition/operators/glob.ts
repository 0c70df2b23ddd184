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

const ANY = 256;
const STAR = 257;
const FIRST_SET = 258;

/**
 * Makes a test of a pattern: `*` is any number of bytes, `?` one byte, `[...]` one of some bytes, a
 * backslash takes the next character as it is. The whole text has to match.
 *
 * The time is that of the text multiplied by that of the pattern at worst, and never more: only the
 * last star is tried again.
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

function makeByteTest(tokens: readonly Token[], foldsCase: boolean): TextTest {
  const sets: Uint8Array[] = [];
  const codes = Uint16Array.from(tokens, (token) => {
    if (token.type === "any") return ANY;
    if (token.type === "star") return STAR;
    if (token.type === "byte" && !(foldsCase && isLetter(token.code))) return token.code;
    sets.push(token.type === "set" ? token.set : bothCases(token.code));
    return FIRST_SET + sets.length - 1;
  });
  return (text) => matchBytes(toBytes(text), codes, sets);
}

function matchBytes(bytes: string, codes: Uint16Array, sets: readonly Uint8Array[]): boolean {
  let at = 0;
  let token = 0;
  let starToken = -1;
  let starAt = 0;
  while (at < bytes.length) {
    const code = codes[token] ?? -1;
    const byte = bytes.charCodeAt(at);
    if (code === STAR) {
      starToken = ++token;
      starAt = at;
    } else if (
      code === byte || code === ANY || code >= FIRST_SET && sets[code - FIRST_SET]![byte] === 1
    ) {
      token++;
      at++;
    } else {
      if (starToken < 0) return false;
      token = starToken;
      at = ++starAt;
    }
  }
  while (codes[token] === STAR) token++;
  return token === codes.length;
}

function isLetter(code: number): boolean {
  const lower = code | 32;
  return lower >= 97 && lower <= 122;
}

function bothCases(code: number): Uint8Array {
  const set = new Uint8Array(256);
  set[code | 32] = 1;
  set[code & ~32] = 1;
  return set;
}
