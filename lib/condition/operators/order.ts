/** `<`, `<=`, `>`, `>=`: integers by value, everything else by bytes. @module */
import { compareBytes } from "../../alert/compare_bytes.ts";
import type { OrderOperator } from "../ast.ts";
import type { Predicate, Read, TextTest } from "../values.ts";
import { textOf } from "../values.ts";

/** Fewer digits than this are exact as a `number`. */
const SAFE_DIGITS = 15;

/**
 * Says whether the result of a comparison satisfies an operator.
 *
 * @param operator The operator.
 * @param order Below 0 if the left value is the lesser, above 0 if it is the greater.
 * @returns Whether the operator holds.
 */
export function holds(operator: OrderOperator, order: number): boolean {
  if (operator === "<") return order < 0;
  if (operator === "<=") return order <= 0;
  return operator === ">" ? order > 0 : order >= 0;
}

/**
 * Brings an integer into the one form that Falco prints: no plus, no leading zeros.
 *
 * @param text A number as a condition may have it.
 * @returns The integer; undefined if it is none.
 */
export function canonicalInteger(text: string): string | undefined {
  const match = /^([+-]?)0*([0-9]+)$/.exec(text);
  if (match === null) return undefined;
  return match[1] === "-" && match[2] !== "0" ? `-${match[2]}` : match[2];
}

/**
 * Compares two texts: by value if both are integers as Falco prints them, else by their bytes.
 *
 * @param a One text.
 * @param b The other.
 * @returns Below 0 if `a` is the lesser, above 0 if it is the greater, 0 if they are the same.
 */
export function compareOrdered(a: string, b: string): number {
  return isInteger(a) && isInteger(b) ? compareIntegers(a, b) : compareBytes(a, b);
}

/**
 * Makes a test that compares a text with a number.
 *
 * @param operator The operator.
 * @param number The number as it stands in the condition. If it is no integer, bytes are compared.
 * @returns The test.
 */
export function makeOrderTest(operator: OrderOperator, number: string): TextTest {
  const integer = canonicalInteger(number);
  if (integer === undefined) return (text) => holds(operator, compareBytes(text, number));
  const compareText = (text: string) =>
    isInteger(text) ? compareIntegers(text, integer) : compareBytes(text, number);
  if (integer.length > SAFE_DIGITS) return (text) => holds(operator, compareText(text));
  const small = Number(integer);
  return (text) => {
    const quick = smallInteger(text);
    return holds(operator, quick === quick ? quick - small : compareText(text));
  };
}

/**
 * Makes a predicate that compares a value with a number.
 *
 * @param read Reads the value.
 * @param operator The operator.
 * @param number The number as it stands in the condition. If it is no integer, bytes are compared.
 * @returns False for every alert that lacks the value.
 */
export function makeOrder(read: Read, operator: OrderOperator, number: string): Predicate {
  const test = makeOrderTest(operator, number);
  const integer = canonicalInteger(number);
  const small = integer !== undefined && integer.length <= SAFE_DIGITS ? Number(integer) : NaN;
  return (alert) => {
    const value = read(alert);
    if (typeof value === "number" && Number.isSafeInteger(value) && small === small) {
      return holds(operator, value - small);
    }
    const text = textOf(value);
    return text !== undefined && test(text);
  };
}

/** The value of an integer of few digits without a sign, as Falco prints it; NaN for other texts. */
function smallInteger(text: string): number {
  const length = text.length;
  if (length === 0 || length > SAFE_DIGITS) return NaN;
  let value = 0;
  for (let index = 0; index < length; index++) {
    const digit = text.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  return length > 1 && text.charCodeAt(0) === 48 ? NaN : value;
}

function isInteger(text: string): boolean {
  return /^(?:0|-?[1-9][0-9]*)$/.test(text);
}

/** Exact for any length, and without a `bigint` for each alert. */
function compareIntegers(a: string, b: string): number {
  const aIsNegative = a[0] === "-";
  if (aIsNegative !== (b[0] === "-")) return aIsNegative ? -1 : 1;
  const order = a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
  return aIsNegative ? -order : order;
}
