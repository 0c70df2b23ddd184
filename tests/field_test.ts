/** Reading the fields of an alert. */
import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Alert, AlertFields, FieldValue } from "../lib/alert/alert.ts";
import { field } from "../lib/alert/alert.ts";
import { parseAlert } from "../lib/alert/parse_alert.ts";
import { anyText, anyValue } from "./alert_arbitraries.ts";

function alertWith(outputFields: AlertFields): Alert {
  return {
    time: { seconds: 1767225600, nanos: 0 },
    priority: "notice",
    source: "syscall",
    rule: "r",
    output: "o",
    outputFields,
    hostname: "h",
    tags: [],
  };
}

test("field gives a value as it is", () => {
  const values: FieldValue[] = ["sh", "", 0, -0, 7, 2n ** 63n, true, false, [], ["a", null], {}];
  for (const value of values) assert.equal(field(alertWith({ a: value }), "a"), value);
});

test("field gives undefined for what Falco had no value for", () => {
  const alert = alertWith({ text: "<NA>", json: null, gap: undefined as never });
  for (const name of ["text", "json", "gap", "missing", ""]) {
    assert.equal(field(alert, name), undefined, name);
  }
});

test("field takes only the exact text <NA> for absent", () => {
  for (const text of ["null", "undefined", "NA", "N/A", "<na>", " <NA>", "<NA> ", "(<NA>)"]) {
    assert.equal(field(alertWith({ a: text }), "a"), text);
  }
  const list = ["<NA>"];
  assert.equal(field(alertWith({ a: list }), "a"), list);
});

test("field does not find what objects inherit", () => {
  const inherited = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"];
  for (const name of inherited) {
    assert.equal(field(alertWith({}), name), undefined, name);
    const own = Object.fromEntries([[name, "mine"]]);
    assert.equal(field(alertWith(own), name), "mine", name);
  }
  assert.equal(field(alertWith(Object.create({ a: "inherited" })), "a"), undefined);
  assert.equal(field(alertWith(Object.assign(Object.create(null), { a: "b" })), "a"), "b");
});

test("field finds a name that only JSON can bring in", () => {
  const line = '{"rule":"r","priority":"Debug","time":"2026-01-01T00:00:00.000000000Z",' +
    '"output_fields":{"__proto__":"p","":"empty","proc.pname":null}}';
  const alert = parseAlert(line);
  assert.equal(field(alert, "__proto__"), "p");
  assert.equal(field(alert, ""), "empty");
  assert.equal(field(alert, "proc.pname"), undefined);
});

test("field never throws, whatever it gets for an alert", () => {
  const wrong: unknown[] = [undefined, null, 7, "text", true, [], {}, Object.create(null)];
  for (const value of wrong) {
    assert.equal(field(value as Alert, "proc.name"), undefined);
    assert.equal(field({ outputFields: value } as Alert, "proc.name"), undefined);
  }
  fc.assert(
    fc.property(fc.anything(), anyText, (value, name) => {
      field(value as Alert, name);
      field({ outputFields: value } as unknown as Alert, name);
    }),
  );
});

test("field gives what is there under any name", () => {
  fc.assert(
    fc.property(anyText, anyValue, (name, value) => {
      const found = field(alertWith(Object.fromEntries([[name, value]])), name);
      assert.deepEqual(found, value === null || value === "<NA>" ? undefined : value);
    }),
  );
});
