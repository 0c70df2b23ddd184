/** `in` and `intersects`. @module */
import type { Predicate, Read, TextTest, Value } from "../values.ts";
import { isList, textOf } from "../values.ts";

/** `in`: all of a list has to be there. `intersects`: one of it is enough. */
export type SetOperator = "in" | "intersects";

/**
 * Makes a test of a text that looks for it in a list of the condition.
 *
 * @param items The list.
 * @returns The test. An empty list has nothing.
 */
export function makeMembershipTest(items: readonly string[]): TextTest {
  const [only] = items;
  if (items.length === 1) return (text) => text === only;
  const set = new Set(items);
  return (text) => set.has(text);
}

/**
 * Makes a predicate that looks for a value in a list of the condition.
 *
 * @param read Reads the value; if it is a list, its items are looked for.
 * @param operator Whether all items have to be there, or one.
 * @param isMember Looks for a text.
 * @returns False for every alert that lacks the value, and for an empty list.
 */
export function makeMembership(read: Read, operator: SetOperator, isMember: TextTest): Predicate {
  return (alert) => {
    const value = read(alert);
    if (typeof value === "string") return isMember(value);
    return value !== undefined && has(value, operator, isMember);
  };
}

/**
 * Makes a predicate that looks for a value in another field.
 *
 * @param left Reads the value; if it is a list, its items are looked for.
 * @param operator Whether all items have to be there, or one.
 * @param right Reads where to look: a list, or one value.
 * @returns False for every alert that lacks one of them.
 */
export function makeFieldMembership(left: Read, operator: SetOperator, right: Read): Predicate {
  return (alert) => {
    const value = left(alert);
    const other = right(alert);
    if (value === undefined || other === undefined) return false;
    if (isList(other)) {
      const texts = new Set(other.map((item) => textOf(item)));
      return has(value, operator, (text) => texts.has(text));
    }
    const only = textOf(other);
    return has(value, operator, (text) => text === only);
  };
}

function has(value: Value, operator: SetOperator, isMember: TextTest): boolean {
  if (!isList(value)) {
    const text = textOf(value);
    return text !== undefined && isMember(text);
  }
  const isIn = (item: Value | null) => {
    const text = textOf(item);
    return text !== undefined && isMember(text);
  };
  // Of an empty list, which Falco has for absent, "all" would be true.
  if (value.length === 0) return false;
  return operator === "in" ? value.every(isIn) : value.some(isIn);
}
