import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { FalcoClosedError } from "../lib/errors.ts";
import { alerts, GET, isSettled, rules, SUB, wires, withFake } from "./fake_falco_clients.ts";

for (const wire of wires) {
  describe(`FakeFalco: the queue over ${wire.name}`, () => {
    it("is drained by get, in order", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1, 5_000));
        const client = dial();
        assert.deepEqual(await client.get(), rules(1, 5_000));
        assert.equal(fake.queueDepth, 0);
        assert.deepEqual(await client.get(), []);
      }));

    it("gives get what is pushed while it drains, too", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1, 5_000));
        const get = await dial().call(GET);
        get.pause();
        get.request();
        get.halfClose();
        await dial().until("the drain has begun", () => fake.queueDepth < 5_000);
        fake.push(...alerts(5_001, 5_003));
        get.resume();
        await get.end();
        assert.deepEqual([get.status, get.here()], [0, rules(1, 5_003)]);
      }));

    it("is shared by sub and get", () =>
      withFake(wire, async ({ fake, dial }) => {
        const [one, two] = [dial(), dial()];
        const sub = await one.sub();
        fake.push(...alerts(1, 3));
        assert.deepEqual(await two.get(), rules(1, 3));
        fake.push(...alerts(4, 5));
        sub.request();
        assert.deepEqual(await sub.read(2), rules(4, 5));
        fake.push(...alerts(6));
        assert.deepEqual(await one.get(), rules(6));
        await one.roundTrip();
        assert.deepEqual(sub.here(), []);
      }));

    it("goes to get although an idle sub has asked before", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        await client.sub(1);
        await client.until("it was read", () => fake.requests[0]?.requests === 1);
        fake.push(...alerts(1, 3));
        assert.deepEqual(await client.get(), rules(1, 3));
      }));

    for (const method of [SUB, GET]) {
      it(`keeps the alerts while the reader of ${method} is slow`, () =>
        withFake(wire, async ({ fake, dial }) => {
          const count = 10_000;
          const output = "x".repeat(1_000);
          fake.push(...rules(1, count).map((rule) => buildAlert({ rule, output })));
          const call = await dial().call(method);
          call.pause();
          call.request();
          const other = dial(); // the first connection may be full
          await other.until("the drain has begun", () => fake.queueDepth < count);
          for (let trip = 0; trip < 20; trip++) await other.roundTrip();
          // What one HTTP/2 window (64 KiB) and the buffers of one stream hold, of 10 MB.
          const inFlight = count - fake.queueDepth;
          assert.ok(inFlight < 1_000, `${inFlight} alerts are on their way`);
          const recorded = fake.requests.find((recorded) => recorded.method === method);
          assert.equal(recorded?.alerts, inFlight);
          call.resume();
          assert.deepEqual(await call.read(count), rules(1, count));
          assert.equal(fake.queueDepth, 0);
        }));
    }

    it("loses what was sent to a reader that cancels, and nothing else", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1, 5_000));
        const sub = await dial().sub();
        sub.pause();
        sub.request();
        const client = dial();
        await client.until("the drain has begun", () => fake.queueDepth < 5_000);
        sub.cancel();
        await client.until("it has ended", () => !fake.requests[0]!.open);
        const { queueDepth } = fake;
        assert.ok(queueDepth > 0);
        assert.deepEqual(await client.get(), rules(5_001 - queueDepth, 5_000));
        assert.equal(fake.requests[0]!.alerts, 5_000 - queueDepth);
      }));
  });
}

describe("FakeFalco.push()", () => {
  const [wire] = wires;

  it("counts in queueDepth, whether alerts come one by one or many at once", () =>
    withFake(wire!, ({ fake }) => {
      assert.equal(fake.queueDepth, 0);
      fake.push();
      assert.equal(fake.queueDepth, 0);
      fake.push(...alerts(1));
      fake.push(...alerts(2, 4));
      assert.equal(fake.queueDepth, 4);
      return Promise.resolve();
    }));

  it("keeps its alerts as they were, whatever becomes of the objects", () =>
    withFake(wire!, async ({ fake, dial }) => {
      const alert = { ...buildAlert({ rule: "before" }) };
      fake.push(alert);
      alert.rule = "after";
      assert.deepEqual(await dial().get(), ["before"]);
    }));

  it("throws once the fake is stopped or killed", async () => {
    for (const end of ["stop", "kill"] as const) {
      await withFake(wire!, async ({ fake }) => {
        const ended = fake[end]();
        const expected = {
          name: "FalcoClosedError",
          message: "Cannot push an alert: this fake Falco has been stopped",
        };
        assert.throws(() => fake.push(...alerts(1)), expected);
        await ended;
        assert.throws(() => fake.push(...alerts(1)), expected);
        assert.equal(fake.queueDepth, 0);
      });
    }
  });
});

describe("FakeFalco.drained()", () => {
  const [wire] = wires;

  it("resolves at once if the queue is empty", () =>
    withFake(wire!, async ({ fake }) => {
      await fake.drained();
    }));

  it("resolves when the last alert is taken, and not before", () =>
    withFake(wire!, async ({ fake, dial }) => {
      fake.push(...alerts(1, 5_000));
      const drained = fake.drained();
      const sub = await dial().sub();
      sub.pause();
      sub.request();
      await dial().until("the drain has begun", () => fake.queueDepth < 5_000);
      assert.equal(await isSettled(drained), false);
      sub.resume();
      await sub.read(5_000);
      await drained;
    }));

  it("rejects with the reason of its signal", () =>
    withFake(wire!, async ({ fake }) => {
      fake.push(...alerts(1));
      const controller = new AbortController();
      const drained = fake.drained(controller.signal);
      const reason = new Error("enough");
      controller.abort(reason);
      await assert.rejects(drained, reason);
      await assert.rejects(fake.drained(controller.signal), reason);
      assert.equal(fake.queueDepth, 1);
    }));

  it("has no part in another wait whose signal has fired", () =>
    withFake(wire!, async ({ fake, dial }) => {
      fake.push(...alerts(1, 2));
      const controller = new AbortController();
      const given = fake.drained(controller.signal);
      const kept = fake.drained();
      controller.abort();
      await assert.rejects(given, { name: "AbortError" });
      assert.equal(await isSettled(kept), false);
      await dial().get();
      await kept;
    }));

  for (const end of ["stop", "kill"] as const) {
    it(`rejects at ${end}(), as nobody will read the rest`, () =>
      withFake(wire!, async ({ fake }) => {
        fake.push(...alerts(1));
        const drained = fake.drained(new AbortController().signal);
        const alone = fake.drained();
        const checks = [drained, alone].map((one) => assert.rejects(one, FalcoClosedError));
        await fake[end]();
        await Promise.all(checks);
        await assert.rejects(fake.drained(), FalcoClosedError);
      }));
  }
});
