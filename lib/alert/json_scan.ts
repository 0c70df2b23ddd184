/** Finds places in JSON text, for error messages that point. @module */
import { quoteText } from "./quote_text.ts";

/** What {@linkcode scanJson} found. */
export interface JsonScan {
  /** Where the text stops being JSON, or holds a number that no double can hold, as an index from 0; undefined if all of it is good. */
  readonly errorAt?: number;
  /** What is wrong there, in words; set if `errorAt` is. */
  readonly problem?: string;
  /** Where the values of the outermost object begin, by key. */
  readonly members: ReadonlyMap<string, number>;
}

/** A level of nesting: what closes it, and what comes next. */
interface Level {
  readonly close: "}" | "]";
  state: "first" | "next" | "colon" | "value" | "after";
  key: string;
}

const LITERAL = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;

/**
 * Reads JSON text once, without recursion, and says where it goes wrong.
 *
 * The engines do not agree on the text of their syntax errors, and not all give a position; this
 * runs only once `JSON.parse` has failed, or to find a key whose value is no good.
 *
 * @param text The text, one JSON value.
 * @returns The first error, if there is one, and the places of the outermost values.
 */
export function scanJson(text: string): JsonScan {
  const members = new Map<string, number>();
  const levels: Level[] = [];
  let done = false;
  let at = 0;
  for (;;) {
    const start = skipBlanks(text, at);
    if (done && start === text.length) return { members };
    const level = levels.at(-1);
    const char = text[start];
    const fail = (problem: string, errorAt = start): JsonScan => ({ members, errorAt, problem });
    const unexpected = () => fail(`${found(text, start)}, expected ${expectation(level, done)}`);
    const wantsKey = level?.close === "}" && (level.state === "first" || level.state === "next");
    at = start + 1;
    if (done) return unexpected();
    if (level?.state === "after" && char === ",") {
      level.state = "next";
      continue;
    }
    if (level?.state === "colon") {
      if (char !== ":") return unexpected();
      level.state = "value";
      continue;
    }
    if (level !== undefined && char === level.close) {
      if (level.state !== "first" && level.state !== "after") return unexpected();
      levels.pop();
    } else if (level?.state === "after") {
      return unexpected();
    } else if (wantsKey) {
      if (char !== '"') return unexpected();
      const end = endOfString(text, start);
      if (typeof end !== "number") return fail(end.problem, end.errorAt);
      level.key = JSON.parse(text.slice(start, end)) as string;
      level.state = "colon";
      at = end;
      continue;
    } else {
      if (levels.length === 1 && level?.close === "}") members.set(level.key, start);
      if (char === "{" || char === "[") {
        levels.push({ close: char === "{" ? "}" : "]", state: "first", key: "" });
        continue;
      }
      if (char === '"') {
        const end = endOfString(text, start);
        if (typeof end !== "number") return fail(end.problem, end.errorAt);
        at = end;
      } else {
        LITERAL.lastIndex = start;
        const [literal] = LITERAL.exec(text) ?? [];
        if (literal === undefined) return unexpected();
        if (Math.abs(Number(literal)) === Infinity) {
          return fail(`the number ${literal.slice(0, 40)} is out of range`);
        }
        at = start + literal.length;
      }
    }
    // A value has ended.
    const parent = levels.at(-1);
    if (parent === undefined) done = true;
    else parent.state = "after";
  }
}

/**
 * Walks over a string; by hand, since regular expressions give up on strings of a few MB: JSC finds
 * no match, V8 throws.
 */
function endOfString(text: string, start: number): number | { problem: string; errorAt: number } {
  for (let at = start + 1; at < text.length; at++) {
    const char = text[at]!;
    if (char === '"') return at + 1;
    if (char < " ") {
      return { problem: `found ${quoteText(char)} in text, expected it escaped`, errorAt: at };
    }
    if (char !== "\\") continue;
    const [escape] = /^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(text.slice(at, at + 6)) ?? [];
    if (escape === undefined) return { problem: "found a bad escape in text", errorAt: at };
    at += escape.length - 1;
  }
  return { problem: "found text that is not closed", errorAt: start };
}

function expectation(level: Level | undefined, done: boolean): string {
  if (done) return "nothing more";
  if (level === undefined) return "a JSON value";
  const isArray = level.close === "]";
  switch (level.state) {
    case "first":
      return isArray ? 'a value or "]"' : 'a key in double quotes or "}"';
    case "next":
      return isArray ? "a value" : "a key in double quotes";
    case "colon":
      return '":"';
    case "value":
      return "a value";
    case "after":
      return `"," or "${level.close}"`;
  }
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && " \t\r\n".includes(text[at]!)) at++;
  return at;
}

/** A few characters of hostile text, harmless to print. */
function found(text: string, at: number): string {
  if (at >= text.length) return "the text ends";
  if (text[at] === '"') return "found text";
  const [word] = /^[\w.+-]{1,20}/.exec(text.slice(at, at + 20)) ?? [];
  return `found ${quoteText(word ?? String.fromCodePoint(text.codePointAt(at)!))}`;
}
