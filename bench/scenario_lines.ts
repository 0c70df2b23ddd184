/** The bundled scenarios as Falco's JSON lines. @module */
import { expandScenario } from "../harness/expand_scenario.ts";
import { scenarios } from "../harness/scenarios/mod.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";

/** One after the other, without line breaks. */
export const scenarioLines: readonly string[] = Object.values(scenarios)
  .flatMap((scenario) => [...expandScenario(scenario)].map(formatAlert));
