/** The text of a condition, with its lists pasted in, that still knows what the user wrote. @module */

/** A run of the text to read: either as the user wrote it, or pasted for a list. */
export interface TextPiece {
  /** The characters. */
  readonly text: string;
  /** Where they begin in what the user wrote; for a list, where its name does. */
  readonly origin: number;
  /** The list that they come from; undefined for what the user wrote. */
  readonly list?: string;
}

/** Where something stands in what the user wrote. */
export interface ConditionPlace {
  /** From 1; CR, LF and CR LF end a line. */
  readonly line: number;
  /** In UTF-16 units, from 1. */
  readonly column: number;
  /** The list that was pasted there. */
  readonly list: string | undefined;
}

/** The text of a condition or a macro, ready to be read. */
export class ConditionText {
  /** What the user wrote. */
  readonly original: string;
  /** What is read: the same with lists in place of their names. */
  readonly text: string;
  /** The macro that this is the text of; undefined for the condition itself. */
  readonly macro: string | undefined;
  readonly #pieces: readonly TextPiece[];
  /** Where each piece begins in `text`. */
  readonly #starts: readonly number[];
  /** Where each line begins in `original`; found when a place is asked for. */
  #lines: readonly number[] | undefined;

  /**
   * Joins the pieces.
   *
   * @param original What the user wrote.
   * @param options The pieces to read (default: the original), and the name of the macro.
   */
  constructor(
    original: string,
    options: { pieces?: readonly TextPiece[]; macro?: string | undefined } = {},
  ) {
    const { pieces = [{ text: original, origin: 0 }], macro } = options;
    this.original = original;
    this.macro = macro;
    this.text = pieces.map((piece) => piece.text).join("");
    this.#pieces = pieces;
    let length = 0;
    this.#starts = pieces.map((piece) => {
      const start = length;
      length += piece.text.length;
      return start;
    });
  }

  /**
   * Finds the place that the user knows.
   *
   * @param offset An offset in `text`; its length stands for the end.
   * @returns The place in `original`.
   */
  placeOf(offset: number): ConditionPlace {
    const isEnd = offset >= this.text.length;
    const index = lastAtMost(this.#starts, offset);
    const piece = this.#pieces[index];
    const list = isEnd ? undefined : piece?.list;
    const ahead = list === undefined ? offset - (this.#starts[index] ?? 0) : 0;
    const origin = isEnd ? this.original.length : (piece?.origin ?? 0) + ahead;
    this.#lines ??= [0, ...lineStarts(this.original)];
    const line = lastAtMost(this.#lines, origin);
    return { line: line + 1, column: origin - this.#lines[line]! + 1, list };
  }
}

function* lineStarts(text: string): Generator<number> {
  for (const match of text.matchAll(/\r\n|\r|\n/g)) yield match.index + match[0].length;
}

/** The index of the last of these, which rise, that is not above a limit. */
function lastAtMost(numbers: readonly number[], limit: number): number {
  let low = 0;
  let high = numbers.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (numbers[middle]! <= limit) low = middle;
    else high = middle - 1;
  }
  return low;
}
