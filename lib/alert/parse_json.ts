/** JSON with exact integers and errors that point. @module */
import { AlertFormatError } from "../errors.ts";
import type { FieldValue } from "./alert.ts";
import { scanJson } from "./json_scan.ts";

/** The third argument of a `JSON.parse` reviver (ECMAScript 2026), not yet in TypeScript's library. */
interface ReviverContext {
  readonly source?: string;
}

/**
 * Parses one JSON value.
 *
 * Integers beyond 2^53 become `bigint`: `evt.time` holds nanoseconds in 19 digits, which a number
 * would round (falco #2127). A key `__proto__` becomes an ordinary own property.
 *
 * @param text The JSON.
 * @returns The value.
 * @throws {AlertFormatError} If the text is no JSON, is nested too deeply for the engine, or holds a
 * number that no double can hold; with line and column.
 */
export function parseJson(text: string): FieldValue {
  try {
    // A reviver costs as much as the parsing itself, and without 16 digits in a row it has no work.
    return /\d{16}|[eE]\+?\d{3}/.test(text)
      ? JSON.parse(text, exactNumber as (key: string, value: unknown) => unknown)
      : JSON.parse(text);
  } catch (cause) {
    const { errorAt, problem } = scanJson(text);
    if (errorAt === undefined) {
      throw new AlertFormatError("Cannot read the JSON: it is nested too deeply", { cause });
    }
    throw new AlertFormatError(`Cannot read the JSON: ${problem}`, {
      ...lineAndColumn(text, errorAt),
      cause,
    });
  }
}

function exactNumber(_key: string, value: FieldValue, context: ReviverContext): FieldValue {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  // The message is made where the place is known.
  if (!Number.isFinite(value)) throw new RangeError("the number is out of range");
  const source = context.source ?? "";
  return Number.isInteger(value) && /^-?\d+$/.test(source) ? BigInt(source) : value;
}

/**
 * Turns an index into a place that editors understand.
 *
 * @param text The text.
 * @param index An index into it, from 0.
 * @returns Line and column, both from 1.
 */
export function lineAndColumn(text: string, index: number): { line: number; column: number } {
  const before = text.slice(0, index);
  const lineStart = before.lastIndexOf("\n") + 1;
  let line = 1;
  for (let at = before.indexOf("\n"); at >= 0; at = before.indexOf("\n", at + 1)) line++;
  return { line, column: index - lineStart + 1 };
}
