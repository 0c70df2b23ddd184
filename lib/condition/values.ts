/** What an alert has for a field, as text, as Falco would print it. @module */
import type { Alert, FieldValue } from "../alert/alert.ts";

/** A value that is there. */
export type Value = Exclude<FieldValue, null>;

/** Reads something from an alert; undefined if the alert has no value for it. */
export type Read = (alert: Alert) => Value | undefined;

/** Says whether an alert is one of those looked for. */
export type Predicate = (alert: Alert) => boolean;

/** Says whether a text is one of those looked for. */
export type TextTest = (text: string) => boolean;

/** Values in values that are printed; plugins have one level. */
const MAX_LEVELS = 20;

/**
 * The text of a value: what Falco prints for it, and gRPC carries. A list is `(a,b)`.
 *
 * @param value The value.
 * @returns Its text; undefined if there is none: an empty list counts as absent, as in Falco.
 */
export function textOf(value: FieldValue | undefined, level = 0): string | undefined {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object") return String(value);
  if (level === MAX_LEVELS) return "...";
  if (isList(value)) {
    if (value.length === 0) return undefined;
    return `(${value.map((item) => textOf(item, level + 1) ?? "").join(",")})`;
  }
  const parts = Object.entries(value).map(([key, item]) => `${key}:${textOf(item, level + 1)}`);
  return `{${parts.join(",")}}`;
}

/**
 * Says whether a value is a list.
 *
 * @param value The value.
 * @returns True for arrays.
 */
export function isList(value: FieldValue | undefined): value is readonly FieldValue[] {
  return Array.isArray(value);
}

/**
 * Lists as the operators for lists find them: Falco 0.43.1 takes one that begins with an empty text
 * for that text alone, and loses the rest.
 *
 * @param read Reads a value of the alert's output.
 * @returns Reads the same, with such lists cut.
 */
export function cutLists(read: Read): Read {
  return (alert) => {
    const value = read(alert);
    return isList(value) && value.length > 1 && value[0] === "" ? [""] : value;
  };
}

/**
 * Makes a predicate of a test for text.
 *
 * @param read Reads the value.
 * @param test Tests its text.
 * @returns False for every alert that lacks the value.
 */
export function whenText(read: Read, test: TextTest): Predicate {
  return (alert) => {
    const value = read(alert);
    if (typeof value === "string") return test(value);
    const text = textOf(value);
    return text !== undefined && test(text);
  };
}

/**
 * Makes a predicate of a test for two texts.
 *
 * @param left Reads the left value.
 * @param right Reads the right value.
 * @param test Tests their texts.
 * @returns False for every alert that lacks one of them.
 */
export function whenTexts(
  left: Read,
  right: Read,
  test: (left: string, right: string) => boolean,
): Predicate {
  return (alert) => {
    const a = textOf(left(alert));
    if (a === undefined) return false;
    const b = textOf(right(alert));
    return b !== undefined && test(a, b);
  };
}
