/** Deliberate breaks, as data. Whether they fit the code, `deno task breaks --check` says. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
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

  it("each names a file and suites that are there", () => {
    for (const { file, tests } of breaks) {
      assert(existsSync(new URL(file, root)), `there is no ${file}`);
      assert(tests.length > 0);
      for (const test of tests) {
        assert(existsSync(new URL(`tests/${test}_test.ts`, root)), `there is no suite ${test}`);
      }
    }
  });
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
