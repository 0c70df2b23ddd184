/** Checks of options that many operators share. @module */

/**
 * Refuses what is not a function.
 *
 * @param action What cannot be done without it, such as `create TapStream`.
 * @param name The name of the option.
 * @param value Its value.
 *
 * @throws {TypeError} when `value` is not a function.
 */
export function requireFunction(action: string, name: string, value: unknown): void {
  if (typeof value === "function") return;
  throw new TypeError(
    `Cannot ${action}: "${name}" must be a function: current value is "${String(value)}"`,
  );
}

/**
 * Refuses what is not a whole number.
 *
 * @param action What cannot be done without it.
 * @param name The name of the option.
 * @param value Its value.
 * @param minimum The smallest number that is allowed.
 *
 * @throws {RangeError} when `value` is not a whole number from `minimum`.
 */
export function requireWhole(action: string, name: string, value: unknown, minimum: number): void {
  if (Number.isInteger(value) && value as number >= minimum) return;
  throw new RangeError(
    `Cannot ${action}: "${name}" must be a whole number from ${minimum}: current value is "${
      String(value)
    }"`,
  );
}

/**
 * Refuses what is not a duration.
 *
 * @param action What cannot be done without it.
 * @param name The name of the option.
 * @param value Its value.
 *
 * @throws {RangeError} when `value` is not a finite number above 0.
 */
export function requireDuration(action: string, name: string, value: unknown): void {
  if (typeof value === "number" && value > 0 && value < Infinity) return;
  throw new RangeError(
    `Cannot ${action}: "${name}" must be a number above 0: current value is "${String(value)}"`,
  );
}

/**
 * Refuses what is not one of some words.
 *
 * @param action What cannot be done without it.
 * @param name The name of the option.
 * @param value Its value.
 * @param words What is allowed.
 *
 * @throws {TypeError} when `value` is none of `words`.
 */
export function requireWord(
  action: string,
  name: string,
  value: unknown,
  words: readonly string[],
): void {
  if (words.includes(value as string)) return;
  const list = words.map((word) => `"${word}"`).join(", ");
  throw new TypeError(
    `Cannot ${action}: "${name}" must be one of ${list}: current value is "${String(value)}"`,
  );
}

/**
 * Makes the key of an item, and refuses what cannot be one.
 *
 * @param key Makes it; undefined if all items have the same key.
 * @param item The item.
 * @returns The key.
 *
 * @throws {TypeError} when the key is not a string.
 */
export function keyOf<T>(key: ((item: T) => string) | undefined, item: T): string {
  if (key === undefined) return "";
  const name: unknown = key(item);
  if (typeof name === "string") return name;
  throw new TypeError(
    `Cannot tell an item from others: its key is "${String(name)}". Return a string for every item`,
  );
}
