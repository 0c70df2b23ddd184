/** Messages reach the reader a read of the socket at a time, not one by one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { decodeAlert } from "../lib/alert/decode_alert.ts";
import { parseAddress } from "../lib/transport/address.ts";
import { ClientCall } from "../lib/transport/client_call.ts";
import { SessionManager } from "../lib/transport/session_manager.ts";

const COUNT = 2000;

for (const tls of [false, true]) {
  test(`ClientCall hands over what a read brought at once (${tls ? "tls" : "unix"})`, async () => {
    const fake = await FakeFalco.start({ tls });
    const manager = new SessionManager(parseAddress(fake.address), {
      tls: fake.credentials,
      connectTimeoutMs: 10_000,
    });
    const seen: string[] = [];
    const batches: number[] = [];
    try {
      for (let at = 0; at < COUNT; at++) fake.push(buildAlert({ rule: `rule ${at}` }));
      const call = await ClientCall.start(manager, "falco.outputs.service/get");
      call.send(new Uint8Array(), true);
      for (;;) {
        const messages = call.take();
        if (messages === null) break;
        if (messages === undefined) {
          await new Promise<void>((resolve) => call.onReady(resolve));
          continue;
        }
        batches.push(messages.length);
        seen.push(...messages.map((message) => decodeAlert(message).rule));
      }
    } finally {
      await manager.close();
      await fake.stop();
    }
    assert.deepEqual(seen, Array.from({ length: COUNT }, (_, at) => `rule ${at}`));
    assert(batches.length < COUNT / 4, `${batches.length} batches`);
    assert(Math.max(...batches) < COUNT / 2, `a batch of ${Math.max(...batches)}`);
  });
}
