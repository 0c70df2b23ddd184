import { describe, it } from "node:test";
import { ALERT, assertRefused, HEAD, refuses } from "./scenario_mistakes.ts";
import type { Mistake } from "./scenario_mistakes.ts";

const SCENARIO_KEYS =
  "version, name, description, falcoVersion, start, seed, hostname, source, alerts, faults";
const ALERT_KEYS =
  "afterMs, repeat, everyMs, jitterMs, priority, rule, output, output_fields, tags, source, hostname";

describe("parseScenario() errors", () => {
  const several = "it holds more than one document. Remove the second one";
  const cases: Mistake[] = [
    { text: `${ALERT}¦---\n${ALERT}`, problem: several },
    { text: `${ALERT}...\n¦version: 1\n`, problem: several },
    { text: `${ALERT}¦---\n`, problem: several },
    // Keys.
    {
      text: `version: 1\n¦title: n\n`,
      problem: `unknown key "title". Allowed are ${SCENARIO_KEYS}`,
    },
    { text: `${HEAD}¦"": n\n`, problem: `unknown key "". Allowed are ${SCENARIO_KEYS}` },
    {
      text: `${HEAD}¦__proto__: {}\n`,
      problem: `unknown key "__proto__". Allowed are ${SCENARIO_KEYS}`,
    },
    {
      text: `${HEAD}¦toString: {}\n`,
      problem: `unknown key "toString". Allowed are ${SCENARIO_KEYS}`,
    },
    { text: `${ALERT}  ¦<<: {}\n`, problem: `unknown key "<<". Allowed are ${ALERT_KEYS}` },
    {
      text: `${ALERT}  ¦"\\e[31m\\x9b2J": 1\n`,
      problem: `unknown key "\\u001b[31m\\u009b2J". Allowed are ${ALERT_KEYS}`,
    },
    {
      text: `${ALERT}  ¦${"x".repeat(50)}: 1\n`,
      problem: `unknown key "${"x".repeat(40)}...". Allowed are ${ALERT_KEYS}`,
    },
    ...[
      ["alert", "alerts"],
      ["alretS", "alerts"],
      ["hostnam", "hostname"],
      ["hostnane", "hostname"],
      ["hotname", "hostname"],
      ["sseed", "seed"],
      ["falco_version", "falcoVersion"],
      ["Falco-Version", "falcoVersion"],
    ].map(([key, meant]) => ({
      text: `${HEAD}¦${key}: 1\n`,
      problem: `unknown key "${key}". Did you mean "${meant}"? Allowed are ${SCENARIO_KEYS}`,
    })),
    ...[
      ["rul", "rule"],
      ["afterMS", "afterMs"],
      ["outputFields", "output_fields"],
      ["output_field", "output_fields"],
      ["repeats", "repeat"],
    ].map(([key, meant]) => ({
      text: `${ALERT}- ¦${key}: 1\n`,
      problem: `unknown key "${key}". Did you mean "${meant}"? Allowed are ${ALERT_KEYS}`,
    })),
    { text: `${HEAD}¦name: m\n`, problem: 'duplicate key "name"' },
    { text: `{ version: 1, name: n, ¦"version": 1 }`, problem: 'duplicate key "version"' },
    { text: `${ALERT}  ¦rule: r\n`, problem: 'duplicate key "rule"' },
    {
      text: `${ALERT}  output_fields: { a: 1, b: 2, ¦a: 3 }\n`,
      problem: 'duplicate key "a"',
    },
    {
      text: `${ALERT}  output_fields: { a: { 1: x, ¦"1": y } }\n`,
      problem: 'duplicate key "1"',
    },
    // What is missing.
    {
      text: `¦name: n\nalerts: [{ priority: debug, rule: r, output: o }]\n`,
      problem: 'it has no "version"',
    },
    {
      text: `# x\n\n¦version: 1\nalerts: [{ priority: debug, rule: r, output: o }]\n`,
      problem: 'it has no "name"',
    },
    { text: `¦${HEAD}`, problem: 'it has no "alerts"' },
    { text: `¦{}\n`, problem: 'it has no "version"' },
    { text: `${ALERT}- ¦rule: r\n  output: o\n`, problem: 'alert 2 has no "priority"' },
    { text: `${ALERT}- ¦priority: debug\n  output: o\n`, problem: 'alert 2 has no "rule"' },
    { text: `${ALERT}- ¦{ rule: r, priority: debug }\n`, problem: 'alert 2 has no "output"' },
    // The version, ahead of all else.
    {
      text: `titel: n\nversion: ¦2\n`,
      problem: "unknown version 2: only version 1 is understood",
    },
    { text: `version: ¦0\n`, problem: "unknown version 0: only version 1 is understood" },
    { text: `version: ¦"1"\n`, problem: '"version" must be the number 1: it is "1"' },
    { text: `version: ¦1.1\n`, problem: '"version" must be the number 1: it is 1.1' },
    { text: `version:¦\n`, problem: '"version" must be the number 1: it is empty' },
    { text: `{ ¦version }\n`, problem: '"version" must be the number 1: it is empty' },
    // The scenario.
    { text: `version: 1\nname: ¦7\n`, problem: '"name" must be text: it is 7. Put it in quotes' },
    {
      text: `version: 1\nname: ¦true\n`,
      problem: '"name" must be text: it is true. Put it in quotes',
    },
    { text: `version: 1\nname: ¦[n]\n`, problem: '"name" must be text: it is a list' },
    { text: `version: 1\nname:¦\n`, problem: '"name" must be text: it is empty' },
    { text: `${HEAD}description: ¦{}\n`, problem: '"description" must be text: it is a mapping' },
    {
      text: `${HEAD}hostname: ¦0x10\n`,
      problem: '"hostname" must be text: it is 0x10. Put it in quotes',
    },
    {
      text: `${HEAD}source: ¦1.20\n`,
      problem: '"source" must be text: it is 1.20. Put it in quotes',
    },
    ...["0.43", '"0.43"', "0.43.1-rc1", "v0.43.1", "latest"].map((version) => ({
      text: `${HEAD}falcoVersion: ¦${version}\n`,
      problem: '"falcoVersion" must be three numbers such as 0.43.1: it is ' +
        (version === "0.43" ? version : JSON.stringify(version.replaceAll('"', ""))),
    })),
    ...["2026-02-30T00:00:00Z", "2026-01-01", "now"].map((start) => ({
      text: `${HEAD}start: ¦${start}\n`,
      problem: `"start" must be a time such as 2026-01-01T00:00:00Z: it is "${start}"`,
    })),
    {
      text: `${HEAD}start: ¦1767225600\n`,
      problem: '"start" must be a time such as 2026-01-01T00:00:00Z: it is 1767225600',
    },
    ...["1.5", ".inf", "9007199254740993", '"7"'].map((seed) => ({
      text: `${HEAD}seed: ¦${seed}\n`,
      problem: `"seed" must be a whole number: it is ${seed}`,
    })),
    { text: `${HEAD}alerts: ¦[]\n`, problem: '"alerts" must hold at least one alert' },
    { text: `${HEAD}alerts:¦\n`, problem: '"alerts" must be a list: it is empty' },
    {
      text: `${HEAD}alerts:\n  ¦rule: r\n`,
      problem: '"alerts" must be a list: it is a mapping',
    },
    // An alert.
    { text: `${ALERT}- ¦r\n`, problem: 'alert 2 must be a mapping: it is "r"' },
    { text: `${ALERT}-¦\n`, problem: "alert 2 must be a mapping: it is empty" },
    ...["loud", "4", "warn", "[debug]"].map((priority) => ({
      text: `${HEAD}alerts:\n- priority: ¦${priority}\n`,
      problem: '"priority" must be one of emergency, alert, critical, error, warning, notice, ' +
        "informational, debug: it is " +
        (priority === "4" ? "4" : priority.startsWith("[") ? "a list" : `"${priority}"`),
    })),
    ...["-1", "-0.001", ".nan", ".inf", "-.inf", "1e999", '"5"', "true", "5s"].flatMap((ms) =>
      ["afterMs", "everyMs"].map((key) => ({
        text: `${ALERT}  ${key}: ¦${ms}\n`,
        problem: `"${key}" must be a number of milliseconds, 0 or more: it is ` +
          (ms === "5s" ? '"5s"' : ms),
      }))
    ),
    ...["0", "-1", "1.5", ".nan", ".inf", "1000001", "99999999999999999999", '"2"'].map((
      times,
    ) => ({
      text: `${ALERT}  repeat: ¦${times}\n`,
      problem: `"repeat" must be a whole number from 1 to 1000000: it is ${times}`,
    })),
    {
      text: `${ALERT}  output_fields: ¦[a]\n`,
      problem: '"output_fields" must be a mapping: it is a list',
    },
    {
      text: `${ALERT}  output_fields:¦\n`,
      problem: '"output_fields" must be a mapping: it is empty',
    },
    ...[".nan", ".inf", "-.INF", "1e999"].map((number) => ({
      text: `${ALERT}  output_fields:\n    a: [1, ¦${number}]\n`,
      problem: `"a" item 2 must be a finite number: it is ${number}`,
    })),
    { text: `${ALERT}  tags: ¦shell\n`, problem: '"tags" must be a list: it is "shell"' },
    {
      text: `${ALERT}  tags: [a, ¦5]\n`,
      problem: "tag 2 must be text: it is 5. Put it in quotes",
    },
    {
      text: `${ALERT}  hostname: ¦${"9".repeat(60)}\n`,
      problem: `"hostname" must be text: it is ${"9".repeat(40)}.... Put it in quotes`,
    },
    // Aliases.
    {
      text: `${HEAD}hostname: ¦*host\n`,
      problem: 'the alias "host" has no anchor of that name before it',
    },
    {
      text: `${HEAD}hostname: ¦*host\nsource: &host h\n`,
      problem: 'the alias "host" has no anchor of that name before it',
    },
    {
      text: `${ALERT}  output_fields: &f { a: [¦*f] }\n`,
      problem: 'the alias "f" stands for itself',
    },
    // Where it is used, and what it stands for.
    {
      text: `version: 1\nname: &n n\nfalcoVersion: ¦*n\n`,
      problem: '"falcoVersion" must be three numbers such as 0.43.1: it is "n"',
    },
  ];
  cases.forEach(refuses);

  it("names the first mistake in the file, missing keys last", () => {
    assertRefused(`version: 1\nseed: x\nhostname: 5\n`, /"seed"/);
    assertRefused(`hostname: 5\nseed: x\nversion: 1\n`, /"hostname"/);
    assertRefused(`version: 1\nalerts: 5\n`, /"alerts" must be a list/);
  });
});
