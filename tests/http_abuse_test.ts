/** An HTTP receiver under abuse: bench/abuse.ts does the same with far more of everything. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { it } from "node:test";
import { formatAlert, fromJsonLines, HttpReceiver } from "../mod.ts";
import type { HttpReceiverOptions, HttpReceiverStats } from "../mod.ts";
import { buildAlert } from "../harness/build_alert.ts";
import { makeCertificates } from "../harness/certificates.ts";
import { abuse, abuseTls, GoodSender } from "./abuse_senders.ts";
import { post, RawConnection } from "./raw_http.ts";

const alert = formatAlert(buildAlert());

/** Nobody reads what is posted to it. */
async function withReceiver(
  options: HttpReceiverOptions,
  work: (url: string) => Promise<void>,
): Promise<HttpReceiverStats> {
  const receiver = await HttpReceiver.start({ port: 0, ...options });
  try {
    await work(receiver.url);
  } finally {
    await receiver.cancel();
  }
  return receiver.stats();
}

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

it("HttpReceiver closes a connection when a hundred requests in a row brought no alert", async () => {
  const stats = await withReceiver({}, async (url) => {
    const sender = new RawConnection(url);
    let answers = 0;
    const answerTo = async (request: string): Promise<string> => {
      const before = sender.text.length;
      sender.send(request);
      for (;;) {
        const text = sender.text.slice(before);
        const [, length, body] = /^content-length: (\d+)[^]*?\r\n\r\n([^]*)$/im.exec(text) ?? [];
        if (body?.length === Number(length)) {
          answers++;
          return text;
        }
        await once(sender.socket, "data");
      }
    };
    const bad = [post("{oops"), "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"];
    for (let count = 0; count < 99; count++) await answerTo(bad[count % 2]!);
    assert.match(await answerTo(post(alert)), /^HTTP\/1\.1 200 /);
    for (let count = 0; count < 99; count++) {
      assert.doesNotMatch(await answerTo(bad[count % 2]!), /^connection: close/im);
    }
    assert.match(await answerTo(bad[0]!), /^HTTP\/1\.1 400 [^]*^connection: close\r$/im);
    await sender.closed;
    assert.equal(answers, 200);
  });
  assert.deepEqual([stats.received, stats.invalid], [1, 101]);
  assert.deepEqual(stats.refused, {});
});

it("HttpReceiver closes a connection that does not wait for answers, and reads no further", async () => {
  for (const body of ["{oops", alert]) {
    const stats = await withReceiver({ maxQueuedAlerts: 1 }, async (url) => {
      const sender = new RawConnection(url);
      sender.send(post(body).repeat(20_000));
      await sender.closed;
    });
    assert(stats.invalid <= 100 && stats.received < 1100, JSON.stringify(stats));
    assert(stats.invalid === 100 || stats.refused.overflow === 1, JSON.stringify(stats));
  }
});

it("fromJsonLines() counts invalid lines, and holds none of them", async () => {
  const piece = new TextEncoder().encode('{oops\nwhat?\n{"rule":7}\n\u0000\n'.repeat(250));
  const alerts = fromJsonLines(ReadableStream.from((function* () {
    for (let count = 0; count < 20; count++) yield piece;
  })()));
  assert.deepEqual(await Array.fromAsync(alerts), []);
  assert.equal(alerts.stats().invalid, 20_000);
});
