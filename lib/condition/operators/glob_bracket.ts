/** `[...]` in the patterns of `glob`. @module */

/** What a bracket stands for, and where it ends. */
export interface Bracket {
  /** 1 for each byte that it accepts; undefined if it accepts nothing at all, not even negated. */
  readonly set: Uint8Array | undefined;
  /** The offset behind its end. */
  readonly end: number;
}

const isLower = (code: number) => code >= 97 && code <= 122;
const isUpper = (code: number) => code >= 65 && code <= 90;
const isDigit = (code: number) => code >= 48 && code <= 57;
const isAlpha = (code: number) => isLower(code) || isUpper(code);
const isAlnum = (code: number) => isAlpha(code) || isDigit(code);
const isGraph = (code: number) => code > 32 && code < 127;

/** The classes of POSIX, in the C locale. */
const classes: ReadonlyMap<string, (code: number) => boolean> = new Map([
  ["alnum", isAlnum],
  ["alpha", isAlpha],
  ["blank", (code: number) => code === 32 || code === 9],
  ["cntrl", (code: number) => code < 32 || code === 127],
  ["digit", isDigit],
  ["graph", isGraph],
  ["lower", isLower],
  ["print", (code: number) => isGraph(code) || code === 32],
  ["punct", (code: number) => isGraph(code) && !isAlnum(code)],
  ["space", (code: number) => code === 32 || code >= 9 && code <= 13],
  ["upper", isUpper],
  ["xdigit", (code: number) => isDigit(code) || (code | 32) >= 97 && (code | 32) <= 102],
]);

/**
 * Reads a bracket: characters, ranges `a-z`, classes `[:alpha:]`, all negated by a leading `!` or
 * `^`. A `]` in the first place is a character.
 *
 * @param pattern The pattern, as bytes.
 * @param start The offset behind the opening bracket.
 * @param foldsCase Whether A to Z and a to z are the same; classes always keep them apart.
 * @returns What it stands for; undefined if the bracket is not closed.
 */
export function readBracket(
  pattern: string,
  start: number,
  foldsCase: boolean,
): Bracket | undefined {
  const set = new Uint8Array(256);
  let isKnown = true;
  let at = start;
  const isNegated = pattern[at] === "!" || pattern[at] === "^";
  if (isNegated) at++;

  for (let isFirst = true; isFirst || pattern[at] !== "]"; isFirst = false) {
    if (at >= pattern.length) return undefined;
    const name = /^\[:([a-z]*):\]/.exec(pattern.slice(at, at + 12))?.[1];
    if (name !== undefined) {
      const isMember = classes.get(name);
      if (isMember === undefined) isKnown = false;
      for (let code = 0; code < 128; code++) if (isMember?.(code)) set[code] = 1;
      at += name.length + 4;
      continue;
    }
    const low = readMember(pattern, at);
    if (low === undefined) return undefined;
    at = low.end;
    let high = low;
    if (pattern[at] === "-" && at + 1 < pattern.length && pattern[at + 1] !== "]") {
      const found = readMember(pattern, at + 1);
      if (found === undefined) return undefined;
      high = found;
      at = high.end;
    }
    addRange(set, low.code, high.code, foldsCase);
  }
  for (let code = 0; isNegated && code < 256; code++) set[code] = set[code] === 1 ? 0 : 1;
  return { set: isKnown ? set : undefined, end: at + 1 };
}

/** One character: escaped, in `[.x.]` or `[=x=]`, or as it is. */
function readMember(pattern: string, at: number): { code: number; end: number } | undefined {
  if (at >= pattern.length) return undefined;
  if (pattern[at] === "\\") {
    if (at + 1 >= pattern.length) return undefined;
    return { code: pattern.charCodeAt(at + 1), end: at + 2 };
  }
  const collated = /^\[([.=])([^])\1\]/.exec(pattern.slice(at, at + 5))?.[2];
  if (collated !== undefined) return { code: collated.charCodeAt(0), end: at + 5 };
  return { code: pattern.charCodeAt(at), end: at + 1 };
}

function addRange(set: Uint8Array, low: number, high: number, foldsCase: boolean): void {
  const first = foldsCase ? fold(low) : low;
  const last = foldsCase ? fold(high) : high;
  for (let code = 0; code < 256; code++) {
    const folded = foldsCase ? fold(code) : code;
    if (folded >= first && folded <= last) set[code] = 1;
  }
}

function fold(code: number): number {
  return isUpper(code) ? code + 32 : code;
}
