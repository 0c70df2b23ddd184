/** An HTTP receiver under abuse: bench/abuse.ts does the same with far more of everything. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { fromJsonLines, HttpReceiver } from "../mod.ts";
import { abuse, GoodSender } from "./abuse_senders.ts";

it("HttpReceiver serves a good sender whatever others do, and counts each refusal", async () => {
  const receiver = await HttpReceiver.start({ port: 0, maxConnections: 50 });
  const outputs: string[] = [];
  const reading = (async () => {
    for await (const alert of receiver) outputs.push(alert.output);
  })();
  const good = new GoodSender(receiver.url);
  await abuse(receiver.url, { slow: 300, large: 8, compressed: 8, pipelined: 8, invalid: 2000 });
  const before = good.taken;
  while (good.taken < before + 10) await new Promise((resolve) => setImmediate(resolve));
  const { sent, taken } = await good.stop();
  await receiver.close();
  await reading;
  assert.equal(taken, sent);
  assert.deepEqual(outputs, Array.from({ length: sent }, (_, index) => `${index + 1}`));
  const { refused, invalid } = receiver.stats();
  assert(refused.connections! >= 250, JSON.stringify(refused));
  assert(refused.size! >= 1, JSON.stringify(refused));
  assert.equal(refused.encoding, 8);
  assert(refused.malformed! >= 8, JSON.stringify(refused));
  assert.equal(invalid, 8 * 20 + 2000);
});

it("fromJsonLines() counts invalid lines, and holds none of them", async () => {
  const piece = new TextEncoder().encode('{oops\nwhat?\n{"rule":7}\n\u0000\n'.repeat(250));
  const alerts = fromJsonLines(ReadableStream.from((function* () {
    for (let count = 0; count < 20; count++) yield piece;
  })()));
  assert.deepEqual(await Array.fromAsync(alerts), []);
  assert.equal(alerts.stats().invalid, 20_000);
});
