import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { alertFormatter, formatNames } from "../cli/formats/alert_formatter.ts";
import { harmless } from "../cli/formats/harmless.ts";
import { buildAlert } from "../harness/build_alert.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { parseAlert } from "../lib/alert/parse_alert.ts";
import { priorities } from "../lib/alert/priority.ts";
import type { Priority } from "../lib/alert/priority.ts";
import { decodeAlert, encodeAlert } from "../lib/alert/wire.ts";

const plain = { colour: false };
const pretty = alertFormatter("pretty", plain);
const go = alertFormatter("go", plain);
const text = alertFormatter("text", plain);

/** Every character below U+00A0 that is not printable ASCII, and every other that must not be shown raw. */
const harmful = [
  ...[...Array(0xa0).keys()].filter((code) => code < 0x20 || code > 0x7e),
  ...[0xad, 0x61c, 0x180e, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029],
  ...[0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0xfeff],
  ...[0xd800, 0xdfff, 0xe0001, 0xe0041, 0xe0100],
].map((code) => String.fromCodePoint(code));

/** An alert that tries everything, everywhere that text can stand. */
function hostileAlert(): Alert {
  const attack = harmful.join("x");
  return buildAlert({
    rule: `rule ${attack}`,
    source: `source ${attack}`,
    hostname: `host ${attack}`,
    output: `00:00:00.000000000: Notice message ${attack}`,
    tags: [attack],
  });
}

test("harmless() shows what a terminal would obey as an escape", () => {
  const cases = [
    { input: "\x1b[31mred\x1b[0m", expected: "\\x1b[31mred\\x1b[0m" },
    { input: "a\nb\r\tc", expected: "a\\nb\\r\\tc" },
    { input: "\0\x07\x7f", expected: "\\x00\\x07\\x7f" },
    // C1: CSI and NEL, which some terminals obey as they do ESC [ and a line break.
    { input: "\u009b31m\u0085", expected: "\\x9b31m\\x85" },
    { input: "exe\u202egpj.\u2069", expected: "exe\\u202egpj.\\u2069" },
    { input: "\u2028\u2029\ufeff\u200b", expected: "\\u2028\\u2029\\ufeff\\u200b" },
    { input: "\u{e0041}\ud83d", expected: "\\u{e0041}\\ud83d" },
    // A backslash is no danger.
    { input: "C:\\new \\x1b", expected: "C:\\new \\x1b" },
    { input: "", expected: "" },
  ];
  for (const { input, expected } of cases) assert.equal(harmless(input), expected);
});

test("harmless() leaves printable text of any script alone", () => {
  const input = "bash -c 'é€ ß Ω ж 漢字 한국 العربية עברית हिन्दी 😀 ~\u00a0'";
  assert.equal(harmless(input), input);
});

test("harmless() lets no harmful character through", () => {
  for (const character of harmful) {
    assert.match(harmless(`a${character}b`), /^a\\[nrtxu][0-9a-f{}]*b$/);
  }
});

test("alertFormatter() knows five formats", () => {
  assert.deepEqual(formatNames, ["pretty", "json", "go", "text", "summary"]);
  for (const name of formatNames) {
    const formatter = alertFormatter(name, plain);
    for (const alert of [buildAlert(), hostileAlert(), buildAlert({ output: "", rule: "" })]) {
      const written = [formatter.alert(alert), formatter.batch([alert, alert])];
      for (const one of written) assert(name === "summary" ? one === "" : one.endsWith("\n"));
    }
  }
});

test("alertFormatter() with json writes Falco's line, and an array a batch", () => {
  const json = alertFormatter("json", plain);
  const alerts = [buildAlert(), hostileAlert()];
  const [first, second] = alerts.map(formatAlert);
  assert.equal(json.alert(alerts[0]!), `${first}\n`);
  assert.equal(json.batch(alerts), `[${first},${second}]\n`);
  assert.equal(json.batch([]), "[]\n");
});

test("alertFormatter() with go writes what Go writes for the struct of the client", () => {
  let ascii = "";
  for (let code = 0; code < 0xa2; code++) ascii += String.fromCharCode(code);
  const alert = buildAlert({
    time: { seconds: 1570094449, nanos: 259268899 },
    priority: "error",
    source: "docker",
    rule: "r <a> & b",
    output: `o\u2028\u2029\ufffd😀é${ascii}`,
    outputFields: { b: "2", a: "<NA>", "😀": "x", "\uffff": "y", "": "", "<": "&", B: "3" },
    hostname: "h",
    tags: ["x", "a<"],
  });
  // Printed by encoding/json of Go 1.26 for outputs.Response of client-go 0.6.1.
  const expected =
    '{"time":{"seconds":1570094449,"nanos":259268899},"priority":3,"source_deprecated":3,' +
    String.raw`"rule":"r \u003ca\u003e \u0026 b","output":"o\u2028\u2029` + "\ufffd😀é" +
    String.raw`\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f` +
    String.raw`\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c` +
    String.raw`\u001d\u001e\u001f !\"#$%\u0026'()*+,-./0123456789:;\u003c=\u003e?@` +
    String.raw`ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_` + "`abcdefghijklmnopqrstuvwxyz{|}~" +
    `${ascii.slice(0x7f)}",` +
    String.raw`"output_fields":{"":"","\u003c":"\u0026","B":"3","a":"\u003cNA\u003e","b":"2",` +
    '"\uffff":"y","😀":"x"},"hostname":"h",' +
    String.raw`"tags":["x","a\u003c"],"source":"docker"}`;
  assert.equal(go.alert(alert), `${expected}\n`);
  assert.equal(go.batch([alert, alert]), `[${expected},${expected}]\n`);
  assert.equal(go.batch([]), "[]\n");
});

test("alertFormatter() with go sorts names of fields by their bytes in UTF-8", () => {
  const names = ["😀", "\uffff", "a😀", "a\uffff", "a\uffff😀", "a😀\uffff", "aa", "a", "Z", "é"];
  const outputFields = Object.fromEntries(names.map((name) => [name, ""]));
  const written = JSON.parse(go.alert(buildAlert({ outputFields })));
  const order = ["Z", "a", "aa", "a\uffff", "a\uffff😀", "a😀", "a😀\uffff", "é", "\uffff", "😀"];
  assert.deepEqual(Object.keys(written.output_fields), order);
});

test("alertFormatter() with go leaves out what is zero, as Go does", () => {
  const alert: Alert = {
    time: { seconds: 0, nanos: 0 },
    priority: "emergency",
    source: "",
    rule: "",
    output: "",
    outputFields: {},
    hostname: "",
    tags: [],
  };
  assert.equal(go.alert(alert), '{"time":{}}\n');
  assert.equal(
    go.alert({ ...alert, time: { seconds: -5, nanos: 0 }, source: "syscall", rule: "\ud800" }),
    '{"time":{"seconds":-5},"rule":"\ufffd","source":"syscall"}\n',
  );
  const numbers = ["k8s_audit", "internal", "plugin", "okta"]
    .map((source) => JSON.parse(go.alert({ ...alert, source })).source_deprecated);
  assert.deepEqual(numbers, [1, 2, 3, 3]);
});

test("alertFormatter() with go writes the values of fields as gRPC carries them", () => {
  const outputFields = {
    absent: null,
    big: 1767225600000000005n,
    list: ["a", 1],
    number: 7,
    object: { a: [true] },
    ["__proto__"]: "p",
  };
  const written = JSON.parse(go.alert(buildAlert({ outputFields })));
  assert.deepEqual(Object.entries(written.output_fields), [
    ["__proto__", "p"],
    ["absent", "<NA>"],
    ["big", "1767225600000000005"],
    ["list", "(a,1)"],
    ["number", "7"],
    ["object", '{"a":[true]}'],
  ]);
});

test("parseAlert() reads any alert back from go if its fields are text", () => {
  const anyText = fc.string({ unit: "binary" });
  const asAlerts = { noNullPrototype: true };
  const alerts: fc.Arbitrary<Alert> = fc.record({
    time: fc.record({
      seconds: fc.oneof(fc.constant(0), fc.integer({ min: -62135596800, max: 253402300799 })),
      nanos: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 999_999_999 })),
    }, asAlerts),
    priority: fc.constantFrom<Priority>(...priorities),
    // The reader takes SYSCALL for the spelling of the enum.
    source: fc.oneof(fc.constantFrom("", "syscall", "k8s_audit", "internal", "plugin"), anyText)
      .filter((source) => source === source.toLowerCase()),
    // Go leaves an empty name out, and without one it is no alert.
    rule: anyText.filter((rule) => rule !== ""),
    output: anyText,
    outputFields: fc.dictionary(anyText, anyText, asAlerts),
    hostname: anyText,
    tags: fc.array(anyText),
  }, asAlerts);
  fc.assert(
    fc.property(alerts, (alert) => {
      const line = go.alert(alert);
      assert.deepEqual(parseAlert(line), alert);
      assert(!line.slice(0, -1).includes("\n"));
      assert.doesNotMatch(line, /[<>&\u2028\u2029]/);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test("parseAlert() reads from go what gRPC makes of an alert with typed fields", () => {
  const outputFields = { absent: null, big: 1767225600000000005n, list: ["a", 1], flag: true };
  const alert = buildAlert({ outputFields, source: "okta", message: "not sent" });
  const received = decodeAlert(encodeAlert(alert));
  assert.deepEqual(parseAlert(go.alert(alert)), received);
  assert.equal(go.alert(received), go.alert(alert));
});

test("alertFormatter() with text writes the output of each alert on one line", () => {
  const alert = buildAlert({ output: "00:00:00.000000005: Notice two\nlines \x1b[2J é" });
  const expected = "00:00:00.000000005: Notice two\\nlines \\x1b[2J é\n";
  assert.equal(text.alert(alert), expected);
  assert.equal(text.batch([alert, alert]), expected + expected);
  assert.equal(text.batch([]), "");
});

test("alertFormatter() with pretty writes a block for people", () => {
  const alert = buildAlert({
    time: { seconds: 1767225600, nanos: 123_999_999 },
    output: "00:00:00.123999999: Notice A shell was spawned (proc_name=bash)",
  });
  assert.equal(
    pretty.alert(alert),
    "2026-01-01 00:00:00.123Z  Notice         Terminal shell in container\n" +
      "    A shell was spawned (proc_name=bash)\n",
  );
  const block = pretty.alert(alert);
  assert.equal(pretty.batch([alert, alert]), `-- batch of 2 --\n${block}${block}`);
  assert.equal(pretty.batch([]), "-- batch of 0 --\n");
});

test("alertFormatter() with pretty names source and host if they are not the defaults", () => {
  const cases = [
    { source: "syscall", hostname: "falco-fake", expected: "r" },
    { source: "", hostname: "", expected: "r" },
    { source: "k8s_audit", hostname: "falco-fake", expected: "r (k8s_audit)" },
    { source: "syscall", hostname: "node-1", expected: "r (on node-1)" },
    { source: "k8s_audit", hostname: "node-1", expected: "r (k8s_audit on node-1)" },
  ];
  for (const { source, hostname, expected } of cases) {
    const alert = buildAlert({
      rule: "r",
      output: "",
      source,
      hostname,
      priority: "informational",
    });
    assert.equal(pretty.alert(alert), `2026-01-01 00:00:00.000Z  Informational  ${expected}\n`);
  }
});

test("alertFormatter() with pretty shows the message that is in a whole JSON line", () => {
  const inner = buildAlert({ output: "00:00:00.000000000: Notice in JSON (a=b)" });
  const second = (alert: Alert): string | undefined => pretty.alert(alert).split("\n")[1];
  assert.equal(second({ ...inner, output: formatAlert(inner) }), "    in JSON (a=b)");
  const withMessage = formatAlert({ ...inner, message: "the message" });
  assert.equal(second({ ...inner, output: withMessage }), "    the message");
  // What looks like an alert but is another rule's, has neither text, or is no JSON is shown as it is.
  for (
    const output of [
      '{"rule":"other","output":"faked"}',
      '{"rule":"Terminal shell in container","output":1}',
      "{} [1]",
      "{",
    ]
  ) assert.equal(second({ ...inner, output }), `    ${output}`);
  assert.equal(second({ ...inner, message: "from JSON", output: "{" }), "    from JSON");
});

test("alertFormatter() with pretty breaks between words at 100 columns", () => {
  const words = "word ".repeat(60).trim();
  const long = "x".repeat(150);
  const alert = buildAlert({
    rule: "A rule with quite a long name, longer than there is room on its line",
    hostname: "node-1.of-a-cluster.example",
    output: `00:00:00.000000000: Notice ${words} ${long} 漢字${"漢字 ".repeat(40)}end`,
  });
  const lines = pretty.alert(alert).trimEnd().split("\n");
  const width = (line: string): number =>
    [...line].reduce((sum, character) => sum + (character > "\u2000" ? 2 : 1), 0);
  assert.deepEqual(lines.filter((line) => width(line) > 100), [`    ${long}`]);
  assert(lines.some((line) => width(line) > 95));
  // Nothing is lost but the blanks at breaks.
  const message = lines.filter((line) => /^ {4}\S/.test(line)).map((line) => line.trim()).join(" ");
  assert.equal(`00:00:00.000000000: Notice ${message}`, alert.output);
  assert.match(lines[1]!, /^ {41}\S/);
  const messageLines = (second: number): number =>
    pretty.alert(buildAlert({ output: `${"x".repeat(47)} ${"x".repeat(second)}` }))
      .split("\n").length - 2;
  assert.equal(messageLines(48), 1); // 4 + 47 + 1 + 48 = 100
  assert.equal(messageLines(49), 2);
});

test("alertFormatter() with pretty and text lets nothing of an alert drive the terminal", () => {
  const alert = hostileAlert();
  for (const formatter of [pretty, text]) {
    const shown = formatter.alert(alert) + formatter.batch([alert]);
    for (const character of harmful) {
      if (character !== "\n") assert(!shown.includes(character), JSON.stringify(character));
    }
  }
  assert.equal(text.alert(alert).split("\n").length, 2);
  // In JSON over gRPC the escapes of JSON come off first.
  const shown = pretty.alert({ ...alert, output: formatAlert(alert) });
  assert(shown.includes("message"));
  for (const character of harmful) {
    if (character !== "\n") assert(!shown.includes(character), JSON.stringify(character));
  }
});

test("alertFormatter() with pretty colours the priority only if it may", () => {
  const coloured = alertFormatter("pretty", { colour: true });
  // deno-lint-ignore no-control-regex
  const sequence = /\x1b\[[0-9;]*m/g;
  const seen = new Set<string>();
  for (const priority of priorities) {
    const alert = { ...hostileAlert(), priority };
    const sequences = [...coloured.alert(alert).matchAll(sequence)].map(([one]) => one);
    assert.equal(sequences.length, 2);
    assert.equal(sequences[1], "\x1b[0m");
    seen.add(sequences[0]!);
    assert.equal(coloured.alert(alert).replace(sequence, ""), pretty.alert(alert));
  }
  assert.equal(seen.size, priorities.length);
  for (const name of formatNames.slice(1)) {
    const alert = buildAlert();
    const plainly = alertFormatter(name, plain).alert(alert);
    assert.equal(alertFormatter(name, { colour: true }).alert(alert), plainly);
  }
});
