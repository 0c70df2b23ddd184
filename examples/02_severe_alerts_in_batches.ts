/**
 * Severe alerts, each only once a minute, in batches of ten, as JSON lines.
 *
 *     deno run --allow-net --allow-read --allow-write=/tmp examples/02_severe_alerts_in_batches.ts
 */
import {
  BatchStream,
  connect,
  DedupeStream,
  FilterStream,
  isAtLeast,
  JsonLinesSink,
  messageOf,
} from "@falco-streams/core";
import type { Alert } from "@falco-streams/core";
import { FakeFalco, scenarios } from "@falco-streams/core/harness";

const fake = await FakeFalco.start();
await fake.replay(scenarios.noisyStorm);

const falco = connect(fake.address);
const repeated = new DedupeStream<Alert>((alert) => `${alert.rule}\n${messageOf(alert)}`);
await falco.outputs.get()
  .pipeThrough(new FilterStream((alert) => isAtLeast(alert.priority, "warning")))
  .pipeThrough(repeated)
  .pipeThrough(new BatchStream(10, { maxWaitMs: 1000 }))
  .pipeTo(new JsonLinesSink(Deno.stdout.writable, { preventClose: true }));
console.error(`${repeated.dropped} repetitions dropped`);

await falco.close();
await fake.stop();
