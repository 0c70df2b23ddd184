/** replaceTexts: the automaton for long texts does what an expression does for short ones. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { replaceTexts } from "../lib/streams/replace_texts.ts";

const ways = [["an expression", Infinity], ["the automaton", 0]] as const;

for (const [name, maxSteps] of ways) {
  test(`replaceTexts takes the longest text that begins first, by ${name}`, () => {
    const texts = new Map([["ab", "1"], ["abc", "2"], ["b", "ab"], ["cabx", "3"], ["bcd", "4"]]);
    const cases: [text: string, expected: string][] = [
      ["abcd", "2d"],
      ["abd.abc", "1d.2"],
      ["bcab", "abc1"],
      ["ccabxcab", "c3c1"],
      ["bcdb", "4ab"],
      ["", ""],
      ["xyz", "xyz"],
    ];
    for (const [text, expected] of cases) {
      assert.equal(replaceTexts(text, texts, maxSteps), expected, text);
    }
    assert.equal(replaceTexts("$&.*", new Map([["$&", "$1"], [".*", "\\"]]), maxSteps), "$1\\");
    assert.equal(replaceTexts("anything", new Map(), maxSteps), "anything");
  });
}

test("replaceTexts does the same in both ways, for any texts", () => {
  // Few letters, and halves of a pair, so that much overlaps.
  const text = fc.array(fc.constantFrom("a", "b", "c", "\ud83d", "\ude00"), { maxLength: 40 })
    .map((letters) => letters.join(""));
  const entry = fc.tuple(text.filter((one) => one !== ""), text);
  fc.assert(fc.property(text, fc.array(entry, { maxLength: 8 }), (searched, entries) => {
    const texts = new Map(entries);
    assert.equal(replaceTexts(searched, texts, 0), replaceTexts(searched, texts, Infinity));
  }));
});

test("replaceTexts gives up on a million characters that could occur", () => {
  const long = "x".repeat(600_000);
  const texts = new Map([[`${long}a`, "1"], [`${long}b`, "2"]]);
  assert.equal(replaceTexts(`${long}b`, texts), undefined);
  assert.equal(replaceTexts(`${long}`, texts), long);
});
