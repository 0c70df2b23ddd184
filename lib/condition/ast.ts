/** What a condition says, as plain data. @module */

/**
 * A condition, or a part of one that is true or false by itself.
 *
 * Plain data: two conditions that say the same in the same way are deeply equal, whatever their
 * blanks and quotes were.
 */
export type Expression =
  | AllOf
  | AnyOf
  | Negation
  | MacroUse
  | Existence
  | Comparison;

/** `a and b and c`: at least two operands. */
export interface AllOf {
  /** What kind of expression this is. */
  readonly type: "and";
  /** The operands, in order; one that is an `and` itself stood in parentheses. */
  readonly operands: readonly Expression[];
}

/** `a or b or c`: at least two operands. */
export interface AnyOf {
  /** What kind of expression this is. */
  readonly type: "or";
  /** The operands, in order; one that is an `or` itself stood in parentheses. */
  readonly operands: readonly Expression[];
}

/** `not a`. Two `not` in a row cancel each other when they are read. */
export interface Negation {
  /** What kind of expression this is. */
  readonly type: "not";
  /** What is negated. */
  readonly operand: Expression;
}

/** A word that stands for another condition. */
export interface MacroUse {
  /** What kind of expression this is. */
  readonly type: "macro";
  /** The name of the macro. */
  readonly name: string;
}

/** `field exists`. */
export interface Existence {
  /** What kind of expression this is. */
  readonly type: "exists";
  /** What has to be there. */
  readonly left: Operand;
}

/** `field operator value`. */
export interface Comparison {
  /** What kind of expression this is. */
  readonly type: "compare";
  /** The field, or a function of it. */
  readonly left: Operand;
  /** How the two sides are compared; `==` is read as `=`. */
  readonly operator: ComparisonOperator;
  /** A list after `in`, `intersects` and `pmatch`, else a value; or another field. */
  readonly right: ConditionValue | ConditionList | Operand;
}

/** Something that an alert has a value for, or has not. */
export type Operand = FieldOperand | CallOperand;

/** A field by name. On the right it stands in `val()`. */
export interface FieldOperand {
  /** What kind of operand this is. */
  readonly type: "field";
  /** The name with its dots, such as `proc.name`. */
  readonly name: string;
  /** What stood in brackets behind the name, without its quotes. */
  readonly argument?: string;
}

/** A function of an operand. */
export interface CallOperand {
  /** What kind of operand this is. */
  readonly type: "call";
  /** The name of the function. */
  readonly transformer: Transformer;
  /** What it is applied to. */
  readonly operand: Operand;
}

/** A text or a number to compare with; the same thing to the language. */
export interface ConditionValue {
  /** What kind of right side this is. */
  readonly type: "value";
  /** The value without quotes and escapes; a number as it was written. */
  readonly text: string;
}

/** What stands after `in`, `intersects` and `pmatch`. */
export interface ConditionList {
  /** What kind of right side this is. */
  readonly type: "list";
  /** The values without quotes and escapes. An empty list matches nothing. */
  readonly items: readonly string[];
}

/** How two sides are compared. */
export type ComparisonOperator = OrderOperator | TextOperator | ListOperator;

/** The operators that take a number. */
export type OrderOperator = "<" | "<=" | ">" | ">=";

/** The operators that take a text: signs, and words that a blank must follow. */
export type TextOperator =
  | "="
  | "!="
  | "glob"
  | "iglob"
  | "contains"
  | "icontains"
  | "bcontains"
  | "startswith"
  | "bstartswith"
  | "endswith"
  | "regex";

/** The operators that take a list. */
export type ListOperator = "in" | "intersects" | "pmatch";

/** The name of a function that may stand on both sides; `val()` stands on the right only. */
export type Transformer = "tolower" | "toupper" | "b64" | "basename" | "len";
