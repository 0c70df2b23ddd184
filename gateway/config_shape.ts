/** Descriptions of plain data, to check it with and to publish. @module */
import { describeUnknownKey, quote } from "../lib/yaml/yaml_problem.ts";

/** What a value may be. */
export type Shape =
  | TextShape
  | NumberShape
  | BooleanShape
  | ListShape
  | ObjectShape
  | VariantShape;

/** What all shapes have. */
interface Described {
  /** What it is for, in a sentence. */
  readonly about: string;
}

/** Text. */
export interface TextShape extends Described {
  readonly kind: "text";
  /** All there are. */
  readonly words?: readonly string[];
  /** A regular expression that it matches as a whole. */
  readonly pattern?: string;
  /** What the pattern stands for, for people. */
  readonly expected?: string;
  readonly default?: string;
}

/** A whole number. */
export interface NumberShape extends Described {
  readonly kind: "number";
  readonly min: number;
  readonly max: number;
  readonly default?: number;
}

/** Yes or no. */
export interface BooleanShape extends Described {
  readonly kind: "boolean";
  readonly default?: boolean;
}

/** A list of things of one shape; at least one. */
export interface ListShape extends Described {
  readonly kind: "list";
  readonly of: Shape;
}

/** A mapping with known keys. */
export interface ObjectShape extends Described {
  readonly kind: "object";
  readonly properties: Readonly<Record<string, Shape>>;
  readonly required: readonly string[];
}

/** A mapping with a key `type` that says which other keys there are. */
export interface VariantShape extends Described {
  readonly kind: "variant";
  readonly variants: Readonly<Record<string, ObjectShape>>;
}

/** Something wrong. */
export interface ShapeProblem {
  /** Where: keys, and places in lists from 0. */
  readonly path: readonly (string | number)[];
  /** Whether it is the key or its value that is wrong. */
  readonly at: "key" | "value";
  /** What is wrong, without the place. */
  readonly problem: string;
}

/** The longest text that is not a file's contents. */
const MAX_TEXT = 65_536;

/**
 * Looks for what is wrong with a value.
 *
 * @param value Plain data.
 * @param shape What it should be.
 * @param path Where it is.
 * @returns The problems, in the order of the data.
 */
export function* problemsOf(
  value: unknown,
  shape: Shape,
  path: readonly (string | number)[] = [],
): Generator<ShapeProblem, void> {
  const wrong = (expected: string): ShapeProblem => ({
    path,
    at: "value",
    problem: `${nameOf(path)} must be ${expected}: it is ${show(value)}`,
  });
  switch (shape.kind) {
    case "text":
      if (!isText(value, shape)) yield wrong(expectedText(shape, value));
      return;
    case "number":
      if (
        !(Number.isSafeInteger(value) && Number(value) >= shape.min && Number(value) <= shape.max)
      ) {
        yield wrong(`a whole number from ${shape.min} to ${shape.max}`);
      }
      return;
    case "boolean":
      if (typeof value !== "boolean") yield wrong("true or false");
      return;
    case "list":
      if (!Array.isArray(value)) return yield wrong("a list");
      if (value.length === 0) yield wrong("a list of at least one");
      for (const [index, item] of value.entries()) {
        yield* problemsOf(item, shape.of, [...path, index]);
      }
      return;
    case "object":
      if (!isObject(value)) return yield wrong("a mapping");
      return yield* problemsOfObject(value, shape, path);
    case "variant": {
      if (!isObject(value)) return yield wrong("a mapping");
      const types = Object.keys(shape.variants);
      const type = Object.hasOwn(value, "type") ? value["type"] : undefined;
      if (type === undefined) return yield missing(path, "type");
      const known = types.find((one) => one === type);
      if (known !== undefined) return yield* problemsOfObject(value, shape.variants[known]!, path);
      yield* problemsOf(type, { kind: "text", words: types, about: "" }, [...path, "type"]);
    }
  }
}

function* problemsOfObject(
  value: Readonly<Record<string, unknown>>,
  { properties, required }: ObjectShape,
  path: readonly (string | number)[],
): Generator<ShapeProblem, void> {
  for (const [key, one] of Object.entries(value)) {
    const shape = Object.hasOwn(properties, key) ? properties[key] : undefined;
    const at = [...path, key];
    if (shape === undefined) {
      yield { path: at, at: "key", problem: describeUnknownKey(key, Object.keys(properties)) };
      // In code, an option that is undefined is one that is not there.
    } else if (one !== undefined) yield* problemsOf(one, shape, at);
  }
  for (const key of required) {
    if (!Object.hasOwn(value, key) || value[key] === undefined) yield missing(path, key);
  }
}

/**
 * Says in words where something is.
 *
 * @param path Keys and places in lists.
 * @returns Such as `"sources[0].listen"`.
 */
export function nameOf(path: readonly (string | number)[]): string {
  if (path.length === 0) return "it";
  const steps = path.map((step, index) =>
    typeof step === "number" ? `[${step}]` : index === 0 ? step : `.${step}`
  );
  return quote(steps.join(""));
}

function missing(path: readonly (string | number)[], key: string): ShapeProblem {
  return { path, at: "value", problem: `${nameOf(path)} has no ${quote(key)}` };
}

function isText(value: unknown, { words, pattern }: TextShape): boolean {
  if (typeof value !== "string" || value === "" || value.length > MAX_TEXT) return false;
  if (words !== undefined) return words.includes(value);
  return pattern === undefined || new RegExp(pattern).test(value);
}

function expectedText({ words, expected = "text" }: TextShape, value: unknown): string {
  if (words !== undefined) return words.length === 1 ? words[0]! : `one of ${words.join(", ")}`;
  if (typeof value === "string" && value.length > MAX_TEXT) {
    return `at most ${MAX_TEXT} characters long`;
  }
  return expected;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  if (typeof value === "string") return value === "" ? "empty" : quote(value);
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object" && value !== null) return "a mapping";
  return value === null || value === undefined ? "empty" : String(value);
}

/**
 * Writes a shape as JSON Schema (2020-12).
 *
 * @param shape The shape.
 * @returns A schema that accepts what {@linkcode problemsOf} finds nothing wrong with.
 */
export function schemaOf(shape: Shape): Record<string, unknown> {
  const { about } = shape;
  const described = about === "" ? {} : { description: about };
  switch (shape.kind) {
    case "text": {
      const { words, pattern, default: value } = shape;
      return {
        type: "string",
        ...described,
        ...(words === undefined ? { minLength: 1, maxLength: MAX_TEXT } : { enum: words }),
        ...(pattern === undefined ? {} : { pattern }),
        ...(value === undefined ? {} : { default: value }),
      };
    }
    case "number": {
      const { min, max, default: value } = shape;
      return {
        type: "integer",
        ...described,
        minimum: min,
        maximum: max,
        ...(value === undefined ? {} : { default: value }),
      };
    }
    case "boolean":
      return {
        type: "boolean",
        ...described,
        ...(shape.default === undefined ? {} : { default: shape.default }),
      };
    case "list":
      return { type: "array", ...described, minItems: 1, items: schemaOf(shape.of) };
    case "object": {
      const { properties, required } = shape;
      const entries = Object.entries(properties).map(([key, one]) => [key, schemaOf(one)]);
      return {
        type: "object",
        ...described,
        additionalProperties: false,
        required,
        properties: Object.fromEntries(entries),
      };
    }
    case "variant":
      return { ...described, oneOf: Object.values(shape.variants).map(schemaOf) };
  }
}
