/**
 * A noisy night in a few lines: each alert once a minute, and how many there were of each rule.
 *
 *     deno run --allow-net --allow-read --allow-write=/tmp examples/06_dedupe_and_count.ts
 */
import {
  broadcastReadableStream,
  connect,
  CountByStream,
  DedupeStream,
  forEach,
  messageOf,
} from "@falco-streams/core";
import type { Alert } from "@falco-streams/core";
import { FakeFalco, scenarios } from "@falco-streams/core/harness";

const fake = await FakeFalco.start();
await fake.replay(scenarios.noisyStorm);

const falco = connect(fake.address);
// All clients of a Falco share one queue: a second subscription would get a part. So one is shared.
const [toCount, toPrint] = broadcastReadableStream(falco.outputs.get(), 2);

const counting = forEach(
  toCount!.pipeThrough(
    new CountByStream<Alert>((alert) => alert.rule, {
      windowMs: 10 * 60_000,
      timestamp: ({ time }) => time.seconds * 1000 + time.nanos / 1e6,
    }),
  ),
  ({ key, count, start }) => console.log(new Date(start).toISOString(), count, JSON.stringify(key)),
);

const repeated = new DedupeStream<Alert>((alert) => JSON.stringify([alert.rule, messageOf(alert)]));
let printed = 0;
await forEach(toPrint!.pipeThrough(repeated), () => void printed++);
await counting;
console.log(`${printed} alerts, and ${repeated.dropped} that were repetitions`);

await falco.close();
await fake.stop();
