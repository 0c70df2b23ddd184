/** What a condition costs, beside the same by hand and in another language for such things. @module */
import { Environment } from "@marcbachmann/cel-js";
import type { Alert } from "../lib/alert/alert.ts";
import { compileCondition } from "../lib/condition/mod.ts";
import { makeAlertPool } from "./alert_pool.ts";
import type { Bench } from "./bench.ts";
import type { Rival } from "./compare.ts";
import { conditionCases, vocabulary } from "./condition_cases.ts";
import { atMost } from "./measurement.ts";

/** Five conditions, each asked of the same alerts in four ways. */
export async function benchConditions(bench: Bench): Promise<void> {
  const alerts = makeAlertPool(bench.isQuick ? 500 : 1024);
  const cel = new Environment()
    .registerVariable("f", "map<string, string>")
    .registerVariable("priority", "string")
    .registerVariable("source", "string");
  for (const { name, falco, raw, viaField, cel: celText } of conditionCases) {
    const compiled = compileCondition(falco, vocabulary);
    const program = cel.parse(celText);
    const rivals: Rival[] = [
      asking(alerts, "TypeScript by hand", raw),
      asking(alerts, "TypeScript with field()", viaField),
      { ...asking(alerts, "compiled condition", compiled), goal: atMost(3) },
      asking(
        alerts,
        "CEL (@marcbachmann/cel-js)",
        ({ outputFields, priority, source }) =>
          program({ f: outputFields, priority, source }) === true,
      ),
    ];
    const share = alerts.filter(raw).length / alerts.length;
    await bench.compare(`${name}: ${(share * 100).toFixed(1)} % of the alerts match`, rivals);
  }
}

function asking(
  alerts: readonly Alert[],
  name: string,
  isMatch: (alert: Alert) => boolean,
): Rival {
  return {
    name,
    run() {
      let digest = 0;
      for (let index = 0; index < alerts.length; index++) {
        // The sum of the places: the same alerts, and not only as many.
        if (isMatch(alerts[index]!)) digest += index + 1;
      }
      return { operations: alerts.length, digest };
    },
  };
}
