/** The words and signs of the language, in the order in which they are looked for. @module */
import type { ListOperator, OrderOperator, TextOperator, Transformer } from "./ast.ts";

/** The operators that take a number; a longer one before what it begins with. */
export const orderOperators: readonly OrderOperator[] = ["<=", "<", ">=", ">"];

/** The operators that take a text. */
export const textOperators: readonly TextOperator[] = [
  "=",
  "!=",
  "glob",
  "iglob",
  "contains",
  "icontains",
  "bcontains",
  "startswith",
  "bstartswith",
  "endswith",
  "regex",
];

/** The operators that take a list; a longer one before what it begins with. */
export const listOperators: readonly ListOperator[] = ["intersects", "in", "pmatch"];

/** The functions that may stand on both sides. */
export const transformers: readonly Transformer[] = [
  "tolower",
  "toupper",
  "b64",
  "basename",
  "len",
];
