/** Alerts for the tests of conditions. @module */
import type { Alert, AlertFields } from "../lib/alert/alert.ts";
import type { ConditionOptions } from "../lib/condition/mod.ts";
import { compileCondition, ConditionError } from "../lib/condition/mod.ts";

/** An alert with these fields, and whatever else matters. */
export function alertWith(outputFields: AlertFields, more: Partial<Alert> = {}): Alert {
  return {
    time: { seconds: 1767225600, nanos: 0 },
    priority: "notice",
    source: "syscall",
    rule: "r",
    output: "o",
    outputFields,
    hostname: "h",
    tags: [],
    ...more,
  };
}

/** Whether a condition matches an alert with these fields. */
export function matches(
  condition: string,
  outputFields: AlertFields,
  more: Partial<Alert> = {},
  options: ConditionOptions = {},
): boolean {
  return compileCondition(condition, options)(alertWith(outputFields, more));
}

/** The error that a condition gives; undefined if it is accepted. */
export function errorOf(
  condition: string,
  options: ConditionOptions = {},
): ConditionError | undefined {
  try {
    compileCondition(condition, options);
    return undefined;
  } catch (error) {
    if (error instanceof ConditionError) return error;
    throw error;
  }
}
