import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ClientHttp2Session } from "node:http2";
import { FakeClock } from "../harness/fake_clock.ts";
import { alerts, rules, wires, withFake } from "./fake_falco_clients.ts";
import type { BareClient } from "./fake_falco_clients.ts";
import { until } from "./waits.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Sends a PING: whether it was answered. */
async function ping(session: ClientHttp2Session): Promise<boolean> {
  return await new Promise((resolve) => {
    if (session.closed || session.destroyed) return resolve(false);
    const end = (answered: boolean): void => {
      session.off("close", onClose);
      resolve(answered);
    };
    const onClose = (): void => end(false);
    session.once("close", onClose);
    if (!session.ping((error) => end(error === null))) end(false);
  });
}

/** Listens to GOAWAY. */
async function goaways(client: BareClient): Promise<{ code: number; text: string }[]> {
  const heard: { code: number; text: string }[] = [];
  (await client.session()).on("goaway", (code, _, data) => {
    heard.push({ code, text: new TextDecoder().decode(data ?? new Uint8Array()) });
  });
  return heard;
}

for (const wire of wires) {
  // Over TLS the client has sent one already: it is how it learns that it was let in.
  const first = wire.name === "TLS" ? 1 : 0;

  describe(`FakeFalco: PINGs over ${wire.name}`, () => {
    for (const interval of [0, SECOND, 12 * SECOND, 299 * SECOND]) {
      it(`closes at the 4th, ${interval / SECOND} s apart, on an idle call`, async () => {
        const clock = new FakeClock();
        await withFake(wire, async ({ fake, dial }) => {
          const client = dial();
          const heard = await goaways(client);
          const sub = await client.sub(1);
          await until("it was read", () => fake.requests[0]?.requests === 1);
          const session = await client.session();
          for (let count = 1; count <= 3; count++) {
            clock.advance(interval);
            assert.equal(await ping(session), true, `PING ${count}`);
          }
          assert.equal(fake.violations()[0]?.kind, "ping-abuse");
          clock.advance(interval);
          void ping(session);
          await sub.end();
          await until("it is gone", () => fake.connections === 0);
          assert.equal(sub.status, undefined);
          assert.deepEqual(heard, [{ code: 11, text: "too_many_pings" }]);
        }, { clock });
      });
    }

    it("sends none of its own, and keeps an idle connection for days", async () => {
      const clock = new FakeClock();
      await withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        let heard = 0;
        (await client.session()).on("ping", () => heard++);
        const sub = await client.sub(1);
        await until("it was read", () => fake.requests[0]?.requests === 1);
        await clock.advance(3 * 24 * HOUR);
        fake.push(...alerts(1));
        sub.request();
        assert.deepEqual(await sub.read(1), rules(1));
        assert.deepEqual([heard, fake.connections], [0, 1]);
        await fake.settle(); // a PING, which no Falco sends: this client would have heard one
        assert.ok(heard > 0);
      }, { clock });
    });

    it("allows one each 300 s while a call is open", async () => {
      const clock = new FakeClock();
      await withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        await client.sub(1);
        await until("it was read", () => fake.requests[0]?.requests === 1);
        const session = await client.session();
        for (let count = 0; count < 10; count++) {
          assert.equal(await ping(session), true);
          clock.advance(300 * SECOND);
        }
        assert.deepEqual(fake.violations(), []);
      }, { clock });
    });

    it("allows one each two hours where no call is open", async () => {
      const clock = new FakeClock();
      await withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const session = await client.session();
        clock.advance(2 * HOUR);
        for (let count = 0; count < 5; count++) {
          assert.equal(await ping(session), true);
          clock.advance(2 * HOUR);
        }
        assert.deepEqual(fake.violations(), []);
        for (let count = 0; count < 3; count++) {
          assert.equal(await ping(session), true);
          clock.advance(HOUR);
        }
        void ping(session);
        await until("it is gone", () => fake.connections === 0);
      }, { clock });
    });

    it("starts to count anew with each request", async () => {
      const clock = new FakeClock();
      await withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const sub = await client.sub();
        const session = await client.session();
        for (let count = 1; count <= 12; count++) {
          sub.request();
          await until("it was read", () => fake.requests[0]?.requests === count);
          assert.equal(await ping(session), true);
          clock.advance(2 * SECOND);
        }
        assert.deepEqual(fake.violations().map(({ kind }) => kind), []);
      }, { clock });
    });

    it("starts to count anew with each alert", async () => {
      const clock = new FakeClock();
      await withFake(wire, async ({ fake, dial }) => {
        const [client, other] = [dial(), dial()];
        fake.push(...alerts(1, 4_000));
        const sub = await client.sub();
        sub.pause();
        sub.request();
        await other.until("the drain has begun", () => fake.queueDepth < 4_000);
        const session = await client.session();
        const { queueDepth } = fake;
        for (let count = 1 + first; count <= 3; count++) await ping(session);
        assert.equal(fake.queueDepth, queueDepth);
        sub.resume();
        assert.deepEqual(await sub.read(4_000), rules(1, 4_000));
        for (let count = 1; count <= 3; count++) assert.equal(await ping(session), true);
      }, { clock });
    });

    it("judges each connection by itself", async () => {
      const clock = new FakeClock();
      await withFake(wire, async ({ fake, dial }) => {
        const clients = [dial(), dial()];
        for (const client of clients) {
          await client.sub(1);
          const session = await client.session();
          for (let count = 1; count <= 3; count++) assert.equal(await ping(session), true);
        }
        assert.equal(fake.connections, 2);
      }, { clock });
    });
  });
}
