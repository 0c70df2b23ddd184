/** Writes a condition. @module */
import type { Expression, Operand } from "./ast.ts";

/**
 * Writes a condition as text that {@linkcode parseCondition} reads back to the same expression.
 *
 * @param expression The condition.
 * @returns Its text, on one line: quotes and parentheses only where they are needed.
 */
export function printCondition(expression: Expression): string {
  switch (expression.type) {
    case "or":
      return expression.operands.map((one) => within(one, ["or"])).join(" or ");
    case "and":
      return expression.operands.map((one) => within(one, ["or", "and"])).join(" and ");
    case "not":
      return `not ${within(expression.operand, ["or", "and", "not"])}`;
    case "macro":
      // Before a blank it would be read as the operator.
      return expression.name === "not" ? "(not)" : expression.name;
    case "exists":
      return `${printOperand(expression.left)} exists`;
    case "compare": {
      const { left, operator, right } = expression;
      return `${printOperand(left)} ${operator} ${printRight(right)}`;
    }
  }
}

function within(expression: Expression, inParentheses: readonly Expression["type"][]): string {
  const text = printCondition(expression);
  return inParentheses.includes(expression.type) ? `(${text})` : text;
}

function printRight(right: (Expression & { type: "compare" })["right"]): string {
  switch (right.type) {
    case "value":
      return printValue(right.text);
    case "list":
      return `(${right.items.map(printValue).join(", ")})`;
    case "field":
      return `val(${printOperand(right)})`;
    case "call":
      return printOperand(right);
  }
}

function printOperand(operand: Operand): string {
  if (operand.type === "call") return `${operand.transformer}(${printOperand(operand.operand)})`;
  const { name, argument } = operand;
  if (argument === undefined) return name;
  return `${name}[${/^[^\][\"'\s]+$/.test(argument) ? argument : quote(argument)}]`;
}

function printValue(text: string): string {
  return /^[^()"'=,\s]+$/.test(text) ? text : quote(text);
}

/** A backslash at the end needs the escape with a blank: no quote behind a backslash closes. */
function quote(text: string): string {
  const escaped = text.replace(/[\\"\n\r\t\b\f]/g, (char, at: number) => {
    if (char === "\\") return at === text.length - 1 ? "\\ " : "\\\\";
    return escapes[char as keyof typeof escapes];
  });
  return `"${escaped}"`;
}

const escapes = { '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f" };
