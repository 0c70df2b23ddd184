/** Finds places in JSON text, for error messages that point. @module */

/** What {@linkcode scanJson} found. */
export interface JsonScan {
  /** Where the text stops being JSON, as an index from 0; undefined if all of it is JSON. */
  readonly errorAt?: number;
  /** What stands there instead of JSON, in words; set if `errorAt` is. */
  readonly problem?: string;
  /** Where the values of the outermost object begin, by key. */
  readonly members: ReadonlyMap<string, number>;
}

/** A level of nesting: what closes it, and what may come next. */
interface Level {
  readonly close: "}" | "]";
  state: "first" | "value" | "after";
  key?: string;
}

const TOKEN =
  /[ \t\r\n]*(?:("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])|([{}[\],:])|($))/y;

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
  TOKEN.lastIndex = 0;
  for (;;) {
    const before = TOKEN.lastIndex;
    const start = skipBlanks(text, before);
    const match = TOKEN.exec(text);
    const fail = (expected: string): JsonScan => ({
      members,
      errorAt: start,
      problem: `${start >= text.length ? "the text ends" : `found ${quote(text, start)}`}, ` +
        `expected ${expected}`,
    });
    const level = levels.at(-1);
    if (match === null) return fail(expectation(level, done));
    const [, string, literal, punctuation] = match;
    if (done) {
      if (punctuation === undefined && string === undefined && literal === undefined) {
        return { members };
      }
      return fail("nothing more");
    }
    const scalar = string ?? literal;
    if (level?.close === "}" && level.state !== "after" && level.key === undefined) {
      // A key, or the end of an empty object.
      if (punctuation === "}" && level.state === "first") {
        levels.pop();
      } else if (string === undefined) {
        return fail(expectation(level, done));
      } else {
        level.key = JSON.parse(string) as string;
        TOKEN.lastIndex = skipBlanks(text, TOKEN.lastIndex);
        if (text[TOKEN.lastIndex] !== ":") {
          const at = TOKEN.lastIndex;
          const what = at >= text.length ? "the text ends" : `found ${quote(text, at)}`;
          return { members, errorAt: at, problem: `${what}, expected ":"` };
        }
        TOKEN.lastIndex++;
        continue;
      }
    } else if (level?.state === "after") {
      if (punctuation === ",") {
        level.state = "value";
        delete level.key;
        continue;
      }
      if (punctuation !== level.close) return fail(expectation(level, done));
      levels.pop();
    } else if (scalar !== undefined || punctuation === "{" || punctuation === "[") {
      if (levels.length === 1 && level?.key !== undefined) members.set(level.key, start);
      if (scalar === undefined) {
        levels.push({ close: punctuation === "{" ? "}" : "]", state: "first" });
        continue;
      }
    } else if (punctuation === "]" && level?.close === "]" && level.state === "first") {
      levels.pop();
    } else {
      return fail(expectation(level, done));
    }
    // A value has ended.
    const parent = levels.at(-1);
    if (parent === undefined) done = true;
    else parent.state = "after";
  }
}

function expectation(level: Level | undefined, done: boolean): string {
  if (done) return "nothing more";
  if (level === undefined) return "a JSON value";
  if (level.state === "after") return `"," or "${level.close}"`;
  if (level.close === "}" && level.key === undefined) {
    return level.state === "first" ? 'a key in double quotes or "}"' : "a key in double quotes";
  }
  return level.close === "]" && level.state === "first" ? 'a value or "]"' : "a value";
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && " \t\r\n".includes(text[at]!)) at++;
  return at;
}

/** A few characters of hostile text, harmless to print. */
function quote(text: string, at: number): string {
  if (text[at] === '"') return "text that is not closed, or has a bad escape or a raw line break";
  const [word] = /^[\w.+-]{1,20}/.exec(text.slice(at, at + 20)) ?? [];
  return JSON.stringify(word ?? String.fromCodePoint(text.codePointAt(at)!));
}
