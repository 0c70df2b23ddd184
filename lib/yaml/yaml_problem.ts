/** What is wrong with a YAML file, in words for the person who wrote it. @module */
import { isScalar, visit } from "yaml";
import type { Document, ErrorCode, YAMLError } from "yaml";

/** How much of a text from the file a message shows. */
const MAX_SHOWN = 40;

/** A mistake, and where it is. */
export interface YamlProblem {
  /** What is wrong and what helps; no place, no full stop. */
  readonly problem: string;
  /** The index in the text. */
  readonly offset: number;
  /** What the YAML library said. */
  readonly cause: YAMLError;
}

const IN_BRACKETS =
  'between brackets, items must be separated by ",", and lists and mappings written with brackets';
const WRONG_INDENT = "wrong indent: what belongs together must start at the same column";

/**
 * A code of the library stands for several mistakes, so its message decides among them; the first
 * row that fits counts.
 */
const sentences: readonly (readonly [code: ErrorCode, message: RegExp, problem: string])[] = [
  ["RESOURCE_EXHAUSTION", /./, "it is nested too deeply"],
  ["MULTIPLE_DOCS", /./, "it holds more than one document. Remove the second one"],
  ["MISSING_CHAR", /closing .quote/, "the quote that opens here is never closed"],
  ["MISSING_CHAR", /without - indicator/, 'wrong indent, or a list item without its "- "'],
  ["MISSING_CHAR", /Implicit map keys/, 'a key must be followed by ":" and a blank'],
  ["MISSING_CHAR", /space after :/, 'a ":" must be followed by a blank'],
  ["MISSING_CHAR", /Missing ,/, 'items between brackets must be separated by ","'],
  ["MISSING_CHAR", /^Comments/, 'a comment must have a blank before its "#"'],
  ["MISSING_CHAR", /^Tags and anchors/, "an anchor or a tag must be followed by a blank"],
  ["MISSING_CHAR", /must end with a/, 'a bracket is never closed: "]" or "}" is missing'],
  ["MISSING_CHAR", /same line|newline after/, "a list or mapping must begin in a line of its own"],
  ["MISSING_CHAR", /directives-end/, 'directives must be followed by a line "---"'],
  ["MISSING_CHAR", /must use an explicit/, "the first line of the text is indented too little"],
  ["BAD_INDENT", /^Flow/, 'a bracket is not closed before this: "]" or "}" is missing'],
  ["BAD_INDENT", /^Block scalar/, 'the text after "|" or ">" must be indented by blanks'],
  ["BAD_INDENT", /./, WRONG_INDENT],
  ["TAB_AS_INDENT", /./, "a tab cannot indent a line. Use blanks"],
  ["BLOCK_AS_IMPLICIT_KEY", /^Nested/, 'text with ": " in it must be put in quotes'],
  ["BLOCK_AS_IMPLICIT_KEY", /./, WRONG_INDENT],
  ["MULTILINE_IMPLICIT_KEY", /./, 'a key must be in one line and be followed by ":" and a blank'],
  ["KEY_OVER_1024_CHARS", /./, "a key is longer than 1024 characters"],
  ["NON_STRING_KEY", /./, "a key must be text"],
  ["BAD_SCALAR_START", /./, "text that begins with this character must be put in quotes"],
  ["BAD_DQ_ESCAPE", /./, 'unknown escape in double quotes. Write a backslash as "\\\\"'],
  ["BLOCK_IN_FLOW", /./, IN_BRACKETS],
  ["UNEXPECTED_TOKEN", /header/, 'nothing but a comment can follow "|" or ">" in its line'],
  ["UNEXPECTED_TOKEN", /same line with key/, "a list must begin in the line after its key"],
  ["UNEXPECTED_TOKEN", /flow-(seq|map)-end/, "a closing bracket without the one that opens it"],
  ["UNEXPECTED_TOKEN", /./, "this cannot stand here. Look at quotes, brackets and indent"],
  ["MULTIPLE_ANCHORS", /./, "a value cannot have two anchors"],
  ["MULTIPLE_TAGS", /./, "a value cannot have two tags"],
  ["ALIAS_PROPS", /./, "an alias cannot have an anchor or a tag"],
  ["BAD_ALIAS", /ending in :/, 'a blank must stand between the name of an anchor or alias and ":"'],
  ["BAD_ALIAS", /./, "an anchor or an alias must have a name"],
  ["BAD_PROP_ORDER", /./, 'an anchor or a tag must follow the "-", "?" or ":"'],
  ["BAD_DIRECTIVE", /./, "unknown directive. Remove the line"],
  ["TAG_RESOLVE_FAILED", /./, "unknown tag, or one that does not fit the value. Remove it"],
];

/**
 * Finds the first mistake. What the library only warns of (unknown tags and directives) counts, too:
 * it would read something else than was meant.
 *
 * @param document The parsed document, made without `prettyErrors`.
 * @param text What it was parsed from.
 * @returns The mistake, or undefined if there is none.
 */
export function findYamlProblem(document: Document, text: string): YamlProblem | undefined {
  const found = [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0]);
  // Once the stack is full the rest is not read, so whatever else is reported may be no mistake.
  const cause = found.find(({ code }) => code === "RESOURCE_EXHAUSTION") ?? found[0];
  if (cause === undefined) return undefined;
  const { code, message, pos: [start] } = cause;
  const problem = sentences.find(([of, pattern]) => of === code && pattern.test(message))?.[2] ??
    `it is no valid YAML (${message.split("\n", 1)[0]})`;
  if (/closing .quote/.test(message)) {
    return { problem, offset: openingQuote(document, start), cause };
  }
  // `a: 1` and, one deeper, `b: 2`: read as the key `1 b` within the value of `a`.
  const end = found.find((other) =>
    other.code === "MULTILINE_IMPLICIT_KEY" && other.pos[0] === start && other !== cause
  )?.pos[1];
  if (end !== undefined) {
    const line = text.lastIndexOf("\n", end - 1) + 1;
    return { problem: WRONG_INDENT, offset: skipBlanks(text, line), cause };
  }
  // Wrong indents are reported at the start of a line; the first thing in it is what they are about.
  return { problem, offset: skipBlanks(text, start), cause };
}

/**
 * Describes a key that does not belong where it is.
 *
 * @param key The key.
 * @param allowed The keys that do.
 * @returns What is wrong, with the key that was probably meant.
 */
export function describeUnknownKey(key: string, allowed: readonly string[]): string {
  const meant = allowed.find((name) => isNear(bare(key), bare(name)));
  const hint = meant === undefined ? "" : ` Did you mean ${quote(meant)}?`;
  return `unknown key ${quote(key)}.${hint} Allowed are ${allowed.join(", ")}`;
}

/**
 * Shows a text from the file in a message.
 *
 * @param text The text.
 * @returns It, or the beginning of it, in double quotes, without control characters.
 */
export function quote(text: string): string {
  // JSON leaves alone what terminals obey as well: U+007F to U+009F.
  return JSON.stringify(shorten(text)).replace(
    /\p{Cc}/gu,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * Shortens a text from the file.
 *
 * @param text The text.
 * @returns It, or its first 40 characters and an ellipsis.
 */
export function shorten(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text;
}

/** The library points to where it gave up, which is often the end of the file. */
function openingQuote(document: Document, end: number): number {
  let start = end;
  visit(document, {
    Scalar(_key, node) {
      const isQuoted = isScalar(node) && node.type?.startsWith("QUOTE") === true;
      if (!isQuoted || !node.range || node.range[0] >= end || node.range[1] < end) return;
      start = node.range[0];
      return visit.BREAK;
    },
  });
  return start;
}

function skipBlanks(text: string, offset: number): number {
  while (text[offset] === " ") offset++;
  return offset;
}

/** What is left of a key without habits of spelling: `outputFields` and `output-fields` are the same. */
function bare(key: string): string {
  return key.toLowerCase().replace(/[-_]/g, "");
}

/** Whether two words are the same but for one letter: another one, one too many, or two swapped. */
function isNear(a: string, b: string): boolean {
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  const [restA, restB] = [a.slice(same), b.slice(same)];
  return restA.slice(1) === restB.slice(1) || restA.slice(1) === restB ||
    restA === restB.slice(1) ||
    (restA[0] === restB[1] && restA[1] === restB[0] && restA.slice(2) === restB.slice(2));
}
