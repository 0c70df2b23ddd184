/** Makes predicates of checks. @module */
import type { Comparison, ComparisonOperator, Existence, TextOperator } from "./ast.ts";
import type { CompiledOperand, OperandProblems } from "./compile_operand.ts";
import { compileOperand } from "./compile_operand.ts";
import { compileFieldComparison } from "./compile_field_comparison.ts";
import { compileFieldCheck } from "./field_check.ts";
import type { CompiledCheck } from "./field_check.ts";
import { compileProperty } from "./compile_property.ts";
import { byteLength, toBytes } from "./operators/ascii.ts";
import { containsFolded } from "./operators/contains_folded.ts";
import { makeGlob } from "./operators/glob.ts";
import { makeOrder, makeOrderTest } from "./operators/order.ts";
import { makePathPrefix } from "./operators/path_prefix.ts";
import { makeRegex } from "./operators/regex.ts";
import { makeMembership, makeMembershipTest } from "./operators/sets.ts";
import { readUnsigned } from "./operators/unsigned.ts";
import type { Predicate, TextTest } from "./values.ts";
import { isList, whenText } from "./values.ts";

/** What Falco has room for beside the zero that ends a text; so no pattern can be large either. */
const MAX_VALUE_BYTES = 255;

/** What `len()` can be compared by, and what lists can. */
const numberOperators: readonly ComparisonOperator[] = [
  "=",
  "!=",
  "<",
  "<=",
  ">",
  ">=",
  "in",
  "intersects",
];
const setOperators: readonly ComparisonOperator[] = ["in", "intersects"];

/**
 * Makes the predicate of a check.
 *
 * @param check The check.
 * @param problems Takes what is wrong with it.
 * @returns The predicate, which is false for every alert that lacks what is compared.
 *
 * @throws {Error} the one that `problems` makes, when Falco would refuse the check whatever the type
 * of the field is.
 */
export function compileCheck(
  check: Existence | Comparison,
  problems: OperandProblems,
): CompiledCheck {
  const left = compileOperand(check.left, problems);
  if (check.type === "exists") {
    const { read } = left;
    const test: Predicate = (alert) => {
      const value = read(alert);
      return value !== undefined && !(isList(value) && value.length === 0);
    };
    return { test };
  }
  const { operator, right } = check;
  requireOperator(left, operator, problems);
  if (right.type === "field" || right.type === "call") {
    const other = compileOperand(right, problems);
    const isCall = right.type === "call";
    return { test: compileFieldComparison(left, operator, { ...other, isCall }, problems) };
  }
  const values = right.type === "list" ? right.items : [right.text];
  for (const value of values) requireRoom(value, problems);
  if (left.kind === "priority" || left.kind === "time") {
    const special = compileProperty(left, operator, values, problems);
    if (special !== undefined) return { test: special };
  }
  const texts = left.kind === "number" ? values.map((one) => requireNumber(one, problems)) : values;
  if (right.type === "list") return compileList(left, operator, texts, problems);
  return compileValue(left, operator, texts[0]!, problems);
}

function requireOperator(
  left: CompiledOperand,
  operator: ComparisonOperator,
  problems: OperandProblems,
): void {
  if (left.kind === "number" && !numberOperators.includes(operator)) {
    throw problems.error(`"${operator}" compares text, and len() gives a number`);
  }
  if (left.kind === "list" && !setOperators.includes(operator)) {
    throw problems.error(`"${operator}" does not take a list; "in" and "intersects" do`);
  }
}

function requireRoom(value: string, problems: OperandProblems): void {
  // No character has less than one byte, so most values need not be counted.
  if (value.length * 3 <= MAX_VALUE_BYTES) return;
  const length = byteLength(value);
  if (length > MAX_VALUE_BYTES) {
    throw problems.error(`a value has ${length} bytes, and Falco takes at most ${MAX_VALUE_BYTES}`);
  }
}

function requireNumber(value: string, problems: OperandProblems): string {
  const number = readUnsigned(value);
  if (number === undefined) throw problems.error(`"${value}" is no whole number, as len() gives`);
  return number;
}

function compileList(
  left: CompiledOperand,
  operator: ComparisonOperator,
  items: readonly string[],
  problems: OperandProblems,
): CompiledCheck {
  if (operator === "pmatch") return checkText(left, makePathPrefix(items));
  if (operator === "in" || operator === "intersects") {
    const isMember = makeMembershipTest(items);
    return checkText(left, isMember, makeMembership(left.readList, operator, isMember));
  }
  throw problems.error(`"${operator}" does not take a list`);
}

function compileValue(
  left: CompiledOperand,
  operator: ComparisonOperator,
  value: string,
  problems: OperandProblems,
): CompiledCheck {
  switch (operator) {
    case "=":
      return checkText(left, (text) => text === value);
    case "!=":
      return checkText(left, (text) => text !== value);
    case "<":
    case "<=":
    case ">":
    case ">=":
      if (!/^[+-]?[0-9]+$/.test(value)) {
        problems.warn(`"${value}" is no whole number, so "${operator}" compares the bytes of text`);
      }
      return checkText(
        left,
        makeOrderTest(operator, value),
        makeOrder(left.read, operator, value),
      );
    case "in":
    case "intersects":
    case "pmatch":
      throw problems.error(`"${operator}" needs a list`);
    default:
      return checkText(left, textTest(operator, value, problems));
  }
}

/** A check of a text. `general` is for values that are none, where those are compared in another way. */
function checkText(
  { read, name }: CompiledOperand,
  matches: TextTest,
  general = whenText(read, matches),
): CompiledCheck {
  return name === undefined ? { test: general } : compileFieldCheck({ name, matches, general });
}

function textTest(
  operator: Exclude<TextOperator, "=" | "!=">,
  value: string,
  problems: OperandProblems,
): TextTest {
  switch (operator) {
    case "contains":
      return (text) => text.includes(value);
    case "startswith":
      return (text) => text.startsWith(value);
    case "endswith":
      return (text) => text.endsWith(value);
    case "icontains":
      return containsFolded(value);
    case "glob":
    case "iglob":
      return makeGlob(value, operator === "iglob");
    case "bcontains":
    case "bstartswith": {
      const bytes = readHex(value, operator, problems);
      if (operator === "bcontains") return (text) => toBytes(text).includes(bytes);
      return (text) => toBytes(text).startsWith(bytes);
    }
    case "regex": {
      const test = makeRegex(value);
      if (typeof test === "function") return test;
      problems.warn(`the regular expression is invalid and matches nothing: ${test.reason}`);
      return () => false;
    }
  }
}

function readHex(value: string, operator: string, problems: OperandProblems): string {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(value)) {
    throw problems.error(`"${operator}" takes bytes in hexadecimal, two digits each`);
  }
  return value.replace(/../g, (pair) => String.fromCharCode(parseInt(pair, 16)));
}
