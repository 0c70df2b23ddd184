import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { dirname } from "node:path";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { FalcoClosedError } from "../lib/errors.ts";
import {
  alerts,
  exists,
  GET,
  isRefused,
  isSettled,
  rules,
  socketPath,
  SUB,
  VERSION,
  wires,
  withFake,
} from "./fake_falco_clients.ts";
import { until, within } from "./waits.ts";

for (const wire of wires) {
  describe(`FakeFalco.reload() over ${wire.name}`, () => {
    it("keeps the queue and the address, and closes connections", () =>
      withFake(wire, async ({ fake, dial }) => {
        const { address } = fake;
        fake.push(...alerts(1, 500));
        const before = dial();
        await before.roundTrip();
        const session = await before.session();
        await within("the reload", fake.reload());
        assert.equal(session.closed, true);
        assert.equal(fake.address, address);
        fake.push(...alerts(501, 1_000));
        assert.deepEqual(await dial().get(), rules(1, 1_000));
      }));

    it("waits for an idle sub, whose next request is answered with OK", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const sub = await client.sub(1);
        await client.until("the request was read", () => fake.requests[0]?.requests === 1);
        const reloaded = fake.reload();
        assert.equal(await isSettled(reloaded), false);
        await until("connections are refused", () => isRefused(dial()));
        assert.equal(await isSettled(reloaded), false);
        fake.push(...alerts(1, 3));
        assert.equal(fake.queueDepth, 3);
        sub.request();
        await sub.end();
        assert.deepEqual([sub.status, sub.here()], [0, []]);
        await within("the reload", reloaded);
        // The one that was taken out at that moment is lost, as at any stop.
        assert.deepEqual(await client.get(), rules(2, 3));
      }));

    it("keeps the record of calls", () =>
      withFake(wire, async ({ fake, dial }) => {
        const before = dial();
        await before.get();
        const sub = await before.sub(1);
        await before.until("the request was read", () => fake.requests[1]?.requests === 1);
        const reloaded = fake.reload();
        sub.cancel();
        await within("the reload", reloaded);
        await dial().get();
        const methods = fake.requests.map(({ method }) => method);
        assert.deepEqual(methods.slice(0, 2), [GET, SUB]);
        assert.equal(methods.at(-1), GET);
        assert.ok(methods.slice(2, -1).every((method) => method === VERSION));
        assert.ok(fake.requests.slice(0, -1).every(({ open }) => !open));
      }));

    it("can be done again and again", () =>
      withFake(wire, async ({ fake, dial }) => {
        for (let round = 1; round <= 3; round++) {
          fake.push(...alerts(round));
          await within("the reload", fake.reload());
          assert.deepEqual(await dial().get(), rules(round));
        }
      }));

    it("is one reload however often it is asked for at once", () =>
      withFake(wire, async ({ fake, dial }) => {
        await within("the reloads", Promise.all([fake.reload(), fake.reload(), fake.reload()]));
        await dial().roundTrip();
        assert.equal(fake.connections, 1);
      }));

    for (const end of ["stop", "kill"] as const) {
      it(`comes to nothing if ${end}() is called while it waits`, () =>
        withFake(wire, async ({ fake, dial }) => {
          const client = dial();
          const sub = await client.sub();
          await client.roundTrip();
          const reloaded = fake.reload();
          const ended = fake[end]();
          sub.cancel();
          await within("the end", ended);
          await assert.rejects(reloaded, FalcoClosedError);
          await assert.rejects(dial().session(), { name: "FalcoConnectError" });
        }));

      it(`leaves nothing behind if ${end}() is called while it opens`, async () => {
        // Without clients a server is gone in a moment, and the next one is on its way: one of
        // these turns of the event loop is in the middle of it.
        for (let turns = 0; turns < 20; turns++) {
          await withFake(wire, async ({ fake, dial }) => {
            const path = socketPath(fake);
            const reloaded = fake.reload();
            for (let turn = 0; turn < turns; turn++) await setImmediate();
            await within("the end", fake[end]());
            // Too late to come to nothing, or not.
            await reloaded.catch((error) => assert.ok(error instanceof FalcoClosedError));
            await assert.rejects(dial().session(), { name: "FalcoConnectError" });
            if (path === undefined) return;
            if (end === "stop") assert.equal(await exists(dirname(path)), false);
            else assert.ok((await readdir(dirname(path))).length <= 1);
          });
        }
      });

      it(`rejects after ${end}()`, () =>
        withFake(wire, async ({ fake }) => {
          await fake[end]();
          await assert.rejects(fake.reload(), {
            name: "FalcoClosedError",
            message: "Cannot reload: this fake Falco has been stopped",
          });
        }));
    }
  });
}
