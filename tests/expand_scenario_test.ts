import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { expandScenario, MAX_REPEAT } from "../harness/expand_scenario.ts";
import type { Scenario, ScenarioAlert } from "../harness/scenario.ts";
import { scenarios } from "../harness/scenarios/mod.ts";
import type { Alert, AlertFields } from "../lib/alert/alert.ts";
import { formatTime } from "../lib/alert/time.ts";

const shell: ScenarioAlert = {
  priority: "notice",
  rule: "Terminal shell in container",
  output: "A shell was spawned (proc_name=%proc.name)",
  output_fields: { "proc.name": "bash" },
  tags: ["container", "shell"],
};

/** A scenario of alerts of which only the given parts matter. */
function scenarioOf(
  alerts: readonly Partial<ScenarioAlert>[],
  parts: Partial<Scenario> = {},
): Scenario {
  return {
    version: 1,
    name: "test",
    ...parts,
    alerts: alerts.map((alert) => ({ priority: "notice", rule: "r", output: "o", ...alert })),
  };
}

function expand(alerts: readonly Partial<ScenarioAlert>[], parts?: Partial<Scenario>): Alert[] {
  return [...expandScenario(scenarioOf(alerts, parts))];
}

/** The text that the fields make of an output. */
function filled(output: string, fields: AlertFields): string {
  return expand([{ output, output_fields: fields, source: "internal" }])[0]!.output;
}

describe("expandScenario()", () => {
  it("fills in what the scenario leaves out", () => {
    assert.deepEqual([...expandScenario({ version: 1, name: "one shell", alerts: [shell] })], [{
      time: { seconds: 1767225600, nanos: 0 },
      priority: "notice",
      source: "syscall",
      rule: "Terminal shell in container",
      output: "00:00:00.000000000: Notice A shell was spawned (proc_name=bash)",
      outputFields: { "proc.name": "bash" },
      hostname: "falco-fake",
      tags: ["container", "shell"],
    }]);
  });

  it("has no fields and no tags where there are none", () => {
    const [alert] = expand([{}]);
    assert.deepEqual(alert?.outputFields, {});
    assert.deepEqual(alert?.tags, []);
  });

  it("takes host and source from the alert, the scenario, the options, in this order", () => {
    const names = (alert: Partial<ScenarioAlert>, scenario: Partial<Scenario>) => {
      const all = scenarioOf([alert], scenario);
      const [made] = expandScenario(all, { hostname: "option-host", source: "option-source" });
      return [made?.hostname, made?.source];
    };
    const scenario = { hostname: "scenario-host", source: "scenario-source" };
    const alert = { hostname: "alert-host", source: "alert-source" };
    assert.deepEqual(names(alert, scenario), ["alert-host", "alert-source"]);
    assert.deepEqual(names({}, scenario), ["scenario-host", "scenario-source"]);
    assert.deepEqual(names({}, {}), ["option-host", "option-source"]);
  });

  it("sorts tags as Falco does, each once", () => {
    assert.deepEqual(expand([{ tags: ["shell", "T1059", "container", "shell"] }])[0]?.tags, [
      "T1059",
      "container",
      "shell",
    ]);
  });
});

describe("expandScenario() time", () => {
  const cases: {
    name: string;
    start?: string;
    alerts: Partial<ScenarioAlert>[];
    expected: string[];
  }[] = [
    {
      name: "starts in 2026",
      alerts: [{}, {}],
      expected: ["2026-01-01T00:00:00.000000000Z", "2026-01-01T00:00:00.000000000Z"],
    },
    {
      name: "starts where it is told, in any offset",
      start: "2025-06-30T23:59:59.999999999+02:00",
      alerts: [{ afterMs: 1 }],
      expected: ["2025-06-30T22:00:00.000999999Z"],
    },
    {
      name: "counts afterMs from the last repetition",
      alerts: [{ afterMs: 100 }, { afterMs: 1000, repeat: 3, everyMs: 250 }, { afterMs: 5 }],
      expected: [
        "2026-01-01T00:00:00.100000000Z",
        "2026-01-01T00:00:01.100000000Z",
        "2026-01-01T00:00:01.350000000Z",
        "2026-01-01T00:00:01.600000000Z",
        "2026-01-01T00:00:01.605000000Z",
      ],
    },
    {
      name: "knows no everyMs where nothing repeats",
      alerts: [{ everyMs: 5000 }, {}],
      expected: ["2026-01-01T00:00:00.000000000Z", "2026-01-01T00:00:00.000000000Z"],
    },
    {
      name: "has nanoseconds",
      alerts: [{ afterMs: 0.000001 }, { afterMs: 1.1 }, { afterMs: 86_400_000.000_002 }],
      expected: [
        "2026-01-01T00:00:00.000000001Z",
        "2026-01-01T00:00:00.001100001Z",
        "2026-01-02T00:00:00.001100003Z",
      ],
    },
    {
      name: "adds tenths without an error that grows",
      alerts: [{ repeat: 10, everyMs: 0.1 }, { afterMs: 0.1 }],
      expected: Array.from(
        { length: 11 },
        (_, index) => `2026-01-01T00:00:00.00${String(index).padStart(2, "0")}00000Z`,
      ),
    },
    {
      name: "goes on from before 1970",
      start: "1969-12-31T23:59:58.5Z",
      alerts: [{}, { afterMs: 1000 }, { afterMs: 500 }],
      expected: [
        "1969-12-31T23:59:58.500000000Z",
        "1969-12-31T23:59:59.500000000Z",
        "1970-01-01T00:00:00.000000000Z",
      ],
    },
    {
      name: "stands still at the end of the year 9999",
      start: "9999-12-31T23:59:59.5Z",
      alerts: [{}, { afterMs: 600 }, { afterMs: Number.MAX_VALUE }],
      expected: [
        "9999-12-31T23:59:59.500000000Z",
        "9999-12-31T23:59:59.999999999Z",
        "9999-12-31T23:59:59.999999999Z",
      ],
    },
  ];
  for (const { name, start, alerts, expected } of cases) {
    it(name, () => {
      const made = expand(alerts, start === undefined ? {} : { start });
      assert.deepEqual(made.map(({ time }) => formatTime(time)), expected);
    });
  }

  it("is the sum of all delays", () => {
    const delay = fc.integer({ min: 0, max: 10_000_000 });
    const alerts = fc.array(
      fc.record({ afterMs: delay, repeat: fc.integer({ min: 1, max: 5 }), everyMs: delay }),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(fc.property(alerts, (alerts) => {
      const made = expand(alerts);
      const { seconds, nanos } = made.at(-1)!.time;
      const sum = alerts.reduce(
        (sum, { afterMs, repeat, everyMs }) => sum + afterMs + (repeat - 1) * everyMs,
        0,
      );
      assert.equal(seconds * 1000 + nanos / 1e6, 1767225600_000 + sum);
    }));
  });
});

describe("expandScenario() text", () => {
  const cases: { name: string; output: string; fields: AlertFields; expected: string }[] = [
    {
      name: "fills every place",
      output: "%proc.name by %user.name, again %proc.name",
      fields: { "proc.name": "sh", "user.name": "root" },
      expected: "sh by root, again sh",
    },
    {
      name: "leaves what a value contains",
      output: "%a %b",
      fields: { a: "%b %a", b: "$& $1 $$ $` %a" },
      expected: "%b %a $& $1 $$ $` %a",
    },
    {
      name: "leaves names that are no field",
      output: "%proc.pname 100% 5%, %proc.names %Proc.name %% %",
      fields: { "proc.name": "sh" },
      expected: "%proc.pname 100% 5%, %proc.names %Proc.name %% %",
    },
    {
      name: "knows no inherited names",
      output: "%constructor %toString %__proto__",
      fields: {},
      expected: "%constructor %toString %__proto__",
    },
    {
      name: "takes __proto__ for a name like any other",
      output: "%__proto__",
      fields: JSON.parse('{"__proto__":"own"}'),
      expected: "own",
    },
    {
      name: "ends a name before the dot of a sentence",
      output: "It was %proc.name. Or %user...",
      fields: { "proc.name": "sh", user: "root" },
      expected: "It was sh. Or root...",
    },
    {
      name: "takes the longest name that is there",
      output: "%proc.aname[2] %proc.aname[3] %proc.aname %fd.name.x",
      fields: { "proc.aname[2]": "two", "proc.aname": "any", fd: "short", "fd.name": "long" },
      expected: "two any[3] any long.x",
    },
    {
      name: "reads arguments of any kind",
      output: "%k8s.pod.label[app.kubernetes.io/name]x %json.value[/a b/0]",
      fields: { "k8s.pod.label[app.kubernetes.io/name]": "web", "json.value[/a b/0]": "zero" },
      expected: "webx zero",
    },
    {
      name: "reads a process and its number as syslog writes them",
      output: "%proc.name[%proc.pid]",
      fields: { "proc.name": "sh", "proc.pid": 7 },
      expected: "sh[7]",
    },
    {
      name: "writes values as Falco does",
      output: "%n %big %yes %none %list %empty",
      fields: {
        n: 1.5,
        big: 1767225600000000005n,
        yes: true,
        none: null,
        list: ["a", 1, null],
        empty: "",
      },
      expected: "1.5 1767225600000000005 true <NA> (a,1,<NA>) ",
    },
  ];
  for (const { name, output, fields, expected } of cases) {
    it(name, () => assert.equal(filled(output, fields), expected));
  }

  it("has any value in it as it is", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (value) => {
      assert.equal(filled("<%proc.cmdline>", { "proc.cmdline": value }), `<${value}>`);
    }));
  });

  const prefixes: { output: string; source?: string; expected: string }[] = [
    { output: "Hi", expected: "00:00:00.000000000: Notice Hi" },
    { output: "", expected: "00:00:00.000000000: Notice " },
    { output: "Hi", source: "k8s_audit", expected: "00:00:00.000000000: Notice Hi" },
    { output: "Falco metrics snapshot", source: "internal", expected: "Falco metrics snapshot" },
    // As recorded.
    {
      output: "07:06:05.000000001: Informational Hi",
      expected: "07:06:05.000000001: Informational Hi",
    },
    {
      output: "2026-01-01T07:06:05.000000001+0000: Error Hi",
      expected: "2026-01-01T07:06:05.000000001+0000: Error Hi",
    },
    // Nearly.
    { output: "07:06:05: Error Hi", expected: "00:00:00.000000000: Notice 07:06:05: Error Hi" },
    {
      output: "07:06:05.000000001: Loud Hi",
      expected: "00:00:00.000000000: Notice 07:06:05.000000001: Loud Hi",
    },
    {
      output: "at 07:06:05.000000001: Error Hi",
      expected: "00:00:00.000000000: Notice at 07:06:05.000000001: Error Hi",
    },
    // A command line that would like to be an alert of its own.
    {
      output: "%proc.cmdline",
      expected: "00:00:00.000000000: Notice 07:06:05.000000001: Debug Hi",
    },
  ];
  for (const { output, source, expected } of prefixes) {
    it(`of ${JSON.stringify(output)}${source ? ` from ${source}` : ""}`, () => {
      const fields = { "proc.cmdline": "07:06:05.000000001: Debug Hi" };
      const alert = { output, output_fields: fields, ...(source ? { source } : {}) };
      assert.equal(expand([alert])[0]?.output, expected);
    });
  }

  it("has the time of each repetition in front", () => {
    const outputs = expand([{ repeat: 3, everyMs: 1500, priority: "informational" }])
      .map(({ output }) => output);
    assert.deepEqual(outputs, [
      "00:00:00.000000000: Informational o",
      "00:00:01.500000000: Informational o",
      "00:00:03.000000000: Informational o",
    ]);
  });

  it("of an internal alert has no prefix if the scenario names the source", () => {
    assert.equal(expand([{}], { source: "internal" })[0]?.output, "o");
  });
});

describe("expandScenario() laziness", () => {
  it("makes no alert before it is asked for", () => {
    let asked = 0;
    const alert = {
      ...shell,
      get output(): string {
        asked++;
        return "o";
      },
    };
    const alerts = expandScenario({ version: 1, name: "lazy", alerts: [alert, alert] });
    assert.equal(asked, 0);
    alerts.next();
    const afterFirst = asked;
    assert(afterFirst > 0);
    alerts.next();
    assert.equal(asked, 2 * afterFirst);
  });

  it("ends when it is left", () => {
    const alerts = expandScenario(scenarioOf([{ repeat: MAX_REPEAT, everyMs: 1 }]));
    for (const _ of alerts) break;
    assert.deepEqual(alerts.next(), { value: undefined, done: true });
  });

  it("starts anew with every call", () => {
    const scenario = scenarioOf([shell, { ...shell, afterMs: 7 }]);
    assert.deepEqual([...expandScenario(scenario)], [...expandScenario(scenario)]);
  });

  it("hands out the scenario's own fields and changes nothing", () => {
    const fields = JSON.parse('{"__proto__":"own","proc.name":"sh"}');
    const scenario = scenarioOf([{ output_fields: fields, tags: ["b", "a"], repeat: 2 }]);
    const before = structuredClone(scenario);
    const alerts = [...expandScenario(scenario)];
    for (const { outputFields } of alerts) assert.equal(outputFields, fields);
    assert(Object.hasOwn(alerts[0]!.outputFields, "__proto__"));
    assert.deepEqual(scenario, before);
    assert.deepEqual(scenario.alerts[0]?.tags, ["b", "a"]);
  });
});

describe("expandScenario() errors", () => {
  const cases: { name: string; scenario: Scenario; message: string }[] = [
    ...["", "yesterday", "2026-02-30T00:00:00Z"].map((start) => ({
      name: `start ${JSON.stringify(start)}`,
      scenario: scenarioOf([{}], { start }),
      message: `Cannot expand the scenario as "start" must be a time such as ` +
        `2026-01-01T00:00:00Z: it is ${JSON.stringify(start)}`,
    })),
    ...[-1, NaN, Infinity].flatMap((ms) =>
      (["afterMs", "everyMs"] as const).map((option) => ({
        name: `${option} ${ms}`,
        scenario: scenarioOf([{}, { [option]: ms }]),
        message: `Cannot expand the scenario as "${option}" of alert 2 must be 0 or more: ` +
          `it is ${ms}`,
      }))
    ),
    ...[0, -1, 1.5, NaN, Infinity, MAX_REPEAT + 1].map((repeat) => ({
      name: `repeat ${repeat}`,
      scenario: scenarioOf([{ repeat }]),
      message: `Cannot expand the scenario as "repeat" of alert 1 must be a whole number from ` +
        `1 to 1000000: it is ${repeat}`,
    })),
  ];
  for (const { name, scenario, message } of cases) {
    it(`refuses ${name} at once`, () => {
      // Without asking for an alert.
      assert.throws(() => expandScenario(scenario), { name: "RangeError", message });
    });
  }
});

for (const [key, scenario] of Object.entries(scenarios)) {
  it(`expandScenario() makes alerts of scenarios.${key}`, () => {
    const alerts = [...expandScenario(scenario)];
    const count = scenario.alerts.reduce((sum, { repeat = 1 }) => sum + repeat, 0);
    assert.equal(alerts.length, count);
    for (const { output, source, outputFields } of alerts) {
      assert.equal(/^\d\d:\d\d:\d\d\.\d{9}: [A-Z][a-z]+ /.test(output), source !== "internal");
      for (const name of Object.keys(outputFields)) {
        // One process has `%proc.name` in its command line; that stays.
        if (!String(outputFields["proc.cmdline"]).includes(`%${name}`)) {
          assert(!output.includes(`%${name} `), output);
        }
      }
    }
  });
}
