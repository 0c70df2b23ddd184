/** Reads the words of a condition. Which word may come is the parser's to know. @module */
import { quoteText } from "../alert/quote_text.ts";
import type { ConditionError } from "./condition_error.ts";
import { conditionError } from "./condition_error.ts";
import type { ConditionText } from "./condition_text.ts";

/** What an escape in a quoted text stands for; a blank after the backslash is dropped. */
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["\\", "\\"],
  ["/", "/"],
  [" ", "\\"],
]);

/** Goes through a condition from front to back. */
export class Scanner {
  /** What is read. */
  readonly source: ConditionText;
  /** How far it is read. */
  offset = 0;
  readonly #text: string;
  // Sticky, so they carry a position and belong to one scanner; none can backtrack over more than
  // the characters of its own word.
  readonly #identifier = /[a-zA-Z][a-zA-Z0-9_]*/y;
  readonly #fieldName = /[a-zA-Z][a-zA-Z0-9_]*(?:\.[a-zA-Z][a-zA-Z0-9_]*)+/y;
  readonly #number = /0[xX][0-9a-fA-F]+|[+-]?[0-9]+\.?[0-9]*(?:[eE][+-][0-9]+)?/y;
  readonly #bareWord = /[^()"'=,\t\n\v\f\r ]+/y;
  readonly #bareArgument = /[^\][\"'\t\n\v\f\r ]+/y;

  /**
   * Starts at the front.
   *
   * @param source What to read.
   */
  constructor(source: ConditionText) {
    this.source = source;
    this.#text = source.text;
  }

  /** Whether everything is read. */
  get atEnd(): boolean {
    return this.offset >= this.#text.length;
  }

  /** Reads blanks: space, tab, CR and LF. Says whether there were any. */
  skipBlanks(): boolean {
    const start = this.offset;
    while (this.isBlank()) this.offset++;
    return this.offset > start;
  }

  /** Whether a blank comes next. */
  isBlank(): boolean {
    const code = this.#text.charCodeAt(this.offset);
    return code === 32 || code === 9 || code === 10 || code === 13;
  }

  /** Whether these characters come next; they are not read. */
  sees(characters: string): boolean {
    return this.#text.startsWith(characters, this.offset);
  }

  /** Reads these characters if they come next, whatever follows them. */
  take(characters: string): boolean {
    if (!this.sees(characters)) return false;
    this.offset += characters.length;
    return true;
  }

  /** Reads a word that may name a macro. */
  takeIdentifier(): string | undefined {
    return this.#match(this.#identifier);
  }

  /** Reads the name of a field: at least two words joined by dots. */
  takeFieldName(): string | undefined {
    return this.#match(this.#fieldName);
  }

  /** Reads a number as it is written: decimal, with an exponent that has a sign, or hexadecimal. */
  takeNumber(): string | undefined {
    return this.#match(this.#number);
  }

  /** Reads a text without quotes. */
  takeBareWord(): string | undefined {
    return this.#match(this.#bareWord);
  }

  /** Reads what may stand in brackets without quotes. */
  takeBareArgument(): string | undefined {
    return this.#match(this.#bareArgument);
  }

  /**
   * Reads a text in quotes. A quote behind a backslash, even an escaped one, does not end it.
   *
   * @returns The text without quotes and escapes; undefined, with nothing read, if there is none or
   * if it does not end.
   *
   * @throws {ConditionError} when there is an escape that Falco does not know; the text is read.
   */
  takeQuoted(): string | undefined {
    const quote = this.#text[this.offset];
    if (quote !== '"' && quote !== "'") return undefined;
    const start = this.offset + 1;
    let end = this.#text.indexOf(quote, start);
    while (end > start && this.#text[end - 1] === "\\") end = this.#text.indexOf(quote, end + 1);
    if (end < 0) return undefined;
    this.offset = end + 1;
    return this.#unescape(start, end, quote);
  }

  #unescape(start: number, end: number, quote: string): string {
    const raw = this.#text.slice(start, end);
    let text = "";
    let from = 0;
    for (let at = raw.indexOf("\\"); at >= 0; at = raw.indexOf("\\", from)) {
      const char = raw[at + 1]!;
      const meant = char === quote ? quote : ESCAPES.get(char);
      if (meant === undefined) {
        const escape = quoteText(`\\${String.fromCodePoint(raw.codePointAt(at + 1)!)}`);
        throw this.error(`there is no escape ${escape} in ${quote}...${quote}`, start + at);
      }
      text += raw.slice(from, at) + meant;
      from = at + 2;
    }
    return text + raw.slice(from);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.offset;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.offset += found.length;
    return found;
  }

  /**
   * Says that something else was expected here.
   *
   * @param expected What could have stood here.
   * @param offset Where; default: here.
   * @returns The error, to be thrown.
   */
  unexpected(expected: string, offset: number = this.offset): ConditionError {
    const rest = this.#text.slice(offset, offset + 41);
    const word = /^[\t\n\r ]*([^()"',\t\n\r ]+|[^\t\n\r ])/.exec(rest)?.[1];
    const found = word === undefined
      ? offset >= this.#text.length ? "the end" : "blanks"
      : quoteText(word);
    const reason = `expected ${expected}, found ${found}`;
    return conditionError(reason, { text: this.source, offset, expected });
  }

  /**
   * Says that something is wrong here.
   *
   * @param reason What, in one line.
   * @param offset Where.
   * @returns The error, to be thrown.
   */
  error(reason: string, offset: number): ConditionError {
    return conditionError(reason, { text: this.source, offset });
  }
}
