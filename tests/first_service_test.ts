import assert from "node:assert/strict";
import { test } from "node:test";
import { untilWhole } from "../cli/first_service.ts";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { connect } from "../lib/client/connect.ts";
import { FalcoConnectError } from "../lib/errors.ts";

/** Reads three alerts of a Falco 0.20, which is then killed. */
async function readThree(isWhole: (received: number) => boolean): Promise<string[]> {
  const fake = await FakeFalco.start({ falcoVersion: "0.20.0" });
  const falco = connect(fake.address, { tls: fake.credentials });
  const rules: string[] = [];
  try {
    fake.push(...["a", "b", "c"].map((rule) => buildAlert({ rule })));
    for await (
      const { rule } of untilWhole(falco.outputs.subscribe({ reconnect: false }), isWhole)
    ) {
      if (rules.push(rule) === 3) await fake.kill();
    }
    return rules;
  } finally {
    await falco.close();
    await fake[Symbol.asyncDispose]();
  }
}

test("untilWhole() takes a lost connection for the end once all has come", async () => {
  assert.deepEqual(await readThree((received) => received === 3), ["a", "b", "c"]);
});

test("untilWhole() fails with a connection that is lost before", async () => {
  await assert.rejects(readThree((received) => received === 4), FalcoConnectError);
});

test("untilWhole() fails with any other error", async () => {
  const controller = new AbortController();
  const falco = connect("unix:///no/such/folder/falco.sock");
  const subscription = falco.outputs.subscribe({ signal: controller.signal });
  const reading = Array.fromAsync(untilWhole(subscription, () => true));
  const reason = new Error("enough");
  controller.abort(reason);
  await assert.rejects(reading, reason);
  await falco.close();
});
