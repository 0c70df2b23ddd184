import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { stringify } from "yaml";
import { expandScenario, MAX_REPEAT } from "../harness/expand_scenario.ts";
import { parseScenario } from "../harness/parse_scenario.ts";
import type { Scenario } from "../harness/scenario.ts";
import { scenarios } from "../harness/scenarios/mod.ts";
import { priorities, priorityName } from "../lib/alert/priority.ts";
import type { FieldValue } from "../lib/alert/alert.ts";
import { AlertFormatError } from "../lib/errors.ts";
import { ALERT, HEAD } from "./scenario_mistakes.ts";

describe("parseScenario()", () => {
  it("reads every key", () => {
    const scenario = parseScenario(`\
# An incident.
version: 1
name: all keys
description: |
  Two lines,
  one break at the end.
falcoVersion: 0.43.1
start: 2025-06-30T12:00:00Z
seed: -7
hostname: node-1
source: k8s_audit
alerts:
  - afterMs: 1.5
    repeat: 1000000
    everyMs: 0
    priority: critical
    rule: 'Quoted: rule'
    output: "A \\u001b[31m shell\\n(%proc.name)"
    output_fields: { proc.name: bash, proc.pid: 7 }
    tags: [container, "5"]
    source: syscall
    hostname: node-2
  - { priority: debug, rule: r, output: o, output_fields: {}, tags: [] }
`);
    assert.deepEqual(scenario, {
      version: 1,
      name: "all keys",
      description: "Two lines,\none break at the end.\n",
      falcoVersion: "0.43.1",
      start: "2025-06-30T12:00:00Z",
      seed: -7,
      hostname: "node-1",
      source: "k8s_audit",
      alerts: [
        {
          afterMs: 1.5,
          repeat: 1_000_000,
          everyMs: 0,
          priority: "critical",
          rule: "Quoted: rule",
          output: "A \u001b[31m shell\n(%proc.name)",
          output_fields: { "proc.name": "bash", "proc.pid": 7 },
          tags: ["container", "5"],
          source: "syscall",
          hostname: "node-2",
        },
        { priority: "debug", rule: "r", output: "o", output_fields: {}, tags: [] },
      ],
    });
  });

  it("fills in nothing", () => {
    assert.deepEqual(parseScenario(ALERT), {
      version: 1,
      name: "n",
      alerts: [{ priority: "notice", rule: "r", output: "o" }],
    });
  });

  it("reads JSON, CRLF, a byte order mark, and the marks of a document", () => {
    const plain = parseScenario(ALERT);
    assert.deepEqual(parseScenario(JSON.stringify(plain)), plain);
    assert.deepEqual(parseScenario(ALERT.replaceAll("\n", "\r\n")), plain);
    assert.deepEqual(parseScenario(`\ufeff${ALERT}`), plain);
    assert.deepEqual(parseScenario(`%YAML 1.2\n---\n${ALERT}...\n`), plain);
  });

  it("reads YAML 1.2 even if the file asks for 1.1", () => {
    const { hostname, alerts } = parseScenario(
      `%YAML 1.1\n---\n${ALERT}  output_fields: { a: 010, b: 1_0, c: 2001-12-14, <<: { d: 1 } }\n` +
        "hostname: no\n",
    );
    assert.equal(hostname, "no");
    assert.deepEqual(alerts[0]?.output_fields, {
      a: 10,
      b: "1_0",
      c: "2001-12-14",
      "<<": { d: 1 },
    });
  });

  for (const priority of priorities) {
    it(`reads ${priority} in any case`, () => {
      for (const name of [priority, priorityName(priority), priority.toUpperCase()]) {
        const text = ALERT.replace("notice", name);
        assert.equal(parseScenario(text).alerts[0]?.priority, priority);
      }
    });
  }

  it("reads info as Falco does", () => {
    const text = ALERT.replace("notice", "INFO");
    assert.equal(parseScenario(text).alerts[0]?.priority, "informational");
  });
});

describe("parseScenario() output_fields", () => {
  const cases: [written: string, value: FieldValue][] = [
    ["bash", "bash"],
    ['""', ""],
    ["yes", "yes"],
    ['"null"', "null"],
    ["!!str 5", "5"],
    ["null", null],
    ["~", null],
    ["", null],
    ["true", true],
    ["FALSE", false],
    ["7", 7],
    ["+7", 7],
    ["-7", -7],
    ["-0", -0],
    ["0x1F", 31],
    ["0o17", 15],
    ["010", 10],
    ["1.50", 1.5],
    ["1e3", 1000],
    ["-.5", -0.5],
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
    ["9007199254740992", 9007199254740992n],
    ["-9007199254740993", -9007199254740993n],
    ["1767225600000000005", 1767225600000000005n],
    ["0xffffffffffffffff", 18446744073709551615n],
    ["1e20", 1e20],
    ["[a, 1, [null]]", ["a", 1, [null]]],
    ["{ b: { c: 1767225600000000005 } }", { b: { c: 1767225600000000005n } }],
  ];
  for (const [written, value] of cases) {
    it(`reads ${written || "nothing"}`, () => {
      const text = `${ALERT}  output_fields:\n    a: ${written}\n`;
      assert.deepEqual(parseScenario(text).alerts[0]?.output_fields, { a: value });
    });
  }

  it("have any name", () => {
    const text = `${ALERT}  output_fields:
    __proto__: own
    constructor: { __proto__: { x: 1 } }
    proc.aname[2]: sh
    7: seven
    null: none
    "": empty
    <<: merge
`;
    const fields = parseScenario(text).alerts[0]?.output_fields ?? {};
    assert.equal(Object.getPrototypeOf(fields), Object.prototype);
    assert.deepEqual(
      fields,
      JSON.parse(
        '{"__proto__":"own","constructor":{"__proto__":{"x":1}},"proc.aname[2]":"sh",' +
          '"7":"seven","null":"none","":"empty","<<":"merge"}',
      ),
    );
    assert.equal(Object.hasOwn(fields, "__proto__"), true);
    assert.equal(({} as { x?: number }).x, undefined);
  });
});

describe("parseScenario() aliases", () => {
  it("stand for what has the anchor", () => {
    const { alerts } = parseScenario(`${HEAD}alerts:
- &first
  priority: &p warning
  rule: &rule r
  output: *rule
  tags: &tags [a]
  output_fields: &fields { list: [1, *p] }
- *first
- { priority: *p, rule: *rule, output: o, tags: *tags, output_fields: *fields }
`);
    const output_fields = { list: [1, "warning"] };
    const first = { priority: "warning", rule: "r", output: "r", tags: ["a"], output_fields };
    assert.deepEqual(alerts, [first, first, { ...first, output: "o" }]);
    // The same, not one and the same.
    assert.notEqual(alerts[0], alerts[1]);
  });

  it("stand for the last anchor of the name before them", () => {
    const { name, description } = parseScenario(
      `hostname: &x a\nname: *x\nsource: &x b\ndescription: *x\n${ALERT.replace("name: n\n", "")}`,
    );
    assert.deepEqual([name, description], ["a", "b"]);
  });

  it("may share the fields of very many alerts", () => {
    const fields = Array.from({ length: 20 }, (_, index) => `f${index}: ${index}`).join(", ");
    const rest = "- { priority: notice, rule: r, output: o, output_fields: *f }\n";
    const text = `${ALERT}  output_fields: &f { ${fields} }\n${rest.repeat(2000)}`;
    const { alerts } = parseScenario(text);
    assert.equal(alerts.length, 2001);
    assert.equal(alerts[2000]?.output_fields?.f19, 19);
  });
});

/** What a field can hold; integers past 2^53 as `bigint`, as everywhere. */
const fieldValue: fc.Arbitrary<FieldValue> = fc.letrec<{ value: FieldValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    anyText(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) =>
      // Written without an exponent up to 1e21, these read as integers again.
      Number.isSafeInteger(number) || !Number.isInteger(number) || Math.abs(number) >= 1e21
    ),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 70n }),
    fc.bigInt({ min: -(2n ** 70n), max: -(2n ** 53n) }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    record(tie("value")),
  ),
})).value;

/** Own properties of any name, `__proto__` too. */
function record(value: fc.Arbitrary<FieldValue>): fc.Arbitrary<{ [key: string]: FieldValue }> {
  return fc.array(fc.tuple(anyText(), value), { maxLength: 4 }).map((entries) =>
    Object.fromEntries(entries)
  );
}

function anyText(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: "grapheme", maxLength: 200 }),
    fc.string({
      unit: fc.constantFrom(..."a \n\r\t:#-?,[]{}&*!|>'\"%@`\\\u0085\u2028\ufeff0x.e~<=$"),
    }),
    fc.constantFrom(
      "__proto__",
      "null",
      "true",
      "1",
      "0x1",
      ".inf",
      "<<",
      "---",
      "...",
      "~",
      "",
      "2001-12-14",
    ),
  )
    // The library writes blanks before nothing but line breaks as a block, where they are indent.
    .filter((text) => !/^\s*\n\s*$/.test(text));
}

function anyScenario(): fc.Arbitrary<Scenario> {
  const delay = fc.oneof(
    fc.integer({ min: 0 }),
    fc.double({ min: 0, max: 1e15, noNaN: true }),
  );
  const optional = { noNullPrototype: true };
  const alert = fc.record({
    afterMs: delay,
    repeat: fc.integer({ min: 1, max: MAX_REPEAT }),
    everyMs: delay,
    priority: fc.constantFrom(...priorities),
    rule: anyText(),
    output: anyText(),
    output_fields: record(fieldValue),
    tags: fc.array(anyText()),
    source: anyText(),
    hostname: anyText(),
  }, { ...optional, requiredKeys: ["priority", "rule", "output"] });
  return fc.record({
    version: fc.constant(1 as const),
    name: anyText(),
    description: anyText(),
    falcoVersion: fc.tuple(fc.nat(), fc.nat(), fc.nat()).map((numbers) => numbers.join(".")),
    start: fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
      .map((date) => date.toISOString()),
    seed: fc.maxSafeInteger(),
    hostname: anyText(),
    source: anyText(),
    alerts: fc.array(alert, { minLength: 1, maxLength: 4 }),
  }, { ...optional, requiredKeys: ["version", "name", "alerts"] }) as fc.Arbitrary<Scenario>;
}

describe("parseScenario() of what was written by machine", () => {
  it("gives back any scenario", () => {
    fc.assert(
      fc.property(anyScenario(), (scenario) => {
        assert.deepEqual(parseScenario(stringify(scenario)), scenario);
      }),
      { numRuns: 300 },
    );
  });

  it("refuses a spoiled file with a place in it, or reads it", () => {
    const spoiled = fc.tuple(
      anyScenario().map((scenario) => stringify(scenario)),
      fc.nat(),
      fc.nat(3),
      fc.string({ unit: fc.constantFrom(...":-[]{}'\"&*!|>#%@ \n\t,?ax1") }),
    ).map(([text, at, count, inserted]) => {
      const index = at % text.length;
      return text.slice(0, index) + inserted + text.slice(index + count);
    });
    fc.assert(
      fc.property(spoiled, (text) => {
        try {
          parseScenario(text);
        } catch (error) {
          assert(error instanceof AlertFormatError, String(error));
          assert.match(error.message, /^Cannot read the scenario: [^\n]+[^.\n]$/);
          const line = text.split("\n")[error.line - 1];
          assert(line !== undefined && error.column >= 1 && error.column <= line.length + 1);
        }
      }),
      { numRuns: 300 },
    );
  });

  for (const [key, scenario] of Object.entries(scenarios)) {
    it(`gives back scenarios.${key}`, () => {
      const parsed = parseScenario(stringify(scenario));
      assert.deepEqual(parsed, scenario);
      assert.deepEqual([...expandScenario(parsed)], [...expandScenario(scenario)]);
    });
  }
});
