/** Arguments to options, with every mistake a sentence. @module */
import { parseArgs } from "node:util";
import type { ParseArgsOptionsConfig } from "node:util";
import { UsageError } from "./usage_error.ts";

/** What the user wrote: options by name, and what is no option. */
export interface ParsedOptions {
  readonly values: { readonly [name: string]: string | boolean | undefined };
  /** Options that may be given more than once, with all their values in order. */
  readonly lists: { readonly [name: string]: readonly string[] | undefined };
  readonly positionals: readonly string[];
}

/**
 * Reads arguments.
 *
 * @param args The arguments after the command.
 * @param config The options that there are.
 * @returns What was given.
 * @throws {UsageError} If an option is unknown, lacks its value, or has one it does not take.
 */
export function parseOptions(
  args: readonly string[],
  config: ParseArgsOptionsConfig,
): ParsedOptions {
  const options: ParseArgsOptionsConfig = { help: { type: "boolean", short: "h" }, ...config };
  // Not strict: its messages differ between the runtimes, and it cannot suggest anything.
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const option = options[token.name];
    if (option === undefined) {
      throw new UsageError(
        `unknown option ${quote(token.rawName)}${
          suggest(token.rawName, Object.keys(options).map((name) => `--${name}`))
        }`,
      );
    }
    if (option.type === "string" && (token.value === undefined || token.value === "")) {
      throw new UsageError(`the option ${token.rawName} needs a value`);
    }
    // "--limit --tls" most likely lacks the limit.
    if (option.type === "string" && !token.inlineValue && /^--?[a-z]/.test(token.value ?? "")) {
      throw new UsageError(`the option ${token.rawName} needs a value before ${token.value}`);
    }
    if (option.type === "boolean" && token.value !== undefined) {
      throw new UsageError(`the option ${token.rawName} takes no value`);
    }
  }
  const lists: Record<string, readonly string[]> = {};
  for (const [name, value] of Object.entries(values)) {
    if (Array.isArray(value)) lists[name] = value as string[];
  }
  return { values: values as ParsedOptions["values"], lists, positionals };
}

/**
 * Reads a whole number.
 *
 * @param name The option, for the message.
 * @param text What was given; undefined if nothing was.
 * @param min The least to accept.
 * @returns The number, or undefined if nothing was given.
 * @throws {UsageError} If it is no such number.
 */
export function wholeNumber(
  name: string,
  text: string | boolean | undefined,
  min: number,
): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (
    typeof text !== "string" || !/^\d+$/.test(text) || number < min || !Number.isSafeInteger(number)
  ) {
    throw new UsageError(`--${name} must be a whole number from ${min} on: it is ${quote(text)}`);
  }
  return number;
}

/**
 * Reads one of a few words.
 *
 * @param name The option, for the message.
 * @param text What was given; undefined if nothing was.
 * @param words What is allowed.
 * @returns The word, or undefined if nothing was given.
 * @throws {UsageError} If it is none of them.
 */
export function oneOf<T extends string>(
  name: string,
  text: string | boolean | undefined,
  words: readonly T[],
): T | undefined {
  if (text === undefined) return undefined;
  const word = words.find((known) => known === text);
  if (word === undefined) {
    throw new UsageError(
      `--${name} must be one of ${words.join(", ")}: it is ${quote(text)}` +
        suggest(String(text), words),
    );
  }
  return word;
}

/**
 * Shows what a user gave, harmless whatever it is.
 *
 * @param value The value.
 * @returns It in double quotes.
 */
export function quote(value: string | boolean): string {
  return JSON.stringify(String(value).slice(0, 200));
}

/**
 * Suggests what a word may have been meant to be.
 *
 * @param word The word.
 * @param known What there is.
 * @returns A sentence to append, or nothing if no known word is near.
 */
export function suggest(word: string, known: readonly string[]): string {
  const near = known.find((name) => distance(word, name) <= Math.min(2, name.length - 1));
  return near === undefined ? "" : `. Did you mean ${near}?`;
}

/** How many letters to change, add or drop. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
