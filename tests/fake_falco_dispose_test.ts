import assert from "node:assert/strict";
import { dirname } from "node:path";
import { describe, it } from "node:test";
import type { FakeFalco } from "../harness/fake_falco.ts";
import {
  alerts,
  BareClient,
  exists,
  GET,
  rules,
  socketPath,
  SUB,
  VERSION,
  wires,
  withFake,
} from "./fake_falco_clients.ts";
import { until, within } from "./waits.ts";

/** Disposes, as `await using` does. */
function dispose(fake: FakeFalco): Promise<void> {
  return within("disposal", fake[Symbol.asyncDispose]());
}

for (const wire of wires) {
  describe(`FakeFalco[Symbol.asyncDispose]() over ${wire.name}`, () => {
    it("ends the fake and removes its private folder", async () => {
      const fake = await wire.start();
      const path = socketPath(fake);
      fake.push(...alerts(1));
      await dispose(fake);
      const client = new BareClient(fake);
      await assert.rejects(client.session(), { name: "FalcoConnectError" });
      await client.close();
      if (path !== undefined) assert.equal(await exists(dirname(path)), false);
    });

    it("breaks idle connections without complaint", async () => {
      const fake = await wire.start();
      const client = new BareClient(fake);
      try {
        await client.roundTrip();
        await dispose(fake);
        assert.equal(fake.connections, 0);
      } finally {
        await client.close();
      }
    });

    it("names the calls that the client left open, and closes all the same", async () => {
      const fake = await wire.start();
      const path = socketPath(fake);
      const client = new BareClient(fake);
      try {
        const subs = [await client.sub(1), await client.sub()];
        const get = await client.call(GET);
        await client.until("all are there", () => fake.requests.length >= 3);
        await assert.rejects(dispose(fake), {
          name: "FalcoError",
          message: "Cannot dispose of the fake Falco in order: clients left calls open " +
            `(${SUB}, ${SUB}, ${GET}). Close them or cancel their streams first`,
        });
        for (const call of [...subs, get]) {
          await call.end();
          assert.equal(call.status, undefined);
        }
        assert.equal(fake.connections, 0);
        if (path !== undefined) assert.equal(await exists(dirname(path)), false);
      } finally {
        await client.close();
      }
    });

    it("does not complain of a client that has just hung up", async () => {
      for (let round = 0; round < 5; round++) {
        const fake = await wire.start();
        const client = new BareClient(fake);
        await client.sub(1);
        await client.roundTrip();
        await client.close();
        await dispose(fake); // whether or not the news has come
      }
    });

    it("does not complain of calls that are cancelled while it looks", async () => {
      const fake = await wire.start();
      const client = new BareClient(fake);
      try {
        const subs = [await client.sub(1), await client.sub(1)];
        await client.roundTrip();
        const disposed = dispose(fake);
        for (const sub of subs) sub.cancel();
        await disposed;
      } finally {
        await client.close();
      }
    });

    it("does nothing more after stop(), or when called again", async () => {
      const fake = await wire.start();
      await fake.stop();
      await dispose(fake);
      await dispose(fake);
    });

    it("ends a stop() that still waits, without complaint", async () => {
      const fake = await wire.start();
      const client = new BareClient(fake);
      try {
        const sub = await client.sub(1);
        await client.roundTrip();
        const stopped = fake.stop();
        await dispose(fake);
        await within("the end", stopped);
        await sub.end();
        assert.equal(sub.status, undefined);
      } finally {
        await client.close();
      }
    });
  });

  describe(`FakeFalco: what it tells over ${wire.name}`, () => {
    it("counts connections as they come and go", () =>
      withFake(wire, async ({ fake, dial }) => {
        assert.equal(fake.connections, 0);
        const [one, two] = [dial(), dial()];
        await one.roundTrip();
        assert.equal(fake.connections, 1);
        await two.roundTrip();
        await two.sub();
        assert.equal(fake.connections, 2);
        await one.close();
        await until("one is gone", () => fake.connections === 1);
        await two.close();
        await until("both are gone", () => fake.connections === 0);
      }));

    it("records each call: its method, requests, alerts, and how it stands", () =>
      withFake(wire, async ({ fake, dial }) => {
        assert.deepEqual(fake.requests, []);
        const client = dial();
        fake.push(...alerts(1, 3));
        const sub = await client.sub(2);
        await sub.read(3);
        const version = await client.call(VERSION);
        version.request();
        version.halfClose();
        await version.end();
        fake.push(...alerts(4, 5));
        assert.deepEqual(await client.get(), rules(4, 5));
        sub.halfClose();
        await until("the half-close came", () => fake.requests[0]!.halfClosed);
        await until("the others ended", () => fake.requests.slice(1).every(({ open }) => !open));
        const common = { connection: 1, emptyPulls: 0, halfClosed: true, waiting: false };
        assert.deepEqual(fake.requests, [
          {
            ...common,
            method: SUB,
            requests: 2,
            emptyPulls: 1,
            alerts: 3,
            open: true,
            status: undefined,
          },
          {
            ...common,
            method: VERSION,
            requests: 1,
            alerts: 0,
            open: false,
            status: 0,
          },
          {
            ...common,
            method: GET,
            requests: 1,
            alerts: 2,
            open: false,
            status: 0,
          },
        ]);
        sub.cancel();
        await until("sub ended", () => !fake.requests[0]!.open);
      }));

    it("hands out records that stay as they were", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const sub = await client.sub();
        await client.roundTrip();
        const [before] = fake.requests;
        sub.request();
        await client.until("the request was read", () => fake.requests[0]?.requests === 1);
        assert.equal(before?.requests, 0);
      }));
  });
}

describe("FakeFalco.requests", () => {
  const [wire] = wires;

  it("forgets the oldest closed calls beyond 1,000, and no open one", () =>
    withFake(wire!, async ({ fake, dial }) => {
      const client = dial();
      await client.get();
      const sub = await client.sub(1);
      for (let batch = 0; batch < 11; batch++) {
        await Promise.all(Array.from({ length: 100 }, () => client.get()));
      }
      assert.equal(fake.requests.length, 1_000);
      assert.equal(fake.requests[0]?.method, SUB);
      fake.push(...alerts(1));
      sub.request();
      await sub.read(1);
      assert.deepEqual([fake.requests[0]?.requests, fake.requests[0]?.alerts], [2, 1]);
    }));

  it("comes down to 1,000 again after more were open at once", () =>
    withFake(wire!, async ({ fake, dial }) => {
      // On several connections: so many calls cancelled at once on one would pass for an attack.
      const clients = Array.from({ length: 11 }, dial);
      const subs = clients.map((client) => Array.from({ length: 100 }, () => client.sub()));
      const all = await Promise.all(subs.flat());
      for (const client of clients) await client.roundTrip();
      assert.equal(fake.requests.filter(({ open }) => open).length, 1_100);
      for (const sub of all) sub.cancel();
      await until("all are closed", () => fake.requests.every(({ open }) => !open));
      await dial().get();
      assert.equal(fake.requests.length, 1_000);
      assert.equal(fake.requests.at(-1)?.method, GET);
    }));
});
