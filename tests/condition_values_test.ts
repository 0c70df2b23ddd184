/** What conditions match beyond what Falco could be asked: types, properties of alerts, functions. */
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
});
