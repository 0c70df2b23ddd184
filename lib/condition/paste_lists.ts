/** Named lists, pasted into the text of a condition as Falco does it. @module */
import { quoteText } from "../alert/quote_text.ts";
import type { ConditionError } from "./condition_error.ts";
import { conditionError } from "./condition_error.ts";
import { ConditionText } from "./condition_text.ts";
import type { TextPiece } from "./condition_text.ts";

/** How long a condition may be, lists included: no list of lists grows without end. */
export const MAX_TEXT_LENGTH = 1_000_000;

const BLANKS = " \t\r\n";
const DELIMITERS = `${BLANKS}(),=`;

/** A list, ready to be pasted. */
export interface PreparedList {
  /** Its name. */
  readonly name: string;
  /** Its items, joined by `, `. */
  readonly text: string;
}

/**
 * Makes the texts that stand for lists. An item that names a list defined before stands for the
 * items of that list. An item with a blank in it is put in quotes, unless it begins with one;
 * everything else is pasted as it is.
 *
 * @param lists The lists by name.
 * @returns The lists in their order.
 *
 * @throws {TypeError} when a list is not an array of texts and numbers.
 * @throws {RangeError} when a list gets longer than a condition may be.
 */
export function prepareLists(
  lists: Readonly<Record<string, readonly (string | number)[]>>,
): PreparedList[] {
  const prepared = new Map<string, string>();
  for (const [name, items] of Object.entries(lists)) {
    if (!Array.isArray(items)) {
      throw new TypeError(`Cannot read the list ${quoteText(name)}: it must be an array`);
    }
    let text = "";
    for (const item of items as readonly unknown[]) {
      if (typeof item !== "string" && typeof item !== "number") {
        throw new TypeError(
          `Cannot read the list ${quoteText(name)}: its items must be texts or numbers`,
        );
      }
      const one = String(item);
      const part = prepared.get(one) ?? (needsQuotes(one) ? `"${one}"` : one);
      if (part !== "") text += text === "" ? part : `, ${part}`;
      if (text.length > MAX_TEXT_LENGTH) {
        throw new RangeError(
          `Cannot read the list ${
            quoteText(name)
          }: it is longer than ${MAX_TEXT_LENGTH} characters`,
        );
      }
    }
    prepared.set(name, text);
  }
  return [...prepared].map(([name, text]) => ({ name, text }));
}

/**
 * Pastes lists: wherever a name stands between blanks, `(`, `)`, `,`, `=` or the ends, in quotes too,
 * the items stand instead, with one blank on each side in place of the blanks that were there. A
 * comma beside an empty list goes with it.
 *
 * @param original The condition or macro as the user wrote it.
 * @param lists The lists, in the order of their definition.
 * @param macro The name of the macro, if it is one.
 * @returns The text to read.
 *
 * @throws {ConditionError} when the text gets too long.
 */
export function pasteLists(
  original: string,
  lists: readonly PreparedList[],
  macro?: string,
): ConditionText {
  let pieces: readonly TextPiece[] = [{ text: original, origin: 0 }];
  let text = original;
  for (const list of lists) {
    if (list.name === "" || !text.includes(list.name)) continue;
    const pasted = pasteList(text, pieces, list);
    if (pasted.length === 0) continue;
    pieces = pasted;
    const length = pieces.reduce((sum, piece) => sum + piece.text.length, 0);
    if (length > MAX_TEXT_LENGTH) throw tooLong(original, macro);
    text = pieces.map((piece) => piece.text).join("");
  }
  if (text.length > MAX_TEXT_LENGTH) throw tooLong(original, macro);
  return new ConditionText(original, { pieces, macro });
}

function needsQuotes(item: string): boolean {
  return item.includes(" ") && item[0] !== '"' && item[0] !== "'";
}

function tooLong(original: string, macro: string | undefined): ConditionError {
  return conditionError(
    `it is longer than ${MAX_TEXT_LENGTH} characters, with its lists`,
    { text: new ConditionText(original, { macro }), offset: 0 },
  );
}

/** The new pieces, or none if the name does not occur. */
function pasteList(text: string, pieces: readonly TextPiece[], list: PreparedList): TextPiece[] {
  const pasted: TextPiece[] = [];
  const cutter = new Cutter(pieces);
  let read = 0;
  let length = 0;
  let from = text.indexOf(list.name);
  while (from >= 0) {
    const to = from + list.name.length;
    if (!isDelimiter(text[from - 1]) || !isDelimiter(text[to])) {
      from = text.indexOf(list.name, from + 1);
      continue;
    }
    let start = from;
    let end = to;
    while (start > read && BLANKS.includes(text[start - 1]!)) start--;
    while (end < text.length && BLANKS.includes(text[end]!)) end++;
    if (list.text === "") {
      if (start > read && text[start - 1] === ",") start--;
      else if (text[end] === ",") end++;
    }
    cutter.take(start - read, pasted);
    const origin = cutter.originAfter(from - start);
    const lead = start > 0 ? " " : "";
    pasted.push({ text: `${lead}${list.text} `, origin, list: list.name });
    length += start - read + list.text.length + 2;
    cutter.take(end - start, []);
    read = end;
    // What is left is checked once at the end; this stops a list that is pasted a million times.
    if (length > MAX_TEXT_LENGTH) break;
    from = text.indexOf(list.name, end);
  }
  if (pasted.length > 0) cutter.take(text.length - read, pasted);
  return pasted;
}

function isDelimiter(char: string | undefined): boolean {
  return char === undefined || DELIMITERS.includes(char);
}

/** Takes pieces apart from front to back. */
class Cutter {
  readonly #pieces: readonly TextPiece[];
  #index = 0;
  #offset = 0;

  constructor(pieces: readonly TextPiece[]) {
    this.#pieces = pieces;
  }

  /** Moves the next characters, with where they come from, to another array. */
  take(length: number, taken: TextPiece[]): void {
    let left = length;
    while (left > 0) {
      const piece = this.#pieces[this.#index]!;
      const part = piece.text.slice(this.#offset, this.#offset + left);
      const origin = piece.origin + (piece.list === undefined ? this.#offset : 0);
      if (part !== "") taken.push({ ...piece, text: part, origin });
      left -= part.length;
      this.#offset += part.length;
      if (this.#offset >= piece.text.length) {
        this.#index++;
        this.#offset = 0;
      }
    }
  }

  /** Where the character `ahead` of here stands in what the user wrote. */
  originAfter(ahead: number): number {
    let index = this.#index;
    let offset = this.#offset + ahead;
    let piece = this.#pieces[index]!;
    while (offset >= piece.text.length && index + 1 < this.#pieces.length) {
      offset -= piece.text.length;
      piece = this.#pieces[++index]!;
    }
    return piece.origin + (piece.list === undefined ? offset : 0);
  }
}
