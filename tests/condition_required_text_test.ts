/** What a regular expression needs is looked for first; that must never lose a match. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readPosixRegex } from "../lib/condition/operators/posix_regex.ts";
import { makeRegex } from "../lib/condition/operators/regex.ts";

/** Texts of two characters. */
const letters = (count: number) =>
  Array.from({ length: count }, (_, index) => `x${String.fromCharCode(97 + index)}`);
const EVERY_FOUR = ["a", "b"].flatMap((one) =>
  ["ce", "cf", "de", "df"].flatMap((two) => ["g", "h"].map((three) => one + two + three))
);

const cases: readonly [pattern: string, required: readonly string[] | undefined][] = [
  ["abc", ["abc"]],
  [".*abc.*", ["abc"]],
  [".*(curl|wget|nc|ncat) .*", ["curl ", "wget ", "nc ", "ncat "]],
  [".*(curl|wget|nc|ncat)", ["curl", "wget", "nc"]],
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
  ["((ab|cd)|ef)g", ["abg", "cdg", "efg"]],
  ["(a|b)(c|)d", ["acd", "ad", "bcd", "bd"]],
  ["x(a|bc*)yz", ["yz"]],
  ["wx(a|b.)yz", ["wx"]],
  ["wx(ab|cd.)y", ["wx"]],
  ["x(abc|def.)y", ["abc", "def"]],
  ["x(abc)?y", undefined],
  ["x(a|b)+y", ["xa", "xb"]],
  ["(a|b){0,1}cd", ["cd"]],
  ["x(a|b){2}y", ["xa", "xb"]],
  ["(a|b)(c|d)(e|f)(g|h)(ij|kl)", EVERY_FOUR],
  ["a(b)c", ["abc"]],
  ["a[b]c", ["abc"]],
  ["a[.]exe", ["a.exe"]],
  ["a[^b]c", undefined],
  ["a[b-b]c", ["abc"]],
  ["a[b-c]d", undefined],
  ["a[bb]c", undefined],
  ["a[b[:alpha:]]c", undefined],
  ["ab^cd", ["ab"]],
  ["a\\.b", ["a.b"]],
  ["(ab|ab)", ["ab"]],
  ["é", undefined],
  ["éé", ["éé"]],
  ["\ufffda\ud800bc", ["bc"]],
  [letters(16).join("|"), letters(16)],
  [letters(17).join("|"), undefined],
  [`(${letters(17).join("|")})yz`, ["yz"]],
];

/** Bun gives a test five seconds otherwise. */
const patient = { timeout: 120_000 };

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
      { weight: 1, arbitrary: fc.constantFrom(".", "[ab]", "[^a]", "[a]", "(a|b)", "(ab|)") },
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
  it("matches what the platform's expressions match", patient, () => {
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
