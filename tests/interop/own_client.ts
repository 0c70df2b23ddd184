/** What this package's own client makes of a scenario: what the others are compared with. @module */
import { FakeFalco } from "../../harness/fake_falco.ts";
import type { scenarios } from "../../harness/scenarios/mod.ts";
import { scenarios as bundled } from "../../harness/scenarios/mod.ts";
import { buildAlert } from "../../harness/build_alert.ts";
import type { Alert } from "../../lib/alert/alert.ts";
import { priorities } from "../../lib/alert/priority.ts";
import { connect } from "../../lib/client/connect.ts";
import type { PrintedAlert } from "./run_client.ts";

/** What to put into a fake. */
export type Given =
  | { readonly scenario: keyof typeof scenarios }
  | { readonly alerts: readonly Partial<Alert>[] };

/** Falco numbers priorities from 0, the most severe. */
const severity = priorities.indexOf("emergency") === 0 ? priorities : priorities.toReversed();

/** Gets alerts with our own client, from a fake of that version. */
export async function ownAlerts(
  given: readonly Given[],
  falcoVersion: string,
): Promise<PrintedAlert[]> {
  const fake = await FakeFalco.start({ falcoVersion });
  const falco = connect(fake.address, { tls: fake.credentials });
  try {
    for (const one of given) {
      if ("scenario" in one) await fake.replay(bundled[one.scenario]);
      else fake.push(...one.alerts.map((parts) => buildAlert(parts)));
    }
    const printed: PrintedAlert[] = [];
    for await (const alert of falco.outputs.get()) printed.push(print(alert));
    return printed;
  } finally {
    await falco.close();
    await fake[Symbol.asyncDispose]();
  }
}

function print(alert: Alert): PrintedAlert {
  const { time, priority, rule, output, outputFields, hostname, tags, source } = alert;
  return {
    seconds: String(time.seconds),
    nanos: time.nanos,
    priority: severity.indexOf(priority),
    rule,
    output,
    output_fields: outputFields as Record<string, string>,
    hostname,
    tags: [...tags],
    source,
  };
}
