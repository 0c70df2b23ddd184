import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import {
  alerts,
  GARBAGE,
  GET,
  rules,
  SUB,
  VERSION,
  wires,
  withFake,
} from "./fake_falco_clients.ts";
import type { BareCall } from "./fake_falco_clients.ts";
import { until } from "./waits.ts";

/** That an answer is a single header block with a status, as gRPC's C core sends it without a message. */
function assertTrailersOnly(call: BareCall, status: number, message?: string): void {
  assert.equal(call.headers?.[":status"], 200);
  assert.equal(call.headers?.["content-type"], "application/grpc");
  assert.equal(call.headers?.["grpc-status"], String(status));
  assert.equal(call.headers?.["grpc-message"], message);
  assert.deepEqual(call.events, ["headers", "end"]);
}

for (const wire of wires) {
  describe(`FakeFalco: answers over ${wire.name}`, () => {
    it("has the HTTP/2 settings of Falco's gRPC server", () =>
      withFake(wire, async ({ dial }) => {
        const { remoteSettings } = await dial().session();
        const { headerTableSize, initialWindowSize, maxFrameSize, maxHeaderListSize } =
          remoteSettings;
        assert.deepEqual({ headerTableSize, initialWindowSize, maxFrameSize, maxHeaderListSize }, {
          headerTableSize: 4096,
          initialWindowSize: 4194303,
          maxFrameSize: 4194303,
          maxHeaderListSize: 8192,
        });
        // No limit of its own for calls at once.
        assert.ok((remoteSettings.maxConcurrentStreams ?? Infinity) >= 2 ** 31 - 1);
      }));

    it("sends response headers on sub only with the first alert", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const sub = await client.sub(1);
        await client.until("the request was read", () => fake.requests[0]?.requests === 1);
        await client.roundTrip();
        assert.deepEqual(sub.events, []);
        fake.push(...alerts(1, 2));
        await client.roundTrip();
        assert.deepEqual(sub.events, []);
        sub.request();
        assert.deepEqual(await sub.read(2), rules(1, 2));
        // Deno tells of headers after the messages that came along with them.
        await client.roundTrip();
        assert.deepEqual(sub.events.toSorted(), ["headers", "message", "message"]);
        assert.equal(sub.headers?.[":status"], 200);
        assert.equal(sub.headers?.["content-type"], "application/grpc");
        assert.equal(sub.headers?.["grpc-accept-encoding"], "identity, deflate, gzip");
        assert.equal(sub.headers?.["grpc-encoding"], undefined);
        assert.equal(sub.status, undefined);
      }));

    it("ends get with headers, alerts, and trailers of a status alone", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1, 2));
        const get = await dial().call(GET);
        get.request();
        get.halfClose();
        await get.end();
        const events = get.events.filter((event) => event !== "headers");
        assert.deepEqual(events, ["message", "message", "trailers", "end"]);
        assert.equal(get.headers?.[":status"], 200);
        assert.equal(get.trailers?.["grpc-status"], "0");
        assert.equal(get.trailers?.["grpc-message"], undefined);
        assert.equal(get.headers?.["grpc-status"], undefined);
      }));

    it("answers get on an empty queue with OK and no message, trailers-only", () =>
      withFake(wire, async ({ dial }) => {
        const get = await dial().call(GET);
        get.request();
        get.halfClose();
        await get.end();
        assertTrailersOnly(get, 0);
      }));

    it("answers get and version without waiting for a half-close", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1));
        const client = dial();
        for (const [method, messages] of [[GET, 1], [VERSION, 1], [GET, 0]] as const) {
          const call = await client.call(method);
          call.request();
          await call.end();
          assert.equal(call.status, 0);
          assert.equal(call.events.filter((event) => event === "message").length, messages);
        }
        await client.until("all have ended", () => fake.requests.every(({ open }) => !open));
      }));

    it("reads one request of get and version, and ignores all after it", () =>
      withFake(wire, async ({ dial }) => {
        const client = dial();
        for (const method of [GET, VERSION]) {
          const call = await client.call(method);
          call.request();
          call.request(GARBAGE);
          call.halfClose();
          await call.end();
          assert.equal(call.status, 0);
        }
      }));

    for (const method of [GET, VERSION]) {
      it(`refuses a request of ${method} that it cannot decode`, () =>
        withFake(wire, async ({ fake, dial }) => {
          fake.push(...alerts(1));
          const call = await dial().call(method);
          call.request(GARBAGE);
          call.halfClose();
          await call.end();
          assertTrailersOnly(call, 13, "Unable to parse request");
          assert.equal(fake.queueDepth, 1);
        }));

      it(`refuses ${method} without a request`, () =>
        withFake(wire, async ({ dial }) => {
          const call = await dial().call(method);
          call.halfClose();
          await call.end();
          assertTrailersOnly(call, 13, "Unable to parse request");
        }));

      it(`accepts unknown fields in a request of ${method}`, () =>
        withFake(wire, async ({ dial }) => {
          const call = await dial().call(method);
          call.request(new Uint8Array([0x08, 0x01, 0xfa, 0x07, 0x02, 0x68, 0x69]));
          call.halfClose();
          await call.end();
          assert.equal(call.status, 0);
        }));
    }

    it("takes a request that comes byte by byte for one", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const call = await client.sub();
        for (const byte of [0, 0, 0, 0, 2, 0x08, 0x01]) {
          call.raw(new Uint8Array([byte]));
          await client.roundTrip();
        }
        await client.until("it was read", () => fake.requests[0]?.requests === 1);
      }));

    for (
      const path of [
        "falco.outputs.service/subscribe",
        "falco.outputs.service/Sub",
        "falco.outputs.service/sub/",
        "falco.output.service/subscribe", // Falco before 0.24
        "grpc.health.v1.Health/Check",
        "grpc.health.v1.Health/Watch",
        "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        "",
      ]
    ) {
      it(`answers /${path} with "unimplemented" and no words, trailers-only`, () =>
        withFake(wire, async ({ fake, dial }) => {
          fake.push(...alerts(1));
          const client = dial();
          const call = await client.call(path);
          call.request();
          await call.end();
          assertTrailersOnly(call, 12);
          assert.equal(fake.queueDepth, 1);
          const { method, requests } = fake.requests[0]!;
          assert.equal(method, path);
          assert.ok(requests <= 1);
        }));
    }

    for (
      const { name, headers } of [
        { name: "GET", headers: { ":method": "GET" } },
        { name: "PUT", headers: { ":method": "PUT" } },
        { name: "a call without te", headers: { te: undefined } },
      ]
    ) {
      it(`answers ${name} with status 2 over HTTP 200, and takes no alert for it`, () =>
        withFake(wire, async ({ fake, dial }) => {
          fake.push(...alerts(1));
          const client = dial();
          for (const method of [SUB, GET, VERSION]) {
            const call = await client.call(method, headers);
            call.halfClose();
            await call.end();
            assertTrailersOnly(call, 2);
          }
          assert.equal(fake.queueDepth, 1);
        }));
    }

    for (
      const headers of [
        { "content-type": "application/grpc+proto" },
        { "content-type": "application/json" },
        { "content-type": "text/html; charset=utf-8" },
        { "content-type": undefined },
        { ":authority": "localhost" },
        { ":authority": "%2Frun%2Ffalco%2Ffalco.sock" },
        { ":authority": "falco.example:5060" },
        { ":authority": undefined, host: "falco.example" },
        { "grpc-encoding": "gzip" },
        { "grpc-encoding": "nonsense" },
        { "grpc-timeout": "10S", "user-agent": "grpc-c++/1.51.1" },
        { session_id: "1", request_id: "2" },
      ]
    ) {
      it(`accepts ${JSON.stringify(headers, (_, value) => value ?? null)}`, () =>
        withFake(wire, async ({ fake, dial }) => {
          fake.push(...alerts(1, 2));
          const client = dial();
          const sub = await client.call(SUB, headers);
          sub.request();
          assert.deepEqual(await sub.read(2), rules(1, 2));
          fake.push(...alerts(3));
          const get = await client.call(GET, headers);
          get.request();
          get.halfClose();
          await get.end();
          assert.deepEqual([get.status, get.here()], [0, rules(3)]);
        }));
    }

    it("serves many calls on one connection", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const subs = await Promise.all(Array.from({ length: 200 }, () => client.sub()));
        await client.roundTrip();
        assert.equal(fake.requests.filter(({ method }) => method === SUB).length, 200);
        assert.equal(fake.connections, 1);
        for (const [index, sub] of subs.entries()) {
          fake.push(...alerts(index));
          sub.request();
          assert.deepEqual(await sub.read(1), rules(index));
        }
      }, { threadiness: 20 }));

    it("sends an alert of any size, and does not compress it", () =>
      withFake(wire, async ({ fake, dial }) => {
        const output = "x".repeat(5 * 1024 * 1024);
        fake.push(buildAlert({ rule: "a1", output }));
        const get = await dial().call(GET);
        get.request();
        get.halfClose();
        const [bytes] = await get.readBytes(1);
        assert.ok(bytes!.length > output.length);
        await get.end();
        assert.equal(get.status, 0);
      }));

    it("forgets a client that breaks the connection in the middle of a drain", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1, 5_000));
        const rude = dial();
        const sub = await rude.sub();
        sub.pause();
        sub.request();
        await dial().until("the drain has begun", () => fake.queueDepth < 5_000);
        await rude.close();
        await until("it is gone", () => fake.connections === 1 && !fake.requests[0]!.open);
        const { queueDepth } = fake;
        assert.ok(queueDepth > 0);
        assert.equal((await dial().get()).length, queueDepth);
      }));
  });
}
