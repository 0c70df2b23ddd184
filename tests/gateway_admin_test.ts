/** What a gateway tells of itself: metrics, health, logs; and how it stops. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AlertCounter } from "../gateway/alert_counter.ts";
import { GatewayLog } from "../gateway/gateway_log.ts";
import { formatMetrics } from "../gateway/metrics_text.ts";
import { formatLogEntry } from "../gateway/mod.ts";
import type { GatewayLogEntry } from "../gateway/mod.ts";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { alerts, isSettled, rules } from "./fake_falco_clients.ts";
import { configOf, metricOf, subscribed, wires, withGateway } from "./gateway_probes.ts";
import { RawConnection } from "./raw_http.ts";
import { within } from "./waits.ts";

const admin = { admin: { listen: "127.0.0.1:0" } };

/** Reads Prometheus' text as its own parser does: names, labels with three escapes, a number. */
function parseMetrics(text: string): { name: string; labels: Record<string, string> }[] {
  assert(text.endsWith("\n"));
  const samples = text.slice(0, -1).split("\n").filter((line) => !line.startsWith("#"));
  return samples.map((line) => {
    const [, name = "", inner = ""] = /^([a-z_]+)(?:\{(.*)\})? -?[0-9.e+]+$/.exec(line) ??
      assert.fail(`no sample: ${line}`);
    const labels: Record<string, string> = {};
    const pair = /([a-z_]+)="((?:[^"\\]|\\[\\"n])*)"(?:,|$)/y;
    while (pair.lastIndex < inner.length) {
      const [, key = "", value = ""] = pair.exec(inner) ?? assert.fail(`no labels: ${line}`);
      labels[key] = value.replace(/\\(.)/g, (_, one) => one === "n" ? "\n" : one);
    }
    return { name, labels };
  });
}

describe("/metrics", () => {
  it("holds against rules that somebody made up", async () => {
    const hostile = [
      'a"} 1\nfalco_gateway_ready 0\n#',
      "back\\slash\\",
      "\u001b[2J\u009b\u202e",
      "\ud800",
      "x".repeat(1_000_000),
      "__proto__",
      "",
    ];
    await withGateway(
      (folder) => configOf(folder, "unix", {}, { ...admin, maxSeries: 20 }),
      async (scene) => {
        await scene.post(hostile.map((rule) => buildAlert({ rule, source: rule.slice(0, 50) })));
        await scene.post(alerts(1, 5000));
        const response = await fetch(`${scene.gateway.adminUrl}/metrics`);
        const text = await response.text();
        assert.equal(
          response.headers.get("content-type"),
          "text/plain; version=0.0.4; charset=utf-8",
        );
        const samples = parseMetrics(text).filter(({ name }) =>
          name === "falco_gateway_alerts_total"
        );
        assert.equal(samples.length, 21);
        assert(text.length < 20_000, `${text.length}`);
        const seen = samples.map(({ labels }) => labels["rule"]);
        assert(seen.includes('a"} 1\ufffdfalco_gateway_ready 0\ufffd#'), seen.join());
        assert(seen.includes("back\\slash\\"));
        assert(seen.includes("\ufffd[2J\ufffd\ufffd"));
        assert(seen.includes("__proto__"));
        assert(seen.includes(""));
        assert(seen.includes(`${"x".repeat(127)}…`));
        assert.equal(
          metricOf(text, 'alerts_total{rule="other",priority="notice",source="other"}'),
          5000 - 13,
        );
        assert.equal(metricOf(text, "ready"), 1);
        // deno-lint-ignore no-control-regex
        assert(/^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*$/.test(text));
      },
    );
  });

  it("tells rules, priorities and sources apart, and counts each", () => {
    const counter = new AlertCounter(2);
    counter.add(buildAlert({ rule: "a" }));
    counter.add(buildAlert({ rule: "a" }));
    counter.add(buildAlert({ rule: "a", priority: "critical" }));
    counter.add(buildAlert({ rule: "b" }));
    counter.add(buildAlert({ rule: "c" }));
    counter.add(buildAlert({ rule: "other", source: "other" }));
    counter.add(buildAlert({ rule: "d", priority: "critical" }));
    counter.add(buildAlert({ rule: "a" }));
    assert.deepEqual([...counter.counts], [
      { rule: "a", priority: "notice", source: "syscall", count: 3 },
      { rule: "a", priority: "critical", source: "syscall", count: 1 },
      { rule: "other", priority: "notice", source: "other", count: 3 },
      { rule: "other", priority: "critical", source: "other", count: 1 },
    ]);
  });

  it("has a name, a kind and a sentence for every metric", () => {
    const text = formatMetrics([
      { name: "a_total", type: "counter", help: "What.", series: [{ value: 1 }] },
      { name: "none", type: "gauge", help: "Nothing.", series: [] },
      {
        name: "b",
        type: "gauge",
        help: "That.",
        series: [{ labels: { x: 'y"\\\n' }, value: 0.5 }],
      },
    ]);
    assert.equal(
      text,
      "# HELP a_total What.\n# TYPE a_total counter\na_total 1\n" +
        '# HELP b That.\n# TYPE b gauge\nb{x="y\\"\\\\\\n"} 0.5\n',
    );
  });
});

describe("the admin server", () => {
  it("answers its three pages, and refuses all else", async () => {
    await withGateway((folder) => configOf(folder, "unix", {}, admin), async (scene) => {
      const ask = async (path: string, method = "GET"): Promise<[number, string]> => {
        const response = await fetch(`${scene.gateway.adminUrl}${path}`, { method });
        return [response.status, await response.text()];
      };
      assert.deepEqual(await ask("/healthz"), [200, "ok\n"]);
      assert.deepEqual(await ask("/readyz?verbose"), [200, "ready\n"]);
      assert.deepEqual(await ask("/readyz", "HEAD"), [200, ""]);
      assert.equal((await ask("/metrics"))[0], 200);
      assert.equal((await ask("/"))[0], 404);
      assert.equal((await ask("/metrics", "POST"))[0], 405);
    });
  });

  it("has bounds for heads and connections", async () => {
    await withGateway((folder) => configOf(folder, "unix", {}, admin), async (scene) => {
      const url = scene.gateway.adminUrl!;
      const long = new RawConnection(url);
      long.send(`GET /metrics HTTP/1.1\r\nHost: x\r\nA: ${"x".repeat(20_000)}\r\n\r\n`);
      await within("an answer to a head that is too long", long.closed);
      assert.doesNotMatch(long.text, /200 OK/);
      const idle = Array.from({ length: 64 }, () => new RawConnection(url));
      await Promise.all(idle.map(async (connection) => {
        connection.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
        await connection.receive("ok\n");
      }));
      const one = new RawConnection(url);
      await within("the end of the one too many", one.closed);
      assert.equal(one.text, "");
      await Promise.all(idle.map((connection) => connection.close()));
    });
  });

  it("says that it is not ready while it stops, and is there until the end", async () => {
    const more = { ...admin, drainMs: 60_000 };
    await withGateway((folder) => configOf(folder, "unix", {}, more), async (scene) => {
      const call = await scene.dial().sub();
      await subscribed(scene, 1);
      await scene.post(alerts(1, 3));
      const closed = scene.gateway.close();
      const response = await fetch(`${scene.gateway.adminUrl}/readyz`);
      assert.equal(response.status, 503);
      assert.equal(await response.text(), "the gateway is stopping\n");
      assert.equal(await (await fetch(`${scene.gateway.adminUrl}/healthz`)).text(), "ok\n");
      call.request();
      assert.deepEqual(await call.read(3), rules(1, 3));
      await within("the end", closed);
    });
  });
});

describe("the log of a gateway", () => {
  it("is JSON that no terminal obeys", () => {
    const time = "2026-01-01T00:00:00.000Z";
    const text = '\u001b[2J\u007f\u009b\u202eé😀\n"\\';
    const line = formatLogEntry({ time, level: "warn", event: "invalid", problem: text });
    assert.match(line, /^[\x20-\x7e]+\n$/);
    assert.equal(JSON.parse(line).problem, text);
  });

  it("leaves out what is not severe enough, and counts floods", () => {
    const clock = new FakeClock(0);
    const entries: GatewayLogEntry[] = [];
    const log = new GatewayLog("warn", clock, (entry) => entries.push(entry));
    log.add("info", "no");
    log.add("error", "yes");
    for (let count = 0; count < 1000; count++) log.addRarely("a", "warn", "flood");
    log.addRarely("b", "warn", "other");
    clock.advance(10_000);
    log.addRarely("a", "warn", "flood");
    assert.deepEqual(entries.map(({ event, suppressed }) => [event, suppressed]), [
      ["yes", undefined],
      ["flood", undefined],
      ["other", undefined],
      ["flood", 999],
    ]);
  });
});

for (const wire of wires) {
  describe(`Gateway.close() over ${wire}`, () => {
    it("gives clients what they are owed, then ends their calls with OK", async () => {
      await withGateway(
        (folder) => configOf(folder, wire, {}, { drainMs: 60_000 }),
        async (scene) => {
          const [one, other] = [await scene.dial().sub(1), await scene.dial().sub()];
          const halfClosed = await scene.dial().sub(1);
          halfClosed.halfClose();
          await subscribed(scene, 2);
          await scene.post(alerts(1, 500));
          const closed = scene.gateway.close();
          assert.equal(scene.gateway.close(), closed);
          assert.equal(await isSettled(closed), false);
          other.request();
          assert.deepEqual(await other.read(500), rules(1, 500));
          assert.equal(await isSettled(closed), false);
          one.request();
          await within("the end", closed);
          assert.deepEqual(await one.read(500), rules(1, 500));
          for (const call of [one, other, halfClosed]) {
            await call.end();
            assert.equal(call.status, 0);
          }
          const last = scene.log.at(-1)!;
          assert.deepEqual([last.event, last.level], ["stopped", "info"]);
          assert.deepEqual([last["undelivered"], last["deadlineMissed"]], [0, false]);
        },
      );
    });

    it("waits no longer than it may, and says what is lost", async () => {
      await withGateway((folder) => configOf(folder, wire, {}, { drainMs: 50 }), async (scene) => {
        const stuck = await scene.dial().sub();
        const idle = await scene.dial().sub(1);
        await subscribed(scene, 2);
        await scene.post(alerts(1, 7));
        idle.request();
        await idle.read(7);
        await within("the end", scene.gateway.close());
        const last = scene.log.at(-1)!;
        assert.deepEqual([last.event, last.level], ["stopped", "warn"]);
        assert.deepEqual([last["undelivered"], last["deadlineMissed"]], [7, true]);
        await Promise.all([stuck.end(), idle.end()]);
        assert.deepEqual([stuck.status, idle.status], [0, 0]);
        await assert.rejects(() => scene.dial().sub(1));
      });
    });

    it("does not wait for a client that reads nothing, nor for a sender that stalls", async () => {
      const listener = { queue: { alerts: 100_000 } };
      await withGateway(
        (folder) => configOf(folder, wire, listener, { drainMs: 50 }),
        async (scene) => {
          const deaf = await scene.dial().sub(1);
          deaf.pause();
          await subscribed(scene, 1);
          await scene.post(alerts(1, 20_000));
          const sender = new RawConnection(scene.gateway.receivers.get("in")!);
          sender.send(
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n",
          );
          await sender.receive("100 Continue");
          sender.send("{");
          deaf.request();
          const before = performance.now();
          await within("the end", scene.gateway.close());
          assert(performance.now() - before < 5000);
          await sender.closed;
        },
      );
    });
  });
}
