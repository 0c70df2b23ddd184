/** A scenario file to a {@linkcode Scenario}. @module */
import { parsePriority, priorities } from "../lib/alert/priority.ts";
import { parseTime } from "../lib/alert/time.ts";
import { MAX_REPEAT } from "./expand_scenario.ts";
import type { Scenario, ScenarioAlert } from "./scenario.ts";
import { readYaml } from "./yaml_value.ts";
import type { YamlReaders, YamlValue } from "./yaml_value.ts";

const text = (value: YamlValue): string => value.text();
const delayMs = (value: YamlValue): number =>
  value.number("a number of milliseconds, 0 or more", (ms) => ms >= 0 && ms < Infinity);

/** The keys of an alert. */
const alertReaders: YamlReaders<ScenarioAlert> = {
  afterMs: delayMs,
  repeat: (value) =>
    value.number(
      `a whole number from 1 to ${MAX_REPEAT}`,
      (times) => Number.isInteger(times) && times >= 1 && times <= MAX_REPEAT,
    ),
  everyMs: delayMs,
  priority: (value) => {
    const isPriority = (name: string) => parsePriority(name) !== undefined;
    return parsePriority(value.text(`one of ${priorities.join(", ")}`, isPriority))!;
  },
  rule: text,
  output: text,
  output_fields: (value) => value.record(),
  tags: (value) => value.list("tag", text),
  source: text,
  hostname: text,
};

/** The keys of a scenario. */
const scenarioReaders: YamlReaders<Scenario> = {
  version: (value) => {
    const version = value.number("the number 1", (number) => Number.isInteger(number));
    return version === 1
      ? version
      : value.fail(`unknown version ${version}: only version 1 is understood`);
  },
  name: text,
  description: text,
  falcoVersion: (value) =>
    value.text("three numbers such as 0.43.1", (version) => /^\d+\.\d+\.\d+$/.test(version)),
  start: (value) =>
    value.text(
      "a time such as 2026-01-01T00:00:00Z",
      (time) => parseTime(time) !== undefined,
    ),
  seed: (value) => value.number("a whole number", Number.isSafeInteger),
  hostname: text,
  source: text,
  alerts: (value) => {
    let count = 0;
    const alerts = value.list("alert", (alert) => {
      count++;
      return alert.object(alertReaders, ["priority", "rule", "output"]);
    });
    return count > 0 ? alerts : value.fail('"alerts" must hold at least one alert');
  },
};

/**
 * Reads a scenario file: YAML 1.2 with the keys of {@linkcode Scenario}, and no others.
 *
 * - Priorities are understood in any case, and `info`; they come out as {@linkcode Priority}.
 * - Integers past 2^53 in `output_fields` come out as `bigint`, so that `evt.time` stays exact.
 * - Anchors and aliases work within bounds: aliases may stand for a million values in all. Merge keys
 *   (`<<`) are YAML 1.1 and are not understood.
 * - `repeat` goes up to 1,000,000.
 *
 * Deno: the YAML parser looks at two variables, so `--allow-env=LOG_TOKENS,LOG_STREAM`, or
 * `--ignore-env` of the same.
 *
 * @param text The file.
 * @returns The scenario, with nothing filled in that the file leaves out.
 * @throws {AlertFormatError} If it is no such file: no YAML, more than one document, an unknown,
 * duplicate or missing key, a value of the wrong type or out of range, an alias to nothing or for too
 * much. `line` and `column` say where; of several mistakes the first is reported, but those against
 * YAML before all others.
 *
 * @example
 * ```ts
 * import { expandScenario, parseScenario } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const scenario = parseScenario(`
 * version: 1
 * name: two shells
 * alerts:
 *   - priority: Notice
 *     rule: Terminal shell in container
 *     output: A shell was spawned (proc_name=%proc.name)
 *     output_fields: { proc.name: bash }
 *     repeat: 2
 *     everyMs: 500
 * `);
 * assert.equal(scenario.alerts[0]?.priority, "notice");
 * assert.equal([...expandScenario(scenario)].length, 2);
 * ```
 */
export function parseScenario(text: string): Scenario {
  const root = readYaml(text, "scenario");
  // Ahead of all else: a later version may have keys that this one would call unknown.
  const version = root.member("version");
  if (version !== undefined) scenarioReaders.version(version);
  return root.object(scenarioReaders, ["version", "name", "alerts"]);
}
