/** The grammar of conditions: what is read, and where and why it is not. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Expression } from "../lib/condition/mod.ts";
import { ConditionError, parseCondition } from "../lib/condition/mod.ts";
import { errorOf } from "./condition_alerts.ts";

const parse = (text: string): Expression => parseCondition(text).expression;
const macro = (name: string): Expression => ({ type: "macro", name });
const field = (name: string, argument?: string) =>
  ({ type: "field", name, ...(argument === undefined ? {} : { argument }) }) as const;
const equals = (name: string, text: string): Expression => ({
  type: "compare",
  left: field(name),
  operator: "=",
  right: { type: "value", text },
});
const [a, b, c, d] = ["a", "b", "c", "d"].map(macro) as [
  Expression,
  Expression,
  Expression,
  Expression,
];
const and = (...operands: Expression[]): Expression => ({ type: "and", operands });
const or = (...operands: Expression[]): Expression => ({ type: "or", operands });
const not = (operand: Expression): Expression => ({ type: "not", operand });

describe("parseCondition()", () => {
  it("reads and, or, not and parentheses", () => {
    const cases: [string, Expression][] = [
      ["a", a],
      [" \t\r\na\n", a],
      ["((a))", a],
      ["a and b", and(a, b)],
      ["a and b and c", and(a, b, c)],
      ["a or b or c", or(a, b, c)],
      ["a or b and c", or(a, and(b, c))],
      ["a and b or c", or(and(a, b), c)],
      ["a and b or c and d", or(and(a, b), and(c, d))],
      ["(a or b) and c", and(or(a, b), c)],
      ["a and (b and c)", and(a, and(b, c))],
      ["a or (b or c)", or(a, or(b, c))],
      ["not a", not(a)],
      ["not\n\ta", not(a)],
      ["not not a", a],
      ["not not not a", not(a)],
      ["not(not(a))", not(not(a))],
      ["not not(a)", a],
      ["not (a)", not(a)],
      ["not a and b", and(not(a), b)],
      ["not a or not b", or(not(a), not(b))],
      ["not (a and b)", not(and(a, b))],
      ["(a)and(b)", and(a, b)],
      ["(a)or(b)", or(a, b)],
      ["a and(b) or c", or(and(a, b), c)],
      ["a and(b)and c", and(a, b, c)],
      ["a or(b) or c", or(a, b, c)],
      ["a or (b) and c", or(a, and(b, c))],
      ["(a or(b)) and c", and(or(a, b), c)],
      ["a and(b or c)", and(a, or(b, c))],
      ["not(a)and b", and(not(a), b)],
      ["and and or", and(macro("and"), macro("or"))],
      ["not", macro("not")],
      ["not not", not(macro("not"))],
      ["android or order", or(macro("android"), macro("order"))],
      ["notnothing", macro("notnothing")],
    ];
    for (const [text, expected] of cases) assert.deepEqual(parse(text), expected, text);
  });

  it("reads fields, arguments and functions", () => {
    const cases: [string, unknown][] = [
      ["a.b exists", field("a.b")],
      ["a.b.c_1.D exists", field("a.b.c_1.D")],
      ["a.b[0]exists", field("a.b", "0")],
      ["a.b[x,(y)=z] exists", field("a.b", "x,(y)=z")],
      [`a.b["x y"] exists`, field("a.b", "x y")],
      [`a.b['x\\'y]'] exists`, field("a.b", "x'y]")],
      ["not.a exists", field("not.a")],
      ["exists.a exists", field("exists.a")],
      ["notgen.a exists", field("notgen.a")],
      ["tolower.x exists", field("tolower.x")],
      ["a.__proto__ exists", undefined],
      ["a.constructor exists", field("a.constructor")],
      ...["tolower", "toupper", "b64", "basename", "len"].map((transformer): [string, unknown] => [
        `${transformer}(a.b) exists`,
        { type: "call", transformer, operand: field("a.b") },
      ]),
      ["len( tolower( a.b[1] ) )exists", {
        type: "call",
        transformer: "len",
        operand: { type: "call", transformer: "tolower", operand: field("a.b", "1") },
      }],
      ["tolower(toupper(a.b)c.d) exists", {
        type: "call",
        transformer: "tolower",
        operand: field("c.d"),
      }],
    ];
    for (const [text, left] of cases) {
      if (left === undefined) assert.throws(() => parse(text), ConditionError);
      else assert.deepEqual(parse(text), { type: "exists", left }, text);
    }
  });

  it("reads every operator with the right side that it takes", () => {
    const value = (text: string) => ({ type: "value", text });
    const list = (...items: string[]) => ({ type: "list", items });
    const cases: [string, string, unknown][] = [
      ["a.b=x", "=", value("x")],
      ["a.b ==x", "=", value("x")],
      ["a.b!=x", "!=", value("x")],
      ["a.b=!x", "=", value("!x")],
      ["a.b = <", "=", value("<")],
      ["a.b<5", "<", value("5")],
      ["a.b <= -5", "<=", value("-5")],
      ["a.b>+05", ">", value("+05")],
      ["a.b >= 1.5e+3", ">=", value("1.5e+3")],
      ["a.b > 1.", ">", value("1.")],
      ["a.b > 0X1f", ">", value("0X1f")],
      ...["contains", "icontains", "bcontains", "startswith", "bstartswith", "endswith", "glob"]
        .concat("iglob", "regex").flatMap((word): [string, string, unknown][] => [
          [`a.b ${word} x`, word, value("x")],
          [`a.b ${word}\n'x y'`, word, value("x y")],
        ]),
      ["a.b in x", "in", list("x")],
      ["a.b inx", "in", list("x")],
      ["a.b in(x)", "in", list("x")],
      ["a.b in ( x ,\n'y z',\t5)", "in", list("x", "y z", "5")],
      ["a.b in (and, or, not, in)", "in", list("and", "or", "not", "in")],
      ["a.b intersects(x,y)", "intersects", list("x", "y")],
      ["a.b pmatch (/usr, '/a b')", "pmatch", list("/usr", "/a b")],
      ["a.b containsin (x)", "in", list("x")],
      ["a.b globpmatch (x)", "pmatch", list("x")],
      ["a.b = val(c.d)", "=", field("c.d")],
      ["a.b < val( c.d[1] )", "<", field("c.d", "1")],
      ["a.b in val(c.d)", "in", field("c.d")],
      ["a.b contains tolower(c.d)", "contains", {
        type: "call",
        transformer: "tolower",
        operand: field("c.d"),
      }],
      ["a.b = val", "=", value("val")],
      ["a.b = tolower", "=", value("tolower")],
      ["a.b = 'val(c.d)'", "=", value("val(c.d)")],
      ["a.b = c.d", "=", value("c.d")],
      ["alert.priority >= warning", ">=", value("warning")],
      ["alert.time < '2026-01-01T00:00:00Z'", "<", value("2026-01-01T00:00:00Z")],
    ];
    for (const [text, operator, right] of cases) {
      const { type, left: _, ...rest } = parse(text) as Expression & { type: "compare" };
      assert.deepEqual({ type, ...rest }, { type: "compare", operator, right }, text);
    }
  });

  it("reads values, quoted and bare", () => {
    const cases: [string, string][] = [
      ["x", "x"],
      ["C:\\x\\", "C:\\x\\"],
      ["a\\nb", "a\\nb"],
      ["/usr/*?[a]{b}|&~^$#;!<>@%-+.:", "/usr/*?[a]{b}|&~^$#;!<>@%-+.:"],
      ["日本語", "日本語"],
      ["x\u00a0y", "x\u00a0y"],
      [`""`, ""],
      [`''`, ""],
      [`"it's"`, "it's"],
      [`'say "x"'`, 'say "x"'],
      [`"\\b\\f\\n\\r\\t\\\\\\/\\""`, '\b\f\n\r\t\\/"'],
      [`'\\''`, "'"],
      [`"a\\ b"`, "a\\b"],
      [`"a\\ "`, "a\\"],
      [`"a\\\\ "`, "a\\ "],
      [`"\\\\\\"x"`, '\\"x'],
      [`"a\nb\tc"`, "a\nb\tc"],
      [`"(a), b = c"`, "(a), b = c"],
    ];
    for (const [text, value] of cases) {
      assert.deepEqual(parse(`x.y = ${text}`), equals("x.y", value), text);
      assert.deepEqual(parse(`x.y = ${text} and a`), and(equals("x.y", value), a), text);
    }
    assert.deepEqual(parse(`x.y="a"and a`), and(equals("x.y", "a"), a));
    assert.deepEqual(parse("x.y existsand a"), and({ type: "exists", left: field("x.y") }, a));
    assert.deepEqual(parse("x.y>5and a").type, "and");
  });

  it("takes a list for empty when its first item is wrong and nothing follows", () => {
    for (const text of ["()", "( )", '("\\q")', "(\n'\\x')"]) {
      const { expression, warnings } = parseCondition(`a.b in ${text}`);
      assert.deepEqual((expression as Expression & { type: "compare" }).right, {
        type: "list",
        items: [],
      });
      assert.equal(warnings.length, 1);
      assert.match(warnings[0]!, /^line 1, column 8: the list is empty and matches nothing/);
    }
  });

  it("says where a condition is wrong, and what was expected there", () => {
    const cases: [text: string, line: number, column: number, reason: string][] = [
      ["", 1, 1, 'expected a field, a macro, "not" or "(", found the end'],
      [" \n", 2, 1, 'expected a field, a macro, "not" or "(", found the end'],
      ["not ", 1, 5, 'expected a field, a macro, "not" or "(", found the end'],
      ["a and", 1, 6, 'expected a blank or "(" after "and", found the end'],
      ["a or ", 1, 6, 'expected a field, a macro, "not" or "(", found the end'],
      ["a orb", 1, 5, 'expected a blank or "(" after "or", found "b"'],
      ["a b", 1, 3, 'expected "and" or "or", found "b"'],
      ["a AND b", 1, 3, 'expected "and" or "or", found "AND"'],
      ["a && b", 1, 3, 'expected "and" or "or", found "&&"'],
      ["!a", 1, 1, 'expected a field, a macro, "not" or "(", found "!a"'],
      ["1 = 1", 1, 1, 'expected a field, a macro, "not" or "(", found "1"'],
      ['"a"', 1, 1, 'expected a field, a macro, "not" or "(", found "\\""'],
      ["()", 1, 2, 'expected a field, a macro, "not" or "(", found ")"'],
      ["(a", 1, 3, 'expected "and", "or" or ")", found the end'],
      ["not(a", 1, 6, 'expected "and", "or" or ")", found the end'],
      ["a)", 1, 2, 'expected "and" or "or", found ")"'],
      ["a or(b) and c", 1, 9, 'expected "or", found "and"'],
      ["(a or(b) and c)", 1, 10, 'expected "and", "or" or ")", found "and"'],
      ["a\nand\n  b c", 3, 5, 'expected "and" or "or", found "c"'],
      ["a\r\nand )", 2, 5, 'expected a field, a macro, "not" or "(", found ")"'],
      ["a\rand )", 2, 5, 'expected a field, a macro, "not" or "(", found ")"'],
      ["🦅", 1, 1, 'expected a field, a macro, "not" or "(", found "🦅"'],
      ["a.b = 🦅 x", 1, 10, 'expected "and" or "or", found "x"'],
      ["a.b", 1, 4, "OPERATOR, found the end"],
      ["a.b red", 1, 5, 'OPERATOR, found "red"'],
      ["a.b not in (x)", 1, 5, 'OPERATOR, found "not"'],
      ["a.b\f= x", 1, 4, 'OPERATOR, found "\\f="'],
      ["a. = x", 1, 2, 'expected "and" or "or", found "."'],
      ["a.b. = x", 1, 4, 'OPERATOR, found "."'],
      ["a.b [x] = y", 1, 5, 'OPERATOR, found "[x]"'],
      ["a.b[] = x", 1, 5, 'expected an argument, quoted or bare, found "]"'],
      ["a.b[x y] = z", 1, 6, 'expected "]", found "y]"'],
      ["a.b[x", 1, 6, 'expected "]", found the end'],
      ['a.b["x] = y', 1, 5, "QUOTES"],
      ["a.b contains", 1, 13, 'expected a blank after "contains", found the end'],
      ['a.b contains"x"', 1, 13, 'expected a blank after "contains", found "\\""'],
      ["a.b = ", 1, 7, "expected a value or a field in val(), found the end"],
      ["a.b = (x)", 1, 7, 'expected a value or a field in val(), found "("'],
      ["a.b = = x", 1, 7, 'expected a value or a field in val(), found "="'],
      ["a.b = x=y", 1, 8, 'expected "and" or "or", found "=y"'],
      ['a.b = "x', 1, 7, "QUOTES"],
      ['a.b = "x\\\\"', 1, 7, "QUOTES"],
      ['a.b = "x\\q"', 1, 9, 'there is no escape "\\\\q" in "..."'],
      ["a.b = 'x\\\"'", 1, 9, `there is no escape "\\\\\\"" in '...'`],
      ['a.b = "\n\\d"', 2, 1, 'there is no escape "\\\\d" in "..."'],
      ["a.b < red", 1, 7, 'expected a number or a field in val(), found "red"'],
      ['a.b < "5"', 1, 7, 'expected a number or a field in val(), found "\\""'],
      ["a.b > --5", 1, 7, 'expected a number or a field in val(), found "--5"'],
      ["a.b > 1e5", 1, 8, 'expected "and" or "or", found "e5"'],
      ["a.b > 0x", 1, 8, 'expected "and" or "or", found "x"'],
      [
        "tolower(alert.priority) > red",
        1,
        27,
        'expected a number or a field in val(), found "red"',
      ],
      [
        "a.b in",
        1,
        7,
        "expected a list in parentheses, a word, or a field in val(), found the end",
      ],
      ["a.b in 5", 1, 8, 'expected a list in parentheses, a word, or a field in val(), found "5"'],
      ["a.b in (x", 1, 10, 'expected "," or ")", found the end'],
      ["a.b in (x,)", 1, 11, 'expected a value, found ")"'],
      ["a.b in (x,,y)", 1, 11, 'expected a value, found ","'],
      ["a.b in (,x)", 1, 9, 'expected a value or ")", found ","'],
      ["a.b in ((x))", 1, 9, 'expected a value or ")", found "("'],
      ["a.b in (x y)", 1, 11, 'expected "," or ")", found "y"'],
      ["a.b in (x=y)", 1, 10, 'expected "," or ")", found "=y"'],
      ['a.b in ("x)', 1, 9, "QUOTES"],
      ['a.b in (x, "y)', 1, 12, "QUOTES"],
      ['a.b in (x, "\\q")', 1, 13, 'there is no escape "\\\\q" in "..."'],
      ['a.b in ("\\q", x)', 1, 10, 'there is no escape "\\\\q" in "..."'],
      ["a.b in (val(c.d))", 1, 12, 'expected "," or ")", found "("'],
      ["tolower()", 1, 9, 'expected a field, or a function of one, found ")"'],
      ["tolower(a)", 1, 9, 'expected a field, or a function of one, found "a"'],
      ["tolower(a.b", 1, 12, 'expected ")", found the end'],
      ["tolower(a.b, c.d) = x", 1, 12, 'expected ")", found ","'],
      ["tolower(a.b)", 1, 13, "OPERATOR, found the end"],
      ["tolower (a.b) = x", 1, 9, 'expected "and" or "or", found "("'],
      ["val(a.b) = x", 1, 4, 'expected "and" or "or", found "("'],
      ["a.b = val()", 1, 11, 'expected a field, which is all that val() takes, found ")"'],
      ["a.b = val(tolower(c.d))", 1, 11, 'VAL, found "tolower"'],
      ["a.b = tolower(val(c.d))", 1, 15, 'expected a field, or a function of one, found "val"'],
    ];
    for (const [text, line, column, reason] of cases) {
      const error = errorOf(text);
      assert(error !== undefined, `accepted: ${JSON.stringify(text)}`);
      const expected = reason
        .replace(
          "OPERATOR",
          "expected an operator, such as =, !=, <, contains, startswith, in or exists",
        )
        .replace(
          "QUOTES",
          "the quotes are not closed; a quote behind a backslash does not close them",
        )
        .replace("VAL", "expected a field, which is all that val() takes");
      assert.deepEqual(
        [error.line, error.column, error.reason],
        [line, column, expected],
        JSON.stringify(text),
      );
      const found = /^expected (.*), found /s.exec(expected)?.[1];
      assert.equal(error.expected, found, text);
    }
  });

  it("shows the line and a caret below the place", () => {
    const excerpt = (text: string) => errorOf(text)?.excerpt;
    assert.equal(excerpt("proc.name = a b"), "proc.name = a b\n              ^");
    assert.equal(excerpt("a and\n\tproc.name = a b\nor c"), " proc.name = a b\n               ^");
    assert.equal(excerpt("a.b = 🦅 x"), "a.b = 🦅 x\n        ^");
    assert.equal(excerpt("a.b = \x1b[2J\u202e x"), "a.b = �[2J� x\n            ^");
    assert.equal(excerpt("a and"), "a and\n     ^");
    const long = excerpt(`${"a and ".repeat(50)}) and ${"b and ".repeat(50)}b`)!;
    const [line, caret] = long.split("\n") as [string, string];
    assert.equal(line.length, 102);
    assert.equal(line[caret.length - 1], ")");
    assert(line.startsWith("…") && line.endsWith("…"));
    assert.equal(
      errorOf("a b")?.message,
      'Cannot read the condition: expected "and" or "or", found "b" (line 1, column 3)\na b\n  ^',
    );
  });

  it("refuses what is no text", () => {
    for (const wrong of [undefined, null, 5, {}, () => true]) {
      assert.throws(() => parseCondition(wrong as unknown as string), {
        name: "TypeError",
        message: `Cannot read the condition: it must be a string, not "${typeof wrong}"`,
      });
    }
  });
});
