/** Escapes and `[...]` in regular expressions, as RE2 reads them with `posix_syntax`. @module */
import { quoteText } from "../../alert/quote_text.ts";

const MAX_CODE = 0x10ffff;

const LETTER_ESCAPES: ReadonlyMap<string, number> = new Map([
  ["a", 7],
  ["f", 12],
  ["n", 10],
  ["r", 13],
  ["t", 9],
  ["v", 11],
]);

const GROUPS: ReadonlySet<string> = new Set([
  "alnum",
  "alpha",
  "ascii",
  "blank",
  "cntrl",
  "digit",
  "graph",
  "lower",
  "print",
  "punct",
  "space",
  "upper",
  "word",
  "xdigit",
]);

/** A character that an escape stands for. */
export type Escape =
  | { readonly code: number; readonly end: number; readonly error: undefined }
  | { readonly error: string };

/** A set of characters. */
export type CharacterSet =
  | {
    readonly pattern: string;
    /** The character, if the set has but one: `[.]` is how a condition escapes a dot. */
    readonly only: string | undefined;
    readonly end: number;
    readonly error: undefined;
  }
  | { readonly error: string };

/**
 * Reads what follows a backslash: a sign that is meant as it is, `\n` and its like, `\x61`,
 * `\x{61}`, or octal digits.
 *
 * @param source The expression.
 * @param at The offset behind the backslash.
 * @returns The character, or why there is none.
 */
export function readEscape(source: string, at: number): Escape {
  if (at >= source.length) return { error: "it ends in a backslash" };
  const code = source.codePointAt(at)!;
  const char = String.fromCodePoint(code);
  const bad: Escape = { error: `there is no escape ${quoteText(`\\${char}`)}` };
  const rest = source.slice(at, at + 20);
  const octal = /^(?:[1-7][0-7][0-7]?|0[0-7]{0,2})/.exec(rest)?.[0];
  if (octal !== undefined) return found(parseInt(octal, 8), at + octal.length);
  const hex = /^x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]+)\})/.exec(rest);
  if (hex !== null) {
    const value = parseInt(hex[1] ?? hex[2]!, 16);
    return value > MAX_CODE ? bad : found(value, at + hex[0].length);
  }
  const letter = LETTER_ESCAPES.get(char);
  if (letter !== undefined) return found(letter, at + 1);
  if (code >= 0x80 || /[a-zA-Z0-9]/.test(char)) return bad;
  return found(code, at + 1);
}

function found(code: number, end: number): Escape {
  return { code, end, error: undefined };
}

/**
 * Reads a set: characters, ranges, escapes and `[:alpha:]`, all negated by a leading `^`. A `]` in
 * the first place is a character; a `-` is one in the first and the last.
 *
 * @param source The expression.
 * @param start The offset behind the opening bracket.
 * @returns The set in RE2's usual syntax, or why there is none.
 */
export function readSet(source: string, start: number): CharacterSet {
  let at = start;
  let pattern = "[";
  let only: number | undefined;
  const isNegated = source[at] === "^";
  if (isNegated) {
    pattern += "^";
    at++;
  }
  for (let isFirst = true; isFirst || source[at] !== "]"; isFirst = false) {
    if (at >= source.length) return { error: 'a "]" is missing' };
    if (source[at] === "-" && !isFirst && source[at + 1] !== "]") {
      return { error: 'a "-" in brackets must be the first or the last' };
    }
    const group = /^\[:(\^?)(.*?):\]/s.exec(source.slice(at));
    if (group !== null) {
      if (!GROUPS.has(group[2]!)) return { error: `there is no class ${quoteText(group[0])}` };
      pattern += group[0];
      at += group[0].length;
      only = undefined;
      continue;
    }
    const low = readCharacter(source, at);
    if (low.error !== undefined) return low;
    at = low.end;
    pattern += hex(low.code);
    only = isFirst && !isNegated ? low.code : undefined;
    if (source[at] !== "-" || at + 1 >= source.length || source[at + 1] === "]") continue;
    const high = readCharacter(source, at + 1);
    if (high.error !== undefined) return high;
    if (high.code < low.code) {
      return { error: `${quoteText(source.slice(at - 1, high.end))} is no valid range` };
    }
    pattern += `-${hex(high.code)}`;
    if (high.code !== low.code) only = undefined;
    at = high.end;
  }
  return {
    pattern: `${pattern}]`,
    only: only === undefined ? undefined : String.fromCodePoint(only),
    end: at + 1,
    error: undefined,
  };
}

function readCharacter(source: string, at: number): Escape {
  if (source[at] === "\\") return readEscape(source, at + 1);
  const code = source.codePointAt(at)!;
  return found(code, at + String.fromCodePoint(code).length);
}

function hex(code: number): string {
  return `\\x{${code.toString(16)}}`;
}
