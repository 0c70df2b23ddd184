/** Conditions that are written and read again are the same. */
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Expression, Operand } from "../lib/condition/mod.ts";
import { parseCondition, printCondition } from "../lib/condition/mod.ts";
import {
  listOperators,
  orderOperators,
  textOperators,
  transformers,
} from "../lib/condition/words.ts";
import { anyText } from "./alert_arbitraries.ts";

/** Objects as object literals make them. */
const plain = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;

const word = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_]{0,5}$/);
const keyword = fc.constantFrom("and", "or", "not", "in", "exists", "val", "tolower", "contains");
const name = fc.oneof(word, keyword);
const fieldName = fc.array(name, { minLength: 2, maxLength: 4 }).map((words) => words.join("."));

/** Texts that look like something else, and characters that mean something. */
const text = fc.oneof(
  anyText,
  keyword,
  fc.string({ unit: fc.constantFrom("\\", '"', "'", " ", "\n", ",", "(", ")", "=", "a") }),
  fc.constantFrom("val(a.b)", "tolower(a.b)", "a.b", "5", "0x", "[", "\\", "a\\", '"', "<", "!="),
);
const number = fc.oneof(
  fc.bigInt().map(String),
  fc.constantFrom("+05", "1.", "1.5", "1e+5", "1.5E-3", "0x1F", "0X0", "-0"),
);

const field = fc.record({
  type: fc.constant("field" as const),
  name: fieldName,
  argument: text,
}, { requiredKeys: ["type", "name"], noNullPrototype: true });

const operand: fc.Arbitrary<Operand> = fc.letrec<{ operand: Operand }>((tie) => ({
  operand: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    field,
    plain({
      type: fc.constant("call" as const),
      transformer: fc.constantFrom(...transformers),
      operand: tie("operand"),
    }),
  ),
})).operand;

const value = plain({ type: fc.constant("value" as const), text });
const numberValue = plain({ type: fc.constant("value" as const), text: number });
const list = plain({
  type: fc.constant("list" as const),
  items: fc.array(text, { maxLength: 4 }),
});

const comparison = fc.oneof(
  ...([[orderOperators, numberValue], [textOperators, value], [listOperators, list]] as const)
    .map(([operators, right]) =>
      plain({
        type: fc.constant("compare" as const),
        left: operand,
        operator: fc.constantFrom(...operators),
        right: fc.oneof<fc.Arbitrary<(Expression & { type: "compare" })["right"]>[]>(
          right,
          operand,
        ),
      })
    ),
);

const expression: fc.Arbitrary<Expression> = fc.letrec<{ expression: Expression }>((tie) => {
  const operands = fc.array(tie("expression"), { minLength: 2, maxLength: 4 });
  return {
    expression: fc.oneof(
      { maxDepth: 4, depthSize: "medium", withCrossShrink: true },
      comparison,
      plain({ type: fc.constant("exists" as const), left: operand }),
      plain({ type: fc.constant("macro" as const), name }),
      plain({ type: fc.constant("and" as const), operands }),
      plain({ type: fc.constant("or" as const), operands }),
      plain({ type: fc.constant("not" as const), operand: tie("expression") }),
    ),
  };
}).expression;

/** Bun gives a test five seconds otherwise. */
const patient = { timeout: 120_000 };

test("printCondition and parseCondition are each other's inverse", patient, () => {
  fc.assert(
    fc.property(expression, (expression) => {
      const printed = printCondition(expression);
      const { expression: read, warnings } = parseCondition(printed);
      assert.deepEqual(read, expression);
      assert.equal(printCondition(read), printed);
      assert(warnings.every((one) => /the list is empty and matches nothing$/.test(one)));
    }),
    { numRuns: 2000 },
  );
});

test("printCondition gives back every text that it gave", () => {
  const texts = [
    "a.b = x",
    "not a.b exists or (not)",
    "a.b in () and (m or n) and not (m and n) and not (not m)",
    'a.b[x] = "" and a.b["x y"] = "a b\\ " and a.b = "\\"\\\\\'\\n"',
    'tolower(len(a.b)) < val(c.d) and a.b pmatch (/usr, "/a b")',
  ];
  for (const text of texts) assert.equal(printCondition(parseCondition(text).expression), text);
});

test("parseCondition reads anything or says where it cannot", patient, () => {
  const piece = fc.oneof(
    keyword,
    fc.constantFrom(" ", "(", ")", ",", "=", "!=", "<", ">=", '"', "'", "\\", "\n", "a.b", "m"),
    fc.constantFrom("a.b = x", "val(", "len(", "a.b in (", "intersects ", "[", "]", "5", "é"),
    anyText,
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const text = pieces.join("");
      let read: Expression;
      try {
        read = parseCondition(text).expression;
      } catch (error) {
        const { name, line, column } = error as { name: string; line: number; column: number };
        assert.equal(name, "ConditionError");
        const lines = text.split(/\r\n|\r|\n/);
        assert(line >= 1 && line <= lines.length);
        assert(column >= 1 && column <= lines[line - 1]!.length + 1);
        return;
      }
      assert.deepEqual(parseCondition(printCondition(read)).expression, read);
    }),
    { numRuns: 3000 },
  );
});
