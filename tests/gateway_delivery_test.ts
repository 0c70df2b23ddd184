/** Who gets which alerts from a gateway. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { alerts, inOrder, isSettled, rules } from "./fake_falco_clients.ts";
import { configOf, large, readRules, subscribed, wires, withGateway } from "./gateway_probes.ts";
import type { GatewayScene } from "./gateway_probes.ts";
import type { GatewayListenerConfig } from "../gateway/mod.ts";
import { until } from "./waits.ts";

const MANY = 20_000;

for (const wire of wires) {
  const scene = (
    listener: Partial<GatewayListenerConfig>,
    body: (scene: GatewayScene) => Promise<void>,
  ) => withGateway((folder) => configOf(folder, wire, listener), body);

  describe(`fanout over ${wire}`, () => {
    it("gives each of three subscribers every alert, in order", async () => {
      await scene({ queue: { alerts: MANY } }, async (scene) => {
        const readers = [1, 2, 3].map(() => readRules(scene.client(), MANY));
        await subscribed(scene, 3);
        await scene.post(alerts(1, MANY));
        const expected = rules(1, MANY);
        for (const reader of readers) assert.deepEqual(await reader, expected);
        assert.equal(scene.metric('listener_delivered_total{listener="out"}'), 3 * MANY);
        assert.equal(scene.metric('listener_dropped_total{listener="out"}'), 0);
      });
    });

    it("gives a subscriber what comes after its call, asked for or not", async () => {
      await scene({}, async (scene) => {
        await scene.post(alerts(1, 3));
        const client = scene.dial();
        const call = await client.sub();
        await subscribed(scene, 1);
        await scene.post(alerts(4, 5));
        // Not before it asks.
        await client.roundTrip();
        assert.deepEqual(call.here(), []);
        call.request();
        assert.deepEqual(await call.read(2), rules(4, 5));
      });
    });

    it("gives a new subscriber the replay window first", async () => {
      await scene({ replay: { alerts: 3 } }, async (scene) => {
        await scene.post(alerts(1, 200));
        const late = await scene.dial().sub(1);
        assert.deepEqual(await late.read(3), rules(198, 200));
        await scene.post(alerts(201));
        late.request();
        assert.deepEqual(await late.read(1), rules(201));
        const later = await scene.dial().sub(1);
        assert.deepEqual(await later.read(3), rules(199, 201));
      });
    });

    it("counts with get from the connection's last get on, first from the window", async () => {
      await scene({ replay: { alerts: 2 } }, async (scene) => {
        await scene.post(alerts(1, 5));
        const [one, other] = [scene.dial(), scene.dial()];
        assert.deepEqual(await one.get(), rules(4, 5));
        assert.deepEqual(await one.get(), []);
        await scene.post(alerts(6, 9));
        assert.deepEqual(await one.get(), rules(6, 9));
        assert.deepEqual(await other.get(), rules(8, 9));
        // What waits for it is kept as long as its connection is there.
        const bytes = () => scene.metric('listener_queue_bytes{listener="out"}')!;
        await scene.post(alerts(10, 1009));
        assert(bytes() > 1000 * 100);
        await Promise.all([one.close(), other.close()]);
        const connections = 'listener_connections{listener="out"}';
        await until("they are gone", () => scene.metric(connections) === 0);
        await scene.post(alerts(1010, 1100));
        assert(bytes() < 70 * 400);
      });
    });

    it("lets a slow subscriber miss the oldest, counted, and holds nobody else up", async () => {
      await scene({ queue: { alerts: 100 } }, async (scene) => {
        const slow = await scene.dial().sub();
        const fast = readRules(scene.client(), 1000);
        await subscribed(scene, 2);
        for (let from = 1; from <= 1000; from += 50) {
          await scene.post(alerts(from, from + 49));
          const delivered = () => scene.metric('listener_delivered_total{listener="out"}')!;
          await until("the fast one has it", () => delivered() === from + 49);
        }
        assert.deepEqual(await fast, rules(1, 1000));
        assert.equal(scene.metric('listener_queue_depth{listener="out"}'), 100);
        slow.request();
        assert.deepEqual(await slow.read(100), rules(901, 1000));
        assert.equal(scene.metric('listener_dropped_total{listener="out"}'), 900);
      });
    });

    it("holds no more bytes than it may, whatever the alerts are like", async () => {
      await scene({ queue: { bytes: 1_000_000 } }, async (scene) => {
        const slow = await scene.dial().sub();
        await subscribed(scene, 1);
        for (let at = 1; at <= 20; at++) {
          await scene.post([large(`a${at}`, 200_000)]);
          assert(scene.metric('listener_queue_bytes{listener="out"}')! <= 1_000_000);
        }
        await until(
          "all have come",
          () => scene.metric('listener_accepted_total{listener="out"}') === 20,
        );
        slow.request();
        assert.deepEqual(await slow.read(4), rules(17, 20));
        assert.equal(scene.metric('listener_dropped_total{listener="out"}'), 16);
      });
    });

    it("sends a slow subscriber away where it is to be told", async () => {
      await scene({ queue: { alerts: 100, overflow: "disconnect" } }, async (scene) => {
        const slow = await scene.dial().sub();
        const idle = await scene.dial().sub();
        await subscribed(scene, 2);
        await scene.post(alerts(1, 100));
        idle.request();
        assert.deepEqual(await idle.read(100), rules(1, 100));
        await scene.post(alerts(101));
        await slow.end();
        assert.equal(slow.status, 8);
        assert.match(String(slow.trailers?.["grpc-message"]), /too slow/);
        assert.equal(scene.metric('listener_disconnected_total{listener="out"}'), 1);
        assert(scene.log.some(({ event }) => event === "client-too-slow"));
        idle.request();
        assert.deepEqual(await idle.read(1), rules(101));
        await subscribed(scene, 1);
      });
    });

    it("holds sources back for the slowest where that is asked for", async () => {
      await scene({ queue: { alerts: 10, overflow: "block" } }, async (scene) => {
        const slow = await scene.dial().sub();
        await subscribed(scene, 1);
        const posted = (async () => {
          for (let from = 1; from <= 2000; from += 100) {
            await scene.post(alerts(from, from + 99), "posted");
          }
        })();
        const accepted = () => scene.metric('listener_accepted_total{listener="out"}')!;
        await until("it is full", () => accepted() === 10);
        assert(!await isSettled(posted));
        assert.equal(accepted(), 10);
        const got: string[] = [];
        while (got.length < 2000) {
          slow.request();
          got.push(...await slow.read(1), ...slow.here());
        }
        await posted;
        assert.deepEqual(got, rules(1, 2000));
        assert.equal(scene.metric('listener_dropped_total{listener="out"}'), 0);
        // Nor does one that leaves hold anything any more.
        const posting = scene.post(alerts(1, 1200), "posted");
        await until("it is full again", () => accepted() === 2010);
        slow.cancel();
        await posting;
      });
    });

    it("gives up the place of a half-closed call", async () => {
      await scene({ queue: { alerts: 10, overflow: "block" } }, async (scene) => {
        const client = scene.dial();
        const call = await client.sub(1);
        call.halfClose();
        await client.roundTrip();
        await subscribed(scene, 0);
        await scene.post(alerts(1, 2000));
        assert(!call.ended); // as with Falco
      });
    });
  });

  describe(`shared over ${wire}`, () => {
    it("gives every alert to one of three subscribers, each in order", async () => {
      await scene({ delivery: "shared", queue: { alerts: MANY } }, async (scene) => {
        const parts: string[][] = [[], [], []];
        let total = 0;
        const clients = parts.map(() => scene.client());
        const done = clients.map(async (client, index) => {
          for await (const alert of client.outputs.subscribe({ minPollMs: 10, maxPollMs: 20 })) {
            parts[index]!.push(alert.rule);
            total++;
          }
        });
        await subscribed(scene, 3);
        await scene.post(alerts(1, MANY));
        await until("all have come", () => total >= MANY);
        await Promise.all(clients.map((client) => client.close()));
        await Promise.all(done);
        assert.deepEqual(inOrder(parts.flat()), rules(1, MANY));
        for (const part of parts) assert.deepEqual(part, inOrder(part));
      });
    });

    it("keeps alerts while nobody is there, and drains them with get", async () => {
      await scene({ delivery: "shared" }, async (scene) => {
        await scene.post(alerts(1, 300));
        assert.equal(scene.metric('listener_queue_depth{listener="out"}'), 300);
        assert.deepEqual(await scene.dial().get(), rules(1, 300));
        assert.deepEqual(await scene.dial().get(), []);
      });
    });

    for (const [overflow, kept] of [["drop-oldest", [21, 30]], ["drop-newest", [1, 10]]] as const) {
      it(`has a bound: ${overflow}`, async () => {
        await scene({ delivery: "shared", queue: { alerts: 10, overflow } }, async (scene) => {
          await scene.post(alerts(1, 30));
          const dropped = () => scene.metric('listener_dropped_total{listener="out"}');
          await until("20 are dropped", () => dropped() === 20);
          assert.deepEqual(await scene.dial().get(), rules(kept[0], kept[1]));
          assert.equal(dropped(), 20);
        });
      });
    }

    it("has a bound: block, with nobody there, too", async () => {
      await scene(
        { delivery: "shared", queue: { alerts: 10, overflow: "block" } },
        async (scene) => {
          await scene.post(alerts(1, 30), "posted");
          const accepted = () => scene.metric('listener_accepted_total{listener="out"}');
          await until("it is full", () => accepted() === 10);
          const call = await scene.dial().sub();
          const got: string[] = [];
          while (got.length < 30) {
            call.request();
            got.push(...await call.read(1), ...call.here());
          }
          assert.deepEqual(got, rules(1, 30));
        },
      );
    });
  });
}

describe("a gateway's listeners", () => {
  it("have filters of their own", async () => {
    await withGateway((folder) => ({
      ...configOf(folder, "unix"),
      listeners: [
        { name: "all", address: `unix://${folder}/all.sock`, replay: { alerts: 100 } },
        {
          name: "some",
          address: `unix://${folder}/some.sock`,
          replay: { alerts: 100 },
          filter: "alert.rule in (a2, a3)",
        },
      ],
    }), async (scene) => {
      await scene.post(alerts(1, 4));
      assert.deepEqual(await scene.dial("all").get(), rules(1, 4));
      assert.deepEqual(await scene.dial("some").get(), rules(2, 3));
      assert.equal(scene.metric('listener_filtered_total{listener="some"}'), 2);
      assert.equal(scene.metric('listener_filtered_total{listener="all"}'), 0);
    });
  });

  it("refuse subscribers and connections that are too many, and say so", async () => {
    const limits = { maxSubscribers: 2, maxConnections: 3, replay: { alerts: 1 } };
    await withGateway((folder) => configOf(folder, "unix", limits), async (scene) => {
      const [one, other, third] = [scene.dial(), scene.dial(), scene.dial()];
      const first = await one.sub(1);
      await other.sub(1);
      await subscribed(scene, 2);
      const refused = await third.sub(1);
      await refused.end();
      assert.equal(refused.status, 8);
      assert.match(String(refused.trailers?.["grpc-message"]), /as many subscribers/);
      const refusals = (reason: string) =>
        scene.metric(`listener_refused_total{listener="out",reason="${reason}"}`);
      assert.equal(refusals("subscribers"), 1);
      // Whether the connection is made before it is cut is the platform's affair.
      await scene.dial().sub(1).then((call) => call.end(), () => {});
      assert.equal(refusals("connections"), 1);
      // Who leaves makes room.
      first.cancel();
      await subscribed(scene, 1);
      await scene.post(alerts(1));
      assert.deepEqual(await third.get(), rules(1));
    });
  });

  it("drop an alert that no client could take, and count it", async () => {
    const limit = 8 * 1024 * 1024;
    await withGateway((folder) =>
      configOf(folder, "unix", { replay: { alerts: 10 } }, {
        sources: [{ name: "in", type: "http", listen: "127.0.0.1:0", maxBodyBytes: limit }],
      }), async (scene) => {
      await scene.post([large("a1", 5_000_000)]);
      await scene.post(alerts(2));
      assert.deepEqual(await scene.dial().get(), rules(2));
      assert.equal(scene.metric("alerts_oversize_total"), 1);
      assert(scene.log.some(({ event }) => event === "oversize"));
    });
  });

  it("report the version that they are told to", async () => {
    for (const [given, expected] of [[undefined, "0.43.1"], ["0.38.2", "0.38.2"]] as const) {
      const more = given === undefined ? {} : { falcoVersion: given };
      await withGateway((folder) => configOf(folder, "tls", {}, more), async (scene) => {
        assert.equal((await scene.client().version()).version, expected);
      });
    }
  });
});
