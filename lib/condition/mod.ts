/** Falco's filter language: conditions on alerts, as they stand in Falco's rules. @module */

export type {
  AllOf,
  AnyOf,
  CallOperand,
  Comparison,
  ComparisonOperator,
  ConditionList,
  ConditionValue,
  Existence,
  Expression,
  FieldOperand,
  ListOperator,
  MacroUse,
  Negation,
  Operand,
  OrderOperator,
  TextOperator,
  Transformer,
} from "./ast.ts";
export type { CompiledCondition, ConditionOptions } from "./compile_condition.ts";
export { compileCondition } from "./compile_condition.ts";
export { ConditionError } from "./condition_error.ts";
export type { ParsedCondition } from "./parse_condition.ts";
export { parseCondition } from "./parse_condition.ts";
export { printCondition } from "./print_condition.ts";
