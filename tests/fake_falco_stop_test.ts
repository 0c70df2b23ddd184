import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import process from "node:process";
import { describe, it } from "node:test";
import { connect as connectTls } from "node:tls";
import { FakeClock } from "../harness/fake_clock.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { makeCertificates } from "../harness/certificates.ts";
import {
  alerts,
  exists,
  isSettled,
  rules,
  socketPath,
  wires,
  withFake,
} from "./fake_falco_clients.ts";
import type { Scene } from "./fake_falco_clients.ts";
import { until, within } from "./waits.ts";

/** Deno's and Bun's own HTTP/2 sends a GOAWAY while the socket is being destroyed. */
const onlyNode = {
  skip: "Deno" in globalThis || "bun" in process.versions ? "the runtime says goodbye" : false,
};

/** That nobody can connect any more. */
async function assertRefused({ fake, dial }: Scene, unix: "not-found" | "refused"): Promise<void> {
  const reason = fake.address.startsWith("unix:") ? unix : "refused";
  await assert.rejects(dial().session(), { name: "FalcoConnectError", reason });
}

/** HTTP/2's opening words: the preface, and SETTINGS without a setting. */
const OPENING = new Uint8Array([
  ...new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  ...[0, 0, 0, 4, 0, 0, 0, 0, 0],
]);

/** Connects, says hello, and never reads a byte. */
async function deafClient(fake: FakeFalco): Promise<Socket> {
  const path = socketPath(fake);
  const { ca, cert, key } = fake.credentials ?? {};
  const socket = path !== undefined ? connect(path) : connectTls({
    port: Number(new URL(fake.address).port),
    host: "127.0.0.1",
    servername: "localhost",
    ALPNProtocols: ["h2"],
    ca: ca as string,
    cert: cert as string,
    key: key as string,
  });
  socket.on("error", () => {});
  await once(socket, path !== undefined ? "connect" : "secureConnect");
  socket.pause();
  socket.write(OPENING);
  return socket;
}

for (const wire of wires) {
  describe(`FakeFalco.stop() over ${wire.name}`, () => {
    it("ends at once without clients, and removes its private folder", () =>
      withFake(wire, async (scene) => {
        const { fake } = scene;
        const path = socketPath(fake);
        await within("the end", fake.stop());
        await assertRefused(scene, "not-found");
        if (path === undefined) return;
        assert.equal(await exists(path), false);
        assert.equal(await exists(path.replace(/\/[^/]*$/, "")), false);
      }));

    it("closes connections without calls", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        await client.roundTrip();
        const session = await client.session();
        const closed = once(session, "close");
        await within("the end", fake.stop());
        await within("the close", closed);
        assert.equal(fake.connections, 0);
      }));

    it("refuses new connections at once, while an idle sub holds it", () =>
      withFake(wire, async (scene) => {
        const { fake, dial } = scene;
        const client = dial();
        const sub = await client.sub(1);
        await client.until("the request was read", () => fake.requests[0]?.requests === 1);
        const stopped = fake.stop();
        const path = socketPath(fake);
        if (path !== undefined) {
          await until("the socket is gone", async () => !await exists(path));
        }
        await assertRefused(scene, "not-found");
        assert.equal(await isSettled(stopped), false);
        assert.deepEqual([sub.status, sub.ended, fake.requests[0]?.open], [undefined, false, true]);
        sub.request();
        await sub.end();
        assert.equal(sub.status, 0);
        await within("the end", stopped);
        assert.deepEqual([fake.connections, fake.requests[0]?.open], [0, false]);
      }));

    it("loses the alert that an idle sub was about to get, and ends that call with OK", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const sub = await client.sub();
        await client.roundTrip();
        fake.push(...alerts(1, 2));
        const stopped = fake.stop();
        sub.request();
        await sub.end();
        assert.deepEqual([sub.status, sub.here()], [0, []]);
        // Falco takes an alert out of the queue before it looks whether it should stop.
        assert.equal(fake.queueDepth, 1);
        await within("the end", stopped);
      }));

    for (const method of ["sub", "get"] as const) {
      it(`ends a ${method} in the middle of a drain, with OK`, () =>
        withFake(wire, async ({ fake, dial }) => {
          fake.push(...alerts(1, 5_000));
          const call = await dial().call(`falco.outputs.service/${method}`);
          call.pause();
          call.request();
          const other = dial();
          await other.until("the drain has begun", () => fake.queueDepth < 5_000);
          await other.close();
          const stopped = fake.stop();
          call.resume();
          await call.end();
          assert.equal(call.status, 0);
          const got = call.here();
          assert.deepEqual(got, rules(1, got.length));
          assert.equal(fake.queueDepth, 5_000 - got.length - 1); // the one is lost
          assert.ok(fake.queueDepth > 0);
          await within("the end", stopped);
        }));
    }

    it("waits for a sub until it is cancelled", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const sub = await client.sub(1);
        await client.until("the request was read", () => fake.requests[0]?.requests === 1);
        const stopped = fake.stop();
        assert.equal(await isSettled(stopped), false);
        sub.cancel();
        await within("the end", stopped);
      }));

    it("waits for a half-closed sub until it is cancelled", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const sub = await client.sub(1);
        sub.halfClose();
        await client.until("it was seen", () => fake.requests[0]?.halfClosed === true);
        const stopped = fake.stop();
        assert.equal(await isSettled(stopped), false);
        assert.equal(sub.ended, false);
        sub.cancel();
        await within("the end", stopped);
      }));

    it("waits for the last of several calls", () =>
      withFake(wire, async ({ fake, dial }) => {
        const [one, two] = [dial(), dial()];
        const subs = [await one.sub(), await one.sub(), await two.sub()];
        await one.roundTrip();
        await two.roundTrip();
        const stopped = fake.stop();
        for (const sub of subs) {
          assert.equal(await isSettled(stopped), false);
          sub.request();
          await sub.end();
          assert.equal(sub.status, 0);
        }
        await within("the end", stopped);
      }));

    it("returns the same promise when called again", () =>
      withFake(wire, async ({ fake }) => {
        const stopped = fake.stop();
        assert.equal(fake.stop(), stopped);
        await stopped;
        assert.equal(fake.stop(), stopped);
      }));

    it("does not wait for a connection on which nobody has said anything", () =>
      withFake(wire, async ({ fake }) => {
        const path = socketPath(fake);
        const mute = path === undefined
          ? connect(Number(new URL(fake.address).port), "127.0.0.1")
          : connect(path);
        try {
          mute.on("error", () => {});
          mute.resume();
          await once(mute, "connect");
          await within("the end", fake.stop());
        } finally {
          mute.destroy();
        }
      }));

    it("gives a client 20 s that does not even read, as gRPC's server does", async () => {
      const clock = new FakeClock();
      await withFake(wire, async ({ fake }) => {
        const deaf = await deafClient(fake);
        try {
          await until("it is there", () => fake.connections === 1);
          const stopped = fake.stop();
          await until("it waits", () => clock.pending === 1);
          clock.advance(19_999);
          assert.equal(await isSettled(stopped), false);
          assert.equal(fake.connections, 1);
          clock.advance(1);
          await within("the end", stopped);
          assert.deepEqual([fake.connections, clock.pending], [0, 0]);
        } finally {
          deaf.destroy();
        }
      }, { clock });
    });
  });

  describe(`FakeFalco.kill() over ${wire.name}`, () => {
    it("breaks connections in the middle of a call, without a status", () =>
      withFake(wire, async (scene) => {
        const { fake, dial } = scene;
        fake.push(...alerts(1));
        const client = dial();
        const [sub, idle] = [await client.sub(1), await client.sub()];
        assert.deepEqual(await sub.read(1), rules(1));
        const session = await client.session();
        const closed = once(session, "close");
        await within("the end", fake.kill());
        for (const call of [sub, idle]) {
          await call.end();
          assert.equal(call.status, undefined);
        }
        await within("the close", closed);
        assert.equal(fake.connections, 0);
        await until("the calls are over", () => fake.requests.every(({ open }) => !open));
      }));

    it("says no goodbye", onlyNode, () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const sub = await client.sub(1);
        await client.roundTrip();
        const session = await client.session();
        let goodbyes = 0;
        session.on("goaway", () => goodbyes++);
        const closed = once(session, "close");
        await fake.kill();
        await sub.end();
        await within("the close", closed.catch(() => {}));
        assert.equal(goodbyes, 0);
      }));

    it("leaves the socket file behind, and nobody answers there", () =>
      withFake(wire, async (scene) => {
        const path = socketPath(scene.fake);
        await scene.fake.kill();
        if (path !== undefined) assert.ok((await stat(path)).isSocket());
        await assertRefused(scene, "refused");
      }));

    it("ends a stop() that waits for its clients", () =>
      withFake(wire, async ({ fake, dial }) => {
        const client = dial();
        const sub = await client.sub();
        await client.roundTrip();
        const stopped = fake.stop();
        await within("the kill", fake.kill());
        await within("the end", stopped);
        await sub.end();
        assert.equal(sub.status, undefined);
      }));

    it("does nothing more when called again, or before stop()", () =>
      withFake(wire, async ({ fake }) => {
        await Promise.all([fake.kill(), fake.kill()]);
        await fake.kill();
        await within("the end", fake.stop());
      }));
  });
}

describe("FakeFalco.stop() and another start", () => {
  it("frees the port", async () => {
    const certificates = await makeCertificates();
    const first = await FakeFalco.start({ tls: certificates });
    const listen = first.address.slice("https://".length);
    await first.stop();
    const second = await FakeFalco.start({ tls: certificates, listen });
    try {
      assert.equal(second.address, first.address);
    } finally {
      await second.stop();
    }
  });
});
