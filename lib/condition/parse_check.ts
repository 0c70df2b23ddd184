/** Reads one check: a field, an operator, and what it is compared with. @module */
import type {
  Comparison,
  ComparisonOperator,
  ConditionList,
  ConditionValue,
  Existence,
  FieldOperand,
  Operand,
} from "./ast.ts";
import { ConditionError } from "./condition_error.ts";
import { takesNames } from "./properties.ts";
import type { Scanner } from "./scanner.ts";
import { listOperators, orderOperators, textOperators, transformers } from "./words.ts";

/** How deep functions of functions may go; each level is a call when an alert is tested. */
const MAX_CALLS = 100;

const OPERATORS = "an operator, such as =, !=, <, contains, startswith, in or exists";
const FIELD = "a field, or a function of one";

/** Something that is accepted and can only be a mistake, as Falco sees it. */
export interface ParseWarning {
  /** What, in one line. */
  readonly reason: string;
  /** Where in the text that was read. */
  readonly offset: number;
}

/** A check, and where its right side stands, for whoever judges it later. */
export interface ParsedCheck {
  /** The check. */
  readonly check: Existence | Comparison;
  /** Where its right side begins; for `exists`, its operator. */
  readonly rightOffset: number;
}

/**
 * Reads a field or a function of one, where an operand of `and` or `or` may stand.
 *
 * @param scanner Where to read.
 * @param warnings Takes what can only be a mistake.
 * @returns The operand; undefined if there is none here.
 */
export function parseLeft(scanner: Scanner, warnings: ParseWarning[]): Operand | undefined {
  return parseField(scanner) ?? parseCall(scanner, warnings, 0);
}

/**
 * Reads what follows the left side of a check.
 *
 * @param scanner Where to read.
 * @param left The left side.
 * @param warnings Takes what can only be a mistake.
 * @returns The check.
 *
 * @throws {ConditionError} when there is no operator, or not what it needs on its right.
 */
export function parseRest(
  scanner: Scanner,
  left: Operand,
  warnings: ParseWarning[],
): ParsedCheck {
  scanner.skipBlanks();
  const offset = scanner.offset;
  // No blank is needed behind it: "existsand" is "exists and".
  if (scanner.take("exists")) return { check: { type: "exists", left }, rightOffset: offset };
  const operator = takeOperator(scanner, warnings);
  scanner.skipBlanks();
  const rightOffset = scanner.offset;
  const right = parseRight(scanner, left, operator, warnings);
  return { check: { type: "compare", left, operator, right }, rightOffset };
}

function takeOperator(scanner: Scanner, warnings: ParseWarning[]): ComparisonOperator {
  const start = scanner.offset;
  for (const operator of orderOperators) {
    if (scanner.take(operator)) return operator;
  }
  if (scanner.take("==")) return "=";
  let glued: string | undefined;
  for (const operator of textOperators) {
    if (!scanner.take(operator)) continue;
    if (!/[a-z]/.test(operator) || scanner.isBlank()) return operator;
    // Falco has consumed the word and now looks for the operators of lists behind it.
    glued = operator;
    break;
  }
  for (const operator of listOperators) {
    if (!scanner.take(operator)) continue;
    if (glued !== undefined) {
      const reason = `"${glued}${operator}" means "${operator}"; a blank is missing`;
      warnings.push({ reason, offset: start });
    }
    return operator;
  }
  if (glued !== undefined) throw scanner.unexpected(`a blank after "${glued}"`);
  throw scanner.unexpected(OPERATORS);
}

function parseRight(
  scanner: Scanner,
  left: Operand,
  operator: ComparisonOperator,
  warnings: ParseWarning[],
): Comparison["right"] {
  const isList = (listOperators as readonly string[]).includes(operator);
  if (isList && scanner.sees("(")) return parseList(scanner, warnings);
  const operand = parseVal(scanner) ?? parseCall(scanner, warnings, 0);
  if (operand !== undefined) return operand;
  if (isList) {
    const word = scanner.takeIdentifier();
    if (word !== undefined) return { type: "list", items: [word] };
    throw scanner.unexpected("a list in parentheses, a word, or a field in val()");
  }
  const isOrder = (orderOperators as readonly string[]).includes(operator);
  if (isOrder && !(left.type === "field" && takesNames(left))) {
    const text = scanner.takeNumber();
    if (text !== undefined) return { type: "value", text };
    throw scanner.unexpected("a number or a field in val()");
  }
  return parseValue(scanner) ?? raise(scanner, "a value or a field in val()");
}

function raise(scanner: Scanner, expected: string): never {
  if (scanner.sees('"') || scanner.sees("'")) {
    throw scanner.error(
      "the quotes are not closed; a quote behind a backslash does not close them",
      scanner.offset,
    );
  }
  throw scanner.unexpected(expected);
}

function parseValue(scanner: Scanner): ConditionValue | undefined {
  const text = scanner.takeQuoted() ?? scanner.takeBareWord();
  return text === undefined ? undefined : { type: "value", text };
}

/**
 * Whatever is wrong with the first item, Falco takes the list for an empty one; it minds only if no
 * parenthesis follows.
 */
function parseList(scanner: Scanner, warnings: ParseWarning[]): ConditionList {
  const start = scanner.offset;
  scanner.take("(");
  scanner.skipBlanks();
  const items: string[] = [];
  let failure: ConditionError | undefined;
  try {
    const first = parseValue(scanner);
    if (first !== undefined) items.push(first.text);
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    failure = error;
  }
  scanner.skipBlanks();
  while (items.length > 0 && scanner.take(",")) {
    scanner.skipBlanks();
    items.push((parseValue(scanner) ?? raise(scanner, "a value")).text);
    scanner.skipBlanks();
  }
  if (!scanner.take(")")) {
    throw failure ?? raise(scanner, items.length > 0 ? '"," or ")"' : 'a value or ")"');
  }
  if (items.length === 0) {
    const why = failure === undefined ? "" : `, because ${failure.reason}`;
    warnings.push({ reason: `the list is empty and matches nothing${why}`, offset: start });
  }
  return { type: "list", items };
}

/** `val(field)`: a plain field, no function. */
function parseVal(scanner: Scanner): FieldOperand | undefined {
  if (!scanner.take("val(")) return undefined;
  scanner.skipBlanks();
  const operand = parseField(scanner);
  if (operand === undefined) throw scanner.unexpected("a field, which is all that val() takes");
  closeCall(scanner);
  return operand;
}

function parseCall(
  scanner: Scanner,
  warnings: ParseWarning[],
  depth: number,
): Operand | undefined {
  const start = scanner.offset;
  const transformer = transformers.find((name) => scanner.take(`${name}(`));
  if (transformer === undefined) return undefined;
  if (depth >= MAX_CALLS) {
    throw scanner.error(`functions may be nested ${MAX_CALLS} deep, not more`, start);
  }
  scanner.skipBlanks();
  const inner = parseCall(scanner, warnings, depth + 1);
  const fieldOffset = scanner.offset;
  const field = parseField(scanner);
  if (inner !== undefined && field !== undefined) {
    const reason = `the function before "${field.name}" is ignored; remove one of the two`;
    warnings.push({ reason, offset: fieldOffset });
  }
  const operand = field ?? inner;
  if (operand === undefined) throw scanner.unexpected(FIELD);
  closeCall(scanner);
  return { type: "call", transformer, operand };
}

function closeCall(scanner: Scanner): void {
  scanner.skipBlanks();
  if (!scanner.take(")")) throw scanner.unexpected('")"');
}

/** `name` or `name[argument]`, without blanks. */
function parseField(scanner: Scanner): FieldOperand | undefined {
  const name = scanner.takeFieldName();
  if (name === undefined) return undefined;
  if (!scanner.take("[")) return { type: "field", name };
  const argument = scanner.takeQuoted() ?? scanner.takeBareArgument();
  if (argument === undefined) raise(scanner, "an argument, quoted or bare");
  if (!scanner.take("]")) throw scanner.unexpected('"]"');
  return { type: "field", name, argument: argument as string };
}
