import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { alerts, GARBAGE, inOrder, rules, SUB, wires, withFake } from "./fake_falco_clients.ts";
import { until } from "./waits.ts";

for (const wire of wires) {
  describe(`FakeFalco: sub over ${wire.name}`, () => {
    it("sends nothing without a request", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1, 5));
        const client = dial();
        const sub = await client.sub();
        await client.roundTrip();
        assert.equal(fake.queueDepth, 5);
        assert.deepEqual(sub.here(), []);
        sub.request();
        assert.deepEqual(await sub.read(5), rules(1, 5));
      }));

    it("drains the queue at a request, then sends nothing until the next", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1, 5));
        const client = dial();
        const sub = await client.sub(1);
        assert.deepEqual(await sub.read(5), rules(1, 5));
        fake.push(...alerts(6, 8));
        await client.roundTrip();
        assert.equal(fake.queueDepth, 3);
        assert.deepEqual(sub.here(), []);
        sub.request();
        assert.deepEqual(await sub.read(3), rules(6, 8));
        assert.equal(fake.queueDepth, 0);
      }));

    it("does not bank requests that find the queue empty", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const sub = await client.sub(3);
        await client.until("three requests were read", () => fake.requests[0]?.requests === 3);
        fake.push(...alerts(1, 2));
        await client.roundTrip();
        assert.equal(fake.queueDepth, 2);
        assert.deepEqual(sub.here(), []);
        sub.request();
        assert.deepEqual(await sub.read(2), rules(1, 2));
      }));

    it("reads requests sent during a drain one by one afterwards, and banks none", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1, 5));
        const client = dial();
        const sub = await client.sub(50);
        assert.deepEqual(await sub.read(5), rules(1, 5));
        await client.until("all requests were read", () => fake.requests[0]?.requests === 50);
        fake.push(...alerts(6));
        await client.roundTrip();
        assert.equal(fake.queueDepth, 1);
        assert.deepEqual(sub.here(), []);
      }));

    it("reads requests that come while a drain waits for its reader, and answers those after them", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1, 5_000));
        const client = dial();
        const sub = await client.sub();
        sub.pause();
        sub.request();
        const other = dial();
        await other.until("the drain has begun", () => fake.queueDepth < 5_000);
        for (let count = 0; count < 20; count++) sub.request();
        await other.until("all requests have come", () => fake.requests[0]?.requests === 21);
        assert.ok(fake.queueDepth > 0);
        sub.resume();
        assert.deepEqual(await sub.read(5_000), rules(1, 5_000));
        fake.push(...alerts(5_001));
        await client.roundTrip();
        assert.deepEqual([sub.here(), fake.queueDepth], [[], 1]);
        sub.request();
        assert.deepEqual(await sub.read(1), rules(5_001));
      }));

    it("delivers in the same drain what is pushed while it goes on", () =>
      withFake(wire, async ({ fake, dial }) => {
        // So much that the connection fills up, and the drain waits for its reader.
        fake.push(...alerts(1, 5_000));
        const sub = await dial().sub();
        sub.pause();
        sub.request();
        await dial().until("the drain has begun", () => fake.queueDepth < 5_000);
        fake.push(...alerts(5_001, 5_010));
        assert.ok(fake.queueDepth > 10);
        sub.resume();
        assert.deepEqual(await sub.read(5_010), rules(1, 5_010));
        assert.equal(fake.requests[0]?.requests, 1);
      }));

    it("gives a late client everything from before its connection, in order", () =>
      withFake(wire, async ({ fake, dial }) => {
        for (let number = 1; number <= 1_000; number++) fake.push(...alerts(number));
        const sub = await dial().sub(1);
        assert.deepEqual(await sub.read(1_000), rules(1, 1_000));
      }));

    it("lets two compete for one queue: no alert twice, none lost, each in order", () =>
      withFake(wire, async ({ fake, dial }) => {
        const subs = [await dial().sub(), await dial().sub()];
        const seen: string[][] = [[], []];
        for (let round = 0; round < 10; round++) {
          const index = round % 2;
          fake.push(...alerts(1 + round * 3, 3 + round * 3));
          subs[index]!.request();
          seen[index]!.push(...await subs[index]!.read(3));
          assert.deepEqual(subs[1 - index]!.here(), []);
        }
        for (const one of seen) {
          assert.equal(one.length, 15);
          assert.deepEqual(one, inOrder(one));
        }
        assert.deepEqual(inOrder(seen.flat()), rules(1, 30));
      }));

    it("gives what is queued to whoever asks first, all of it", () =>
      withFake(wire, async ({ fake, dial }) => {
        const [first, second] = [dial(), dial()];
        const [one, two] = [await first.sub(), await second.sub()];
        fake.push(...alerts(1, 20));
        one.request();
        assert.deepEqual(await one.read(20), rules(1, 20));
        two.request();
        await second.until(
          "both asked",
          () =>
            fake.requests.filter((call) => call.method === SUB && call.requests > 0).length === 2,
        );
        assert.deepEqual(two.here(), []);
      }));

    it("splits one backlog between two drains at once, contiguous and in order", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1, 6_000));
        const subs = [await dial().sub(), await dial().sub()];
        for (const [index, sub] of subs.entries()) {
          // Who reads at once may have taken all before the other asks.
          sub.pause();
          sub.request();
          await until("it drains", () => (fake.requests[index]?.alerts ?? 0) > 0);
        }
        assert.ok(fake.queueDepth > 0);
        for (const sub of subs) sub.resume();
        const seen: string[][] = [[], []];
        await until("all alerts have come", () => {
          for (const [index, sub] of subs.entries()) seen[index]!.push(...sub.here());
          return seen[0]!.length + seen[1]!.length === 6_000;
        });
        for (const one of seen) {
          assert.deepEqual(one, inOrder(one));
        }
        assert.deepEqual(inOrder(seen.flat()), rules(1, 6_000));
        assert.equal(fake.requests[0]!.alerts + fake.requests[1]!.alerts, 6_000);
      }));

    it("gives a cancelled call nothing more", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const one = await client.sub(1);
        const two = await client.sub();
        one.cancel();
        await client.until("the call has ended", () => fake.requests[0]?.open === false);
        fake.push(...alerts(1, 3));
        two.request();
        assert.deepEqual(await two.read(3), rules(1, 3));
        assert.equal(fake.requests[0]?.alerts, 0);
      }));
  });

  describe(`FakeFalco: sub that goes silent over ${wire.name}`, () => {
    it("delivers the queue to a request with half-close, then stays open for ever", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1, 3));
        const client = dial();
        const sub = await client.sub();
        sub.request();
        sub.halfClose();
        assert.deepEqual(await sub.read(3), rules(1, 3));
        await client.until("the half-close was seen", () => fake.requests[0]?.halfClosed === true);
        fake.push(...alerts(4));
        await client.roundTrip();
        assert.deepEqual([sub.here(), sub.status, sub.ended], [[], undefined, false]);
        const [call] = fake.requests;
        assert.deepEqual(call, {
          method: SUB,
          connection: 1,
          requests: 1,
          emptyPulls: 0,
          alerts: 3,
          halfClosed: true,
          waiting: false,
          open: true,
          status: undefined,
        });
        assert.equal(fake.queueDepth, 1);
      }));

    it("drains a long backlog to the end although the client has half-closed", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1, 3_000));
        const client = dial();
        const sub = await client.sub();
        sub.request();
        sub.halfClose();
        assert.deepEqual(await sub.read(3_000), rules(1, 3_000));
        await client.roundTrip();
        assert.deepEqual(sub.here(), []);
        assert.equal(fake.requests[0]?.open, true);
      }));

    it("never ends a call that is half-closed after its last drain", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1));
        const client = dial();
        const sub = await client.sub(1);
        assert.deepEqual(await sub.read(1), rules(1));
        sub.halfClose();
        await client.until("the half-close was seen", () => fake.requests[0]?.halfClosed === true);
        await client.roundTrip();
        assert.deepEqual(sub.here(), []);
        assert.equal(fake.requests[0]?.open, true);
      }));

    it("never answers a half-close without a request", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1));
        const client = dial();
        const sub = await client.sub();
        sub.halfClose();
        await client.until("the half-close was seen", () => fake.requests[0]?.halfClosed === true);
        await client.roundTrip();
        assert.deepEqual(sub.here(), []);
        assert.equal(fake.queueDepth, 1);
        assert.deepEqual([fake.requests[0]?.requests, fake.requests[0]?.open], [0, true]);
      }));

    it("never answers a request it cannot decode, nor any after it", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1, 2));
        const client = dial();
        const sub = await client.sub();
        sub.request(GARBAGE);
        sub.request();
        await client.until("both requests came", () => fake.requests[0]?.requests === 2);
        await client.roundTrip();
        assert.deepEqual(sub.here(), []);
        assert.equal(fake.queueDepth, 2);
        assert.equal(fake.requests[0]?.open, true);
      }));

    it("never answers again after a second request it cannot decode", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1));
        const client = dial();
        const sub = await client.sub(1);
        assert.deepEqual(await sub.read(1), rules(1));
        sub.request(GARBAGE);
        fake.push(...alerts(2));
        sub.request();
        await client.until("all requests came", () => fake.requests[0]?.requests === 3);
        await client.roundTrip();
        assert.deepEqual(sub.here(), []);
        assert.equal(fake.queueDepth, 1);
      }));

    it("never answers bytes that are no gRPC message", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1));
        const client = dial();
        const sub = await client.sub();
        sub.raw(new Uint8Array([7, 0, 0, 0, 0]));
        sub.request();
        await client.roundTrip();
        assert.deepEqual(sub.here(), []);
        assert.deepEqual([fake.queueDepth, fake.requests[0]?.requests], [1, 0]);
        assert.deepEqual([fake.requests[0]?.open, fake.requests[0]?.halfClosed], [true, false]);
      }));

    it("frees the client when it cancels", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const sub = await client.sub();
        sub.halfClose();
        await client.until("the half-close was seen", () => fake.requests[0]?.halfClosed === true);
        sub.cancel();
        await client.until("the call has ended", () => fake.requests[0]?.open === false);
      }));

    it("accepts fields that it does not know in a request", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1));
        const sub = await dial().sub();
        sub.request(new Uint8Array([0x08, 0x01])); // "keepalive" of clients before 0.24
        assert.deepEqual(await sub.read(1), rules(1));
        fake.push(...alerts(2));
        sub.request(new Uint8Array([0xfa, 0x07, 0x02, 0x68, 0x69])); // field 127, two bytes
        assert.deepEqual(await sub.read(1), rules(2));
      }));
  });
}
