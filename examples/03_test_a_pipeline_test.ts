/**
 * A test of your own pipeline, without Falco and without waiting.
 *
 *     deno test --allow-net --allow-read --allow-write=/tmp examples/03_test_a_pipeline_test.ts
 *
 * In a project that has installed the package, `node --test` and `bun test` run it as well.
 */
import { BatchStream, connect, FilterStream, isAtLeast } from "@falco-streams/core";
import type { Alert, EventStream } from "@falco-streams/core";
import { buildAlert, FakeClock, FakeFalco } from "@falco-streams/core/harness";
import type { Clock } from "@falco-streams/core";
import assert from "node:assert/strict";
import { it } from "node:test";

/** What is under test: pages for whoever is on call. */
function pages(alerts: EventStream<Alert>, clock?: Clock): ReadableStream<Alert[]> {
  return alerts
    .pipeThrough(new FilterStream((alert) => isAtLeast(alert.priority, "critical")))
    .pipeThrough(new BatchStream(20, { maxWaitMs: 60_000, ...(clock ? { clock } : {}) }));
}

it("pages once a minute at most", async () => {
  const clock = new FakeClock();
  const fake = await FakeFalco.start();
  const falco = connect(fake.address);
  try {
    fake.push(buildAlert({ priority: "notice" }), buildAlert({ priority: "critical" }));
    const reader = pages(falco.outputs.subscribe(), clock).getReader();
    const page = reader.read();
    await fake.drained(); // both alerts are on their way
    while (clock.pending === 0) await falco.version(); // and have come to the batch
    clock.advance(60_000);
    assert.equal((await page).value?.length, 1);
    await reader.cancel();
  } finally {
    await falco.close();
    await fake.stop();
  }
});
