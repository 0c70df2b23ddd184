import assert from "node:assert/strict";
import { test } from "node:test";
import { buildAlert } from "../harness/mod.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { EventStream, RedactStream } from "../lib/streams/mod.ts";
import type { RedactStreamOptions } from "../lib/streams/mod.ts";
import { outcome } from "./stream_probes.ts";

/** Sends an alert through a RedactStream. */
async function redact(
  alert: Alert,
  fields: Iterable<string | RegExp>,
  options: RedactStreamOptions = {},
): Promise<Alert> {
  const stream = EventStream.from([alert]).pipeThrough(new RedactStream(fields, options));
  const { items, error } = await outcome(stream);
  assert.equal(error, undefined);
  return items[0]!;
}

const alert = {
  ...buildAlert({
    output: 'Login of alice from 10.0.0.1:22 as "alice"',
    outputFields: {
      "user.name": "alice",
      "fd.rip": "10.0.0.1",
      "fd.rport": 22,
      "user.uid": 1000n,
      "proc.cmdline": "su alice",
    },
  }),
  message: "alice (1000)",
};

test("RedactStream masks fields by name and by pattern, and their values in the text", async () => {
  const clean = await redact(alert, ["user.name", /^fd\./g, "user.uid"]);
  assert.deepEqual(clean, {
    ...alert,
    output: 'Login of *** from ***:*** as "***"',
    message: "*** (***)",
    outputFields: {
      "user.name": "***",
      "fd.rip": "***",
      "fd.rport": "***",
      "user.uid": "***",
      "proc.cmdline": "su alice",
    },
  });
  // The alert itself is as it was.
  assert.equal(alert.outputFields["user.name"], "alice");
  assert.equal((await redact(alert, ["user.name"], { mask: "$&" })).message, "$& (1000)");
});

test("RedactStream hands on the very object if there is nothing to replace", async () => {
  const { message: _, ...without } = alert;
  for (const options of [{}, { hashKey: "key" }]) {
    assert.equal(await redact(alert, ["proc.name", /^container\./], options), alert);
    assert.equal("message" in await redact(without, ["user.name"], options), false);
  }
});

test("RedactStream leaves fields alone that have no value", async () => {
  const empty = buildAlert({
    output: "null <NA> true",
    outputFields: { "a": null, "b": "<NA>", "c": "", "d": true },
  });
  const clean = await redact(empty, ["a", "b", "c", "d"]);
  assert.deepEqual(clean.outputFields, { "a": null, "b": "<NA>", "c": "***", "d": "***" });
  assert.equal(clean.output, "null <NA> true");
});

test("RedactStream replaces the longest value first, and looks for nothing in a mask", async () => {
  const nested = buildAlert({
    output: "a ab abc *",
    outputFields: { "1": "a", "2": "ab", "3": "abc", "4": "*" },
  });
  assert.equal((await redact(nested, [/./], { mask: "*a*" })).output, "*a* *a* *a* *a*");
});

test("RedactStream finds values with special characters, as they are and in JSON", async () => {
  const value = 'C:\\dir "x" $& (a|b)*\n';
  const odd = buildAlert({
    output: `as is: ${value}, as JSON: ${JSON.stringify({ value })}`,
    outputFields: { "fd.name": value },
  });
  assert.equal((await redact(odd, ["fd.name"])).output, 'as is: ***, as JSON: {"value":"***"}');
});

test("RedactStream replaces lists and objects as a whole, and their parts in the text", async () => {
  const listed = buildAlert({
    output: "10.0.0.1 and 10.0.0.2 on 8080",
    outputFields: { "ips": ["10.0.0.1", { b: "10.0.0.2", c: [8080, null, false] }] },
  });
  const clean = await redact(listed, ["ips"]);
  assert.equal(clean.output, "*** and *** on ***");
  assert.deepEqual(clean.outputFields, { "ips": "***" });
});

test("RedactStream takes any name for a field", async () => {
  const outputFields = JSON.parse('{"__proto__": "secret", "constructor": "other"}');
  const odd = { ...buildAlert({ output: "secret" }), outputFields };
  const clean = await redact(odd, ["__proto__"]);
  assert.deepEqual(Object.entries(clean.outputFields), [
    ["__proto__", "***"],
    ["constructor", "other"],
  ]);
  assert.equal(clean.output, "***");
});

test("RedactStream hashes: the same for the same value and key, and nothing else", async () => {
  const clean = await redact(alert, ["user.name", "fd.rport"], { hashKey: "key" });
  const name = clean.outputFields["user.name"] as string;
  assert.match(name, /^[0-9a-f]{32}$/);
  // From an independent implementation: openssl dgst -sha256 -hmac key.
  assert.equal(name, expectedHash);
  const port = clean.outputFields["fd.rport"] as string;
  assert.notEqual(port, name);
  assert.equal(clean.output, `Login of ${name} from 10.0.0.1:${port} as "${name}"`);
  assert.equal(clean.message, `${name} (1000)`);
  assert.deepEqual(await redact(alert, ["user.name", "fd.rport"], { hashKey: "key" }), clean);
  const other = await redact(alert, ["user.name"], { hashKey: "other key" });
  assert.notEqual(other.outputFields["user.name"], name);
});

const expectedHash = "76fb55e929c06b97b01c35950ee5f72f";

test("RedactStream keeps the order of alerts when it hashes", async () => {
  const alerts = Array.from({ length: 100 }, (_, index) =>
    buildAlert({
      rule: String(index),
      outputFields: index % 3 === 0 ? {} : { "user.name": "x".repeat(index * 100) },
    }));
  const stream = EventStream.from(alerts).pipeThrough(
    new RedactStream(["user.name"], { hashKey: "key" }),
  );
  const { items } = await outcome(stream);
  assert.deepEqual(items.map(({ rule }) => rule), alerts.map(({ rule }) => rule));
});

test("RedactStream refuses options that make no sense", () => {
  const cases: [unknown, unknown, string][] = [
    [[], {}, '"fields" must not be empty'],
    [[5], {}, '"fields" must hold text and patterns: it holds "5"'],
    [["a"], { mask: 5 }, '"mask" must be text'],
    [["a"], { hashKey: "" }, '"hashKey" must be text, and not empty'],
    [["a"], { hashKey: "k", mask: "m" }, '"mask" and "hashKey" cannot both be given'],
  ];
  for (const [fields, options, state] of cases) {
    assert.throws(
      () => new RedactStream(fields as string[], options as RedactStreamOptions),
      new TypeError(`Cannot create RedactStream: ${state}`),
    );
  }
});

/** Bun gives a test five seconds otherwise. */
const patient = { timeout: 120_000 };

test(
  "RedactStream is not kept busy, nor made to fail, by values made for that",
  patient,
  async () => {
    const tail = "a".repeat(4_000_000);
    const secret = `${"a".repeat(20_000)}b`;
    const cases: [output: string, fields: Record<string, string>, clean: string][] = [
      // Beyond what an engine takes for an expression, and full of its signs.
      ["a.*(".repeat(50_000), { "x.a": "a.*(".repeat(50_000), "x.b": "b[" }, "***"],
      // Each place of the text is nearly the value.
      [`${tail}${secret}c`, { "x.a": secret, "x.b": "zz" }, `${tail}***c`],
      // Together too long to be searched for.
      [`see ${"s".repeat(1_100_000)}`, { "x.a": "s".repeat(1_100_000) }, "***"],
      // Too long to be in the text, so there is nothing to search for.
      ["short", { "x.a": "s".repeat(1_100_000) }, "short"],
    ];
    for (const [output, outputFields, expected] of cases) {
      const startedAt = performance.now();
      const clean = await redact(buildAlert({ output, outputFields }), [/^x\./]);
      assert(clean.output === expected, `${clean.output.slice(0, 50)}`);
      // Not a stopwatch that a slow machine could fail: to try each place would take minutes.
      assert(performance.now() - startedAt < 20_000);
    }
  },
);
