/** The deliberate breaks fit the code as it is. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { applyBreak } from "./breaks/break.ts";
import type { Break } from "./breaks/break.ts";
import { breaks } from "./breaks/breaks.ts";

const root = new URL("../", import.meta.url);

describe("deliberate breaks", () => {
  it("there are enough of them, each with a name of its own", () => {
    assert(breaks.length >= 40);
    assert.equal(new Set(breaks.map(({ name }) => name)).size, breaks.length);
  });

  for (const one of breaks) {
    it(`fit the code: ${one.name}`, () => {
      const text = readFileSync(new URL(one.file, root), "utf8");
      assert.notEqual(applyBreak(text, one), text);
      assert(one.tests.length > 0);
      for (const test of one.tests) {
        assert(existsSync(new URL(`tests/${test}_test.ts`, root)), `there is no suite ${test}`);
      }
    });
  }
});

describe("applyBreak()", () => {
  const one: Break = { name: "n", file: "f.ts", find: "a", replace: "$&", tests: ["t"] };

  it("replaces the place, whatever the replacement looks like", () => {
    assert.equal(applyBreak("b a b", one), "b $& b");
  });

  for (const [state, text] of [["0 times", "b"], ["2 times", "a a"]] as const) {
    it(`refuses what occurs ${state}`, () => {
      assert.throws(() => applyBreak(text, one), (error: Error) => {
        return error.message.includes("f.ts") && error.message.includes(state);
      });
    });
  }

  it("refuses a replacement that changes nothing", () => {
    assert.throws(() => applyBreak("a", { ...one, replace: "a" }), /nothing would change/);
  });
});
