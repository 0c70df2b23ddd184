/** What conditions match beyond what Falco could be asked: types, the alert's own properties, options. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Alert, FieldValue } from "../lib/alert/alert.ts";
import { parseAlert } from "../lib/alert/parse_alert.ts";
import { priorities } from "../lib/alert/priority.ts";
import { compileCondition } from "../lib/condition/mod.ts";
import { alertWith, errorOf, matches } from "./condition_alerts.ts";

/** The conditions of a table that match an alert. */
function matching(conditions: readonly string[], alert: Alert): string[] {
  return conditions.filter((condition) => compileCondition(condition)(alert));
}

describe("compileCondition()", () => {
  it("compares the text of typed values, as gRPC would carry them", () => {
    const cases: [value: FieldValue, yes: string[], no: string[]][] = [
      [5, ["= 5", "!= 6", "in (4, 5)", "contains 5", "exists", "> 4"], ["= 05", "!= 5", "= 5.0"]],
      [0, ["= 0", "exists", ">= 0", "< 1"], ['= ""', "< 0"]],
      [-7, ["= -7", "< -6", "< 0", "> -8"], ["> -7", "= 7"]],
      [1.5, ["= 1.5", "startswith 1"], ["= 1"]],
      [2n ** 63n, ["= 9223372036854775808", "> 9223372036854775807"], ["> 9223372036854775808"]],
      [true, ["= true", "!= false", "in (true)"], ["= True", "= 1"]],
      [false, ["= false", "exists"], ["= true", "!= false"]],
      ["", ['= ""', "exists", "!= x", 'contains ""', "glob *", "pmatch (/)"], [
        "= x",
        "contains x",
      ]],
      [["a", 5], ["in (a, 5)", "intersects (5)", '= "(a,5)"', "exists"], ["in (a)", "= a"]],
      [[["a"], null], ['intersects ("(a)")'], ['in ("(a)")']],
      [{ k: "v" }, ["exists", 'contains "k:v"'], ["in (v)"]],
    ];
    for (const [value, yes, no] of cases) {
      const test = (rest: string) => matches(`a.b ${rest}`, { "a.b": value });
      assert.deepEqual(yes.filter((rest) => !test(rest)), [], String(value));
      assert.deepEqual(no.filter(test), [], String(value));
    }
  });

  it("takes absent fields for neither equal nor different", () => {
    const absent: Record<string, FieldValue>[] = [{}, { "a.b": null }, { "a.b": "<NA>" }, {
      "a.b": [],
    }];
    const checks = [
      ..."exists|= x|!= x|< 5|>= 0|contains x|icontains x|startswith x|endswith x|bcontains 61"
        .concat("|bstartswith 61|glob *|iglob *|regex .*|in (x)|in ()|intersects (x)|pmatch (/)")
        .concat("|= val(c.d)|!= val(c.d)|< val(c.d)|in val(c.d)|glob val(c.d)").split("|"),
    ];
    for (const fields of absent) {
      for (const check of checks) {
        const all = { ...fields, "c.d": "x" };
        assert.equal(matches(`a.b ${check}`, all), false, check);
        assert.equal(matches(`not a.b ${check}`, all), true, check);
        for (const name of ["tolower", "toupper", "b64", "basename"]) {
          assert.equal(matches(`${name}(a.b) ${check}`, all), false, check);
        }
      }
      assert.equal(matches("len(a.b) >= 0", fields), false);
      assert.equal(matches("c.d != val(a.b)", { ...fields, "c.d": "x" }), false);
    }
  });

  it("compares integers of any length by value, other text by bytes", () => {
    const ordered = [
      "-100000000000000000000000001",
      "-9007199254740993",
      "-10",
      "-9",
      "0",
      "9",
      "10",
      "999999999999999",
      "1000000000000000",
      "9007199254740992",
      "9007199254740993",
      "18446744073709551615",
      "18446744073709551616",
      "100000000000000000000000001",
    ];
    const operators: [string, (order: number) => boolean][] = [
      ["<", (order) => order < 0],
      ["<=", (order) => order <= 0],
      [">", (order) => order > 0],
      [">=", (order) => order >= 0],
    ];
    for (const [left, a] of ordered.entries()) {
      for (const [right, b] of ordered.entries()) {
        for (const [operator, holds] of operators) {
          const expected = holds(left - right);
          const values: FieldValue[] = [a, BigInt(a)];
          if (Number.isSafeInteger(Number(a))) values.push(Number(a));
          for (const value of values) {
            const what = `${typeof value} ${a} ${operator} ${b}`;
            assert.equal(matches(`a.b ${operator} ${b}`, { "a.b": value }), expected, what);
            const fields = { "a.b": value, "c.d": b };
            assert.equal(matches(`a.b ${operator} val(c.d)`, fields), expected, what);
          }
        }
      }
    }
    const bytes: [value: FieldValue, condition: string, expected: boolean][] = [
      ["05", "a.b < 5", true],
      ["-0", "a.b < 0", true],
      [" 5", "a.b < 10", true],
      ["5.0", "a.b > 5", true],
      [1.5, "a.b > 1", true],
      ["", "a.b < 0", true],
      ["0x20", "a.b > 0x1F", true],
      ["9", "a.b > 0x1F", true],
      ["1", "a.b < 1.5e+3", true],
      ["\uff5e", "a.b < val(c.d)", true],
      ["1".repeat(16), `a.b <= ${"1".repeat(16)}`, true],
      ["007", "a.b >= +007", true],
      ["7", "a.b >= +007", true],
      ["7", "a.b <= +007", true],
    ];
    for (const [value, condition, expected] of bytes) {
      assert.equal(matches(condition, { "a.b": value, "c.d": "\u{1f985}" }), expected, condition);
    }
  });

  it("compares alert.priority by severity", () => {
    const accepted = (condition: string) =>
      priorities.filter((priority) => matches(condition, {}, { priority }));
    assert.deepEqual(accepted("alert.priority >= warning"), priorities.slice(0, 5));
    assert.deepEqual(accepted("alert.priority > warning"), priorities.slice(0, 4));
    assert.deepEqual(accepted("alert.priority <= 'Notice'"), priorities.slice(5));
    assert.deepEqual(accepted("alert.priority < info"), ["debug"]);
    assert.deepEqual(accepted("alert.priority = INFO"), ["informational"]);
    assert.deepEqual(accepted("alert.priority in (Error, debug)"), ["error", "debug"]);
    assert.deepEqual(accepted("alert.priority intersects (alert)"), ["alert"]);
    assert.deepEqual(accepted("alert.priority != debug"), priorities.slice(0, 7));
    assert.deepEqual(accepted("alert.priority in ()"), []);
    assert.deepEqual(accepted("alert.priority startswith e"), ["emergency", "error"]);
    assert.deepEqual(accepted("len(alert.priority) = 5"), ["alert", "error", "debug"]);
    assert.deepEqual(accepted("alert.priority = val(x.y)"), []);
    assert(matches("alert.priority = val(x.y)", { "x.y": "notice" }));
    const names = `the priorities are ${priorities.join(", ")}`;
    assert.equal(errorOf("alert.priority >= 4")?.reason, `"4" is no priority; ${names}`);
    assert.equal(
      errorOf("alert.priority in (error, bad)")?.reason,
      `"bad" is no priority; ${names}`,
    );
    assert.equal(errorOf("a.b = x and alert.priority > loud")?.column, 30);
    assert.equal(
      errorOf("alert.priority < val(x.y)")?.reason,
      '"<" compares alert.priority with a name only',
    );
  });

  it("compares alert.time as a moment", () => {
    const alert = alertWith({}, { time: { seconds: 1767225600, nanos: 5 } });
    const yes = [
      "alert.time = 2026-01-01T00:00:00.000000005Z",
      "alert.time = '2026-01-01T01:00:00.000000005+01:00'",
      "alert.time > 2026-01-01T00:00:00Z",
      "alert.time >= 2026-01-01T00:00:00.000000005Z",
      "alert.time < 2026-01-01T00:00:00.000000006Z",
      "alert.time <= 2026-01-01T00:00:01Z",
      "alert.time != 2026-01-01T00:00:00Z",
      "alert.time in (2026-01-01T00:00:00Z, 2026-01-01T00:00:00.000000005Z)",
      "alert.time startswith 2026-01-01T00",
      "alert.time exists",
    ];
    assert.deepEqual(matching(yes, alert), yes);
    const no = [
      "alert.time = 2026-01-01T00:00:00Z",
      "alert.time > 2026-01-01T00:00:00.000000005Z",
      "alert.time in ()",
    ];
    assert.deepEqual(matching(no, alert), []);
    assert.equal(
      errorOf("alert.time > 5")?.reason,
      '"5" is no time, such as 2026-01-01T00:00:00Z',
    );
  });

  it("reads the other properties of the alert", () => {
    const alert = alertWith({}, {
      rule: "Terminal shell",
      source: "syscall",
      hostname: "node-1",
      output: "10:00 Notice shell",
      tags: ["container", "shell"],
    });
    const yes = [
      'alert.rule = "Terminal shell"',
      "alert.rule startswith Term",
      "tolower(alert.rule) contains shell",
      "alert.source in (syscall, k8s_audit)",
      "alert.hostname glob node-?",
      "alert.output contains Notice",
      "alert.tags intersects (shell, network)",
      "alert.tags in (shell, container, network)",
      "alert.tags exists",
      "len(alert.tags) = 2",
      "alert.rule exists",
    ];
    assert.deepEqual(matching(yes, alert), yes);
    const no = [
      "alert.tags in (shell)",
      "alert.tags intersects (network)",
      "alert.hostname = node",
    ];
    assert.deepEqual(matching(no, alert), []);
    assert.deepEqual(matching(["alert.tags exists", "len(alert.tags) = 0"], alertWith({})), []);
    assert.equal(
      errorOf("alert.tags contains shell")?.reason,
      '"contains" does not take a list; "in" and "intersects" do',
    );
    assert.equal(errorOf("tolower(alert.tags) in (x)")?.reason, "tolower() takes text, not a list");
  });

  it("takes any dotted name for a field, whatever it is called", () => {
    const fields = JSON.parse(
      '{"constructor.prototype":"a","a.b[__proto__]":"b","a.b[constructor]":"c","x.toString":"d"}',
    );
    assert(matches("constructor.prototype = a", fields));
    assert(matches("a.b[__proto__] = b", fields));
    assert(matches('a.b["constructor"] = c', fields));
    assert(matches("x.toString = d", fields));
    assert(!matches("constructor.name exists", fields));
    assert(!matches("a.b[__proto__] exists", {}));
    assert(!matches("a.b[toString] exists", {}));
    assert(matches("not hasOwnProperty.call exists", {}));
    assert.equal(({} as Record<string, unknown>)["b"], undefined);
    const line = '{"rule":"r","priority":"Debug","time":"2026-01-01T00:00:00.000000000Z",' +
      '"output_fields":{"a.__proto__":"p","__proto__":"q"}}';
    assert(!compileCondition("a.b exists or a.prototype exists")(parseAlert(line)));
  });

  it("finds a field with an argument under its name with brackets", () => {
    const fields = { "evt.arg[0]": "x", "proc.env[A B]": "y", "a.b": "z" };
    assert(matches("evt.arg[0] = x", fields));
    assert(matches('evt.arg["0"] = x', fields));
    assert(matches("proc.env['A B'] = y", fields));
    assert(!matches("a.b[0] exists", fields));
  });

  it("applies functions to text, and len() to lists too", () => {
    const cases: [condition: string, value: FieldValue, expected: boolean][] = [
      ["tolower(a.b) = 5", 5, true],
      ["tolower(a.b) exists", ["A"], false],
      ["len(a.b) = 3", ["a", "b", "c"], true],
      ["len(a.b) = 2", 55, true],
      ["len(a.b) = 1", ["", "x", "y"], true],
      ["len(a.b) = 2", ["x", ""], true],
      ["a.b intersects (x)", ["", "x"], false],
      ["a.b intersects (x)", ["x", ""], true],
      ["a.b in ('')", ["", "x"], true],
      ["a.b in ('', x)", ["x", ""], true],
      ["a.b = '(,x)'", ["", "x"], true],
      ["a.b intersects val(c.d)", ["", "k"], false],
      ["c.d in val(a.b)", ["", "k"], false],
      ["len(a.b) = 05", "abcde", true],
      ["len(a.b) > -1", "abcde", false],
      ["len(a.b) <= 99999999999999999999999", "abcde", true],
      ["len(a.b) in (' 5', 7)", "abcde", true],
      ["len(a.b) = 6", "🦅é", true],
      ["len(a.b) = 3", "\ud800", true],
      ["b64(a.b) = 🦅", "8J+mhQ", true],
      ["b64(a.b) exists", "8J+mhR==", false],
      ["b64(a.b) exists", "8J+mhQ=", true],
      ["b64(a.b) exists", "8J-mhQ==", false],
      ["b64(a.b) exists", "AAA==", false],
      ["b64(a.b) exists", "AAAA=", false],
      ["b64(a.b) exists", "AAB", false],
      ["b64(a.b) exists", "AAE", true],
      ["basename(a.b) = c", "/a/b/c", true],
      ["basename(a.b) = c", "c", true],
      ['a.b icontains "É"', "xÉy", true],
      ['a.b icontains "É"', "xéy", false],
      ["a.b icontains k", "\u212a", false],
      ["a.b icontains k", "\u212aK", true],
      ["a.b icontains i", "\u0130", false],
      ["a.b icontains val(c.d)", "\u212a", false],
      ["a.b bcontains C3A9", "xéy", true],
      ["a.b bcontains a9", "xéy", true],
      ["a.b bstartswith 78c3", "xéy", true],
      ["a.b bstartswith c3", "xéy", false],
      ['a.b bcontains ""', "x", true],
    ];
    for (const [condition, value, expected] of cases) {
      assert.equal(
        matches(condition, { "a.b": value, "c.d": "k" }),
        expected,
        `${condition} ${value}`,
      );
    }
  });

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
