import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  alerts,
  GARBAGE,
  idleTurn,
  isSettled,
  KEEPALIVE,
  REQUEST,
  rules,
  SUBSCRIBE,
  VERSION,
  wires,
  withFake,
} from "./fake_falco_clients.ts";
import type { BareCall, BareClient } from "./fake_falco_clients.ts";
import { within } from "./waits.ts";

const falcoVersion = "0.23.0";

/** Calls `subscribe` as generated clients do: one request, half-close. */
async function subscribe(client: BareClient, request: Uint8Array): Promise<BareCall> {
  const call = await client.call(SUBSCRIBE);
  call.request(request);
  call.halfClose();
  return call;
}

for (const wire of wires) {
  describe(`FakeFalco 0.23: subscribe over ${wire.name}`, () => {
    it("drains the queue and ends with OK without keepalive", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1, 3));
        const client = dial();
        for (
          const [request, expected] of [
            [REQUEST, rules(1, 3)],
            [REQUEST, []],
            [new Uint8Array([0x08, 0x00]), []],
            [new Uint8Array([0x08, 0x01, 0x08, 0x00]), []],
          ] as const
        ) {
          const call = await subscribe(client, request);
          await call.end();
          assert.deepEqual([call.status, call.here()], [0, expected]);
        }
      }, { falcoVersion }));

    it("drains a long backlog with keepalive, but for every other alert, and stays", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1, 2_000));
        const client = dial();
        const call = await subscribe(client, KEEPALIVE);
        const odd = rules(1, 2_000).filter((_, index) => index % 2 === 1);
        assert.deepEqual(await call.read(1_000), odd);
        await client.roundTrip();
        assert.deepEqual([call.ended, fake.queueDepth], [false, 0]);
        call.cancel();
      }, { falcoVersion }));

    it("pushes alerts as they come with keepalive, and loses none of those", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const call = await subscribe(client, KEEPALIVE);
        await client.until("it was read", () => fake.requests[0]?.requests === 1);
        for (let index = 1; index <= 5; index++) {
          fake.push(...alerts(index));
          assert.deepEqual(await call.read(1), rules(index));
        }
        call.cancel();
      }, { falcoVersion }));

    it("drops the last alert of a backlog that is odd", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1));
        const client = dial();
        const call = await subscribe(client, KEEPALIVE);
        await client.until("it was taken", () => fake.queueDepth === 0);
        fake.push(...alerts(2));
        assert.deepEqual(await call.read(1), rules(2));
        call.cancel();
      }, { falcoVersion }));

    it("gives each alert to one of several that wait", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const calls = [await subscribe(client, KEEPALIVE), await subscribe(client, KEEPALIVE)];
        await client.until("both were read", () => fake.requests[1]?.requests === 1);
        for (let index = 1; index <= 4; index++) {
          fake.push(...alerts(index));
          await client.roundTrip();
        }
        const got = calls.flatMap((call) => call.here());
        assert.deepEqual(got.toSorted(), rules(1, 4));
        for (const call of calls) call.cancel();
      }, { falcoVersion }));

    it("takes one more alert for a call that was cancelled while it waited", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const gone = await subscribe(client, KEEPALIVE);
        await client.until("it was read", () => fake.requests[0]?.requests === 1);
        gone.cancel();
        await client.until("it is gone", () => !fake.requests[0]!.open);
        fake.push(...alerts(1, 2));
        assert.equal(fake.queueDepth, 1);
        const call = await subscribe(client, REQUEST);
        await call.end();
        assert.deepEqual(call.here(), rules(2));
      }, { falcoVersion }));

    it("serves nobody else while as many calls wait as there are threads", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const calls = [await subscribe(client, KEEPALIVE), await subscribe(client, KEEPALIVE)];
        await client.until("one is read", () => fake.requests[1]?.requests === 1, idleTurn);
        const version = await client.call(VERSION);
        version.request();
        version.halfClose();
        await client.until("it came", () => fake.requests[2]?.requests === 1, idleTurn);
        assert.equal(await isSettled(version.end()), false);
        // An alert sets one thread free for a moment.
        fake.push(...alerts(1));
        await version.end();
        assert.equal(version.status, 0);
        for (const call of calls) call.cancel();
      }, { falcoVersion, threadiness: 2 }));

    it("ends the calls that wait with OK when it is stopped", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const call = await subscribe(client, KEEPALIVE);
        await client.until("it was read", () => fake.requests[0]?.requests === 1);
        await within("the end", fake.stop());
        assert.equal(call.status, 0);
      }, { falcoVersion }));

    it("refuses a request that it cannot decode", () =>
      withFake(wire, async ({ dial }) => {
        const call = await subscribe(dial(), GARBAGE);
        await call.end();
        assert.equal(call.status, 13);
        assert.equal(call.headers?.["grpc-message"], "Unable to parse request");
      }, { falcoVersion }));
  });
}
