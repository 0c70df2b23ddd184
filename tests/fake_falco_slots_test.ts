import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { availableParallelism } from "node:os";
import { FakeFalco } from "../harness/fake_falco.ts";
import {
  alerts,
  GARBAGE,
  GET,
  isSettled,
  rules,
  SUB,
  VERSION,
  wires,
  withFake,
} from "./fake_falco_clients.ts";
import type { BareCall, BareClient } from "./fake_falco_clients.ts";
import { within } from "./waits.ts";

const options = { threadiness: 1 };

/** Opens that many subs, in order. */
async function subs(client: BareClient, count: number): Promise<BareCall[]> {
  const calls: BareCall[] = [];
  for (let index = 0; index < count; index++) calls.push(await client.sub());
  return calls;
}

for (const wire of wires) {
  describe(`FakeFalco: slots over ${wire.name}`, () => {
    it("serves ten calls of a method a thread, and lets more wait in silence", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const calls = await subs(client, 14);
        for (const [index, call] of calls.entries()) {
          fake.push(...alerts(index));
          call.request();
          await client.roundTrip();
          if (index < 10) assert.deepEqual(await call.read(1), rules(index));
          else assert.deepEqual([call.events, fake.queueDepth], [[], index - 9]);
        }
        const waiting = fake.requests.filter((call) => call.waiting);
        assert.equal(waiting.length, 4);
        assert.ok(waiting.every((call) => call.requests === 1 && call.method === SUB));
      }, options));

    it("gives a slot that comes free to who has waited longest, with what it has sent", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const calls = await subs(client, 12);
        calls[11]!.request();
        calls[10]!.request();
        await client.roundTrip();
        fake.push(...alerts(1));
        calls[0]!.cancel();
        assert.deepEqual(await calls[10]!.read(1), rules(1));
        assert.equal(fake.requests[10]!.waiting, false);
        fake.push(...alerts(2));
        calls[5]!.cancel();
        assert.deepEqual(await calls[11]!.read(1), rules(2));
      }, options));

    for (
      const { how, end } of [
        { how: "half-closed", end: (call: BareCall) => call.halfClose() },
        {
          how: "sent a request that cannot be decoded",
          end: (call: BareCall) => call.request(GARBAGE),
        },
      ]
    ) {
      it(`takes the slot from a call that has ${how}, which stays open`, () =>
        withFake(wire, async ({ fake, dial }) => {
          const client = dial();
          const calls = await subs(client, 11);
          calls[10]!.request();
          fake.push(...alerts(1));
          await client.roundTrip();
          assert.equal(fake.queueDepth, 1);
          end(calls[3]!);
          assert.deepEqual(await calls[10]!.read(1), rules(1));
          assert.ok(!calls[3]!.ended && fake.requests[3]!.open);
        }, options));
    }

    it("leaves a half-closed call its slot until its drain is over", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const calls = await subs(client, 11);
        fake.push(...alerts(1, 3_000));
        calls[0]!.pause();
        calls[0]!.request();
        calls[0]!.halfClose();
        calls[10]!.request();
        await client.until("the half-close came", () => fake.requests[0]?.halfClosed === true);
        await client.until("the other came", () => fake.requests[10]?.waiting === true);
        calls[0]!.resume();
        assert.equal((await calls[0]!.read(3_000)).length, 3_000);
        await client.until("it has a slot", () => fake.requests[10]?.waiting === false);
      }, options));

    it("strikes a call off the line that is cancelled", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const calls = await subs(client, 12);
        calls[10]!.cancel();
        await client.until("it is gone", () => fake.requests[10]?.open === false);
        calls[11]!.request();
        fake.push(...alerts(1));
        calls[0]!.cancel();
        assert.deepEqual(await calls[11]!.read(1), rules(1));
      }, options));

    it("has slots of their own for get and version", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        await subs(client, 12);
        const gets = await Promise.all(Array.from({ length: 10 }, () => client.call(GET)));
        fake.push(...alerts(1));
        const late = await client.call(GET);
        late.request();
        await client.roundTrip(); // version
        assert.equal(await isSettled(late.end()), false);
        gets[0]!.halfClose(); // 13, which frees its slot
        await late.end();
        assert.deepEqual([late.status, late.here()], [0, rules(1)]);
        for (const get of gets.slice(1)) get.cancel();
      }, options));

    it("does not count calls that it refuses", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        for (let index = 0; index < 20; index++) await client.call(SUB, { te: undefined });
        fake.push(...alerts(1));
        assert.deepEqual(await (await client.sub(1)).read(1), rules(1));
      }, options));

    it("cancels those that wait when it is stopped, and waits for the others", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const calls = await subs(client, 11);
        calls[10]!.request();
        await client.until("it came", () => fake.requests[10]?.requests === 1);
        const stopped = fake.stop();
        await calls[10]!.end();
        assert.equal(calls[10]!.status, undefined);
        assert.equal(await isSettled(stopped), false);
        for (const call of calls) call.cancel();
        await within("the end", stopped);
      }, options));
  });
}

describe("FakeFalco.start() with threadiness", () => {
  const [wire] = wires;

  for (
    const { threadiness, served } of [
      { threadiness: undefined, served: 80 },
      { threadiness: 0, served: 10 * availableParallelism() },
      { threadiness: 3, served: 30 },
    ]
  ) {
    it(`${threadiness} serves ${served} calls of a method`, () =>
      withFake(wire!, async ({ fake, dial }) => {
        const client = dial();
        await subs(client, served + 1);
        const version = await client.call(VERSION);
        version.request();
        await version.end();
        const waiting = fake.requests.map((call) => call.waiting);
        assert.deepEqual([waiting.indexOf(true), waiting.lastIndexOf(true)], [served, served]);
      }, threadiness === undefined ? {} : { threadiness }));
  }

  for (const threadiness of [-1, 1.5, NaN, Infinity]) {
    it(`${threadiness} is refused`, async () => {
      await assert.rejects(FakeFalco.start({ threadiness }), {
        name: "RangeError",
        message: 'Cannot start a fake Falco as "threadiness" must be a whole number from 0 on: ' +
          `it is ${threadiness}`,
      });
    });
  }
});
