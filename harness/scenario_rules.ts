/** What the keys of a scenario hold. @module */
import { parsePriority, priorities } from "../lib/alert/priority.ts";
import type { Priority } from "../lib/alert/priority.ts";
import { parseTime } from "../lib/alert/time.ts";
import { MAX_REPEAT } from "./expand_scenario.ts";
import { faultSchema, readFault } from "./faults/fault_rules.ts";
import { delayRule, numberRule, objectSchema, readersOf, textRule } from "./key_rules.ts";
import type { JsonSchema, KeyRule, KeyRules } from "./key_rules.ts";
import type { Scenario, ScenarioAlert } from "./scenario.ts";

const priorityWords = [...priorities, "info"];

/** Any case will do, but editors offer the names as they are written here. */
const priorityRule: KeyRule<Priority> = {
  ...textRule("The priority of the rule"),
  read: (value) => {
    const isPriority = (name: string) => parsePriority(name) !== undefined;
    return parsePriority(value.text(`one of ${priorities.join(", ")}`, isPriority))!;
  },
  schema: {
    anyOf: [{ enum: priorities }, { type: "string", pattern: anyCase(priorityWords) }],
    description: "The priority of the rule",
  },
};

/** The keys of an alert. */
const alertRules: KeyRules<ScenarioAlert> = {
  afterMs: delayRule("Milliseconds after the alert before it; default 0"),
  repeat: numberRule(
    `a whole number from 1 to ${MAX_REPEAT}`,
    { min: 1, max: MAX_REPEAT, whole: true },
    "How often it comes; default 1",
  ),
  everyMs: delayRule("Milliseconds between two of its repetitions; default 0"),
  jitterMs: delayRule("Up to this many milliseconds more before each, drawn from the seed"),
  priority: priorityRule,
  rule: textRule("The name of the rule"),
  output: textRule("The message; %name stands for the field of that name"),
  output_fields: {
    ...textRule(""),
    read: (value) => value.record(),
    schema: { type: "object", description: "The fields; null where Falco had no value" },
  },
  tags: {
    ...textRule(""),
    read: (value) => value.list("tag", (tag) => tag.text()),
    schema: { type: "array", items: { type: "string" }, description: "The tags of the rule" },
  },
  source: textRule("Where the event came from, if not the scenario's source"),
  hostname: textRule("The host, if not the scenario's hostname"),
};

const requiredOfAlerts = ["priority", "rule", "output"] as const;

/** The keys of a scenario. */
export const scenarioRules: KeyRules<Scenario> = {
  version: {
    ...textRule(""),
    read: (value) => {
      const version = value.number("the number 1", (number) => Number.isInteger(number));
      return version === 1
        ? version
        : value.fail(`unknown version ${version}: only version 1 is understood`);
    },
    schema: { const: 1, description: "The version of this format" },
  },
  name: textRule("A short name"),
  description: textRule("What happens, for the reader"),
  falcoVersion: textRule("The Falco that raised these alerts", {
    expected: "three numbers such as 0.43.1",
    accepts: (version) => /^\d+\.\d+\.\d+$/.test(version),
    schema: { pattern: "^\\d+\\.\\d+\\.\\d+$" },
  }),
  start: textRule("When it starts; default 2026-01-01T00:00:00Z", {
    expected: "a time such as 2026-01-01T00:00:00Z",
    accepts: (time) => parseTime(time) !== undefined,
    schema: { pattern: "^\\d{4}-\\d\\d-\\d\\d[Tt ]\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?([Zz]|[Zz]?[+-])" },
  }),
  seed: numberRule(
    "a whole number",
    { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER, whole: true },
    "Decides what jitterMs draws; default 0",
  ),
  hostname: textRule("The host, for alerts that name none; default falco-fake"),
  source: textRule("The source, for alerts that name none; default syscall"),
  alerts: {
    ...textRule(""),
    read: (value) => {
      let count = 0;
      const alerts = value.list("alert", (alert) => {
        count++;
        return alert.object(readersOf(alertRules), [...requiredOfAlerts]);
      });
      return count > 0 ? alerts : value.fail('"alerts" must hold at least one alert');
    },
    schema: {
      type: "array",
      minItems: 1,
      items: objectSchema(alertRules, [...requiredOfAlerts]),
      description: "The alerts, in order",
    },
  },
  faults: {
    ...textRule(""),
    read: (value) => value.list("fault", readFault),
    schema: { type: "array", items: faultSchema(), description: "What goes wrong meanwhile" },
  },
};

/**
 * The JSON Schema of scenario files, made of the rules that the parser follows, so that the two
 * agree. It is `harness/scenario.schema.json`.
 *
 * It lets a little through that the parser refuses: days that do not exist, keys of a fault that
 * contradict each other, and what JSON has not (duplicate keys, aliases, integers past 2^53).
 *
 * @returns The schema, for JSON.
 */
export function scenarioSchema(): JsonSchema {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Scenario of falco-streams, version 1",
    ...objectSchema(scenarioRules, ["version", "name", "alerts"]),
  };
}

/** JSON Schema's patterns have no flag for it. */
function anyCase(words: readonly string[]): string {
  const patterns = words.map((word) =>
    [...word].map((letter) => `[${letter.toUpperCase()}${letter}]`).join("")
  );
  return `^(${patterns.join("|")})$`;
}
