/**
 * Batches of alerts to a webhook that is away at first: they are tried again, in order. What it
 * refuses for good goes to the dead letters, one JSON line each.
 *
 *     deno run --allow-net --allow-read --allow-write=/tmp examples/05_batch_to_a_webhook.ts
 */
import { BatchStream, connect, JsonLinesSink, WebhookSink } from "@falco-streams/core";
import { FakeFalco, scenarios } from "@falco-streams/core/harness";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

// The far side: it is away for two requests, and does not like the fourth.
let requests = 0;
const server = createServer((request, response) => {
  requests++;
  request.resume().on("end", () => {
    response.writeHead(requests <= 2 ? 503 : requests === 4 ? 422 : 200).end();
  });
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address() as AddressInfo;

const fake = await FakeFalco.start();
await fake.replay(scenarios.containerEscape);
const falco = connect(fake.address);

const sink = new WebhookSink(`http://127.0.0.1:${port}/alerts`, {
  maxBuffered: 100, // then the pipeline waits, back to Falco
  retry: { minDelayMs: 20, maxDelayMs: 1000 },
  deadLetters: new JsonLinesSink(Deno.stdout.writable, { preventClose: true }),
  onRetry: (error, attempt) => console.error(`attempt ${attempt}: ${error.message}`),
});
await falco.outputs.get()
  .pipeThrough(new BatchStream(5, { maxWaitMs: 500 }))
  .pipeTo(sink);

const { delivered, retries, dropped } = sink.stats();
console.error(`${delivered} batches delivered, ${retries} retries, ${dropped.refused} refused`);
server.close();
await falco.close();
await fake.stop();
