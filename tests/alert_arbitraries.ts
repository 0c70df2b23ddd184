/** Alerts, made by fast-check. @module */
import fc from "fast-check";
import type { Alert, FieldValue, OmittedProperty } from "../lib/alert/alert.ts";
import { priorities } from "../lib/alert/priority.ts";

/** Names and values that have broken readers before. */
const awkward = fc.constantFrom(
  "",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "<NA>",
  "null",
  "7",
  "\0\x1b[2J",
  "\ufeff\ufffd",
  "\u2028",
);

/** Text without half surrogate pairs, which is all that UTF-8 can hold. */
export const wellFormedText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "binary", maxLength: 8 }),
  awkward,
);

/** Any text, half surrogate pairs too. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: wellFormedText },
  {
    weight: 1,
    arbitrary: fc.array(fc.constantFrom("\ud800", "\udc00", "\udfff", "a"), { maxLength: 4 })
      .map((units) => units.join("")),
  },
);

/** A value that JSON gives back as it was: finite numbers, and `bigint` beyond 2^53 only. */
export const anyValue: fc.Arbitrary<FieldValue> = fc.letrec<{ value: FieldValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    anyText,
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.double({ min: 1e14, max: 1e22, noNaN: true }).map(Math.trunc),
    fc.bigInt({ min: 2n ** 53n, max: 10n ** 40n }),
    fc.bigInt({ min: -(10n ** 40n), max: -(2n ** 53n) }),
    fc.array(tie("value"), { maxLength: 3 }),
    record(tie("value"), 3),
  ),
})).value;

/** An object with any keys; unlike `fc.dictionary`, with a prototype and `__proto__` as a key. */
function record<T>(value: fc.Arbitrary<T>, maxLength: number): fc.Arbitrary<{ [key: string]: T }> {
  return fc.array(fc.tuple(anyText, value), { maxLength }).map((entries) =>
    Object.fromEntries(entries)
  );
}

const time = fc.record({
  seconds: fc.oneof(
    fc.integer({ min: -62135596800, max: 253402300799 }),
    fc.constantFrom(0, -1, -62135596800, 253402300799),
  ),
  nanos: fc.oneof(fc.integer({ min: 0, max: 999_999_999 }), fc.constantFrom(0, 5, 999_999_999)),
});

/** The enum's spellings are read as its names: a source cannot be called that. */
const sourceText = anyText.filter((text) => !/^(?:syscall|k8s_audit|internal|plugin)$/i.test(text));

/** Any alert that {@linkcode Alert}'s documentation allows. */
export const anyAlert: fc.Arbitrary<Alert> = fc.record({
  time: time,
  priority: fc.constantFrom(...priorities),
  source: fc.oneof(sourceText, fc.constantFrom("syscall", "k8s_audit", "internal", "plugin")),
  rule: anyText,
  output: anyText,
  outputFields: record(anyValue, 5),
  hostname: anyText,
  tags: fc.array(anyText, { maxLength: 3 }),
  message: fc.option(anyText, { nil: undefined }),
  omit: fc.subarray<OmittedProperty>(["output", "output_fields", "tags"]),
}).map(({ message, omit, ...parts }) => {
  const alert: Alert = { ...parts, time: { ...parts.time } };
  const empty: Record<OmittedProperty, Partial<Alert>> = {
    output: { output: "" },
    output_fields: { outputFields: {} },
    tags: { tags: [] },
  };
  // Internal alerts never have tags: that is not remembered as an omission.
  const omitted = omit.filter((name) => name !== "tags" || alert.source !== "internal");
  return {
    ...Object.assign(alert, ...omitted.map((name) => empty[name])),
    ...(message === undefined ? {} : { message }),
    ...(omitted.length === 0 ? {} : { omitted }),
  };
});

/** An alert that gRPC carries as it is. */
export const wireAlert: fc.Arbitrary<Alert> = fc.record({
  time: time,
  priority: fc.constantFrom(...priorities),
  source: fc.oneof(wellFormedText.filter((text) => text !== ""), fc.constantFrom("syscall", "a")),
  rule: wellFormedText,
  output: wellFormedText,
  outputFields: record(wellFormedText, 5),
  hostname: wellFormedText,
  tags: fc.array(wellFormedText, { maxLength: 3 }),
}).map((parts) => ({
  ...parts,
  time: { ...parts.time },
  outputFields: Object.fromEntries(
    Object.entries(parts.outputFields).map(([name, value]) => [name.toWellFormed(), value]),
  ),
}));
