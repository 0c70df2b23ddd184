/** What the matrix makes of what test runners print. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { countTests, failuresOf } from "./matrix/test_report.ts";
import { renderTable } from "./matrix/table.ts";

const node = `▶ a
  ✖ fails (1.1ms)
  ✔ ok (0.1ms)
✖ a (2.2ms)
ℹ tests 5
ℹ suites 1
ℹ pass 1
ℹ fail 1
ℹ cancelled 1
ℹ skipped 1
ℹ todo 1
ℹ duration_ms 11.2

✖ failing tests:

test at tests/bad_test.ts:2:23
✖ fails (1.1ms)
  1 !== 2
`;
const bun = `bun test v1.4.5

tests/bad_test.ts:
(pass) a > ok [0.07ms]
(skip) a > skips
1 !== 2
(fail) a > fails [1.64ms]

 2 pass
 1 skip
 1 fail
 1 error
Ran 4 tests across 2 files. [155.00ms]
`;
const deno = `running 2 tests from ./tests/bad_test.ts
a ... FAILED (due to 1 failed step) (5ms)

 ERRORS 

a ... fails => ext:deno_node/testing.ts:1:23191
1 !== 2

FAILED | 12 passed (3 steps) | 1 failed (2 steps) | 0 ignored (1 step) (557ms)
`;

describe("countTests()", () => {
  const cases = [
    { runner: "node", output: node, expected: { passed: 1, failed: 2, skipped: 2 } },
    { runner: "bun", output: bun, expected: { passed: 2, failed: 2, skipped: 1 } },
    { runner: "deno", output: deno, expected: { passed: 15, failed: 3, skipped: 1 } },
    {
      runner: "deno",
      output: "ok | 7 passed | 0 failed (1s)\n",
      expected: { passed: 7, failed: 0, skipped: 0 },
    },
    { runner: "node", output: "it crashed\n", expected: { passed: 0, failed: 0, skipped: 0 } },
  ] as const;
  for (const { runner, output, expected } of cases) {
    it(`reads ${JSON.stringify(expected)} of ${runner}`, () => {
      assert.deepEqual(countTests(runner, output), expected);
    });
  }
});

describe("failuresOf()", () => {
  for (const [runner, output] of [["node", node], ["bun", bun], ["deno", deno]] as const) {
    it(`shows what failed on ${runner}, and no test that passed`, () => {
      const shown = failuresOf(runner, output);
      assert.match(shown, /1 !== 2/);
      assert.match(shown, /fails/);
      assert.doesNotMatch(shown, /\bok\b/);
    });
  }

  it("shows the end of what names no test, and no more than can be read", () => {
    assert.equal(failuresOf("node", `${"x".repeat(5000)}SyntaxError\n`).length, 3000 - 1);
    const long = failuresOf("bun", "a line that is long\n".repeat(10_000));
    assert.match(long.slice(-40), /\n\.\.\. \d+ characters more$/);
    assert(long.length < 13_000);
  });
});

describe("renderTable()", () => {
  it("aligns columns", () => {
    assert.equal(renderTable([["a", "b"], ["long", "1"]]), "a     b\nlong  1\n");
  });
});
