/**
 * Reads a regular expression in the syntax that RE2 has with its option `posix_syntax`, and spells it
 * for an engine with RE2's usual syntax.
 *
 * What the usual syntax has on top is refused, as Falco's engine does: `\d`, `\w`, `\s`, `\b`, `\A`,
 * `\pL`, `(?i)`, `(?:`, and `*?` means "any number, or nothing".
 *
 * @module
 */
import { quoteText } from "../../alert/quote_text.ts";
import { readEscape, readSet } from "./posix_set.ts";
import { RequiredText } from "./required_text.ts";

/** RE2 refuses to repeat more often. */
const MAX_REPEAT = 1000;

/** An expression as it was read. */
export interface PosixRegex {
  /** The same in RE2's usual syntax, where `^` and `$` have to match at line breaks too. */
  readonly pattern: string;
  /** The literal texts between `.*`, if there is nothing else in it; none has a line break. */
  readonly pieces: readonly string[] | undefined;
  /** Texts of which one is in whatever it matches; undefined if nothing is known. */
  readonly required: readonly string[] | undefined;
  /** Why it is invalid; undefined if it is not. */
  readonly error: string | undefined;
}

/** What stands between two `|`, or in a group. */
interface Level {
  /** The finished alternatives, each with its `|`. */
  alternatives: string;
  /** The finished items of this alternative. */
  items: string;
  /** The last item, which a `*` would repeat; undefined if there is none. */
  last: string | undefined;
  /** The sign that repeated the last item, for `**` is `*`. */
  sign: string;
}

/**
 * Reads an expression.
 *
 * @param source The expression.
 * @returns What it says, or why it is invalid.
 */
export function readPosixRegex(source: string): PosixRegex {
  const error = (reason: string): PosixRegex => ({
    pattern: "",
    pieces: undefined,
    required: undefined,
    error: reason,
  });
  const open: Level[] = [];
  let level = newLevel();
  const pieces = new Pieces();
  const required = new RequiredText();

  for (let at = 0; at < source.length;) {
    const char = String.fromCodePoint(source.codePointAt(at)!);
    const rest = source.slice(at);
    at += char.length;
    const repeat = char === "{" ? readRepeat(rest) : undefined;
    if (char === "*" || char === "+" || char === "?" || repeat !== undefined) {
      if (level.last === undefined) return error(`there is nothing to repeat before "${char}"`);
      if (repeat !== undefined) {
        if (repeat.isTooMuch) return error(`${quoteText(repeat.text)} is no valid repetition`);
        at += repeat.text.length - 1;
        repeatLast(level, repeat.text);
      } else repeatLast(level, char);
      pieces.repeat(repeat?.text ?? char);
      required.repeat(repeat === undefined ? char !== "+" : repeat.isOptional);
      continue;
    }
    if (char === "(") {
      open.push(level);
      level = newLevel();
      pieces.give();
      required.openGroup();
    } else if (char === ")") {
      const outer = open.pop();
      if (outer === undefined) return error('a ")" is too much');
      const group = `(?:${finish(level)})`;
      level = outer;
      addItem(level, group);
      required.closeGroup();
    } else if (char === "|") {
      level.alternatives += `${level.items}${level.last ?? ""}|`;
      Object.assign(level, { items: "", last: undefined, sign: "" });
      pieces.give();
      required.alternative();
    } else if (char === "^" || char === "$") {
      addItem(level, char);
      required.other();
      // At the very ends they add nothing, as the whole text has to match.
      if (char === "^" ? at > 1 : at < source.length) pieces.give();
      else pieces.anchor();
    } else if (char === ".") {
      addItem(level, ".");
      required.other();
      pieces.dot();
    } else if (char === "[") {
      const set = readSet(source, at);
      if (set.error !== undefined) return error(set.error);
      at = set.end;
      addItem(level, set.pattern);
      if (set.only === undefined) {
        required.other();
        pieces.give();
      } else {
        required.literal(set.only);
        pieces.literal(set.only);
      }
    } else {
      let literal = char;
      if (char === "\\") {
        const escape = readEscape(source, at);
        if (escape.error !== undefined) return error(escape.error);
        literal = String.fromCodePoint(escape.code);
        at = escape.end;
      }
      addItem(level, spell(literal.codePointAt(0)!));
      pieces.literal(literal);
      required.literal(literal);
    }
  }
  if (open.length > 0) return error('a ")" is missing');
  return {
    pattern: finish(level),
    pieces: pieces.result(),
    required: required.result(),
    error: undefined,
  };
}

function newLevel(): Level {
  return { alternatives: "", items: "", last: undefined, sign: "" };
}

function finish(level: Level): string {
  return `${level.alternatives}${level.items}${level.last ?? ""}`;
}

function addItem(level: Level, item: string): void {
  level.items += level.last ?? "";
  level.last = item;
  level.sign = "";
}

function repeatLast(level: Level, sign: string): void {
  const isPlain = sign.length === 1 && level.sign.length === 1;
  if (isPlain) {
    // Two signs in a row: the same one says nothing new, two different ones mean any number.
    if (level.sign === sign) return;
    level.last = `${level.last!.slice(0, -1)}*`;
    level.sign = "*";
    return;
  }
  level.last = `(?:${level.last!})${sign}`;
  level.sign = sign;
}

interface Repeat {
  readonly text: string;
  readonly isOptional: boolean;
  readonly isTooMuch: boolean;
}

/** `{2}`, `{2,}` or `{2,3}` at the front; anything else behind a brace is just characters. */
function readRepeat(text: string): Repeat | undefined {
  const match = /^\{(0|[1-9][0-9]*)(,(0|[1-9][0-9]*)?)?\}/.exec(text);
  if (match === null) return undefined;
  const low = Number(match[1]);
  const high = match[3] === undefined ? low : Number(match[3]);
  const isTooMuch = low > MAX_REPEAT || high > MAX_REPEAT || low > high;
  return { text: match[0], isOptional: low === 0, isTooMuch };
}

function spell(code: number): string {
  return /[a-zA-Z0-9]/.test(String.fromCodePoint(code))
    ? String.fromCodePoint(code)
    : `\\x{${code.toString(16)}}`;
}

/** Collects the literal texts between `.*` for as long as there is nothing else. */
class Pieces {
  #pieces: string[] | undefined = [""];
  #lastIsDot = false;

  literal(text: string): void {
    if (this.#lastIsDot || text === "\n") return this.give();
    if (this.#pieces !== undefined) this.#pieces[this.#pieces.length - 1] += text;
  }

  dot(): void {
    if (this.#lastIsDot) return this.give();
    this.#lastIsDot = true;
  }

  repeat(sign: string): void {
    if (!this.#lastIsDot || sign !== "*") return this.give();
    this.#lastIsDot = false;
    this.#pieces?.push("");
  }

  anchor(): void {
    if (this.#lastIsDot) this.give();
  }

  give(): void {
    this.#pieces = undefined;
  }

  result(): readonly string[] | undefined {
    return this.#lastIsDot ? undefined : this.#pieces;
  }
}
