/** Which alerts to show: the options that `replay`, `tail` and `record` share. @module */
import { parsePriority, priorities } from "../lib/alert/priority.ts";
import type { Priority } from "../lib/alert/priority.ts";
import { compileCondition } from "../lib/condition/compile_condition.ts";
import type { CompiledCondition } from "../lib/condition/compile_condition.ts";
import { ConditionError } from "../lib/condition/condition_error.ts";
import { quote } from "./options.ts";
import { UsageError } from "./usage_error.ts";

/** The lines of `--help` about these options. */
export const selectionHelp = `  --min-priority NAME      only alerts at least this severe: ${
  priorities.slice(0, 4).join(", ")
},
                           ${priorities.slice(4).join(", ")}
  --filter CONDITION       only alerts that match, in the language of Falco's rules, with
                           alert.rule, alert.priority, alert.tags ... beside the output fields:
                           "alert.priority >= warning and proc.name in (sh, bash)"`;

/**
 * Reads `--min-priority`.
 *
 * @param text What was given; undefined if nothing was.
 * @returns The priority.
 * @throws {UsageError} If there is none of that name.
 */
export function readMinPriority(text: string | boolean | undefined): Priority | undefined {
  if (text === undefined) return undefined;
  const priority = parsePriority(String(text));
  if (priority === undefined) {
    throw new UsageError(
      `--min-priority must be one of ${priorities.join(", ")}: it is ${quote(text)}`,
    );
  }
  return priority;
}

/**
 * Reads `--filter`.
 *
 * @param text What was given; undefined if nothing was.
 * @returns The condition, compiled.
 * @throws {UsageError} If it is none; the message begins with `--filter:LINE:COLUMN`.
 */
export function readFilter(text: string | boolean | undefined): CompiledCondition | undefined {
  if (text === undefined) return undefined;
  try {
    return compileCondition(String(text));
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    const { line, column, reason } = error;
    throw new UsageError(`--filter:${line}:${column}: ${reason}`, { cause: error });
  }
}
