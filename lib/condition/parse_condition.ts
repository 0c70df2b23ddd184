/** Reads a condition in Falco's filter language. @module */
import type { Expression } from "./ast.ts";
import type { ConditionText } from "./condition_text.ts";
import { pasteLists, prepareLists } from "./paste_lists.ts";
import type { ParseWarning } from "./parse_check.ts";
import { parseLeft, parseRest } from "./parse_check.ts";
import { Scanner } from "./scanner.ts";

/** How deep parentheses may stand in parentheses; Falco itself breaks at some 20,000. */
export const MAX_PARENTHESES = 10_000;

/** How deep `and`, `or` and `not` may stand in each other: testing an alert goes that deep. */
export const MAX_DEPTH = 500;

/** What {@linkcode parseCondition} found. */
export interface ParsedCondition {
  /** What the condition says. */
  readonly expression: Expression;
  /** What Falco accepts and can only be a mistake, each with its place, as a line of text. */
  readonly warnings: readonly string[];
}

/** What {@linkcode parseText} found. */
export interface ParsedText {
  /** What the text says. */
  readonly expression: Expression;
  /** How deep `and`, `or` and `not` stand in each other. */
  readonly depth: number;
  /** Where each macro and each right side of a check stands. */
  readonly offsets: ReadonlyMap<Expression, number>;
  /** What can only be a mistake. */
  readonly warnings: readonly ParseWarning[];
}

/**
 * Reads a condition without asking what its words mean: any word may be a macro, and any operator
 * may stand beside any field.
 *
 * @param text The condition.
 * @param options `lists`: named lists to paste into the text before it is read.
 * @returns What it says.
 *
 * @throws {ConditionError} when Falco's parser would refuse it, or when it is nested too deep.
 * @throws {TypeError} when the text is not a string.
 */
export function parseCondition(
  text: string,
  options: { lists?: Readonly<Record<string, readonly (string | number)[]>> } = {},
): ParsedCondition {
  checkText(text);
  const source = pasteLists(text, prepareLists(options.lists ?? {}));
  const { expression, warnings } = parseText(source);
  return { expression, warnings: warnings.map((one) => warningText(source, one)) };
}

/**
 * Refuses what is no text.
 *
 * @param text What was given for a condition.
 *
 * @throws {TypeError} when it is not a string.
 */
export function checkText(text: unknown): void {
  if (typeof text !== "string") {
    throw new TypeError(`Cannot read the condition: it must be a string, not "${typeof text}"`);
  }
}

/**
 * Puts the place before a warning.
 *
 * @param source The text that it is about.
 * @param warning What and where.
 * @returns One line.
 */
export function warningText(source: ConditionText, warning: ParseWarning): string {
  const { line, column } = source.placeOf(warning.offset);
  const macro = source.macro === undefined ? "" : `macro "${source.macro}", `;
  return `${macro}line ${line}, column ${column}: ${warning.reason}`;
}

/** What is open at some point: the whole text, or a pair of parentheses in it. */
interface Frame {
  /** The finished operands of `or`. */
  readonly anyOf: Part[];
  /** The operands of `and` so far; an operand of `or` when it is finished. */
  allOf: Part[];
  /** An odd number of `not` stood before the parenthesis. */
  readonly isNegated: boolean;
  /** `or(` opened it, without a blank: Falco reads no `and` behind the parenthesis. */
  readonly isGluedToOr: boolean;
  /** Where it was opened. */
  readonly offset: number;
}

interface Part {
  readonly expression: Expression;
  readonly depth: number;
}

/**
 * Reads a text with its lists pasted. It keeps the open parentheses in an array, so that no depth
 * of them can exhaust the stack.
 *
 * @param source The text.
 * @returns What it says.
 *
 * @throws {ConditionError} when Falco's parser would refuse it, or when it is nested too deep.
 */
export function parseText(source: ConditionText): ParsedText {
  const scanner = new Scanner(source);
  const offsets = new Map<Expression, number>();
  const warnings: ParseWarning[] = [];
  const open: Frame[] = [newFrame(0)];
  let mayTakeAnd = true;

  const push = (options: { isNegated?: boolean; isGluedToOr?: boolean }, offset: number) => {
    if (open.length > MAX_PARENTHESES) {
      throw scanner.error(`parentheses may be nested ${MAX_PARENTHESES} deep, not more`, offset);
    }
    open.push({ ...newFrame(offset), ...options });
  };

  for (let needsOperand = true;;) {
    const frame = open[open.length - 1]!;
    if (needsOperand) {
      const start = skipToOperand(scanner);
      if (start.opens) {
        push({ isNegated: start.isNegated }, start.offset);
        continue;
      }
      const expression = parseOperand(scanner, offsets, warnings);
      frame.allOf.push(negate({ expression, depth: 0 }, start.isNegated));
      mayTakeAnd = true;
      needsOperand = false;
      continue;
    }
    scanner.skipBlanks();
    const offset = scanner.offset;
    if (mayTakeAnd && scanner.take("and")) {
      if (takeGlue(scanner, "and")) push({}, offset);
      needsOperand = true;
    } else if (scanner.take("or")) {
      frame.anyOf.push(joined("and", frame.allOf, scanner, frame.offset));
      frame.allOf = [];
      if (takeGlue(scanner, "or")) push({ isGluedToOr: true }, offset);
      needsOperand = true;
    } else if (open.length > 1) {
      if (!scanner.take(")")) throw scanner.unexpected('"and", "or" or ")"');
      open.pop();
      const part = negate(finish(frame, scanner), frame.isNegated);
      open[open.length - 1]!.allOf.push(part);
      mayTakeAnd = !frame.isGluedToOr;
    } else {
      if (!scanner.atEnd) throw scanner.unexpected(mayTakeAnd ? '"and" or "or"' : '"or"');
      return { ...finish(frame, scanner), offsets, warnings };
    }
  }
}

function newFrame(offset: number): Frame {
  return { anyOf: [], allOf: [], isNegated: false, isGluedToOr: false, offset };
}

/** Reads any number of `not`, and a parenthesis if one opens here. */
function skipToOperand(
  scanner: Scanner,
): { offset: number; isNegated: boolean; opens: boolean } {
  let isNegated = false;
  scanner.skipBlanks();
  const offset = scanner.offset;
  for (;;) {
    const before = scanner.offset;
    if (!scanner.take("not")) return { offset, isNegated, opens: scanner.take("(") };
    if (scanner.skipBlanks()) {
      isNegated = !isNegated;
    } else if (scanner.take("(")) {
      return { offset, isNegated: !isNegated, opens: true };
    } else {
      // The beginning of a longer word, or a macro of that name.
      scanner.offset = before;
      return { offset, isNegated, opens: false };
    }
  }
}

/** Reads what must follow `and` and `or`: a blank, or a parenthesis, for which it says true. */
function takeGlue(scanner: Scanner, word: string): boolean {
  if (scanner.skipBlanks()) return false;
  if (scanner.take("(")) return true;
  throw scanner.unexpected(`a blank or "(" after "${word}"`);
}

function parseOperand(
  scanner: Scanner,
  offsets: Map<Expression, number>,
  warnings: ParseWarning[],
): Expression {
  const offset = scanner.offset;
  const left = parseLeft(scanner, warnings);
  if (left !== undefined) {
    const { check, rightOffset } = parseRest(scanner, left, warnings);
    offsets.set(check, rightOffset);
    return check;
  }
  const name = scanner.takeIdentifier();
  if (name === undefined) throw scanner.unexpected('a field, a macro, "not" or "("');
  const macro: Expression = { type: "macro", name };
  offsets.set(macro, offset);
  return macro;
}

function negate(part: Part, isNegated: boolean): Part {
  if (!isNegated) return part;
  return { expression: { type: "not", operand: part.expression }, depth: part.depth + 1 };
}

function finish(frame: Frame, scanner: Scanner): Part {
  frame.anyOf.push(joined("and", frame.allOf, scanner, frame.offset));
  return joined("or", frame.anyOf, scanner, frame.offset);
}

function joined(type: "and" | "or", parts: Part[], scanner: Scanner, offset: number): Part {
  if (parts.length === 1) return checkDepth(parts[0]!, scanner, offset);
  const depth = 1 + parts.reduce((deepest, part) => Math.max(deepest, part.depth), 0);
  const operands = parts.map((part) => part.expression);
  return checkDepth({ expression: { type, operands }, depth }, scanner, offset);
}

function checkDepth(part: Part, scanner: Scanner, offset: number): Part {
  if (part.depth <= MAX_DEPTH) return part;
  throw scanner.error(`"and", "or" and "not" may be nested ${MAX_DEPTH} deep, not more`, offset);
}
