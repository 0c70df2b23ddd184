/** What compileCondition() refuses, warns of and keeps, and its macros and lists. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileCondition } from "../lib/condition/mod.ts";
import { alertWith, errorOf, matches } from "./condition_alerts.ts";

describe("compileCondition()", () => {
  const NO_NUMBER = (operator: string) =>
    `"${operator}" cannot compare the number that len() gives with anything else`;

  it("refuses what Falco refuses whatever the type of the field is", () => {
    const cases: [text: string, column: number, reason: string][] = [
      ["a.b regex val(c.d)", 11, '"regex" takes no field on its right'],
      ["a.b pmatch val(c.d)", 12, '"pmatch" takes no field on its right'],
      ["a.b bcontains val(c.d)", 15, '"bcontains" takes no field on its right'],
      ["a.b bcontains 6", 15, '"bcontains" takes bytes in hexadecimal, two digits each'],
      ["a.b bstartswith xy", 17, '"bstartswith" takes bytes in hexadecimal, two digits each'],
      ["tolower(len(a.b)) = 3", 21, "tolower() takes text, not the number that len() gives"],
      ["len(len(a.b)) = 3", 17, "len() takes text, not the number that len() gives"],
      ["len(a.b) contains 3", 19, '"contains" compares text, and len() gives a number'],
      ["len(a.b) pmatch (3)", 17, '"pmatch" compares text, and len() gives a number'],
      ["len(a.b) = tolower(c.d)", 12, NO_NUMBER("=")],
      ["tolower(a.b) < len(c.d)", 16, NO_NUMBER("<")],
      ["alert.rule in len(c.d)", 15, NO_NUMBER("in")],
      ["len(a.b) = x", 12, '"x" is no whole number, as len() gives'],
      ["len(a.b) in (3, '4 ')", 13, '"4 " is no whole number, as len() gives'],
      [`a.b = ${"é".repeat(128)}`, 7, "a value has 256 bytes, and Falco takes at most 255"],
      [
        "a.b = x and nosuch",
        13,
        'there is no macro "nosuch" before this; a field has a dot in its name',
      ],
    ];
    for (const [text, column, reason] of cases) {
      const error = errorOf(text);
      assert.deepEqual([error?.column, error?.reason, error?.expected], [
        column,
        reason,
        undefined,
      ]);
    }
    assert.equal(errorOf(`a.b = ${"x".repeat(255)}`), undefined);
  });

  it("names what Falco accepts and can only be a mistake", () => {
    const cases: [text: string, warning: string | undefined][] = [
      ["a.b = x", undefined],
      ["a.b = x and\na.b in ()", "line 2, column 8: the list is empty and matches nothing"],
      [
        "a.b in ('\\q')",
        "line 1, column 8: the list is empty and matches nothing, because there is no escape \"\\\\q\" in '...'",
      ],
      ["a.b containsin (x)", 'line 1, column 5: "containsin" means "in"; a blank is missing'],
      [
        "a.b regex '('",
        'line 1, column 11: the regular expression is invalid and matches nothing: a ")" is missing',
      ],
      [
        "a.b regex \\d",
        'line 1, column 11: the regular expression is invalid and matches nothing: there is no escape "\\\\d"',
      ],
      [
        "a.b in tolower(c.d)",
        'line 1, column 8: "in" never finds anything in a function of text; use val()',
      ],
      [
        "tolower(toupper(a.b)c.d) = x",
        'line 1, column 21: the function before "c.d" is ignored; remove one of the two',
      ],
      [
        "a.b > 0x1F",
        'line 1, column 7: "0x1F" is no whole number, so ">" compares the bytes of text',
      ],
      [
        "alert.prio = x",
        'line 1, column 14: "alert.prio" is read as an output field; the properties of an alert are alert.rule, alert.priority, alert.source, alert.tags, alert.hostname, alert.output, alert.time',
      ],
    ];
    for (const [text, warning] of cases) {
      const { warnings } = compileCondition(text);
      assert.deepEqual(warnings, warning === undefined ? [] : [warning]);
    }
    assert.deepEqual(
      compileCondition("a.b = x", { macros: { m: "a.b in ()", "x.y": "m" } }).warnings,
      [
        'macro "m", line 1, column 8: the list is empty and matches nothing',
        'macro "x.y": no condition can refer to a macro of this name',
      ],
    );
  });

  it("keeps its text, and nothing of one call for the next", () => {
    const condition = compileCondition(" a.b = x ");
    assert.equal(condition.text, " a.b = x ");
    assert.equal(Object.isFrozen(condition.warnings), true);
    const values = ["x", "y", "x", "x"];
    assert.deepEqual(values.map((value) => condition(alertWith({ "a.b": value }))), [
      true,
      false,
      true,
      true,
    ]);
    assert.deepEqual(["x", "y"].map((b) => alertWith({ "a.b": b })).filter(condition).length, 1);
  });
});

describe("macros and lists of compileCondition()", () => {
  const lists = {
    colours: ["red", "green"],
    one: ["red"],
    none: [],
    spaced: ["light red", "a,b"],
    numbers: [3, 33],
  };
  const reads = (condition: string, value: string) =>
    matches(condition, { "a.b": value }, {}, { lists });

  it("pastes lists between blanks, parentheses, commas and signs", () => {
    assert(reads("a.b in (colours)", "green"));
    assert(reads("a.b in(blue,colours)", "green"));
    assert(reads("a.b in (colours , blue)", "blue"));
    assert(reads("a.b in (numbers)", "33"));
    assert(reads("a.b in one", "red"));
    assert(reads("a.b =one", "red"));
    assert(reads('a.b = "x  one\ty"', "x red y"));
    assert(reads('a.b = "(one)"', "( red )"));
    assert(reads("a.b in (xcolours, one-)", "one-"));
    assert(reads("a.b in (spaced)", "light red"));
    assert(reads("a.b in (spaced)", "b"));
    for (const text of ["(none, red)", "(red, none)", "(green, none, red)", "(red,none,none)"]) {
      assert(reads(`a.b in ${text}`, "red"), text);
    }
    assert(!reads("a.b in (none)", ""));
  });

  it("sees the lists before a list in its items", () => {
    const nested = { a: ["x", "y"], b: ["a", "z"], c: ["b", "later"], later: ["w"] };
    const found = ["x", "y", "z", "w", "a", "later"].filter((value) =>
      matches("f.g in (c)", { "f.g": value }, {}, { lists: nested })
    );
    assert.deepEqual(found, ["x", "y", "z", "w"]);
  });

  it("points at the name of a list when what it pastes is wrong", () => {
    const error = errorOf("a.b in (x) and\na.b = colours", { lists });
    assert.deepEqual([error?.line, error?.column], [2, 7]);
    assert.match(error!.message, /in the list "colours" pasted there\)\na\.b = colours\n {6}\^$/);
    const after = errorOf("a.b in (colours, colours) an x", { lists });
    assert.deepEqual([after?.line, after?.column, after?.reason], [
      1,
      27,
      'expected "and" or "or", found "an"',
    ]);
    const end = errorOf("a.b in (colours", { lists });
    assert.deepEqual([end?.line, end?.column], [1, 16]);
  });

  it("takes a macro for its whole expression, and sees those before it", () => {
    const macros = { low: "a.b < 5 or a.c = z", lower: "low and a.b < 2" };
    assert(!matches("low and a.c = y", { "a.b": "9", "a.c": "z" }, {}, { macros }));
    assert(matches("not lower", { "a.b": "3" }, {}, { macros }));
    assert(matches("lower or low", { "a.b": "3" }, {}, { macros }));
    assert(matches("both", { "a.b": "red" }, {}, { lists, macros: { both: "a.b in (colours)" } }));
    assert(matches("not constructor", {}, {}, { macros: { constructor: "a.b exists" } as never }));
    assert.equal(errorOf("constructor")?.column, 1);
    assert.equal(errorOf("toString and __x")?.column, 14);
  });

  it("refuses a macro that is wrong, used or not", () => {
    const cases: [Record<string, string>, macro: string, line: number, column: number][] = [
      [{ m: "a.b =" }, "m", 1, 6],
      [{ later: "sooner", sooner: "a.b = x" }, "later", 1, 1],
      [{ me: "a.b = x or\nme" }, "me", 2, 1],
      [{ m: "a.b exists", n: "m and a.b in colours" }, "n", 1, 14],
    ];
    for (const [macros, macro, line, column] of cases) {
      const error = errorOf("a.b = x", { macros, lists });
      assert.deepEqual([error?.macro, error?.line, error?.column], [macro, line, column]);
      assert(error?.message.startsWith(`Cannot read the macro "${macro}": `));
    }
  });

  it("refuses options of the wrong type", () => {
    const wrong: [unknown, string][] = [
      [{ macros: { m: 5 } }, 'Cannot read the macro "m": it must be a string'],
      [{ lists: { l: "x" } }, 'Cannot read the list "l": it must be an array'],
      [{ lists: { l: [null] } }, 'Cannot read the list "l": its items must be texts or numbers'],
    ];
    for (const [options, message] of wrong) {
      assert.throws(() => compileCondition("a.b = x", options as never), {
        name: "TypeError",
        message,
      });
    }
    assert.throws(() => compileCondition(undefined as never), TypeError);
  });
});
