/** Checks of one field are merged; what they say must not change by that. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Alert, AlertFields } from "../lib/alert/alert.ts";
import { compileCondition } from "../lib/condition/mod.ts";
import { alertWith } from "./condition_alerts.ts";

const checks = [
  "a.x = bash",
  "a.x != bash",
  "a.x in (bash, 7)",
  "a.x intersects (1, 2)",
  "a.x in (1, 2)",
  "a.x startswith ba",
  "a.x contains a",
  "a.x > 5",
  "a.x <= 7",
  "a.x < 99999999999999999998",
  "a.x glob *s?",
  "a.x pmatch (/etc)",
  "a.x exists",
  "len(a.x) > 3",
  "tolower(a.x) = bash",
  "b.y = bash",
  "b.y != bash",
  "b.y >= 7",
  "a.x = val(b.y)",
  "alert.rule = r",
];

const values: readonly AlertFields[string][] = [
  "bash",
  "BASH",
  "<NA>",
  "",
  "7",
  "12",
  "-1",
  "99999999999999999999",
  "/etc/passwd",
  7,
  12n,
  true,
  null,
  [],
  ["1", "2"],
  [1],
  { key: "bash" },
];

type Tree = string | {
  readonly connective: "and" | "or";
  readonly not: boolean;
  readonly parts: Tree[];
};

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(...checks),
    fc.record({
      connective: fc.constantFrom("and" as const, "or" as const),
      not: fc.boolean(),
      parts: fc.array(tie("tree"), { minLength: 2, maxLength: 6 }),
    }),
  ),
}));

function textOf(tree: Tree): string {
  if (typeof tree === "string") return tree;
  const text = `(${tree.parts.map(textOf).join(` ${tree.connective} `)})`;
  return tree.not ? `not ${text}` : text;
}

/** Asks each check alone, and ties the answers together here. */
function ask(tree: Tree, alert: Alert): boolean {
  if (typeof tree === "string") return compileCondition(tree)(alert);
  const answers = tree.parts.map((part) => ask(part, alert));
  const answer = tree.connective === "and" ? answers.every(Boolean) : answers.some(Boolean);
  return answer !== tree.not;
}

const field = fc.oneof(fc.constant(undefined), fc.constantFrom(...values));
const alerts = fc.record({ x: field, y: field, isRule: fc.boolean() }).map(({ x, y, isRule }) =>
  alertWith({
    ...(x === undefined ? {} : { "a.x": x }),
    ...(y === undefined ? {} : { "b.y": y }),
  }, { rule: isRule ? "r" : "s" })
);

/** Bun gives a test five seconds otherwise. */
const patient = { timeout: 120_000 };

describe("checks of one field", () => {
  it("say together what each says alone", patient, () => {
    fc.assert(
      fc.property(tree, fc.array(alerts, { minLength: 1, maxLength: 20 }), (tree, alerts) => {
        const matches = compileCondition(textOf(tree));
        for (const alert of alerts) assert.equal(matches(alert), ask(tree, alert), textOf(tree));
      }),
      { numRuns: 300 },
    );
  });

  it("say the same when a macro names them", () => {
    const macros = { one: "a.x = bash or a.x = zsh", two: "one or a.x = sh", three: "a.x != sh" };
    const matches = compileCondition("two and three and (a.x endswith sh or one)", { macros });
    const plain = (x: string) => x === "bash" || x === "zsh";
    for (const x of ["bash", "zsh", "sh", "fish", "<NA>"]) {
      assert.equal(matches(alertWith({ "a.x": x })), plain(x), x);
    }
    assert(!matches(alertWith({})));
  });

  it("are false for what is not the alert's own, and for no alert at all", () => {
    const heir = alertWith(Object.create({ "a.x": "bash" }));
    for (
      const text of ["a.x = bash", "a.x != sh", "a.x in (bash, sh)", "a.x >= 1", "a.x contains a"]
    ) {
      assert(!compileCondition(text)(heir), text);
      assert(compileCondition(`not ${text}`)(heir), text);
      assert(!compileCondition(`${text} and a.x exists`)(heir), text);
      assert(!compileCondition(`${text} or a.x startswith b`)(heir), text);
      assert(!compileCondition(text)(alertWith({ "a.x": "<NA>" })), text);
      for (const wrong of [undefined, null, {}, { outputFields: null }, { outputFields: "bash" }]) {
        assert(!compileCondition(text)(wrong as unknown as Alert), text);
      }
    }
  });
});
