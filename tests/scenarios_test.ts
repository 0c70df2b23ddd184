import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { scenarios } from "../harness/scenarios/mod.ts";
import type { Scenario, ScenarioAlert } from "../harness/scenario.ts";
import { priorities } from "../lib/alert/priority.ts";

const all: readonly Scenario[] = Object.values(scenarios);
const everyAlert: readonly ScenarioAlert[] = all.flatMap(({ alerts }) => alerts);
const everyText: readonly string[] = everyAlert.flatMap((alert) => texts(alert));

/** `proc.name`, `proc.aname[2]`, `ka.uri.param[command]`; counters of Falco itself: `n_drops`. */
const fieldName = /^[a-z][a-z0-9]*(\.[a-z_0-9]+)+(\[[^\]]+\])?$/;
const counterName = /^[a-z]+(_[a-z]+)+$/;

describe("scenarios", () => {
  it("come in a fixed order", () => {
    assert.deepEqual(Object.keys(scenarios), [
      "shellInContainer",
      "cryptoMiner",
      "containerEscape",
      "credentialTheft",
      "k8sAudit",
      "noisyStorm",
    ]);
  });

  it("have names of their own", () => {
    assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
  });

  it("use all eight priorities between them", () => {
    const used = new Set(everyAlert.map(({ priority }) => priority));
    assert.deepEqual(priorities.filter((priority) => !used.has(priority)), []);
  });

  it("name a rule, its priority, its message and its tags alike everywhere", () => {
    const seen = new Map<string, unknown>();
    for (const { rule, priority, output, tags } of everyAlert) {
      const facts = { priority, output, tags };
      assert.deepEqual(facts, seen.get(rule) ?? facts, rule);
      seen.set(rule, facts);
    }
  });

  it("hold text that careless programs get wrong", () => {
    const cases: [name: string, pattern: RegExp][] = [
      ["double quote", /"/],
      ["single quote", /'/],
      ["backslash", /\\/],
      ["line break", /\n/],
      ["non-ASCII", /[^\p{ASCII}]/u],
      // deno-lint-ignore no-control-regex -- the escape character is what is looked for
      ["terminal escape sequence", /\u001b\[/],
      ["replacement pattern", /\$&/],
      ["placeholder in a value", /%proc\.name/],
    ];
    const values = everyAlert.flatMap(({ output_fields }) => texts(output_fields));
    for (const [name, pattern] of cases) {
      assert(values.some((text) => pattern.test(text)), name);
    }
  });

  it("hold values of every type in Falco's JSON", () => {
    const values = everyAlert.flatMap(({ output_fields = {} }) => Object.values(output_fields));
    const types = new Set(
      values.map((value) =>
        value === null ? "null" : Array.isArray(value) ? "array" : typeof value
      ),
    );
    assert.deepEqual([...types].sort(), ["array", "boolean", "null", "number", "string"]);
    for (const value of values) {
      if (typeof value === "number") assert(Number.isSafeInteger(value), String(value));
    }
  });

  it("point at nobody: documentation addresses and example.com only", () => {
    const documentation = /^(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+$/;
    const ours = /(^|\.)example\.com$|^kubernetes\.default\.svc$/;
    let addresses = 0;
    let hosts = 0;
    for (const text of everyText) {
      for (const [address] of text.matchAll(/\b\d+\.\d+\.\d+\.\d+\b/g)) {
        assert.match(address, documentation);
        addresses++;
      }
      for (const [, host = ""] of text.matchAll(/(?:[a-z]+:\/\/|@)([\w.-]+)/g)) {
        if (!documentation.test(host)) assert.match(host, ours, text);
        hosts++;
      }
    }
    assert(addresses > 20 && hosts > 10);
  });

  it("are frozen through and through", () => {
    const open: string[] = [];
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== "object" || value === null) return;
      if (!Object.isFrozen(value)) open.push(path);
      for (const [key, part] of Object.entries(value)) visit(part, `${path}/${key}`);
    };
    visit(scenarios, "scenarios");
    assert.deepEqual(open, []);
    assert.throws(() => {
      (scenarios.noisyStorm.alerts as ScenarioAlert[]).pop();
    }, TypeError);
  });

  it("follow one another without going back in time", () => {
    let end = 0;
    for (const scenario of all) {
      const start = Date.parse(scenario.start ?? "2026-01-01T00:00:00Z");
      assert(start > end, scenario.name);
      end = start + spanMs(scenario);
    }
  });
});

for (const [key, scenario] of Object.entries(scenarios)) {
  describe(`scenarios.${key}`, () => {
    const { alerts } = scenario;

    it("raises 10 to 60 alerts", () => {
      const raised = alerts.reduce((sum, { repeat = 1 }) => sum + repeat, 0);
      assert(raised >= 10 && raised <= 60, String(raised));
    });

    it("takes minutes, and the storm less than two", () => {
      const minutes = spanMs(scenario) / 60_000;
      const [least, most] = key === "noisyStorm" ? [0.5, 2] : [5, 60];
      assert(minutes >= least! && minutes < most!, String(minutes));
    });

    it("waits for whole milliseconds", () => {
      for (const { afterMs = 0, everyMs = 0, repeat = 1 } of alerts) {
        assert(Number.isSafeInteger(afterMs) && afterMs >= 0);
        assert(Number.isSafeInteger(everyMs) && everyMs >= 0);
        assert(Number.isSafeInteger(repeat) && repeat >= 1);
      }
      assert(new Set(alerts.map(({ afterMs }) => afterMs)).size > alerts.length / 2);
    });

    it("fills every placeholder of its messages", () => {
      for (const { rule, output, output_fields = {} } of alerts) {
        for (const [, name = ""] of output.matchAll(/%([a-z][\w.]*(?:\[[^\]]+\])?)/g)) {
          assert(Object.hasOwn(output_fields, name), `${rule}: ${name}`);
        }
        if (!isInternal(rule)) assert.match(output, /%/, rule);
      }
    });

    it("names fields as Falco does", () => {
      for (const { rule, output_fields = {} } of alerts) {
        const pattern = isInternal(rule) ? counterName : fieldName;
        assert(Object.keys(output_fields).length > 0, rule);
        for (const name of Object.keys(output_fields)) assert.match(name, pattern, rule);
      }
    });

    it("sorts tags by bytes, each once", () => {
      for (const { rule, tags = [] } of alerts) {
        // Default order of `sort` is by UTF-16 units: the same as by bytes, since tags are ASCII.
        assert.deepEqual(tags, [...new Set(tags)].sort(), rule);
        if (!isInternal(rule)) assert(tags.length > 0, rule);
        for (const tag of tags) assert.match(tag, /^[\w.-]+$/, rule);
      }
    });

    it("leaves no text empty", () => {
      assert.notEqual(scenario.name.trim(), "");
      assert.notEqual((scenario.description ?? "").trim(), "");
      for (const { rule, output } of alerts) {
        assert.notEqual(rule.trim(), "");
        assert.notEqual(output.trim(), "");
      }
    });

    it("keeps to its containers, pods and processes", () => {
      const seen = new Map<string, unknown>();
      const same = (subject: string, facts: unknown): void => {
        assert.deepEqual(facts, seen.get(subject) ?? facts, subject);
        seen.set(subject, facts);
      };
      for (const { output_fields: fields = {}, hostname } of alerts) {
        const id = fields["container.id"];
        if (id === undefined) continue;
        assert.match(String(id), /^(host|[0-9a-f]{12})$/);
        const facts = [
          "container.name",
          "container.image.repository",
          "container.image.tag",
          "k8s.ns.name",
          "k8s.pod.name",
        ].map((name) => fields[name]);
        same(`container ${id}`, facts);
        if (id !== "host") same(`host of ${id}`, [hostname]);
        same(`process ${fields["proc.pid"]}`, [
          hostname,
          ...["proc.ppid", "proc.pname", "proc.name", "proc.exepath", "proc.cmdline", "user.uid"]
            .map((name) => fields[name]),
        ]);
      }
    });

    it("comes from system calls, the audit log or Falco itself", () => {
      for (const { rule, priority, source, tags, output_fields = {} } of alerts) {
        if (!isInternal(rule)) {
          assert.equal(source, undefined, rule);
          const prefix = scenario.source === "k8s_audit" ? "ka." : "proc.";
          assert(Object.keys(output_fields).some((name) => name.startsWith(prefix)), rule);
          continue;
        }
        assert.equal(source, "internal");
        assert.equal(priority, "debug");
        assert.equal(tags, undefined);
        for (const value of Object.values(output_fields)) assert.match(String(value), /^\d+$/);
        for (const value of Object.values(output_fields)) assert.equal(typeof value, "string");
      }
    });
  });
}

describe("scenarios.noisyStorm", () => {
  const { alerts } = scenarios.noisyStorm;

  it("comes down to six once duplicates are gone", () => {
    const kinds = new Map<string, number>();
    for (const { rule, output, output_fields, repeat = 1 } of alerts) {
      const kind = JSON.stringify([rule, output, output_fields]);
      kinds.set(kind, (kinds.get(kind) ?? 0) + repeat);
    }
    const counts = [...kinds.values()].sort((a, b) => a - b);
    assert.deepEqual(counts, [1, 1, 1, 7, 18, 30]);
  });

  it("hides two critical alerts and one drop notice", () => {
    const rare = alerts.filter(({ repeat }) => repeat === undefined).map(({ priority }) =>
      priority
    );
    assert.deepEqual(rare, ["critical", "debug", "critical"]);
  });

  it("counts drops that add up", () => {
    const drop = alerts.find(({ rule }) => isInternal(rule));
    const counts = Object.entries(drop?.output_fields ?? {});
    const of = (name: string): number => Number(Object.fromEntries(counts)[name]);
    const parts = counts
      .filter(([name]) => /^n_drops_buffer_(?!total)/.test(name))
      .reduce((sum, [, value]) => sum + Number(value), 0);
    assert(parts > 0 && parts <= of("n_drops_buffer_total"));
    assert.equal(of("n_drops"), of("n_drops_buffer_total"));
    assert(of("n_drops") < of("n_evts"));
    assert.match(drop?.output ?? "", new RegExp(`\\b${of("n_drops")}\\b`));
  });
});

function isInternal(rule: string): boolean {
  return rule.startsWith("Falco internal: ");
}

/** From the first alert to the last. */
function spanMs({ alerts }: Scenario): number {
  return alerts.reduce(
    (sum, { afterMs = 0, repeat = 1, everyMs = 0 }) => sum + afterMs + (repeat - 1) * everyMs,
    0,
  );
}

/** Every string in a value. */
function texts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(texts);
}
