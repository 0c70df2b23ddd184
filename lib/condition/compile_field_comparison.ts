/** Makes predicates of checks with a field on both sides. @module */
import type { ComparisonOperator } from "./ast.ts";
import type { CompiledOperand, OperandProblems } from "./compile_operand.ts";
import { toLowerAscii } from "./operators/ascii.ts";
import { makeGlob } from "./operators/glob.ts";
import { compareOrdered, holds } from "./operators/order.ts";
import { makeFieldMembership } from "./operators/sets.ts";
import type { Predicate } from "./values.ts";
import { whenTexts } from "./values.ts";

/** A pattern from an alert may be as long as one in a condition: testing takes its length times the text's. */
const MAX_PATTERN_LENGTH = 256;

/**
 * Makes the predicate of a check with a field on both sides.
 *
 * @param left The left side.
 * @param operator The operator.
 * @param right The right side; `isCall` if it is a function of a field.
 * @param problems Takes what is wrong with it.
 * @returns The predicate. It is false for every alert that lacks one of the two.
 *
 * @throws {Error} the one that `problems` makes, when the operator takes no field on its right.
 */
export function compileFieldComparison(
  left: CompiledOperand,
  operator: ComparisonOperator,
  right: CompiledOperand & { readonly isCall: boolean },
  problems: OperandProblems,
): Predicate {
  const { read } = left;
  requireSameType(left, operator, right, problems);
  switch (operator) {
    case "regex":
    case "pmatch":
    case "bcontains":
    case "bstartswith":
      throw problems.error(`"${operator}" takes no field on its right`);
    case "<":
    case "<=":
    case ">":
    case ">=":
      if (left.kind === "priority" || right.kind === "priority") {
        throw problems.error(`"${operator}" compares alert.priority with a name only`);
      }
      return whenTexts(read, right.read, (a, b) => holds(operator, compareOrdered(a, b)));
    case "in":
    case "intersects":
      if (right.isCall && right.kind !== "number") {
        problems.warn(`"${operator}" never finds anything in a function of text; use val()`);
        return () => false;
      }
      return makeFieldMembership(left.readList, operator, right.readList);
    case "=":
      return whenTexts(read, right.read, (a, b) => a === b);
    case "!=":
      return whenTexts(read, right.read, (a, b) => a !== b);
    case "contains":
      return whenTexts(read, right.read, (a, b) => a.includes(b));
    case "startswith":
      return whenTexts(read, right.read, (a, b) => a.startsWith(b));
    case "endswith":
      return whenTexts(read, right.read, (a, b) => a.endsWith(b));
    case "icontains":
      return whenTexts(read, right.read, (a, b) => toLowerAscii(a).includes(toLowerAscii(b)));
    case "glob":
    case "iglob": {
      const foldsCase = operator === "iglob";
      return whenTexts(
        read,
        right.read,
        (a, b) => b.length <= MAX_PATTERN_LENGTH && makeGlob(b, foldsCase)(a),
      );
    }
  }
}

/** Types that Falco's functions give are known without its catalogue of fields. */
function requireSameType(
  { kind: left }: CompiledOperand,
  operator: ComparisonOperator,
  { kind: right }: CompiledOperand,
  problems: OperandProblems,
): void {
  if ((left === "number") === (right === "number") || left === "any" || right === "any") return;
  throw problems.error(
    `"${operator}" cannot compare the number that len() gives with anything else`,
  );
}
