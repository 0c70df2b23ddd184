/** What parseAlert says of text that is no alert, and where it points. */
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { scanJson } from "../lib/alert/json_scan.ts";
import { alertFromJson, parseAlert } from "../lib/alert/parse_alert.ts";
import { lineAndColumn, parseJson } from "../lib/alert/parse_json.ts";
import { priorities } from "../lib/alert/priority.ts";
import { quoteText } from "../lib/alert/quote_text.ts";
import { AlertFormatError } from "../lib/errors.ts";

/** Message and place of the error that `run` throws, as `line:column: message`. */
function errorOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert(error instanceof AlertFormatError, String(error));
    return `${error.line}:${error.column}: ${error.message}`;
  }
  assert.fail("nothing was thrown");
}

const TIME = '"time":"2026-01-01T00:00:00.000000000Z"';
const ALERT = `"rule":"r","priority":"Debug",${TIME}`;

test("parseAlert points at broken JSON", () => {
  // The place is where the word or the character stands that does not belong there.
  const cases: [text: string, place: string, problem: string][] = [
    ["", "1:1", "the text ends, expected a JSON value"],
    [" \t\r\n ", "2:2", "the text ends, expected a JSON value"],
    ["nonsense", "1:1", 'found "nonsense", expected a JSON value'],
    ["Jan 01 00:00:00 falco: x", "1:1", 'found "Jan", expected a JSON value'],
    ["\ufeff{}", "1:1", 'found "\\u{feff}", expected a JSON value'],
    ["{", "1:2", 'the text ends, expected a key in double quotes or "}"'],
    ["{]", "1:2", 'found "]", expected a key in double quotes or "}"'],
    ["{a:1}", "1:2", 'found "a", expected a key in double quotes or "}"'],
    ["{'a':1}", "1:2", `found "'", expected a key in double quotes or "}"`],
    ['{"a"', "1:5", 'the text ends, expected ":"'],
    ['{"a" 1}', "1:6", 'found "1", expected ":"'],
    ['{"a" "b"}', "1:6", 'found text, expected ":"'],
    ['{"a":', "1:6", "the text ends, expected a value"],
    ['{"a":}', "1:6", 'found "}", expected a value'],
    ['{"a":]', "1:6", 'found "]", expected a value'],
    ['{"a"::1}', "1:6", 'found ":", expected a value'],
    ['{"a":undefined}', "1:6", 'found "undefined", expected a value'],
    ['{"a":NaN}', "1:6", 'found "NaN", expected a value'],
    ['{"a":-}', "1:6", 'found "-", expected a value'],
    ['{"a":+1}', "1:6", 'found "+1", expected a value'],
    ['{"a":01}', "1:6", 'found "01", expected a value'],
    ['{"a":1.}', "1:6", 'found "1.", expected a value'],
    ['{"a":.5}', "1:6", 'found ".5", expected a value'],
    ['{"a":1e}', "1:6", 'found "1e", expected a value'],
    ['{"a":truer}', "1:6", 'found "truer", expected a value'],
    ['{"a":True}', "1:6", 'found "True", expected a value'],
    ['{"a":1', "1:7", 'the text ends, expected "," or "}"'],
    ['{"a":1]', "1:7", 'found "]", expected "," or "}"'],
    ['{"a":1 "b":2}', "1:8", 'found text, expected "," or "}"'],
    ['{"a":1 true}', "1:8", 'found "true", expected "," or "}"'],
    ['{"a":1,', "1:8", "the text ends, expected a key in double quotes"],
    ['{"a":1,}', "1:8", 'found "}", expected a key in double quotes'],
    ['{"a":1,,}', "1:8", 'found ",", expected a key in double quotes'],
    ['{"a":1,2}', "1:8", 'found "2", expected a key in double quotes'],
    ['{"a":[', "1:7", 'the text ends, expected a value or "]"'],
    ['{"a":[}', "1:7", 'found "}", expected a value or "]"'],
    ['{"a":[,1]}', "1:7", 'found ",", expected a value or "]"'],
    ['{"a":[1,]}', "1:9", 'found "]", expected a value'],
    ['{"a":[1 2]}', "1:9", 'found "2", expected "," or "]"'],
    ['{"a":[1}', "1:8", 'found "}", expected "," or "]"'],
    ["{}{}", "1:3", 'found "{", expected nothing more'],
    ["{} x", "1:4", 'found "x", expected nothing more'],
    ['{} "x"', "1:4", "found text, expected nothing more"],
    ["{}}", "1:3", 'found "}", expected nothing more'],
    ["{},", "1:3", 'found ",", expected nothing more'],
    ['{"a', "1:2", "found text that is not closed"],
    ['{"a":"b}', "1:6", "found text that is not closed"],
    ['{"a":"b\\"}', "1:6", "found text that is not closed"],
    ['{"a":"b\\x41"}', "1:8", "found a bad escape in text"],
    ['{"a":"\\u00g0"}', "1:7", "found a bad escape in text"],
    ['{"a":"\\u123"}', "1:7", "found a bad escape in text"],
    ['{"a\\":"\\', "1:8", 'found "\\\\", expected ":"'],
    ['{"a":"\\', "1:7", "found a bad escape in text"],
    ['{"a":"b\tc"}', "1:8", 'found "\\t" in text, expected it escaped'],
    ['{"a":"b\nc"}', "1:8", 'found "\\n" in text, expected it escaped'],
    ['{"a":1,\n "b":2,\n\n "c" 3}', "4:6", 'found "3", expected ":"'],
    ['{"🦅":"é€", x}', "1:13", 'found "x", expected a key in double quotes'],
    ['{"a":1,\u00a0"b":2}', "1:8", 'found "\u00a0", expected a key in double quotes'],
    ['{"a":🦅}', "1:6", 'found "🦅", expected a value'],
    ['{"a":\ud83d}', "1:6", 'found "\\ud83d", expected a value'],
    ['{"a":\x1b[2J}', "1:6", 'found "\\u001b", expected a value'],
    ['{"a":\x9b2J}', "1:6", 'found "\\u{9b}", expected a value'],
    ['{"a":\u202e}', "1:6", 'found "\\u{202e}", expected a value'],
    [`{"a":${"x".repeat(50)}}`, "1:6", `found "${"x".repeat(20)}", expected a value`],
    ['{"a":1e999}', "1:6", "the number 1e999 is out of range"],
    ['{"a":[0,\n-1e0999]}', "2:1", "the number -1e0999 is out of range"],
    [`{"a":${"9".repeat(400)}}`, "1:6", `the number ${"9".repeat(40)} is out of range`],
    ['{"evt.time":1767225600000000005,"a":1e999,"b":x', "1:37", "the number 1e999 is out of range"],
  ];
  for (const [text, place, problem] of cases) {
    const expected = `${place}: Cannot read the JSON: ${problem}`;
    assert.equal(errorOf(() => parseAlert(text)), expected, JSON.stringify(text));
  }
});

test("parseAlert keeps the engine's own error as the cause", () => {
  assert.throws(() => parseAlert("{"), (error) => {
    return error instanceof AlertFormatError && error.cause instanceof SyntaxError;
  });
});

test("parseAlert reads numbers up to the largest double", () => {
  for (const number of ["1.7976931348623157e308", "-1.7976931348623157e+308", "1e-999", "0e999"]) {
    const { outputFields } = parseAlert(`{${ALERT},"output_fields":{"n":${number}}}`);
    assert.equal(outputFields["n"], Number(number));
  }
});

test("parseAlert points at what is no alert", () => {
  const unknown = `expected one of ${priorities.join(", ")}`;
  const cases: [text: string, place: string, problem: string][] = [
    ["null", "1:1", "expected a JSON object"],
    ["  7", "1:3", "expected a JSON object"],
    ['"text"', "1:1", "expected a JSON object"],
    ["\n [{}]", "2:2", "expected a JSON object"],
    ["{}", "1:1", 'it has no "rule"'],
    [`\n  {"priority":"Debug",${TIME}}`, "2:3", 'it has no "rule"'],
    [`{"rule":7,"priority":"Debug",${TIME}}`, "1:9", '"rule" must be text'],
    [`{"rule": null}`, "1:10", '"rule" must be text'],
    ['{"rule":"r","priority":"Debug"}', "1:1", 'it has no "time"'],
    [`{"rule":"r",${TIME}}`, "1:1", 'it has no "priority"'],
    [`{"rule":"r",${TIME},"priority":"loud"}`, "1:64", `unknown priority "loud", ${unknown}`],
    [`{"rule":"r",${TIME},"priority":""}`, "1:64", `unknown priority "", ${unknown}`],
    [
      `{"rule":"r",${TIME},"priority":"\\u009b2J"}`,
      "1:64",
      `unknown priority "\\u{9b}2J", ${unknown}`,
    ],
    [
      `{"rule":"r",${TIME},"priority":"__proto__"}`,
      "1:64",
      `unknown priority "__proto__", ${unknown}`,
    ],
    [`{"rule":"r",${TIME},"priority":null}`, "1:64", `unknown priority value, ${unknown}`],
    [`{"rule":"r",${TIME},"priority":["Debug"]}`, "1:64", `unknown priority value, ${unknown}`],
    [`{"rule":"r",${TIME},"priority":8}`, "1:64", "unknown priority 8, expected 0 to 7"],
    [`{"rule":"r",${TIME},"priority":-1}`, "1:64", "unknown priority -1, expected 0 to 7"],
    [`{"rule":"r",${TIME},"priority":1.5}`, "1:64", "unknown priority 1.5, expected 0 to 7"],
    [`{${ALERT},"output":{}}`, "1:81", '"output" must be text'],
    [`{${ALERT},\n "message":true}`, "2:12", '"message" must be text'],
    [`{${ALERT},"hostname":1}`, "1:83", '"hostname" must be text'],
    [`{${ALERT},"source":[]}`, "1:81", '"source" must be text'],
    [`{${ALERT},"tags":"a"}`, "1:79", '"tags" must be an array of text'],
    [`{${ALERT},"tags":{}}`, "1:79", '"tags" must be an array of text'],
    [`{${ALERT},"tags":["a",1]}`, "1:79", '"tags" must be an array of text'],
    [`{${ALERT},"tags":null}`, "1:79", '"tags" must be an array of text'],
    [`{${ALERT},"output_fields":[]}`, "1:88", '"output_fields" must be an object'],
    [`{${ALERT},"output_fields":null}`, "1:88", '"output_fields" must be an object'],
    [`{${ALERT},"outputFields":"x"}`, "1:87", '"outputFields" must be an object'],
    // Of a key that is there twice the last counts, as in JSON.parse.
    [`{"rule":1,${ALERT},"rule":2}`, "1:88", '"rule" must be text'],
    // A key further down is another key.
    [`{"a":{"rule":1},"rule":2,${TIME}}`, "1:24", '"rule" must be text'],
    [`{"rule":2,"a":{"rule":1},${TIME}}`, "1:9", '"rule" must be text'],
    [`{"rule":2,"a":[{"rule":1}],${TIME}}`, "1:9", '"rule" must be text'],
    [`{"a":[{"rule":1}],"b\\"c":"}","rule":2,${TIME}}`, "1:37", '"rule" must be text'],
  ];
  for (const [text, place, problem] of cases) {
    const expected = `${place}: Cannot read the alert: ${problem}`;
    assert.equal(errorOf(() => parseAlert(text)), expected, JSON.stringify(text));
  }
});

test("parseAlert refuses times that do not exist", () => {
  const asText = '"time" must be as in "2026-01-01T00:00:00.000000000Z"';
  const asObject = '"time" must have "seconds" and "nanos" that are integers';
  const cases: [time: string, problem: string][] = [
    ['"2026-02-30T00:00:00Z"', asText],
    ['"2025-02-29T00:00:00Z"', asText],
    ['"2026-00-01T00:00:00Z"', asText],
    ['"2026-13-01T00:00:00Z"', asText],
    ['"2026-01-00T00:00:00Z"', asText],
    ['"2026-01-01T24:00:00Z"', asText],
    ['"2026-01-01T00:60:00Z"', asText],
    ['"2026-01-01T00:00:61Z"', asText],
    ['"2026-01-01T00:00:00"', asText],
    ['"2026-01-01T00:00:00.Z"', asText],
    ['"2026-01-01T00:00:00+24:00"', asText],
    ['"2026-01-01T00:00:00+02:60"', asText],
    ['"2026-01-01"', asText],
    ['"00:00:00.000000000"', asText],
    ['"2026-01-01T00:00:00Z\\n"', asText],
    ['"٢٠٢٦-01-01T00:00:00Z"', asText],
    ['""', asText],
    ["1767225600", asText],
    ["null", asText],
    ["[]", asText],
    ['{"seconds":"1.5"}', asObject],
    ['{"seconds":1.5}', asObject],
    ['{"seconds":"0x10"}', asObject],
    ['{"seconds":""}', asObject],
    ['{"seconds":null}', asObject],
    ['{"seconds":1,"nanos":"5"}', asObject],
    ['{"seconds":1,"nanos":0.5}', asObject],
    ['{"seconds":1767225600000000005}', asObject],
  ];
  for (const [time, problem] of cases) {
    const text = `{"rule":"r","priority":"Debug","time":${time}}`;
    assert.equal(errorOf(() => parseAlert(text)), `1:39: Cannot read the alert: ${problem}`, time);
  }
});

test("alertFromJson points at the beginning if nobody finds places for it", () => {
  assert.equal(errorOf(() => alertFromJson({})), '1:1: Cannot read the alert: it has no "rule"');
});

test("parseAlert survives nesting of any depth", () => {
  const levels = 200_000;
  const arrays = "[".repeat(levels) + "]".repeat(levels);
  const objects = '{"a":'.repeat(levels) + "1" + "}".repeat(levels);
  const long = ',"evt.time":1767225600000000005';
  for (const deep of [arrays, objects]) {
    for (const extra of ["", long]) {
      assert.throws(() => parseAlert(deep), AlertFormatError);
      const line = `{${ALERT},"output_fields":{"a":${deep}${extra}}}`;
      assert.throws(() => parseAlert(line), (error) => {
        return error instanceof AlertFormatError && error.message.includes("nested too deeply");
      });
    }
  }
  const open = "[".repeat(levels);
  const at = `1:${levels + 1}`;
  const problem = 'the text ends, expected a value or "]"';
  assert.equal(errorOf(() => parseAlert(open)), `${at}: Cannot read the JSON: ${problem}`);
});

test("parseAlert reads fields of 100 levels, and says where deeper ones are", () => {
  const lineWith = (levels: number) =>
    `{${ALERT},"output_fields":{"a":1,"b":${"[".repeat(levels)}1${"]".repeat(levels)}}}`;
  structuredClone(parseAlert(lineWith(100)));
  const problem = '"output_fields" is nested too deeply, at most 100 levels are read';
  assert.equal(errorOf(() => parseAlert(lineWith(101))), `1:88: Cannot read the alert: ${problem}`);
});

test("parseAlert points past strings of many megabytes", () => {
  const megabytes = 20 * 1024 * 1024;
  const head = `{${ALERT},"output":"`;
  const text = `${head}${"x".repeat(megabytes)}", oops}`;
  const column = head.length + megabytes + 4;
  const problem = 'found "oops", expected a key in double quotes';
  assert.equal(errorOf(() => parseAlert(text)), `1:${column}: Cannot read the JSON: ${problem}`);
});

test("scanJson finds an error in exactly the texts that JSON.parse refuses or cannot hold", () => {
  const isJson = (text: string): boolean => {
    try {
      let fits = true;
      JSON.parse(text, (_key, value) => {
        if (value === Infinity || value === -Infinity) fits = false;
        return null;
      });
      return fits;
    } catch {
      return false;
    }
  };
  const pieces = fc.constantFrom(
    ...["{", "}", "[", "]", ",", ":", '"', "\\", " ", "\n", "\t", "\0", "a", "u", "00e9", "n"],
    ...["0", "-", "1", ".5", "e", "+", "true", "null", '"a"', '"a":', "\u2028", "\u00a0", "\ud800"],
  );
  const broken = fc.tuple(fc.json(), fc.nat(), pieces, fc.nat(2)).map(([text, at, piece, cut]) => {
    const index = at % (text.length + 1);
    return text.slice(0, index) + piece + text.slice(index + cut);
  });
  const soup = fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join(""));
  let good = 0;
  fc.assert(
    fc.property(fc.oneof(broken, soup), (text) => {
      const { errorAt, problem } = scanJson(text);
      assert.equal(errorAt === undefined, isJson(text), problem);
      assert.equal(problem === undefined, errorAt === undefined);
      if (errorAt === undefined) good++;
      else assert(errorAt >= 0 && errorAt <= text.length);
    }),
    { numRuns: 5000 },
  );
  assert(good > 100, `only ${good} texts were JSON`);
});

test("parseAlert gives an alert or an AlertFormatError, whatever the text", () => {
  const pieces = fc.constantFrom(
    ...ALERT.split(/(?=[",:])/),
    "{",
    "}",
    "[",
    "]",
    "\0",
    "🦅",
    "\ud800",
  );
  const soup = fc.array(pieces, { maxLength: 20 }).map((parts) => `{${ALERT},${parts.join("")}}`);
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), soup, fc.json()), (text) => {
      try {
        parseAlert(text);
      } catch (error) {
        assert(error instanceof AlertFormatError, String(error));
        assert(error.line >= 1 && error.column >= 1 && error.column <= text.length + 1);
      }
    }),
    { numRuns: 5000 },
  );
});

test("lineAndColumn counts from 1", () => {
  const text = "ab\ncd\r\n\n🦅e";
  const places = [
    "1:1",
    "1:2",
    "1:3",
    "2:1",
    "2:2",
    "2:3",
    "2:4",
    "3:1",
    "4:1",
    "4:2",
    "4:3",
    "4:4",
  ];
  for (const [index, place] of places.entries()) {
    const { line, column } = lineAndColumn(text, index);
    assert.equal(`${line}:${column}`, place);
  }
});

test("quoteText leaves nothing that could drive a terminal", () => {
  assert.equal(quoteText('a"é🦅'), '"a\\"é🦅"');
  assert.equal(
    quoteText("\x1b]\x9b\x7f\u200f\u2028\u{e0001}\ud800"),
    '"\\u001b]\\u{9b}\\u{7f}\\u{200f}\\u{2028}\\u{e0001}\\ud800"',
  );
  assert.equal(quoteText("x".repeat(100)), `"${"x".repeat(40)}"`);
  assert.equal(errorOf(() => parseJson("\x1b[2J")).includes("\x1b"), false);
});
