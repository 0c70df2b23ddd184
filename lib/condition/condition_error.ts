/** A condition that cannot be read, and where. @module */
import { quoteText } from "../alert/quote_text.ts";
import { FalcoError } from "../errors.ts";
import type { ConditionText } from "./condition_text.ts";

/** How much of a long line is shown on each side of the place. */
const EXCERPT = 50;

/**
 * A condition, or a macro that it needs, is not one that Falco would accept.
 *
 * The message has everything for a person: the reason, the place, the line and a caret below it.
 *
 * @example
 * ```ts
 * import { compileCondition, ConditionError } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * try {
 *   compileCondition("proc.name = bash\nand proc.pid > many");
 *   assert.fail("unreachable");
 * } catch (error) {
 *   assert(error instanceof ConditionError);
 *   assert.equal(error.reason, 'expected a number or a field in val(), found "many"');
 *   assert.deepEqual([error.line, error.column], [2, 16]);
 *   assert.equal(error.excerpt, "and proc.pid > many\n               ^");
 * }
 * ```
 */
export class ConditionError extends FalcoError {
  /** The name of the class, as shown in stack traces. */
  override name: string = "ConditionError";
  /** What is wrong, in one line and without the place. */
  readonly reason: string;
  /** What could have stood there; undefined if the words are right and their meaning is not. */
  readonly expected: string | undefined;
  /** The line, from 1, in the text of the condition, or of the macro if `macro` names one. */
  readonly line: number;
  /** The column in UTF-16 units, from 1. In a list that was pasted: that of the list's name. */
  readonly column: number;
  /** The line and a caret below the place; of a long line the part around it. */
  readonly excerpt: string;
  /** The macro whose text is wrong; undefined if it is the condition itself. */
  readonly macro: string | undefined;

  /**
   * Makes the error.
   *
   * @param message What cannot be done, why, where, and the excerpt.
   * @param details The parts of the message, for programs.
   */
  constructor(
    message: string,
    details: {
      reason: string;
      line: number;
      column: number;
      excerpt: string;
      expected?: string | undefined;
      macro?: string | undefined;
    },
  ) {
    super(message);
    this.reason = details.reason;
    this.expected = details.expected;
    this.line = details.line;
    this.column = details.column;
    this.excerpt = details.excerpt;
    this.macro = details.macro;
  }
}

/**
 * Makes the error for a place in a text.
 *
 * @param reason What is wrong, in one line and without the place.
 * @param place The text, the offset in it, and what was expected there, if anything.
 * @returns The error, to be thrown.
 */
export function conditionError(
  reason: string,
  place: { text: ConditionText; offset: number; expected?: string | undefined },
): ConditionError {
  const { text, offset, expected } = place;
  const { line, column, list } = text.placeOf(offset);
  const excerpt = excerptOf(text.original, line, column);
  const what = text.macro === undefined ? "condition" : `macro ${quoteText(text.macro)}`;
  const where = list === undefined ? "" : `, in the list ${quoteText(list)} pasted there`;
  return new ConditionError(
    `Cannot read the ${what}: ${reason} (line ${line}, column ${column}${where})\n${excerpt}`,
    { reason, expected, line, column, excerpt, macro: text.macro },
  );
}

function excerptOf(original: string, line: number, column: number): string {
  const text = original.split(/\r\n|\r|\n/, line)[line - 1] ?? "";
  const at = column - 1;
  const start = at > EXCERPT ? at - EXCERPT : 0;
  const before = shown(text.slice(start, at));
  const after = shown(text.slice(at, at + EXCERPT));
  const lead = start > 0 ? "…" : "";
  const trail = at + EXCERPT < text.length ? "…" : "";
  const width = [...lead, ...before].length;
  return `${lead}${before}${after}${trail}\n${" ".repeat(width)}^`;
}

/** One column for every character, and nothing that moves a cursor. */
function shown(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (char) => char === "\t" ? " " : "�");
}
