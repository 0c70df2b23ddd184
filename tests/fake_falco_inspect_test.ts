import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect as connectTls } from "node:tls";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import type { ViolationKind } from "../harness/violation.ts";
import {
  alerts,
  BareClient,
  GARBAGE,
  GET,
  rules,
  SUB,
  VERSION,
  wires,
  withFake,
} from "./fake_falco_clients.ts";
import type { Scene } from "./fake_falco_clients.ts";
import { until, within } from "./waits.ts";

const [unix, tls] = wires;

/** What a client can do wrong, and what is said of it. */
const misdeeds: readonly {
  readonly kind: ViolationKind;
  readonly count?: number;
  readonly message: RegExp;
  readonly threadiness?: number;
  act(scene: Scene): Promise<unknown>;
}[] = [
  {
    kind: "never-pulled",
    message:
      /^A call of falco\.outputs\.service\/sub was sent no request while alerts waited \(2\)$/,
    async act({ fake, dial }) {
      fake.push(...alerts(1, 2));
      const client = dial();
      await client.sub();
      await client.roundTrip();
    },
  },
  {
    kind: "never-pulled",
    message: /sent no request/,
    async act({ fake, dial }) {
      fake.push(...alerts(1));
      const client = dial();
      const sub = await client.sub();
      await client.roundTrip();
      sub.cancel();
      await client.until("it ended", () => fake.requests[0]?.open === false);
    },
  },
  {
    kind: "pulled-too-fast",
    message: /sent more than 100 requests within 1000 ms that found no alert$/,
    async act({ fake, dial }) {
      const client = dial();
      await client.sub(101);
      await client.until("all came", () => fake.requests[0]?.requests === 101);
    },
  },
  {
    kind: "competing-consumers",
    message: /^A call of falco\.outputs\.service\/sub drains the queue while another/,
    async act({ fake, dial }) {
      const client = dial();
      await client.sub(1);
      await dial().sub(1);
      await client.until("both came", () => fake.requests[1]?.requests === 1);
    },
  },
  {
    kind: "competing-consumers",
    message: /^A call of falco\.outputs\.service\/get drains the queue while another/,
    async act({ fake, dial }) {
      const client = dial();
      await client.sub(1);
      await fake.waitForSubscriber();
      await client.get();
    },
  },
  {
    kind: "half-closed",
    message: /was half-closed$/,
    async act({ fake, dial }) {
      const client = dial();
      (await client.sub(1)).halfClose();
      await client.until("it came", () => fake.requests[0]?.halfClosed === true);
    },
  },
  {
    kind: "undecodable",
    message: /^A request of falco\.outputs\.service\/get is no message that can be decoded$/,
    async act({ dial }) {
      const call = await dial().call(GET);
      call.raw(new Uint8Array([7, 0, 0, 0, 0]));
      await call.end();
    },
  },
  {
    kind: "request-not-empty",
    count: 2,
    message: /^A request of falco\.version\.service\/version holds 2 bytes$/,
    async act({ dial }) {
      const client = dial();
      for (let time = 0; time < 2; time++) {
        const call = await client.call(VERSION);
        call.request(new Uint8Array([0x08, 0x01]));
        await call.end();
      }
    },
  },
  {
    kind: "unknown-method",
    message: /^There is no method "falco\.outputs\.service\/Sub"$/,
    async act({ dial }) {
      await (await dial().call("falco.outputs.service/Sub")).end();
    },
  },
  {
    kind: "refused-headers",
    message: /^A call of falco\.outputs\.service\/get has headers that are refused$/,
    async act({ dial }) {
      await (await dial().call(GET, { te: undefined })).end();
    },
  },
  {
    kind: "no-slot",
    message: /^A call of falco\.outputs\.service\/sub came while all slots were taken$/,
    threadiness: 1,
    async act({ fake, dial }) {
      const client = dial();
      for (let index = 0; index < 11; index++) await client.sub();
      await client.until("all came", () => fake.requests.length >= 11);
    },
  },
  {
    kind: "cancelled-mid-drain",
    message: /ended while alerts were on their way to it$/,
    async act({ fake, dial }) {
      fake.push(...alerts(1, 5_000));
      const client = dial();
      const sub = await client.sub();
      sub.pause();
      sub.request();
      await dial().until("the drain has begun", () => fake.queueDepth < 5_000);
      sub.cancel();
      await until("it ended", () => fake.requests[0]?.open === false);
    },
  },
];

for (const wire of wires) {
  describe(`FakeFalco.violations() over ${wire.name}`, () => {
    for (const [index, misdeed] of misdeeds.entries()) {
      const { kind, count = 1, message, threadiness, act } = misdeed;
      it(`has ${kind} with what Falco does about it (${index})`, () =>
        withFake(wire, async (scene) => {
          assert.deepEqual(scene.fake.violations(), []);
          await act(scene);
          const found = scene.fake.violations();
          assert.deepEqual(found.map((violation) => [violation.kind, violation.count]), [
            [kind, count],
          ]);
          assert.match(found[0]!.message, message);
          assert.match(found[0]!.fact, /Falco/);
        }, threadiness === undefined ? {} : { threadiness }));
    }

    it("is empty for a client that does all well", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const sub = await client.sub(1);
        await client.until("it came", () => fake.requests[0]?.requests === 1);
        for (let index = 1; index <= 5; index++) {
          fake.push(...alerts(index));
          sub.request();
          await sub.read(1);
        }
        await client.roundTrip();
        sub.cancel();
        await client.until("it ended", () => fake.requests[0]?.open === false);
        assert.equal((await client.get()).length, 0);
        assert.deepEqual(fake.violations(), []);
      }));

    it("is forgotten by reset(), with the queue and closed calls, but no open one", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        await client.sub(101);
        await client.until("all came", () => fake.requests[0]?.requests === 101);
        await client.roundTrip();
        fake.push(...alerts(1));
        const emptied = fake.drained();
        assert.equal(fake.violations().length, 1);
        fake.reset();
        await within("drained()", emptied);
        assert.deepEqual([fake.violations(), fake.queueDepth], [[], 0]);
        await client.until("closed ones are gone", () => fake.requests[0]?.method === SUB);
        assert.equal(fake.requests[0]!.open, true);
        assert.equal(fake.connections, 1);
      }));
  });

  describe(`FakeFalco.waitForSubscriber() over ${wire.name}`, () => {
    it("waits for a sub that has asked, and tells which", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const found = fake.waitForSubscriber();
        await client.get();
        const sub = await client.sub();
        await client.roundTrip();
        assert.equal(await Promise.race([found, client.roundTrip()]), undefined);
        sub.request();
        const { method, requests } = await within("the subscriber", found);
        assert.deepEqual([method, requests], [SUB, 1]);
        assert.equal((await fake.waitForSubscriber()).method, SUB);
      }));

    it("gives up in time, at its signal, and when the fake is stopped", () =>
      withFake(wire, async ({ fake }) => {
        await assert.rejects(fake.waitForSubscriber({ timeoutMs: 1 }), {
          name: "FalcoError",
          message: "Cannot wait for a subscriber any longer: 1 ms passed",
        });
        const reason = new Error("enough");
        await assert.rejects(fake.waitForSubscriber({ signal: AbortSignal.abort(reason) }), reason);
        const controller = new AbortController();
        const waiting = fake.waitForSubscriber({ signal: controller.signal });
        controller.abort(reason);
        await assert.rejects(waiting, reason);
        const stopped = assert.rejects(fake.waitForSubscriber(), { name: "FalcoClosedError" });
        await fake.stop();
        await stopped;
      }));
  });

  describe(`FakeFalco.settle() over ${wire.name}`, () => {
    it("resolves when all that was sent has arrived and been dealt with", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        fake.push(...alerts(1, 500));
        const sub = await client.sub(1);
        await fake.waitForSubscriber();
        await fake.settle();
        assert.deepEqual(sub.here(), rules(1, 500));
        sub.request();
        sub.request();
        await fake.settle();
        assert.equal(fake.requests[0]!.emptyPulls, 2);
      }));

    it("resolves without clients, after kill(), and with a drain that is stuck", () =>
      withFake(wire, async ({ fake, dial }) => {
        await fake.settle();
        fake.push(...alerts(1, 5_000));
        const sub = await dial().sub();
        sub.pause();
        sub.request();
        await within("settle()", fake.settle());
        sub.cancel();
        await fake.kill();
        await within("settle()", fake.settle());
      }));
  });

  describe(`FakeFalco.endSource() over ${wire.name}`, () => {
    it("drops the queue, and ends the call that asks after it with OK", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const sub = await client.sub(1);
        await fake.waitForSubscriber();
        fake.push(...alerts(1, 50));
        const lost = assert.rejects(fake.drained(), { name: "FalcoClosedError" });
        const ended = fake.endSource();
        await lost;
        assert.equal(fake.queueDepth, 0);
        sub.request();
        await sub.end();
        assert.deepEqual([sub.status, sub.here()], [0, []]);
        await within("the end", ended);
        assert.equal(fake.stop(), ended);
      }));
  });
}

describe("FakeFalco.violations()", () => {
  it("has handshake-failed for a client without a certificate", () =>
    withFake(tls!, async ({ fake }) => {
      const { port } = new URL(fake.address);
      const socket = connectTls({
        port: Number(port),
        host: "127.0.0.1",
        servername: "localhost",
        ca: fake.credentials!.ca as string,
        ALPNProtocols: ["h2"],
        minVersion: "TLSv1.2",
        maxVersion: "TLSv1.2",
      });
      await new Promise<void>((resolve) => {
        socket.on("error", () => {});
        socket.on("close", () => resolve());
      });
      await until("it is known", () => fake.violations().length > 0);
      assert.equal(fake.violations()[0]?.kind, "handshake-failed");
    }));

  it("allows a request each 10 ms for ever", async () => {
    const clock = new FakeClock();
    await withFake(unix!, async ({ fake, dial }) => {
      const client = dial();
      const sub = await client.sub();
      for (let count = 1; count <= 250; count++) {
        sub.request();
        await until("it came", () => fake.requests[0]?.requests === count);
        clock.advance(10);
      }
      assert.deepEqual(fake.violations(), []);
    }, { clock });
  });

  it("does not blame clients for kill()", () =>
    withFake(unix!, async ({ fake, dial }) => {
      fake.push(...alerts(1, 5_000));
      const sub = await dial().sub();
      sub.pause();
      sub.request();
      await until("the drain has begun", () => fake.queueDepth < 5_000);
      await fake.kill();
      await until("it ended", () => fake.requests[0]?.open === false);
      assert.deepEqual(fake.violations(), []);
    }));

  it("fails the disposal of a strict fake, and of no other", async () => {
    for (const strict of [true, false]) {
      const fake = await FakeFalco.start({ strict, tls: false });
      const client = new BareClient(fake);
      try {
        await (await client.call("x/y")).end();
        await client.roundTrip();
      } finally {
        await client.close();
      }
      const disposed = fake[Symbol.asyncDispose]();
      if (!strict) await disposed;
      else {
        await assert.rejects(disposed, {
          name: "FalcoError",
          message: 'Cannot dispose of the strict fake Falco: There is no method "x/y". ' +
            "Falco answers with status 12 (unimplemented) and no words",
        });
      }
    }
  });

  it("lets a strict fake go that has seen nothing wrong", async () => {
    const fake = await FakeFalco.start({ strict: true });
    fake.push(buildAlert());
    await fake[Symbol.asyncDispose]();
  });
});

describe("FakeFalco with a request that cannot be decoded", () => {
  it("says so of sub as well", () =>
    withFake(unix!, async ({ fake, dial }) => {
      const client = dial();
      const sub = await client.sub();
      sub.request(GARBAGE);
      await client.until("it came", () => fake.requests[0]?.requests === 1);
      const kinds = fake.violations().map(({ kind }) => kind).toSorted();
      assert.deepEqual(kinds, ["request-not-empty", "undecodable"]);
    }));
});
