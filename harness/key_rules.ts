/** What the keys of scenario files may hold: one rule for the parser, for code, and for editors. @module */
import type { YamlReaders, YamlValue } from "../lib/yaml/yaml_value.ts";

/** A part of a JSON Schema (draft 07), as far as scenarios need it. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** What one key may hold. */
export interface KeyRule<T = unknown> {
  /** What it must be, for messages. */
  readonly expected: string;
  /**
   * Looks at a value given in code.
   *
   * @returns Whether it may be that.
   */
  accepts(value: unknown): boolean;
  /**
   * Reads it from a file.
   *
   * @returns The value.
   * @throws {AlertFormatError} If it may not be that, with the place.
   */
  read(value: YamlValue): T;
  /** For editors. */
  readonly schema: JsonSchema;
}

/** A rule for each key of an object. */
export type KeyRules<T> = { readonly [K in keyof T]-?: KeyRule<Exclude<T[K], undefined>> };

/**
 * Makes a rule for numbers.
 *
 * @param expected What it must be, for messages.
 * @param limits From where to where; whole numbers only, if `whole`.
 * @param description For editors.
 * @returns The rule.
 */
export function numberRule(
  expected: string,
  limits: { min?: number; max?: number; whole?: boolean },
  description: string,
): KeyRule<number> {
  const { min = -Infinity, max = Number.MAX_VALUE, whole = false } = limits;
  const accepts = (value: unknown): value is number =>
    typeof value === "number" && value >= min && value <= max &&
    (!whole || Number.isSafeInteger(value));
  return {
    expected,
    accepts,
    read: (value) => value.number(expected, accepts),
    schema: {
      type: whole ? "integer" : "number",
      ...(min === -Infinity ? {} : { minimum: min }),
      ...(max === Number.MAX_VALUE ? {} : { maximum: max }),
      description,
    },
  };
}

/**
 * Makes a rule for milliseconds.
 *
 * @param description For editors.
 * @returns The rule: 0 or more, fractions allowed.
 */
export function delayRule(description: string): KeyRule<number> {
  return numberRule("a number of milliseconds, 0 or more", { min: 0 }, description);
}

/**
 * Makes a rule for text.
 *
 * @param description For editors.
 * @param shape What else it must be: for messages, for the parser, and for editors.
 * @returns The rule.
 */
export function textRule(
  description: string,
  shape: { expected?: string; accepts?: (text: string) => boolean; schema?: JsonSchema } = {},
): KeyRule<string> {
  const { expected = "text", accepts = () => true, schema = {} } = shape;
  return {
    expected,
    accepts: (value) => typeof value === "string" && accepts(value),
    read: (value) => value.text(expected, accepts),
    schema: { type: "string", ...schema, description },
  };
}

/**
 * Makes a rule for one of several words.
 *
 * @param words The words.
 * @param description For editors.
 * @returns The rule.
 */
export function wordRule<T extends string>(words: readonly T[], description: string): KeyRule<T> {
  const rule = textRule(description, {
    expected: `one of ${words.join(", ")}`,
    accepts: (text) => (words as readonly string[]).includes(text),
    schema: { enum: words },
  });
  return rule as KeyRule<T>; // `accepts` lets nothing else through
}

/**
 * Turns rules into what reads a mapping.
 *
 * @param rules The rules.
 * @returns The readers, in the order of the rules.
 */
export function readersOf<T extends object>(rules: KeyRules<T>): YamlReaders<T> {
  const entries = Object.entries<KeyRule>(rules);
  return Object.fromEntries(entries.map(([key, { read }]) => [key, read])) as YamlReaders<T>;
}

/**
 * Turns rules into the schema of an object with these keys and no others.
 *
 * @param rules The rules.
 * @param required The keys that must be there.
 * @returns The schema.
 */
export function objectSchema<T extends object>(
  rules: KeyRules<T>,
  required: readonly (keyof T & string)[],
): JsonSchema {
  const entries = Object.entries<KeyRule>(rules);
  return {
    type: "object",
    properties: Object.fromEntries(entries.map(([key, { schema }]) => [key, schema])),
    required,
    additionalProperties: false,
  };
}
