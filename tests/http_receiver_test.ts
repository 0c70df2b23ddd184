import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import type { RequestOptions } from "node:https";
import { describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { makeCertificates, writeCertificates } from "../harness/certificates.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { makeTempFolder } from "../harness/temp_folder.ts";
import { RecentBodies } from "../lib/sources/recent_bodies.ts";
import { formatAlert, HttpReceiver, parseAlert } from "../mod.ts";
import type { Alert, HttpReceiverOptions, HttpReceiverStats } from "../mod.ts";
import { post, RawConnection } from "./raw_http.ts";

const recorded = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`fixtures/recorded/${name}`, import.meta.url)));

const line = (rule: string): string => formatAlert(buildAlert({ rule }));

async function withReceiver(
  options: HttpReceiverOptions,
  work: (receiver: HttpReceiver) => Promise<void>,
): Promise<HttpReceiverStats> {
  const receiver = await HttpReceiver.start({ port: 0, ...options });
  try {
    await work(receiver);
  } finally {
    if (!receiver.locked) await receiver.cancel();
    await receiver.close();
  }
  return receiver.stats();
}

async function send(url: string, body: string, init: RequestInit = {}): Promise<[number, string]> {
  const response = await fetch(url, { method: "POST", body, ...init });
  return [response.status, await response.text()];
}

/** Waits for what only shows in the counts. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

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
      while (better.text.split("200 OK").length < 3) await new Promise((go) => setImmediate(go));
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
      await until(() => receiver.stats().received === 2);
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
        await until(() => clock.pending === 1);
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
      await until(() => receiver.stats().refused.overflow !== undefined);
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
        await until(() => answers() === count + 1);
      }
      sender.send(post(long));
      await until(() => receiver.stats().queued === most + 1);
      assert.equal(answers(), most, "the last answer is held back");
      await receiver.getReader().read();
      await until(() => answers() === most + 1);
      await sender.close();
    });

    await withReceiver({ maxBodyBytes: 1000, overflow: "refuse" }, async ({ url }) => {
      const long = formatAlert(buildAlert({ output: "x".repeat(700) }));
      const statuses: number[] = [];
      for (let count = 0; count < 20; count++) statuses.push((await send(url, long))[0]);
      assert.equal(statuses.indexOf(503), Math.ceil(16_000 / long.length));
    });
  });

  it("takes an alert once that Falco sends again since its connection broke", async () => {
    const stats = await withReceiver({ maxQueuedAlerts: 1 }, async (receiver) => {
      const falco = new RawConnection(receiver.url);
      falco.send(post(line("one")));
      await falco.receive("200 OK");
      // The queue is full now: the answer to the second is held back, and the connection breaks.
      falco.send(post(line("two")));
      await until(() => receiver.stats().received === 2);
      await falco.close();
      const again = new RawConnection(receiver.url);
      again.send(post(line("two")));
      await again.receive("taken already");
      again.send(post(line("two")));
      await until(() => receiver.stats().received === 3);
      await again.close();
      const reader = receiver.getReader();
      const rules: string[] = [];
      for (let n = 0; n < 3; n++) rules.push((await reader.read()).value!.rule);
      assert.deepEqual(rules, ["one", "two", "two"], "raised again is another alert");
      await reader.cancel();
    });
    assert.equal(stats.duplicates, 1);
  });

  it("holds the answer back while too many alerts wait", async () => {
    await withReceiver({ maxQueuedAlerts: 1 }, async (receiver) => {
      const sender = new RawConnection(receiver.url);
      sender.send(post(line("one")) + post(line("two")));
      await until(() => receiver.stats().received === 2);
      await sender.receive("200 OK");
      assert.equal(sender.text.match(/200 OK/g)?.length, 1);
      const reader = receiver.getReader();
      assert.equal((await reader.read()).value?.rule, "one");
      await until(() => sender.text.match(/200 OK/g)?.length === 2);
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

  it("refuses to let everybody in", async () => {
    for (const options of [{ hostname: "0.0.0.0" }, { hostname: "::" }, { token: "" }]) {
      await assert.rejects(HttpReceiver.start({ port: 0, ...options }), TypeError);
    }
    for (const options of [{ token: "x" }, { allowInsecure: true }]) {
      await (await HttpReceiver.start({ port: 0, hostname: "0.0.0.0", ...options })).close();
    }
    await assert.rejects(HttpReceiver.start({ port: 0, maxBodyBytes: 0 }), RangeError);
  });

  it("says so if the port is taken, or a certificate cannot be read", async () => {
    const receiver = await HttpReceiver.start({ port: 0 });
    const port = Number(new URL(receiver.url).port);
    await assert.rejects(
      HttpReceiver.start({ port }),
      /Cannot listen on 127\.0\.0\.1:\d+: .*in use/i,
    );
    await receiver.close();
    const tls = { cert: "/no/such.crt", key: "/no/such.key" };
    await assert.rejects(
      HttpReceiver.start({ port: 0, tls }),
      /"\/no\/such\.crt" .* cannot be read/,
    );
    const [ours, theirs] = await Promise.all([makeCertificates(), makeCertificates()]);
    await assert.rejects(
      HttpReceiver.start({ port: 0, tls: { ...ours.server, key: theirs.server.key } }),
      {
        name: "FalcoError",
        message:
          'Cannot start the receiver: the key in the option "tls.key" does not belong to the ' +
          'certificate in the option "tls.cert". Pass the key that the certificate was made for',
      },
    );
  });

  it("serves TLS, and refuses senders without a certificate of its authority", async () => {
    const [ours, theirs] = await Promise.all([makeCertificates(), makeCertificates()]);
    const tls = { ...ours.server, clientCa: ours.ca };
    const stats = await withReceiver({ tls }, async ({ url }) => {
      assert.match(url, /^https:/);
      assert.equal(await postTls(url, { ca: ours.ca, ...ours.client }), 200);
      await assert.rejects(postTls(url, { ca: ours.ca }));
      await assert.rejects(postTls(url, { ca: ours.ca, ...theirs.client }));
      await assert.rejects(postTls(url, { ca: theirs.ca, ...ours.client }));
      const plain = new RawConnection(url);
      plain.send(post(line("plain")));
      await plain.closed;
    });
    assert.equal(stats.received, 1);
    // Bun does not tell of connections that fail before they are encrypted.
    assert.deepEqual(stats.refused, "Bun" in globalThis ? {} : { malformed: 4 });
  });

  it("takes what Falco posts with mtls, and the token in its URL", async () => {
    const ours = await makeCertificates();
    const folder = await makeTempFolder();
    try {
      await writeCertificates(folder.path, ours);
      const tls = { ...ours.server, clientCa: ours.ca };
      const options = { tls, hostname: "localhost", token: "s3cret" };
      const stats = await withReceiver(options, async (receiver) => {
        const url = receiver.url.replace("//", "//any:s3cret@");
        const log: string[] = [];
        const fake = await FakeFalco.fromConfig(
          "json_output: true\n" +
            `http_output:\n  enabled: true\n  url: ${url}\n  ca_cert: ${folder.path}/ca.crt\n` +
            `  mtls: true\n  client_cert: ${folder.path}/client.crt\n` +
            `  client_key: ${folder.path}/client.key\n`,
          { stderr: (bytes) => void log.push(String(bytes)), stdout: () => {}, env: {} },
        );
        try {
          fake.push(buildAlert({ rule: "one" }), buildAlert({ rule: "two" }));
          const rules: string[] = [];
          for await (const { rule } of receiver) {
            if (rules.push(rule) === 2) break;
          }
          assert.deepEqual(rules, ["one", "two"], log.join(""));
        } finally {
          await fake.stop();
        }
      });
      assert.deepEqual([stats.received, stats.refused], [2, {}]);
    } finally {
      await folder.remove();
    }
  });
});

/** Posts over TLS, with a certificate or without, and says the status. */
function postTls(url: string, tls: RequestOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(url);
    const options = { ...tls, port, host: "localhost", method: "POST", agent: false } as const;
    const sent = request(options, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode!));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(line("tls"));
  });
}
