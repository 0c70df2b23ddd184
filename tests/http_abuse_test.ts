/** An HTTP receiver under abuse: bench/abuse.ts does the same with far more of everything. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { fromJsonLines, HttpReceiver } from "../mod.ts";
import { makeCertificates } from "../harness/certificates.ts";
import { abuse, abuseTls, GoodSender } from "./abuse_senders.ts";

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

it("HttpReceiver serves a good sender over TLS whoever else comes with which certificate", async () => {
  const [ours, theirs] = [await makeCertificates(), await makeCertificates()];
  const tls = { ...ours.server, clientCa: ours.ca };
  const receiver = await HttpReceiver.start({ port: 0, hostname: "localhost", tls });
  const rules = new Set<string>();
  let count = 0;
  const reading = (async () => {
    for await (const { rule } of receiver) {
      rules.add(rule);
      count++;
    }
  })();
  const good = new GoodSender(receiver.url, { ca: ours.ca, ...ours.client });
  const answered = await abuseTls(receiver.url, 40, { ca: ours.ca, ...theirs.client });
  const before = good.taken;
  while (good.taken < before + 10) await new Promise((resolve) => setImmediate(resolve));
  const { sent, taken } = await good.stop();
  await receiver.close();
  await reading;
  assert.deepEqual([answered, taken, count, [...rules]], [0, sent, sent, ["good"]]);
  // Bun does not tell of connections that fail before they are encrypted.
  if (!("Bun" in globalThis)) assert.equal(receiver.stats().refused.malformed, 40);
});

it("fromJsonLines() counts invalid lines, and holds none of them", async () => {
  const piece = new TextEncoder().encode('{oops\nwhat?\n{"rule":7}\n\u0000\n'.repeat(250));
  const alerts = fromJsonLines(ReadableStream.from((function* () {
    for (let count = 0; count < 20; count++) yield piece;
  })()));
  assert.deepEqual(await Array.fromAsync(alerts), []);
  assert.equal(alerts.stats().invalid, 20_000);
});
