import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseScenario } from "../harness/parse_scenario.ts";
import { AlertFormatError } from "../lib/errors.ts";
import { ALERT, assertRefused, HEAD, marked, refuses } from "./scenario_mistakes.ts";
import type { Mistake } from "./scenario_mistakes.ts";

describe("parseScenario() of what is no mapping", () => {
  const empty = "the file is empty";
  const cases: Mistake[] = [
    { text: "¦", problem: empty },
    { text: "¦ \n\n", problem: empty },
    { text: "¦# nothing\n", problem: empty },
    { text: "¦---\n", problem: empty },
    { text: "¦---\n# nothing\n...\n", problem: empty },
    { text: "¦\ufeff", problem: empty },
    { text: "¦null\n", problem: "it must be a mapping: it is empty" },
    { text: "\n  ¦- a\n", problem: "it must be a mapping: it is a list" },
    { text: "¦version 1\n", problem: 'it must be a mapping: it is "version 1"' },
    { text: "# x\n¦7\n", problem: "it must be a mapping: it is 7" },
  ];
  cases.forEach(refuses);
});

describe("parseScenario() of what is no YAML", () => {
  const indent = "wrong indent: what belongs together must start at the same column";
  const cannotStand = "this cannot stand here. Look at quotes, brackets and indent";
  const inBrackets =
    'between brackets, items must be separated by ",", and lists and mappings written with brackets';
  const bracket = 'a bracket is not closed before this: "]" or "}" is missing';
  const cases: Mistake[] = [
    { text: `${HEAD}alerts:\n¦\t- rule: r\n`, problem: "a tab cannot indent a line. Use blanks" },
    {
      text: `${HEAD}alerts:\n  - rule: r\n   ¦output: o\n`,
      problem: 'wrong indent, or a list item without its "- "',
    },
    { text: `${HEAD}alerts:\n- rule: r\n    ¦output: o\n`, problem: indent },
    { text: `${HEAD}alerts:\n- rule: 'r'\n    ¦output: o\n`, problem: indent },
    { text: `${HEAD}alerts:\n  - rule: r\n ¦- rule: r\n`, problem: indent },
    { text: `${HEAD}alerts:\n    - rule: r\n  ¦hostname: h\n`, problem: indent },
    { text: `version: 1\n  ¦name: n\n`, problem: indent },
    { text: `version: 1\n¦\tname: n\n`, problem: "a tab cannot indent a line. Use blanks" },
    {
      text: `${HEAD}description: ¦Two parts: one\n`,
      problem: 'text with ": " in it must be put in quotes',
    },
    {
      text: `${HEAD}description: ¦"not closed\nhostname: h\nsource: s\n`,
      problem: "the quote that opens here is never closed",
    },
    {
      text: `${HEAD}alerts:\n- rule: "r"\n  output: ¦'it\n`,
      problem: "the quote that opens here is never closed",
    },
    {
      text: `${HEAD}¦hostname\nalerts: []\n`,
      problem: 'a key must be in one line and be followed by ":" and a blank',
    },
    {
      text: `${HEAD}¦hostname:h\n`,
      problem: 'a key must be followed by ":" and a blank',
    },
    { text: `${HEAD}alerts: [a\n¦hostname: h\n`, problem: bracket },
    { text: `${HEAD}alerts:\n- tags: { a: 1\n¦- rule: r\n`, problem: bracket },
    { text: "{ version: 1¦", problem: 'a bracket is never closed: "]" or "}" is missing' },
    {
      text: `${HEAD}alerts: []¦]\n`,
      problem: "a closing bracket without the one that opens it",
    },
    {
      text: `${HEAD}alerts: ["a" ¦"b"]\n`,
      problem: 'items between brackets must be separated by ","',
    },
    {
      text: `${HEAD}alerts: [{ rule: ¦"r" output: "o" }]\n`,
      problem: inBrackets,
    },
    { text: `${HEAD}alerts: [\n  ¦- rule: r\n]\n`, problem: inBrackets },
    {
      text: `${HEAD}alerts: ¦- rule: r\n`,
      problem: "a list must begin in the line after its key",
    },
    {
      text: `${HEAD}hostname: ¦%proc.name\n`,
      problem: "text that begins with this character must be put in quotes",
    },
    {
      text: `${HEAD}hostname: ¦@host\n`,
      problem: "text that begins with this character must be put in quotes",
    },
    {
      text: `${HEAD}description: "C:¦\\Windows"\n`,
      problem: 'unknown escape in double quotes. Write a backslash as "\\\\"',
    },
    {
      text: `${HEAD}description: ¦|x\n  text\n`.replace("¦|", "|¦"),
      problem: 'nothing but a comment can follow "|" or ">" in its line',
    },
    { text: `${HEAD}description: "a" ¦b\n`, problem: cannotStand },
    {
      text: `${HEAD}description: "a"¦# b\n`,
      problem: 'a comment must have a blank before its "#"',
    },
    { text: `- a\n¦version: 1\n`, problem: cannotStand },
    { text: `${HEAD}¦? { a: 1 }\n: 2\n`.replace("¦? ", "? ¦"), problem: "a key must be text" },
    {
      text: `${HEAD}hostname: ¦!host h\n`,
      problem: "unknown tag, or one that does not fit the value. Remove it",
    },
    {
      text: `${HEAD}seed: ¦!!int five\n`,
      problem: "unknown tag, or one that does not fit the value. Remove it",
    },
    {
      text: `${ALERT}  output_fields:\n    a: ¦!!binary AA==\n`,
      problem: "unknown tag, or one that does not fit the value. Remove it",
    },
    { text: `¦%SCENARIO 1\n---\n${ALERT}`, problem: "unknown directive. Remove the line" },
    {
      text: `¦%YAML 3.0\n---\n${ALERT}`.replace("¦%YAML ", "%YAML ¦"),
      problem: "unknown directive. Remove the line",
    },
    { text: `--- ¦a: 1\n`, problem: "a list or mapping must begin in a line of its own" },
    { text: `${HEAD}hostname: &a ¦&b h\n`, problem: "a value cannot have two anchors" },
    { text: `${HEAD}hostname: ¦&\n`, problem: "an anchor or an alias must have a name" },
    // The first of several, by place.
    {
      text: `${HEAD}hostname: ¦@host\ndescription: a: b\nsource: "x\n`,
      problem: "text that begins with this character must be put in quotes",
    },
    // Against YAML before against the format.
    {
      text: `version: 2\nnames: n\nhostname: ¦@host\n`,
      problem: "text that begins with this character must be put in quotes",
    },
  ];
  cases.forEach(refuses);

  it("says it in one line, and keeps what the parser said", () => {
    assert.throws(() => parseScenario("a: [1\nb: 'x\nc: \"y\n"), (error) => {
      assert(error instanceof AlertFormatError);
      assert(!error.message.includes("\n"));
      assert(error.cause instanceof Error);
      return true;
    });
  });

  it("has the column without a byte order mark, and with CRLF", () => {
    const at = (text: string) => {
      try {
        parseScenario(text);
      } catch (error) {
        assert(error instanceof AlertFormatError);
        return [error.line, error.column];
      }
    };
    assert.deepEqual(at("\ufeffversion: 2\n"), [1, 10]);
    assert.deepEqual(at("name: n\r\nversion: 2\r\n"), [2, 10]);
    assert.deepEqual(at("name: n\r\nhost: &x\r\n  - @\r\n"), [3, 5]);
    // UTF-16 units.
    assert.deepEqual(at("{ name: 😀, version: 2 }"), [1, 22]);
  });
});

describe("parseScenario() of hostile files", () => {
  /** Ten of the one before in each. */
  function bomb(levels: number): string {
    let fields = "    l0: &l0 [x]\n";
    for (let level = 1; level <= levels; level++) {
      fields += `    l${level}: &l${level} [${
        Array.from({ length: 10 }, () => `*l${level - 1}`).join(", ")
      }]\n`;
    }
    return `${ALERT}  output_fields:\n${fields}`;
  }

  it("refuses aliases that stand for too much, before it makes any of it", () => {
    const text = bomb(40);
    assert.throws(() => parseScenario(text), (error) => {
      assert(error instanceof AlertFormatError);
      assert.equal(
        error.message,
        "Cannot read the scenario: its aliases stand for more than 1000000 values",
      );
      // In the fields: 10^5 values in `l4`, so the tenth alias in `l6` is not reached.
      const { line, column } = error;
      const source = text.split("\n")[line - 1]!;
      assert.match(source, /^ {4}l6: /);
      assert.equal(source.slice(column - 1, column + 2), "*l5");
      return true;
    });
  });

  it("reads aliases that stand for much", () => {
    const fields = parseScenario(bomb(4)).alerts[0]?.output_fields ?? {};
    assert.equal(JSON.stringify(fields["l4"]).match(/x/g)?.length, 10_000);
  });

  it("refuses lists in lists in lists", () => {
    const nested = (levels: number) =>
      `${ALERT}  output_fields:\n    a: ${"[".repeat(levels)}${"]".repeat(levels)}\n`;
    // The mapping, the list of alerts, an alert, its fields.
    parseScenario(nested(96));
    const { line, column } = marked(nested(97).replace("[]", "¦[]"));
    assert.throws(() => parseScenario(nested(97)), {
      message: "Cannot read the scenario: it is nested more than 100 levels deep",
      line,
      column,
    });
  });

  it("refuses depth that is hidden in aliases", () => {
    let fields = "    l0: &l0 [x]\n";
    for (let level = 1; level <= 200; level++) {
      fields += `    l${level}: &l${level} [*l${level - 1}]\n`;
    }
    assert.throws(() => parseScenario(`${ALERT}  output_fields:\n${fields}`), {
      name: "AlertFormatError",
      message: "Cannot read the scenario: it is nested more than 100 levels deep",
    });
  });

  for (const open of ["[", "{a: ", "- ", "? "]) {
    it(`refuses ${JSON.stringify(open)} ten thousand times`, () => {
      assertRefused(
        `${ALERT}  output_fields:\n    a:\n      ${open.repeat(10_000)}`,
        /^Cannot read/,
      );
    });
  }

  it("reads a hundred thousand fields in little time", () => {
    const fields = Array.from({ length: 100_000 }, (_, index) => `    f${index}: ${index}\n`);
    const { alerts } = parseScenario(`${ALERT}  output_fields:\n${fields.join("")}`);
    assert.equal(Object.keys(alerts[0]?.output_fields ?? {}).length, 100_000);
  });
});
