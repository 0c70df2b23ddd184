/**
 * The test of 03 under `Deno.test`, whose sanitizers fail it if it leaves anything open.
 *
 *     deno test --allow-net --allow-read --allow-write=/tmp examples/15_under_deno_test.ts
 */
import { BatchStream, connect, FilterStream } from "@falco-streams/core";
import type { Alert } from "@falco-streams/core";
import { buildAlert, FakeFalco } from "@falco-streams/core/harness";
import assert from "node:assert/strict";

/** What is under test: pages for whoever is on call. */
const pages = (alerts: ReadableStream<Alert>): ReadableStream<Alert[]> =>
  alerts
    .pipeThrough(new FilterStream("alert.priority >= critical"))
    .pipeThrough(new BatchStream(2));

Deno.test("pages in twos, and leaves nothing open", async () => {
  await using fake = await FakeFalco.start(); // its disposal fails if a call is left open
  await using falco = connect(fake.address);
  fake.push(...Array.from({ length: 3 }, () => buildAlert({ priority: "critical" })));
  fake.push(buildAlert({ priority: "notice" }));
  const sizes = await Array.fromAsync(pages(falco.outputs.get()), (page) => page.length);
  assert.deepEqual(sizes, [2, 1]);
});
