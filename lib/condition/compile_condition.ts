/** Makes a predicate of a condition in Falco's filter language. @module */
import type { Alert } from "../alert/alert.ts";
import { quoteText } from "../alert/quote_text.ts";
import type { Expression } from "./ast.ts";
import { compileCheck } from "./compile_check.ts";
import { conditionError } from "./condition_error.ts";
import type { ConditionText } from "./condition_text.ts";
import { combineChecks } from "./field_check.ts";
import type { CompiledCheck, Connective } from "./field_check.ts";
import { checkText, MAX_DEPTH, parseText, warningText } from "./parse_condition.ts";
import type { ParsedText } from "./parse_condition.ts";
import { pasteLists, prepareLists } from "./paste_lists.ts";

/** How many checks a condition may come to when its macros are spelled out: each alert may need all. */
const MAX_CHECKS = 100_000;

/**
 * What a condition may refer to.
 *
 * @example
 * ```ts
 * import { compileCondition } from "@falco-streams/core/streams";
 * import type { ConditionOptions } from "@falco-streams/core/streams";
 * import { buildAlert } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const options: ConditionOptions = {
 *   lists: { shells: ["sh", "bash"] },
 *   macros: { is_shell: "proc.name in (shells)", in_container: "container.id != host" },
 * };
 * const matches = compileCondition("is_shell and in_container", options);
 * assert(matches(buildAlert({ outputFields: { "proc.name": "sh", "container.id": "3f2a" } })));
 * ```
 */
export interface ConditionOptions {
  /**
   * Conditions by name. A macro sees those before it, and all are checked, used or not. Default:
   * none.
   */
  readonly macros?: Readonly<Record<string, string>>;
  /**
   * Lists by name, pasted into conditions and macros before they are read: wherever the name stands
   * between blanks, `(`, `)`, `,` or `=`, in quotes too. An item may name a list before its own; one
   * with a blank is put in quotes, all else is pasted as it is. Default: none.
   */
  readonly lists?: Readonly<Record<string, readonly (string | number)[]>>;
}

/**
 * A condition that can be asked of any number of alerts.
 *
 * @example
 * ```ts
 * import { compileCondition } from "@falco-streams/core/streams";
 * import type { CompiledCondition } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const matches: CompiledCondition = compileCondition('proc.name regex "("');
 * assert.equal(matches.text, 'proc.name regex "("');
 * assert.match(matches.warnings[0]!, /^line 1, column 17: the regular expression is invalid/);
 * ```
 */
export interface CompiledCondition {
  /**
   * Says whether an alert is one of those that the condition describes. It never waits, keeps
   * nothing from call to call, and its time is bounded by the size of the alert.
   */
  (alert: Alert): boolean;
  /** The condition as it was given. */
  readonly text: string;
  /** What Falco accepts and can only be a mistake, each with its place, as a line of text. */
  readonly warnings: readonly string[];
}

/**
 * Makes a predicate of a condition in Falco's filter language, as it stands in the rules of Falco.
 *
 * Any name with a dot is a field of the alert's output. An alert that lacks it fails every
 * comparison with it, `!=` too; only `not` around the comparison turns that into true. An alert does
 * not say which type a field has, so `=`, `in` and the operators for text compare its text, and `<`
 * and its like compare integers if the value is one, else bytes. As in Falco, a list that begins with
 * an empty text counts as that text alone.
 *
 * The alert's own properties are `alert.rule`, `alert.priority`, `alert.source`, `alert.tags` (a
 * list), `alert.hostname`, `alert.output` and `alert.time`. `alert.priority >= warning` means at
 * least as severe; `alert.time >= 2026-01-01T00:00:00Z` compares moments.
 *
 * @param text The condition.
 * @param options Macros and lists that it may refer to.
 * @returns The predicate.
 *
 * @throws {ConditionError} when Falco would refuse the condition or one of the macros, whatever the
 * types of the fields are; when it refers to a macro that is not there; when it is nested too deep.
 * @throws {TypeError} when the condition, a macro or a list has the wrong type.
 * @throws {RangeError} when a list has more than a million characters.
 *
 * @example
 * ```ts
 * import { compileCondition } from "@falco-streams/core/streams";
 * import { buildAlert } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const matches = compileCondition("alert.priority >= warning and proc.name in (bash, sh)");
 * assert(matches(buildAlert({ priority: "critical", outputFields: { "proc.name": "sh" } })));
 * assert(!matches(buildAlert({ priority: "notice", outputFields: { "proc.name": "sh" } })));
 * assert(!matches(buildAlert({ priority: "critical", outputFields: {} })));
 * ```
 */
export function compileCondition(text: string, options: ConditionOptions = {}): CompiledCondition {
  checkText(text);
  const lists = prepareLists(options.lists ?? {});
  const macros = new Map<string, Part>();
  const warnings: string[] = [];
  for (const [name, macroText] of Object.entries(options.macros ?? {})) {
    if (typeof macroText !== "string") {
      throw new TypeError(`Cannot read the macro ${quoteText(name)}: it must be a string`);
    }
    if (!/^[a-zA-Z][a-zA-Z0-9_]*$/.test(name)) {
      warnings.push(`macro ${quoteText(name)}: no condition can refer to a macro of this name`);
    }
    macros.set(name, compileText(pasteLists(macroText, lists, name), macros, warnings));
  }
  const { test } = compileText(pasteLists(text, lists), macros, warnings);
  // Made for this condition alone, so it can carry what is known of it.
  return Object.assign(test, { text, warnings: Object.freeze(warnings) });
}

/** A part of a condition, ready to be asked. */
interface Part extends CompiledCheck {
  /** What it ties together, if it does; not set where that has become one check. */
  readonly tied?: { readonly connective: Connective; readonly checks: readonly CompiledCheck[] };
  /** How many checks it comes to. */
  readonly checks: number;
  /** How deep its predicates call each other. */
  readonly depth: number;
}

function compileText(
  source: ConditionText,
  macros: ReadonlyMap<string, Part>,
  warnings: string[],
): Part {
  const parsed = parseText(source);
  for (const warning of parsed.warnings) warnings.push(warningText(source, warning));
  return compileExpression(parsed.expression, { source, parsed, macros, warnings });
}

interface Context {
  readonly source: ConditionText;
  readonly parsed: ParsedText;
  readonly macros: ReadonlyMap<string, Part>;
  readonly warnings: string[];
}

function compileExpression(expression: Expression, context: Context): Part {
  const { source, parsed, macros, warnings } = context;
  const offset = parsed.offsets.get(expression) ?? 0;
  const error = (reason: string) => conditionError(reason, { text: source, offset });
  switch (expression.type) {
    case "and":
    case "or": {
      const parts = expression.operands.map((one) => compileExpression(one, context));
      const checks = parts.reduce((sum, part) => sum + part.checks, 0);
      if (checks > MAX_CHECKS) throw error(`it comes to more than ${MAX_CHECKS} checks`);
      const depth = 1 + parts.reduce((deepest, part) => Math.max(deepest, part.depth), 0);
      return { ...tie(expression.type, parts), checks, depth };
    }
    case "not": {
      const { test, checks, depth } = compileExpression(expression.operand, context);
      return { test: (alert) => !test(alert), checks, depth: depth + 1 };
    }
    case "macro": {
      const macro = macros.get(expression.name);
      if (macro === undefined) {
        throw error(
          `there is no macro ${
            quoteText(expression.name)
          } before this; a field has a dot in its name`,
        );
      }
      if (macro.depth > MAX_DEPTH) throw error(`macros may be nested ${MAX_DEPTH} deep, not more`);
      return { ...macro, depth: macro.depth + 1 };
    }
    default: {
      const warn = (reason: string) => warnings.push(warningText(source, { reason, offset }));
      const check = compileCheck(expression, { error, warn: (reason) => void warn(reason) });
      return { ...check, checks: 1, depth: 1 };
    }
  }
}

/** Ties parts together; those that are tied in the same way themselves, as macros are, without a level more. */
function tie(
  connective: Connective,
  parts: readonly Part[],
): Pick<Part, "test" | "field" | "tied"> {
  const checks = parts.flatMap((part): readonly CompiledCheck[] =>
    part.tied?.connective === connective ? part.tied.checks : [part]
  );
  const check = combineChecks(connective, checks);
  return check.field === undefined ? { ...check, tied: { connective, checks } } : check;
}
