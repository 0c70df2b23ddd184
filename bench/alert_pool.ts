/** Alerts to measure with. @module */
import { expandScenario } from "../harness/expand_scenario.ts";
import { scenarios } from "../harness/scenarios/mod.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { decodeAlert, encodeAlert } from "../lib/alert/wire.ts";

/**
 * Makes alerts as they come over gRPC: those of the bundled scenarios again and again, each decoded
 * by itself, so that no two share a text.
 *
 * @param count How many.
 * @returns The alerts, mixed: neighbours are of different scenarios, as in life.
 */
export function makeAlertPool(count: number): Alert[] {
  const messages = Object.values(scenarios)
    .flatMap((scenario) => [...expandScenario(scenario)])
    .map((alert) => encodeAlert(alert));
  // A prime that does not divide the number of messages, so that each has its turn.
  return Array.from(
    { length: count },
    (_, index) => decodeAlert(messages[index * 31 % messages.length]!),
  );
}
