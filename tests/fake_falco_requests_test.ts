import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deflateSync, gzipSync } from "node:zlib";
import { frameMessage } from "../lib/transport/message_splitter.ts";
import {
  alerts,
  GARBAGE,
  GET,
  REQUEST,
  rules,
  SUB,
  VERSION,
  wires,
  withFake,
} from "./fake_falco_clients.ts";
import { until } from "./waits.ts";

/** A message in gRPC's frame, with the flag that says it is compressed. */
function compressed(message: Uint8Array): Uint8Array {
  const frame = frameMessage(message);
  frame[0] = 1;
  return frame;
}

/** Fields that Falco does not know: a request that can be decoded, and has a length. */
const FIELDS = new Uint8Array([0x08, 0x01, 0xfa, 0x07, 0x02, 0x68, 0x69]);

const good = [
  { name: "gzip", encoding: "gzip", bytes: gzipSync(FIELDS) },
  { name: "gzip of nothing", encoding: "gzip", bytes: gzipSync(REQUEST) },
  { name: "deflate", encoding: "deflate", bytes: deflateSync(FIELDS) },
  { name: "nothing, with identity", encoding: "identity", bytes: REQUEST },
  { name: "nothing, without an encoding", encoding: undefined, bytes: REQUEST },
  { name: "nothing, with an unknown encoding", encoding: "br", bytes: REQUEST },
];

const bad = [
  { name: "gzip that is cut short", encoding: "gzip", bytes: gzipSync(FIELDS).subarray(0, 15) },
  { name: "deflate that is called gzip", encoding: "gzip", bytes: deflateSync(FIELDS) },
  { name: "gzip of no message", encoding: "gzip", bytes: gzipSync(GARBAGE) },
  { name: "gzip with an unknown encoding", encoding: "br", bytes: gzipSync(FIELDS) },
  {
    name: "gzip of more than 4 MiB",
    encoding: "gzip",
    bytes: gzipSync(new Uint8Array([0x12, 0x80, 0x80, 0x80, 0x02, ...new Uint8Array(4194304)])),
  },
];

for (const wire of wires) {
  describe(`FakeFalco: compressed requests over ${wire.name}`, () => {
    for (const { name, encoding, bytes } of good) {
      it(`are accepted: ${name}`, () =>
        withFake(wire, async ({ fake, dial }) => {
          const client = dial();
          fake.push(...alerts(1));
          const sub = await client.call(SUB, { "grpc-encoding": encoding });
          sub.raw(compressed(bytes));
          assert.deepEqual(await sub.read(1), rules(1));
          for (const method of [GET, VERSION]) {
            const call = await client.call(method, { "grpc-encoding": encoding });
            call.raw(compressed(bytes));
            await call.end();
            assert.equal(call.status, 0);
          }
        }));
    }

    for (const { name, encoding, bytes } of bad) {
      it(`are undecodable: ${name}`, () =>
        withFake(wire, async ({ fake, dial }) => {
          const client = dial();
          fake.push(...alerts(1));
          const sub = await client.call(SUB, { "grpc-encoding": encoding });
          sub.raw(compressed(bytes));
          sub.request();
          for (const method of [GET, VERSION]) {
            const call = await client.call(method, { "grpc-encoding": encoding });
            call.raw(compressed(bytes));
            await call.end();
            assert.equal(call.status, 13);
            assert.equal(call.headers?.["grpc-message"], "Unable to parse request");
          }
          await client.roundTrip();
          assert.deepEqual([sub.events, fake.queueDepth], [[], 1]);
          assert.ok(fake.violations().some(({ kind }) => kind === "undecodable"));
        }));
    }
  });

  describe(`FakeFalco: requests before a broken one over ${wire.name}`, () => {
    it("are served, though they came together", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        fake.push(...alerts(1, 3));
        const sub = await client.sub();
        const frame = frameMessage(REQUEST);
        sub.raw(new Uint8Array([...frame, ...frame, 9, 0, 0, 0, 0, ...frame]));
        assert.deepEqual(await sub.read(3), rules(1, 3));
        fake.push(...alerts(4));
        sub.request();
        await client.roundTrip();
        assert.deepEqual([sub.here(), sub.ended, fake.queueDepth], [[], false, 1]);
        assert.equal(fake.requests[0]!.requests, 2);
      }));

    it("are answered by get, which reads one", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1));
        const get = await dial().call(GET);
        get.raw(new Uint8Array([...frameMessage(REQUEST), 9, 0, 0, 0, 0]));
        await get.end();
        assert.deepEqual([get.status, get.here()], [0, rules(1)]);
      }));
  });

  describe(`FakeFalco: requests of more than 4 MiB over ${wire.name}`, () => {
    const head = new Uint8Array([0, 0x00, 0x40, 0x00, 0x01]);
    const words = "Received message larger than max (4194305 vs. 4194304)";

    for (const method of [SUB, GET, VERSION]) {
      it(`end ${method} with 8 as soon as their length is known`, () =>
        withFake(wire, async ({ fake, dial }) => {
          const client = dial();
          fake.push(...alerts(1));
          const call = await client.call(method);
          call.raw(head);
          await call.end();
          assert.deepEqual([call.status, call.headers?.["grpc-message"]], [8, words]);
          assert.deepEqual([call.here(), fake.queueDepth], [[], 1]);
          await client.roundTrip();
          assert.deepEqual(fake.violations().map(({ kind }) => kind), ["request-not-empty"]);
        }));
    }

    it("end sub in the middle of a drain, and free its slot", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        fake.push(...alerts(1, 20_000));
        const calls = [];
        for (let count = 0; count < 10; count++) calls.push(await client.sub());
        const [sub] = calls;
        sub!.pause();
        sub!.request();
        await until("the drain has begun", () => fake.queueDepth < 20_000);
        assert.ok(fake.queueDepth > 0);
        sub!.raw(head);
        await until("it was answered", () => fake.requests[0]!.status === 8);
        const next = await client.sub(1);
        sub!.resume();
        await sub!.end();
        assert.equal(sub!.status, 8);
        const got = sub!.here();
        assert.deepEqual(got, rules(1, got.length));
        const [rest] = await next.read(1);
        assert.ok(Number(rest!.slice(1)) > got.length);
      }, { threadiness: 1 }));
  });

  describe(`FakeFalco: metadata over ${wire.name}`, () => {
    it("of more than 8 KiB is refused, as status 8 or in its HTTP/2 form", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        await client.roundTrip();
        fake.push(...alerts(1));
        for (const method of [SUB, GET, VERSION]) {
          const call = await client.call(method, { long: "x".repeat(9_000) });
          await call.end();
          // `node:http2` refuses it itself with RST_STREAM ENHANCE_YOUR_CALM, for which gRPC's clients
          // say RESOURCE_EXHAUSTED as well.
          if (call.status === undefined) assert.equal(call.resetCode, 11);
          else {
            assert.equal(call.status, 8);
            const { "grpc-message": text } = call.headers!;
            assert.equal(text, "received initial metadata size exceeds limit");
          }
        }
        assert.equal(fake.queueDepth, 1);
        await client.roundTrip();
      }));

    it("of nearly 8 KiB is accepted", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1));
        const client = dial();
        await client.roundTrip();
        const sub = await client.call(SUB, { long: "x".repeat(7_600) });
        sub.request();
        assert.deepEqual(await sub.read(1), rules(1));
      }));
  });

  describe(`FakeFalco: a cancelled call over ${wire.name}`, () => {
    it("does not pass for half-closed", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const calls = [await client.sub(), await client.sub(1), await client.sub(2)];
        await client.until("all came", () => fake.requests[2]?.requests === 2);
        for (const call of calls) call.cancel();
        await client.until("all ended", () => fake.requests.slice(0, 3).every(({ open }) => !open));
        const shown = fake.requests.slice(0, 3).map((
          { halfClosed, status },
        ) => [halfClosed, status]);
        assert.deepEqual(shown, [[false, undefined], [false, undefined], [false, undefined]]);
      }));
  });
}
