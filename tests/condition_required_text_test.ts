/** What a regular expression needs is looked for first; that must never lose a match. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readPosixRegex } from "../lib/condition/operators/posix_regex.ts";
import { makeRegex } from "../lib/condition/operators/regex.ts";

const cases: readonly [pattern: string, required: readonly string[] | undefined][] = [
  ["abc", ["abc"]],
  [".*abc.*", ["abc"]],
  [".*(curl|wget|nc) .*", ["curl", "wget", "nc"]],
  ["ab.cde", ["cde"]],
  ["abc.de", ["abc"]],
  ["abc?", ["ab"]],
  ["abc*d", ["ab"]],
  ["abc+d", ["abc"]],
  ["abc{0,2}de", ["ab"]],
  ["abc{2}de", ["abc"]],
  ["a+*b", undefined],
  ["a*+bc", ["bc"]],
  ["(abc)?de", ["de"]],
  ["(abc)+*", undefined],
  ["(abc)+", ["abc"]],
  ["(abc)*(de|f)", undefined],
  ["(abc|)", undefined],
  ["(abc|d*)", undefined],
  ["ab|cd", ["ab", "cd"]],
  ["ab|cd|", undefined],
  ["ab|[cd]", undefined],
  ["((ab|cd)|ef)g", ["ab", "cd", "ef"]],
  ["a(b)c", undefined],
  ["a[b]c", undefined],
  ["ab^cd", ["ab"]],
  ["a\\.b", ["a.b"]],
  ["(ab|ab)", ["ab"]],
  ["é", undefined],
  ["éé", ["éé"]],
  ["\ufffda\ud800bc", ["bc"]],
  [
    Array.from({ length: 16 }, (_, index) => `x${index}`).join("|"),
    Array.from({ length: 16 }, (_, index) => `x${index}`),
  ],
  [Array.from({ length: 17 }, (_, index) => `x${index}`).join("|"), undefined],
];

describe("readPosixRegex", () => {
  for (const [pattern, required] of cases) {
    it(`knows what ${JSON.stringify(pattern)} needs`, () => {
      assert.deepEqual(readPosixRegex(pattern).required, required);
    });
  }
});

/** Expressions that mean the same to the platform, over few letters so that texts match often. */
const { pattern } = fc.letrec<{ pattern: string; item: string; group: string }>((tie) => ({
  pattern: fc.array(fc.array(tie("item"), { maxLength: 5 }), { minLength: 1, maxLength: 3 })
    .map((alternatives) => alternatives.map((items) => items.join("")).join("|")),
  item: fc.tuple(
    fc.oneof(
      { depthSize: "small" },
      { weight: 6, arbitrary: fc.constantFrom("a", "b") },
      { weight: 1, arbitrary: fc.constantFrom(".", "[ab]", "[^a]") },
      { weight: 2, arbitrary: tie("group") },
    ),
    fc.oneof(
      { weight: 5, arbitrary: fc.constant("") },
      { weight: 3, arbitrary: fc.constantFrom("*", "+", "?", "{0}", "{2}", "{0,1}", "{1,}") },
    ),
  ).map(([item, sign]) => item + sign),
  group: tie("pattern").map((inner) => `(${inner})`),
}));

describe("regex", () => {
  it("matches what the platform's expressions match", () => {
    const texts = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 }), {
      minLength: 20,
      maxLength: 20,
    });
    let matches = 0;
    let required = 0;
    fc.assert(
      fc.property(pattern, texts, (pattern, texts) => {
        const test = makeRegex(pattern);
        assert(typeof test === "function", pattern);
        if (readPosixRegex(pattern).required !== undefined) required++;
        const platform = new RegExp(`^(?:${pattern})$`);
        for (const text of texts) {
          const expected = platform.test(text);
          if (expected) matches++;
          assert.equal(test(text), expected, `${pattern} on ${text}`);
        }
      }),
      { numRuns: 500 },
    );
    assert(matches > 100 && required > 20, `${matches} matches, ${required} with a required text`);
  });
});
