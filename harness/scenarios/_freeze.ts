/** Makes the bundled scenarios unchangeable, since all who import them share one copy. @module */

/**
 * Freezes a value and everything in it.
 *
 * @param value Plain data without cycles.
 * @returns The same value.
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
