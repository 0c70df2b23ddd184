// What a user might write: every entry point, types and values.
import { connect, FilterStream, formatAlert } from "@falco-streams/core";
import type { Alert, FalcoClient } from "@falco-streams/core";
import { main } from "@falco-streams/core/cli";
import { FakeFalco, scenarios } from "@falco-streams/core/harness";
import { BatchStream } from "@falco-streams/core/streams";
import process from "node:process";

const fake: FakeFalco = await FakeFalco.start();
await fake.replay(scenarios.cryptoMiner);
const falco: FalcoClient = connect(fake.address);
const { version } = await falco.version();
const batches: Alert[][] = [];
const stream = falco.outputs.get()
  .pipeThrough(new FilterStream<Alert>("alert.priority >= warning"))
  .pipeThrough(new BatchStream<Alert>(100));
for await (const batch of stream) batches.push(batch);
await falco.close();
await fake.stop();
const alerts = batches.flat();
if (alerts.length === 0 || !alerts.every((alert) => formatAlert(alert).startsWith("{"))) {
  throw new Error(`There are ${alerts.length} alerts`);
}
// Set by the check: the other runtimes must have as many.
console.log(`Falco ${version}, ${alerts.length} alerts, ${await main(["replay", "--help"]) === 0}`);
process.exitCode = 0;
