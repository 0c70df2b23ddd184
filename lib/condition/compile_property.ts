/** Makes predicates for `alert.priority` and `alert.time`, whose values are not compared as text. @module */
import type { AlertTime } from "../alert/alert.ts";
import type { Priority } from "../alert/priority.ts";
import { comparePriorities, parsePriority, priorities } from "../alert/priority.ts";
import { quoteText } from "../alert/quote_text.ts";
import { parseTime } from "../alert/time.ts";
import type { ComparisonOperator } from "./ast.ts";
import type { CompiledOperand, OperandProblems } from "./compile_operand.ts";
import { holds } from "./operators/order.ts";
import type { Predicate } from "./values.ts";

/**
 * Makes the predicate of a check that has a property on its left and values on its right.
 *
 * Priorities compare by severity: `>=` means "at least as severe". Their names are read in any case,
 * `info` for `informational` too. Times compare as moments, to the nanosecond.
 *
 * @param left The property.
 * @param operator The operator.
 * @param values What it is compared with.
 * @param problems Takes what is wrong with it.
 * @returns The predicate; undefined if the operator is one for text.
 *
 * @throws {Error} the one that `problems` makes, when a value is no priority or no time.
 */
export function compileProperty(
  left: CompiledOperand,
  operator: ComparisonOperator,
  values: readonly string[],
  problems: OperandProblems,
): Predicate | undefined {
  const accepts = acceptsOrder(operator);
  if (accepts === undefined) return undefined;
  if (left.kind === "time") {
    const times = values.map((value) => readTime(value, problems));
    return ({ time }) => times.some((one) => accepts(compareTimes(time, one)));
  }
  const names = values.map((value) => readPriority(value, problems));
  const accepted = new Set<Priority>(
    priorities.filter((one) => names.some((name) => accepts(comparePriorities(one, name)))),
  );
  return (alert) => accepted.has(alert.priority);
}

/** Which results of a comparison satisfy an operator; undefined if it is one for text. */
function acceptsOrder(operator: ComparisonOperator): ((order: number) => boolean) | undefined {
  switch (operator) {
    case "=":
    case "in":
    case "intersects":
      return (order) => order === 0;
    case "!=":
      return (order) => order !== 0;
    case "<":
    case "<=":
    case ">":
    case ">=":
      return (order) => holds(operator, order);
    default:
      return undefined;
  }
}

function readPriority(value: string, problems: OperandProblems): Priority {
  const name = parsePriority(value);
  if (name !== undefined) return name;
  throw problems.error(
    `${quoteText(value)} is no priority; the priorities are ${priorities.join(", ")}`,
  );
}

function readTime(value: string, problems: OperandProblems): AlertTime {
  const time = parseTime(value)?.time;
  if (time !== undefined) return time;
  throw problems.error(`${quoteText(value)} is no time, such as 2026-01-01T00:00:00Z`);
}

function compareTimes(a: AlertTime, b: AlertTime): number {
  return a.seconds - b.seconds || a.nanos - b.nanos;
}
