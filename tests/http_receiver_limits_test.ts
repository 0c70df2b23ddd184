/** The limits of an HTTP receiver: time, connections, length of bodies, alerts that wait. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { makeCertificates } from "../harness/certificates.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { formatAlert } from "../mod.ts";
import type { Alert, HttpReceiverOptions } from "../mod.ts";
import { line, send, withReceiver } from "./http_receiver_probes.ts";
import { post, RawConnection } from "./raw_http.ts";
import { until } from "./waits.ts";

describe("HttpReceiver", () => {
  it("stops to read a body that grows beyond the limit without having said so", async () => {
    const stats = await withReceiver({ maxBodyBytes: 1000 }, async (receiver) => {
      const sender = new RawConnection(receiver.url);
      sender.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
      sender.send(`600\r\n${"x".repeat(0x600)}\r\n`);
      await sender.closed;
      assert.match(sender.text, /^HTTP\/1\.1 413 /);
    });
    assert.deepEqual(stats.refused, { size: 1 });
  });

  it("does not wait for slow senders", async () => {
    const stats = await withReceiver({ requestTimeoutMs: 50 }, async (receiver) => {
      const slow = ["POST / HTTP/1.1\r\n", post("abc").slice(0, -1)]
        .map((start) => {
          const sender = new RawConnection(receiver.url);
          sender.send(start);
          return sender;
        });
      for (const sender of slow) await sender.closed;
    });
    assert.deepEqual(stats.refused, { timeout: 2 });
  });

  it("lets the one leave that was of least use when there are too many connections", async () => {
    const stats = await withReceiver({ maxConnections: 2 }, async ({ url }) => {
      const open = async (request: string) => {
        const sender = new RawConnection(url);
        sender.send(request);
        await sender.receive("200 OK");
        return sender;
      };
      const good = await open(post(line("one")));
      const useless = await open("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
      const better = await open(post(line("two")));
      await useless.closed; // it never brought an alert
      const best = await open(post(line("three")));
      await good.closed; // it has been silent the longest, and Falco opens a new one by itself
      better.send(post(line("four")));
      await better.receive("200 OK");
      await until("it is answered twice", () => better.text.split("200 OK").length === 3);
      const last = await open(post(line("five")));
      await best.closed;
      await better.close();
      await last.close();
    });
    assert.deepEqual(stats.refused, { connections: 3 });
    assert.equal(stats.received, 5);
  });

  it("closes no connection whose answer is held back, but the new one", async () => {
    const options = { maxConnections: 1, maxQueuedAlerts: 1 };
    const stats = await withReceiver(options, async (receiver) => {
      const sender = new RawConnection(receiver.url);
      sender.send(post(`[${line("one")},${line("two")}]`));
      await until("both are taken", () => receiver.stats().received === 2);
      const late = new RawConnection(receiver.url);
      late.send(post(line("three")));
      await late.closed;
      await receiver.getReader().read();
      await sender.receive("200 OK");
      await sender.close();
    });
    assert.deepEqual(stats.refused, { connections: 1 });
  });

  // Bun shows a connection when it has brought a byte.
  it("does not wait for TLS that is never agreed on", { skip: "Bun" in globalThis }, async () => {
    const { server } = await makeCertificates();
    const clock = new FakeClock();
    const stats = await withReceiver(
      { tls: server, clock, requestTimeoutMs: 500 },
      async ({ url }) => {
        const silent = new RawConnection(url);
        await until("it waits for TLS", () => clock.pending === 1);
        clock.advance(500);
        await silent.closed;
      },
    );
    assert.deepEqual(stats.refused, { timeout: 1 });
  });

  it("holds no more of bodies than 16 of the longest, complete or not", async () => {
    const stats = await withReceiver({ maxBodyBytes: 1000 }, async (receiver) => {
      const start = post("x".repeat(1000)).slice(0, -40);
      const senders = Array.from({ length: 16 }, () => new RawConnection(receiver.url));
      for (const sender of senders) sender.send(start);
      const more = new RawConnection(receiver.url);
      more.send(start);
      // Whichever is the last to come in.
      await until("one is refused", () => receiver.stats().refused.overflow !== undefined);
      for (const sender of [...senders, more]) await sender.close();
      assert.equal((await send(receiver.url, line("room again")))[0], 200);
    });
    assert(stats.refused.overflow! >= 1);

    await withReceiver({ maxBodyBytes: 1000 }, async (receiver) => {
      const long = formatAlert(buildAlert({ output: "x".repeat(700) }));
      const most = Math.floor(16_000 / long.length);
      const sender = new RawConnection(receiver.url);
      const answers = () => sender.text.split("200 OK").length - 1;
      for (let count = 0; count < most; count++) {
        sender.send(post(long));
        await until("it is answered", () => answers() === count + 1);
      }
      sender.send(post(long));
      await until("the last one waits", () => receiver.stats().queued === most + 1);
      assert.equal(answers(), most, "the last answer is held back");
      await receiver.getReader().read();
      await until("the last one is answered", () => answers() === most + 1);
      await sender.close();
    });

    await withReceiver({ maxBodyBytes: 1000, overflow: "refuse" }, async ({ url }) => {
      const long = formatAlert(buildAlert({ output: "x".repeat(700) }));
      const statuses: number[] = [];
      for (let count = 0; count < 20; count++) statuses.push((await send(url, long))[0]);
      assert.equal(statuses.indexOf(503), Math.ceil(16_000 / long.length));
    });
  });

  it("holds the answer back while too many alerts wait", async () => {
    await withReceiver({ maxQueuedAlerts: 1 }, async (receiver) => {
      const sender = new RawConnection(receiver.url);
      sender.send(post(line("one")) + post(line("two")));
      await until("both are taken", () => receiver.stats().received === 2);
      await sender.receive("200 OK");
      assert.equal(sender.text.match(/200 OK/g)?.length, 1);
      const reader = receiver.getReader();
      assert.equal((await reader.read()).value?.rule, "one");
      await until("both are answered", () => sender.text.match(/200 OK/g)?.length === 2);
      await sender.close();
      await reader.cancel();
    });
  });

  it("refuses on request while too many wait, and tells of each", async () => {
    const dropped: Alert[] = [];
    const options: HttpReceiverOptions = {
      maxQueuedAlerts: 1,
      overflow: "refuse",
      onDrop: (alert) => dropped.push(alert),
    };
    const stats = await withReceiver(options, async ({ url }) => {
      assert.equal((await send(url, line("one")))[0], 200);
      assert.deepEqual(await send(url, line("two")), [503, "too many alerts wait\n"]);
    });
    assert.deepEqual(dropped.map(({ rule }) => rule), ["two"]);
    assert.deepEqual(stats.refused, { overflow: 1 });
  });
});
