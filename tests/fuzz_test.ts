/** The fuzz task in short, and that it can find something. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Finding, fuzz } from "./fuzz/fuzz.ts";
import type { Target } from "./fuzz/targets.ts";
import { targets } from "./fuzz/targets.ts";

/** 20,000 together. */
const counts: Record<keyof typeof targets, number> = {
  alert: 9_000,
  frames: 5_000,
  json: 2_500,
  condition: 2_500,
  scenario: 1_000,
};

for (const [name, count] of Object.entries(counts)) {
  test(`${name}: ${count} harmed inputs bring no crash, no hang and no changed prototype`, () => {
    const { accepted, refused } = fuzz(targets[name]!(), { count, seed: 20260101 });
    assert.equal(accepted + refused, count);
    // Harm that ruins everything, or nothing, would test little.
    assert(accepted > count / 100 && refused > count / 100, `${accepted} of ${count} accepted`);
  });
}

test("every target is covered", () => {
  assert.deepEqual(Object.keys(counts), Object.keys(targets));
});

test("fuzz() names the input that failed, and finds it again", () => {
  const target: Target = {
    samples: [Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)],
    run(bytes) {
      if (bytes.includes(200)) throw new TypeError("200 is too much");
      return "alert";
    },
  };
  const find = (start: number, count: number): Finding => {
    try {
      fuzz(target, { count, seed: 3, start });
    } catch (error) {
      assert(error instanceof Finding);
      return error;
    }
    return assert.fail("no finding");
  };
  const first = find(0, 10_000);
  assert.match(first.message, /^input \d+, [0-9a-f]+\nTypeError: 200 is too much$/);
  assert.deepEqual(find(first.index, 1).input, first.input);
});

test("fuzz() finds a changed prototype", () => {
  const target: Target = {
    samples: [Uint8Array.of(1)],
    run() {
      Object.defineProperty(Object.prototype, "polluted", { value: 1, configurable: true });
      return "alert";
    },
  };
  try {
    assert.throws(() => fuzz(target, { count: 1, seed: 1 }), /a prototype has changed/);
  } finally {
    delete (Object.prototype as { polluted?: number }).polluted;
  }
});
