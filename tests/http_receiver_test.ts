/** An HTTP receiver with a server of its own: what it takes, what it refuses, and how it ends. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { RecentBodies } from "../lib/sources/recent_bodies.ts";
import { formatAlert, HttpReceiver, parseAlert } from "../mod.ts";
import type { HttpReceiverOptions } from "../mod.ts";
import { line, send, withReceiver } from "./http_receiver_probes.ts";
import { post, RawConnection } from "./raw_http.ts";
import { until } from "./waits.ts";

const recorded = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`fixtures/recorded/${name}`, import.meta.url)));

describe("RecentBodies", () => {
  it("forgets the oldest of more than 1024, and each when it has come again", () => {
    const recent = new RecentBodies();
    for (let number = 0; number <= 1024; number++) recent.add(`${number}`);
    assert.equal(recent.take("0"), false);
    assert.equal(recent.take("1"), true);
    assert.equal(recent.take("1"), false);
  });
});

describe("HttpReceiver", () => {
  it("takes the very bytes that a real Falco sends, as JSON and as text", async () => {
    const clock = new FakeClock(Date.UTC(2026, 10, 21, 0, 7));
    await withReceiver({ clock, utcOffsetMinutes: 0 }, async (receiver) => {
      for (const name of ["http-json.request", "http-text.request"]) {
        const request = recorded(name);
        const falco = new RawConnection(receiver.url);
        // Falco keeps its connection: the same again on it.
        falco.send(request);
        await falco.receive("\r\n\r\n");
        assert.match(falco.text, /^HTTP\/1\.1 200 OK\r\n/);
        assert.doesNotMatch(falco.text, /connection: close/i);
        await falco.close();
      }
      const reader = receiver.getReader();
      const [json, text] = [(await reader.read()).value!, (await reader.read()).value!];
      const body = new TextDecoder().decode(recorded("http-json.request")).split("\r\n\r\n")[1]!;
      assert.deepEqual(json, parseAlert(body));
      assert.equal(
        text.output,
        new TextDecoder().decode(recorded("http-text.request")).split("\r\n\r\n")[1],
      );
      assert.equal(text.rule, "");
      await reader.cancel();
    });
  });

  it("close() waits for a sender that stalls as long as for any other, and a signal not at all", async () => {
    for (const way of ["time", "signal"]) {
      const stop = new AbortController();
      const requestTimeoutMs = way === "time" ? 100 : 60_000;
      const receiver = await HttpReceiver.start({ port: 0, requestTimeoutMs, signal: stop.signal });
      const sender = new RawConnection(receiver.url);
      sender.send(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
      );
      await sender.receive("100 Continue");
      const closed = receiver.close();
      if (way === "signal") stop.abort(new Error("enough"));
      await closed;
      await sender.closed;
    }
  });

  it("answers Expect: 100-continue, which Falco sends above 1 MiB", async () => {
    const head = recorded("http-json-over-1MiB.head");
    const alert = buildAlert({ outputFields: { "fd.name": "x".repeat(1_200_000) } });
    const stats = await withReceiver({}, async (receiver) => {
      const body = new TextEncoder().encode(formatAlert(alert)).subarray(0);
      const length = /Content-Length: (\d+)/.exec(new TextDecoder().decode(head))![1]!;
      const falco = new RawConnection(receiver.url);
      falco.send(new TextDecoder().decode(head).replace(length, String(body.length)));
      await falco.receive("HTTP/1.1 100 Continue\r\n\r\n");
      falco.send(body);
      await falco.receive("HTTP/1.1 200 OK");
      await falco.close();
      const { value } = await receiver.getReader().read();
      assert.deepEqual(value, alert);
    });
    assert.equal(stats.received, 1);
  });

  it("takes arrays, and tells of its health", async () => {
    await withReceiver({ path: "/falco" }, async (receiver) => {
      assert.match(receiver.url, /^http:\/\/127\.0\.0\.1:\d+\/falco$/);
      assert.equal((await send(receiver.url, `[${line("one")},${line("two")}]`))[0], 200);
      const health = await fetch(new URL("/healthz", receiver.url));
      assert.deepEqual([health.status, await health.text()], [200, "ok\n"]);
      assert.equal((await send(`${receiver.url}?a=b`, line("three")))[0], 200);
      await receiver.close();
      const rules = (await Array.fromAsync(receiver)).map(({ rule }) => rule);
      assert.deepEqual(rules, ["one", "two", "three"]);
    });
  });

  it("refuses what it does not take, says why, and counts it", async () => {
    const invalid: string[] = [];
    const options: HttpReceiverOptions = {
      path: "/falco",
      token: "s3cret",
      maxBodyBytes: 1000,
      text: "invalid",
      onInvalid: (error, body) => invalid.push(`${body}: ${error.message}`),
    };
    const stats = await withReceiver(options, async ({ url }) => {
      const headers = { authorization: "Bearer s3cret" };
      const basic = (text: string) => ({
        authorization: `Basic ${Buffer.from(text).toString("base64")}`,
      });
      assert.deepEqual(
        [
          await send(new URL("/", url).href, line("x"), { headers }),
          await send(url, line("x"), { method: "PUT", headers }),
          await send(url, line("x")),
          await send(url, line("x"), { headers: { authorization: "Bearer s3cres" } }),
          await send(url, line("x"), { headers: basic("s3cret:") }),
          await send(url, line("x"), { headers: { ...headers, "content-encoding": "gzip" } }),
          await send(url, "x".repeat(1001), { headers }),
          await send(url, "oops", { headers }),
          await send(url, "", { headers }),
          await send(url, "10:00:00.000000000: Notice x", { headers }),
          await send(url, line("x"), { headers: basic("any:s3cret") }),
        ],
        [
          [404, "alerts go to /falco\n"],
          [405, "alerts are posted\n"],
          [401, "the token is missing or wrong\n"],
          [401, "the token is missing or wrong\n"],
          [401, "the token is missing or wrong\n"],
          [415, "the body must not be compressed\n"],
          [413, "the body is longer than 1000 bytes\n"],
          [
            400,
            "Cannot read the alert: it is text, not JSON. Set json_output: true in falco.yaml\n",
          ],
          [400, "Cannot read the alert: the body is empty\n"],
          [
            400,
            "Cannot read the alert: it is text, not JSON. Set json_output: true in falco.yaml\n",
          ],
          [200, ""],
        ],
      );
    });
    assert.deepEqual(stats, {
      received: 1,
      duplicates: 0,
      invalid: 3,
      refused: { address: 1, method: 1, authorization: 3, encoding: 1, size: 1 },
      queued: 0,
      dropped: 1,
    });
    assert.equal(invalid.length, 3);
  });

  it("counts what is no HTTP, and goes on", async () => {
    const stats = await withReceiver({}, async (receiver) => {
      for (const bytes of ["\x16\x03\x01garbage\r\n\r\n", "GET\r\n\r\n"]) {
        const sender = new RawConnection(receiver.url);
        sender.send(bytes);
        await sender.closed;
      }
      const long = new RawConnection(receiver.url);
      long.send(post("", { "X-Long": "x".repeat(20_000) }));
      await long.closed;
      // Two requests at once, the second of them smuggled.
      const smuggler = new RawConnection(receiver.url);
      smuggler.send(post("", { "Transfer-Encoding": "chunked" }));
      await smuggler.closed;
      assert.equal((await send(receiver.url, line("good")))[0], 200);
    });
    assert.deepEqual(stats.refused, { malformed: 3, size: 1 });
    assert.equal(stats.received, 1);
  });

  it("takes an alert once that Falco sends again since its connection broke", async () => {
    const stats = await withReceiver({ maxQueuedAlerts: 1 }, async (receiver) => {
      const falco = new RawConnection(receiver.url);
      falco.send(post(line("one")));
      await falco.receive("200 OK");
      // The queue is full now: the answer to the second is held back, and the connection breaks.
      falco.send(post(line("two")));
      await until("the second is taken", () => receiver.stats().received === 2);
      await falco.close();
      const again = new RawConnection(receiver.url);
      again.send(post(line("two")));
      await again.receive("taken already");
      again.send(post(line("two")));
      await until("the third is taken", () => receiver.stats().received === 3);
      await again.close();
      const reader = receiver.getReader();
      const rules: string[] = [];
      for (let n = 0; n < 3; n++) rules.push((await reader.read()).value!.rule);
      assert.deepEqual(rules, ["one", "two", "two"], "raised again is another alert");
      await reader.cancel();
    });
    assert.equal(stats.duplicates, 1);
  });

  it("gives the reader what was taken, then the end, when it is closed", async () => {
    const receiver = await HttpReceiver.start({ port: 0 });
    await send(receiver.url, line("one"));
    await receiver.close();
    assert.deepEqual((await Array.fromAsync(receiver)).map(({ rule }) => rule), ["one"]);
    await assert.rejects(fetch(receiver.url, { method: "POST", body: line("two") }));
  });

  it("fails with the reason of its signal", async () => {
    const stop = new AbortController();
    const receiver = await HttpReceiver.start({ port: 0, signal: stop.signal });
    const reading = receiver.getReader().read();
    const reason = new Error("enough");
    stop.abort(reason);
    await assert.rejects(reading, reason);
    await assert.rejects(fetch(receiver.url));
    const late = await HttpReceiver.start({ port: 0, signal: stop.signal });
    await assert.rejects(late.getReader().read(), reason);
  });

  it("fails with what onInvalid throws", async () => {
    const mine = new Error("mine");
    const receiver = await HttpReceiver.start({
      port: 0,
      onInvalid() {
        throw mine;
      },
    });
    const reading = receiver.getReader().read();
    reading.catch(() => {});
    await send(receiver.url, "oops").catch(() => {}); // its connection may be closed already
    await assert.rejects(reading, mine);
  });
});
