/** A scenario file to a {@linkcode Scenario}. @module */
import { readersOf } from "./key_rules.ts";
import type { Scenario } from "./scenario.ts";
import { scenarioRules } from "./scenario_rules.ts";
import { readYaml } from "../lib/yaml/yaml_value.ts";

/**
 * Reads a scenario file: YAML 1.2 with the keys of {@linkcode Scenario}, and no others.
 *
 * - Priorities are understood in any case, and `info`; they come out as {@linkcode Priority}.
 * - Integers past 2^53 in `output_fields` come out as `bigint`, so that `evt.time` stays exact.
 * - Anchors and aliases work within bounds: aliases may stand for a million values in all. Merge keys
 *   (`<<`) are YAML 1.1 and are not understood.
 * - `repeat` goes up to 1,000,000.
 * - Editors complete such files with `harness/scenario.schema.json`, a JSON Schema: put
 *   `# yaml-language-server: $schema=PATH` in the first line.
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
  if (version !== undefined) scenarioRules.version.read(version);
  return root.object(readersOf(scenarioRules), ["version", "name", "alerts"]);
}
