// The test of a user's own pipeline: no Falco, no waiting.
import { connect, FilterStream } from "@falco-streams/core";
import type { Alert } from "@falco-streams/core";
import { buildAlert, FakeFalco } from "@falco-streams/core/harness";
import assert from "node:assert/strict";
import { it } from "node:test";

it("lets criticals through", async () => {
  const fake = await FakeFalco.start({ tls: true });
  const falco = connect(fake.address, { tls: fake.credentials });
  try {
    fake.push(buildAlert({ priority: "notice" }), buildAlert({ priority: "critical" }));
    const rules: string[] = [];
    const critical = new FilterStream<Alert>((alert) => alert.priority === "critical");
    for await (const alert of falco.outputs.get().pipeThrough(critical)) rules.push(alert.priority);
    assert.deepEqual(rules, ["critical"]);
  } finally {
    await falco.close();
    await fake.stop();
  }
});
