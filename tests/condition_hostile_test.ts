/**
 * Conditions and values that were made to hurt. Nothing here is timed with a stopwatch that a slow
 * machine could fail: what is not linear would take minutes, and what recurses would throw.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  compileCondition,
  ConditionError,
  parseCondition,
  printCondition,
} from "../lib/condition/mod.ts";
import { alertWith, errorOf, matches } from "./condition_alerts.ts";

/** Far above what any of these needs, far below what going back would take. */
const PATIENCE_MS = 20_000;

/** Bun gives a test five seconds otherwise. */
const patient = { timeout: 120_000 };

function inTime<T>(work: () => T): T {
  const start = performance.now();
  const result = work();
  assert(performance.now() - start < PATIENCE_MS);
  return result;
}

const refusals = (text: string) => inTime(() => errorOf(text)?.reason);

describe("a hostile condition", () => {
  it("of parentheses is read or refused, and never exhausts the stack", patient, () => {
    const deep = (depth: number) => `${"(".repeat(depth)}a.b = x${")".repeat(depth)}`;
    for (const depth of [3000, 10_000]) {
      assert.equal(inTime(() => matches(deep(depth), { "a.b": "x" })), true);
    }
    assert.equal(refusals(deep(10_001)), "parentheses may be nested 10000 deep, not more");
    assert.match(refusals("(".repeat(10_000))!, /^expected a field, .* found the end$/);
    assert.equal(refusals("(".repeat(900_000)), "parentheses may be nested 10000 deep, not more");
    assert.match(refusals(`a.b = x${")".repeat(10_000)}`)!, /found "\)"$/);
    assert.match(refusals("a.b = x and(".repeat(1000))!, /found the end$/);
  });

  it("of not is read; two cancel each other", patient, () => {
    assert.equal(inTime(() => matches(`${"not ".repeat(2500)}a.b = x`, { "a.b": "x" })), true);
    assert.equal(inTime(() => matches(`${"not ".repeat(2501)}a.b = x`, { "a.b": "x" })), false);
    const glued = (depth: number) => `${"not(".repeat(depth)}a.b = x${")".repeat(depth)}`;
    assert.equal(matches(glued(500), { "a.b": "x" }), true);
    assert.match(refusals(glued(2500))!, /may be nested 500 deep, not more$/);
  });

  it(
    "that alternates and, or and not is refused beyond a depth that can be tested",
    patient,
    () => {
      const ladder = (depth: number) => {
        const text = "a.b = x and (a.b = y or ".repeat(depth);
        return `${text}a.b = x${")".repeat(depth)}`;
      };
      const { expression } = parseCondition(ladder(250));
      assert.deepEqual(parseCondition(printCondition(expression)).expression, expression);
      assert.equal(matches(ladder(250), { "a.b": "x" }), true);
      assert.match(refusals(ladder(251))!, /may be nested 500 deep, not more$/);
      assert.match(refusals(ladder(3000))!, /may be nested 500 deep, not more$/);
    },
  );

  it("of functions is refused beyond a depth", patient, () => {
    const nested = (depth: number) => `${"tolower(".repeat(depth)}a.b${")".repeat(depth)} = x`;
    assert.equal(matches(nested(100), { "a.b": "X" }), true);
    assert.equal(refusals(nested(101)), "functions may be nested 100 deep, not more");
    assert.equal(refusals("len(".repeat(10_000)), "functions may be nested 100 deep, not more");
  });

  it("of one endless word, quote or number is read in one go", patient, () => {
    const n = 900_000;
    for (const text of ["a", "a.", '"', "'\\", "5", "a_", "a.b=\\", " ", "x,", "a.b in (", '\\"']) {
      inTime(() => {
        for (const prefix of ["", "a.b = ", "a.b in (x, ", 'a.b = "', "a.b[", "a.b > "]) {
          assert.throws(
            () => compileCondition(prefix + text.repeat(n / text.length)),
            ConditionError,
          );
        }
      });
    }
  });

  it("with a million characters of list is read, with more it is refused", patient, () => {
    const items = Array.from({ length: 90_000 }, (_, index) => `"v ${index}"`);
    const condition = inTime(() => compileCondition(`a.b in (${items.join(", ")})`));
    assert.equal(condition(alertWith({ "a.b": "v 89999" })), true);
    const error = errorOf(`a.b in (${items.join(", ").repeat(2)})`);
    assert.equal(error?.reason, "it is longer than 1000000 characters, with its lists");
    assert(error.message.length < 300);
  });

  it("with a thousand operands or warnings takes as long as it is", patient, () => {
    const many = Array.from({ length: 50_000 }, (_, index) => `a.b = ${index}`).join(" or ");
    const condition = inTime(() => compileCondition(many));
    assert.equal(condition(alertWith({ "a.b": 49_999 })), true);
    const warned = inTime(() => compileCondition(`${"a.b in () or\n".repeat(70_000)}a.b = x`));
    assert.equal(warned.warnings.length, 70_000);
    const lists = { one: ["x"], two: ["y"] };
    const pasted = inTime(() =>
      compileCondition(`a.b in (${"one, ".repeat(130_000)}two)`, { lists })
    );
    assert.equal(pasted(alertWith({ "a.b": "y" })), true);
  });

  it("of lists of lists is refused before it is made", patient, () => {
    const lists: Record<string, string[]> = { l0: ["x", "y"] };
    for (let level = 1; level < 40; level++) lists[`l${level}`] = Array(10).fill(`l${level - 1}`);
    assert.throws(() => inTime(() => compileCondition("a.b in (l39)", { lists })), {
      name: "RangeError",
      message: 'Cannot read the list "l6": it is longer than 1000000 characters',
    });
    const long = { l: Array(30_000).fill("x") };
    const uses = `a.b in (${Array(20_000).fill("l").join(", ")})`;
    assert.match(
      inTime(() => errorOf(uses, { lists: long }))!.reason,
      /^it is longer than 1000000/,
    );
  });

  it("of macros of macros is refused before it is asked", patient, () => {
    const doubling: Record<string, string> = { m0: "a.b != x" };
    for (let level = 1; level < 60; level++) {
      doubling[`m${level}`] = `m${level - 1} and m${level - 1}`;
    }
    const error = inTime(() => errorOf("m59", { macros: doubling }));
    assert.deepEqual([error?.macro, error?.reason], ["m17", "it comes to more than 100000 checks"]);
    const chain: Record<string, string> = { m0: "a.b = x" };
    for (let level = 1; level < 2000; level++) chain[`m${level}`] = `not m${level - 1}`;
    assert.equal(
      errorOf("m5", { macros: chain })?.reason,
      "macros may be nested 500 deep, not more",
    );
  });
});

describe("a hostile pattern or value", () => {
  const many = "a".repeat(100_000);

  it("of regex is matched in linear time", patient, () => {
    const patterns = [
      "(a*)*b",
      "(a+)+b",
      "(a|aa)+b",
      "(a|a?)+b",
      "(.*)(.*)(.*)(.*)(.*)b",
      ".*a.*a.*a.*a.*a.*b",
      "(a?){100}(a*){100}b",
      "((a{0,30}){0,30})*b",
      "(.*a){12}b",
      "[^b]*[^b]*[^b]*[^b]*b",
    ];
    for (const pattern of patterns) {
      const condition = compileCondition(`a.b regex "${pattern}"`);
      assert.deepEqual(condition.warnings, []);
      assert.equal(inTime(() => condition(alertWith({ "a.b": many }))), false, pattern);
    }
  });

  it("of glob and pmatch takes no more than its length times that of the text", patient, () => {
    const stars = `${"*a".repeat(120)}*b`;
    for (const pattern of [stars, stars.replaceAll("a", "?"), "*[a][a]?".repeat(30) + "b"]) {
      assert.equal(inTime(() => matches(`a.b glob ${pattern}`, { "a.b": many })), false);
    }
    const fields = { "a.b": many, "c.d": "*a".repeat(50_000) };
    assert.equal(inTime(() => matches("a.b glob val(c.d)", fields)), false);
    const path = "a/".repeat(50_000);
    const paths = `(${
      Array.from({ length: 100 }, (_, n) => `${"*/".repeat(n + 20)}b`).join(", ")
    })`;
    assert.equal(inTime(() => matches(`a.b pmatch ${paths}`, { "a.b": path })), false);
  });

  it("of 10,000 characters is refused, as Falco does", patient, () => {
    for (const operator of ["=", "regex", "glob", "contains", "pmatch", "in"]) {
      const value = operator === "pmatch" || operator === "in"
        ? `(${many})`
        : `"${"(".repeat(10_000)}"`;
      assert.match(refusals(`a.b ${operator} ${value}`)!, /bytes, and Falco takes at most 255$/);
    }
  });

  it("of any size and depth is compared without harm", patient, () => {
    let nested: readonly unknown[] = [];
    for (let level = 0; level < 100_000; level++) nested = [nested];
    const digits = "9".repeat(1_000_000);
    const list = Array.from({ length: 100_000 }, (_, index) => String(index));
    const fields = { "a.b": digits, "c.d": nested as never, "e.f": list };
    for (
      const [condition, expected] of [
        [`a.b > ${"9".repeat(30)}`, true],
        ["a.b >= val(a.b)", true],
        ["c.d = x", false],
        ["len(c.d) = 1", true],
        ["c.d in (x)", false],
        ["e.f in val(e.f)", true],
        ["e.f intersects (99999)", true],
        ["len(a.b) = 1000000", true],
        ["b64(a.b) exists", true],
      ] as const
    ) {
      assert.equal(inTime(() => matches(condition, fields)), expected, condition);
    }
  });
});
