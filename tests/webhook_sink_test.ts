import assert from "node:assert/strict";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { makeCertificates } from "../harness/certificates.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import {
  broadcastReadableStream,
  DeliveryError,
  EventStream,
  FalcoError,
  FileSink,
  followFile,
  formatAlert,
  HttpReceiver,
  SinkStream,
  WebhookSink,
} from "../mod.ts";
import type { Alert, Delivered, DropReason, WebhookSinkOptions } from "../mod.ts";

const alerts = (...rules: string[]): Alert[] => rules.map((rule) => buildAlert({ rule }));

interface Hook {
  readonly url: string;
  /** The rules of the bodies that came, one entry a request. */
  readonly bodies: string[];
  readonly headers: IncomingHttpHeaders[];
  close(): Promise<void>;
}

const open: Hook[] = [];
afterEach(async () => {
  for (const hook of open.splice(0)) await hook.close();
});

/** A receiver that answers as it is told: one entry a request, the last for all further ones. */
async function startHook(
  ...answers: ((response: ServerResponse, request: IncomingMessage) => void)[]
): Promise<Hook> {
  const bodies: string[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => body += chunk);
    request.on("end", () => {
      headers.push(request.headers);
      bodies.push([...body.matchAll(/"rule":"([^"]*)"/g)].map((match) => match[1]).join("+"));
      (answers.length > 1 ? answers.shift()! : answers[0]!)(response, request);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const hook: Hook = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    bodies,
    headers,
    async close() {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
  open.push(hook);
  return hook;
}

const status = (code: number, headers: Record<string, string> = {}) => (response: ServerResponse) =>
  void response.writeHead(code, { "content-length": "0", ...headers }).end();
const ok = status(200);

/** Moves the clock on each time that the sink waits. */
function hurry(clock: FakeClock, waits: number[]): WebhookSinkOptions {
  return {
    clock,
    onRetry(_error, _attempt, delayMs) {
      waits.push(delayMs);
      setImmediate(() => clock.advance(delayMs));
    },
  };
}

describe("WebhookSink", () => {
  it("posts what Falco's http_output does, an array for several", async () => {
    const hook = await startHook(ok);
    const [one, two, three] = alerts("one", "two", "three");
    const sink = new WebhookSink(hook.url, { headers: { "x-team": "blue" } });
    await EventStream.from<Delivered>([one!, [two!, three!]]).pipeTo(sink);
    assert.deepEqual(hook.bodies, ["one", "two+three"]);
    assert.equal(hook.headers[0]!["content-type"], "application/json");
    assert.equal(hook.headers[0]!["x-team"], "blue");
    assert.equal(
      hook.headers[0]!["content-length"],
      String(new TextEncoder().encode(formatAlert(one!)).length),
    );
    assert.deepEqual(sink.stats(), { delivered: 2, retries: 0, dropped: {}, waiting: 0 });
  });

  it("sends a body of one's own, and the password of the URL", async () => {
    const hook = await startHook(ok);
    const url = hook.url.replace("//", "//me:p%40ss@");
    const body = (item: Delivered) => ({
      body: [item].flat().map(({ rule }) => `"rule":"<${rule}>"`).join(""),
      contentType: "text/plain",
    });
    await EventStream.from(alerts("é")).pipeTo(new WebhookSink(url, { body }));
    assert.deepEqual(hook.bodies, ["<é>"]);
    assert.equal(hook.headers[0]!["content-type"], "text/plain");
    assert.equal(hook.headers[0]!.authorization, `Basic ${btoa("me:p@ss")}`);
  });

  it("keeps the password of the URL out of its errors", async () => {
    const hook = await startHook(status(404));
    const url = hook.url.replace("//", "//me:hush@");
    const sink = new WebhookSink(url);
    await assert.rejects(EventStream.from(alerts("one")).pipeTo(sink), (error: Error) => {
      assert.match(error.message, /^Cannot deliver to http:\/\/.*: it answered 404/);
      assert.doesNotMatch(error.message, /hush|me:/);
      return true;
    });
  });

  it("tries again what may pass, in order, with longer and longer waits", async () => {
    const hook = await startHook(
      status(503),
      status(500),
      // The next connection is a new one: some platforms send again by themselves on one used before.
      status(408, { connection: "close" }),
      (response) => void response.destroy(),
      ok,
    );
    const waits: number[] = [];
    const clock = new FakeClock(0, { seed: 1 });
    const sink = new WebhookSink(hook.url, hurry(clock, waits));
    await EventStream.from(alerts("one", "two", "three")).pipeTo(sink);
    assert.deepEqual(hook.bodies, ["one", "one", "one", "one", "one", "two", "three"]);
    assert.equal(waits.length, 4);
    waits.forEach((delayMs, index) => {
      const longest = 250 * 2 ** index;
      assert(delayMs >= longest / 2 && delayMs <= longest, `${delayMs} of ${longest}`);
    });
    assert.deepEqual(sink.stats(), { delivered: 3, retries: 4, dropped: {}, waiting: 0 });
    assert.equal(clock.pending, 0);
  });

  it("waits as long as Retry-After says, in seconds or until a date", async () => {
    const date = "Sat, 21 Nov 2026 07:00:00 GMT";
    const until = "Sat, 21 Nov 2026 07:01:30 GMT";
    const hook = await startHook(
      status(429, { "retry-after": "7" }),
      status(429, { "retry-after": until, date }),
      status(429, { "retry-after": "99999999" }),
      status(429, { "retry-after": "soon" }),
      ok,
    );
    const waits: number[] = [];
    const options = { ...hurry(new FakeClock(), waits), closeTimeoutMs: 1e9 };
    await EventStream.from(alerts("one")).pipeTo(new WebhookSink(hook.url, options));
    assert.deepEqual(waits.slice(0, 3), [7000, 90_000, 3_600_000]);
    assert(waits[3]! <= 2000);
  });

  it("is not held up by a receiver that stalls", async () => {
    const hook = await startHook(() => {}, ok);
    const clock = new FakeClock();
    const errors: string[] = [];
    const sink = new WebhookSink(hook.url, {
      clock,
      timeoutMs: 5000,
      onRetry(error, _attempt, delayMs) {
        errors.push(error.message);
        setImmediate(() => clock.advance(delayMs));
      },
    });
    const piping = EventStream.from(alerts("one")).pipeTo(sink);
    while (hook.bodies.length === 0) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(5000);
    await piping;
    assert.deepEqual(errors, [`Cannot deliver to ${hook.url}: no answer within 5000 ms`]);
    assert.deepEqual(hook.bodies, ["one", "one"]);
  });

  it("takes the status for the answer, though its body breaks off or never ends", async () => {
    const broken = (response: ServerResponse) => {
      response.writeHead(200, { "content-length": "9" });
      response.write("x", () => response.socket?.end());
    };
    let isRead: () => void = () => {};
    const reading = new Promise<void>((resolve) => isRead = resolve);
    const endless = (response: ServerResponse) => {
      // More than sockets hold: when it is out, the sink has seen the head.
      response.writeHead(200).write(new Uint8Array(16 * 1024 * 1024), isRead);
    };
    const hook = await startHook(broken, endless, ok);
    const clock = new FakeClock();
    const sink = new WebhookSink(hook.url, { clock, timeoutMs: 5000 });
    const piping = EventStream.from(alerts("one", "two", "three")).pipeTo(sink);
    await reading;
    clock.advance(5000);
    await piping;
    assert.deepEqual(hook.bodies, ["one", "two", "three"]);
    assert.deepEqual(sink.stats(), { delivered: 3, retries: 0, dropped: {}, waiting: 0 });
  });

  it("delivers everything in order when the receiver is there again", async () => {
    const hook = await startHook(ok);
    const port = Number(new URL(hook.url).port);
    await hook.close();
    const came: string[] = [];
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => body += chunk);
      request.on("end", () => {
        came.push(/"rule":"([^"]*)"/.exec(body)![1]!);
        response.end();
      });
    });
    const clock = new FakeClock();
    let failures = 0;
    const sink = new WebhookSink(hook.url, {
      clock,
      onRetry(_error, _attempt, delayMs) {
        if (++failures === 3) server.listen(port, "127.0.0.1");
        setImmediate(() => clock.advance(delayMs));
      },
    });
    const rules = Array.from({ length: 50 }, (_, index) => `rule ${index}`);
    await EventStream.from(alerts(...rules)).pipeTo(sink);
    assert.deepEqual(came, rules);
    assert(failures >= 3);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it("holds no other branch up while its receiver is away, and has what fell out on record", async () => {
    const gone = await startHook(ok);
    await gone.close();
    const came: string[] = [];
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => body += chunk);
      request.on("end", () => {
        came.push(/"rule":"([^"]*)"/.exec(body)![1]!);
        response.end();
      });
    });
    const path = `/tmp/falco-streams-dead-${crypto.randomUUID()}.jsonl`;
    const clock = new FakeClock(); // it is not moved while the receiver is away
    let isBack = false;
    const sink = new WebhookSink(gone.url, {
      clock,
      maxBuffered: 10,
      deadLetters: new FileSink(path),
      onRetry(_error, _attempt, delayMs) {
        if (isBack) setImmediate(() => clock.advance(delayMs));
      },
    });
    const rules = Array.from({ length: 1000 }, (_, index) => `rule ${index}`);
    const [toHook, other] = broadcastReadableStream(EventStream.from(alerts(...rules)), 2, {
      capacity: 16,
    });
    const piping = toHook!.pipeTo(sink);
    try {
      const got = (await Array.fromAsync(other!)).map(({ rule }) => rule);
      assert.deepEqual(got, rules, "every alert, in order");
      await new Promise<void>((resolve) => {
        server.listen(Number(new URL(gone.url).port), "127.0.0.1", resolve);
      });
      isBack = true;
      clock.advance(250);
      await piping;
      const dead = await Array.fromAsync(followFile(path, { once: true }));
      assert.deepEqual(dead.map(({ rule }) => rule), rules.slice(1, -9), "the oldest, in order");
      assert.deepEqual(came, [rules[0], ...rules.slice(-9)]);
      const { delivered, dropped } = sink.stats();
      assert.deepEqual([delivered, dropped], [10, { overflow: 990 }]);
      assert.equal(clock.pending, 0);
    } finally {
      server.closeAllConnections();
      server.close();
      await rm(path, { force: true });
    }
  });

  it("fails with what is final, and says where to post instead", async () => {
    const hook = await startHook(status(301, { location: "https://elsewhere/" }));
    const sink = new WebhookSink(hook.url);
    await assert.rejects(
      EventStream.from(alerts("one")).pipeTo(sink),
      (error) =>
        error instanceof DeliveryError && !error.mayPass &&
        error.message ===
          `Cannot deliver to ${hook.url}: it answered 301, to "https://elsewhere/". Post there instead`,
    );
    assert.deepEqual(hook.bodies, ["one"]);
  });

  it("gives what is final, and what was tried enough, to the dead letters, and goes on", async () => {
    const hook = await startHook(status(400), status(503), status(503), ok);
    const dead: Delivered[] = [];
    const told: [string, DropReason, string | undefined][] = [];
    let closed = false;
    const waits: number[] = [];
    const [one, two, three] = alerts("one", "two", "three");
    const sink = new WebhookSink(hook.url, {
      ...hurry(new FakeClock(), waits),
      retry: { maxAttempts: 2 },
      deadLetters: new SinkStream<Delivered>({
        write: (item) => void dead.push(item),
        close: () => void (closed = true),
      }),
      onDrop: (item, reason, error) => told.push([(item as Alert).rule, reason, error?.message]),
    });
    await EventStream.from([one!, two!, three!]).pipeTo(sink);
    assert.deepEqual(dead, [one, two]);
    assert.deepEqual(told, [
      ["one", "refused", `Cannot deliver to ${hook.url}: it answered 400`],
      ["two", "gave-up", `Cannot deliver to ${hook.url}: it answered 503`],
    ]);
    assert.deepEqual(hook.bodies, ["one", "two", "two", "three"]);
    assert.deepEqual(sink.stats(), {
      delivered: 1,
      retries: 1,
      dropped: { refused: 1, "gave-up": 1 },
      waiting: 0,
    });
    assert(closed);
  });

  it("holds the pipeline up, or drops, when too much waits", async () => {
    for (
      const [overflow, kept, lost] of [
        ["block", ["0", "1", "2", "3", "4"], []],
        ["drop-newest", ["0", "1"], ["2", "3", "4"]],
        ["drop-oldest", ["0", "4"], ["1", "2", "3"]],
      ] as const
    ) {
      let release: () => void = () => {};
      const hook = await startHook((response) => void (release = () => response.end()), ok);
      const dead: string[] = [];
      const sink = new WebhookSink(hook.url, {
        maxBuffered: 2,
        overflow,
        deadLetters: new SinkStream<Delivered>({
          write: (item) => void dead.push((item as Alert).rule),
        }),
      });
      const writer = sink.getWriter();
      const written: Promise<void>[] = [];
      let settled = 0;
      for (const alert of alerts("0", "1", "2", "3", "4")) {
        const writing = writer.write(alert);
        written.push(writing.then(() => void settled++));
      }
      while (hook.bodies.length === 0) await new Promise((resolve) => setImmediate(resolve));
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(settled, overflow === "block" ? 1 : 5, overflow);
      assert.equal(sink.stats().waiting, 2, overflow);
      release();
      await Promise.all(written);
      await writer.close();
      assert.deepEqual([hook.bodies, dead], [kept, lost], overflow);
      assert.deepEqual(sink.stats().dropped, lost.length === 0 ? {} : { overflow: 3 });
    }
  });

  it("gives up at the time to close, and says what is left", async () => {
    const hook = await startHook(() => {});
    const clock = new FakeClock();
    const dropped: DropReason[] = [];
    const sink = new WebhookSink(hook.url, {
      clock,
      closeTimeoutMs: 1000,
      onDrop: (_item, reason) => dropped.push(reason),
    });
    const writer = sink.getWriter();
    for (const alert of alerts("one", "two")) await writer.write(alert);
    while (hook.bodies.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const closing = writer.close();
    closing.catch(() => {});
    while (clock.pending < 2) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1000);
    await assert.rejects(closing, /Cannot deliver the last 2 items: the time to close, 1000 ms/);
    assert.deepEqual(dropped, ["closed", "closed"]);
    assert.equal(clock.pending, 0);
  });

  it("delivers nothing more when it is aborted, and counts what waited", async () => {
    const hook = await startHook(() => {});
    const sink = new WebhookSink(hook.url);
    const writer = sink.getWriter();
    for (const alert of alerts("one", "two")) await writer.write(alert);
    while (hook.bodies.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await writer.abort(new Error("enough"));
    assert.deepEqual(sink.stats().dropped, { aborted: 2 });
  });

  it("fails with what a hook or the dead letters throw", async () => {
    const hook = await startHook(status(400));
    const mine = new Error("mine");
    const throwing = () => {
      throw mine;
    };
    for (
      const options of [
        { onDrop: throwing },
        { body: throwing },
        { deadLetters: new WritableStream<Delivered>({ write: throwing }) },
      ]
    ) {
      await assert.rejects(
        EventStream.from(alerts("one")).pipeTo(new WebhookSink(hook.url, options)),
        mine,
      );
    }
    const busy = await startHook(status(503));
    const sink = new WebhookSink(busy.url, { onRetry: throwing });
    await assert.rejects(EventStream.from(alerts("one")).pipeTo(sink), mine);
  });

  it("shows a client certificate, and trusts one authority", async () => {
    const [certificates, others] = await Promise.all([makeCertificates(), makeCertificates()]);
    const tls = { ...certificates.server, clientCa: certificates.ca };
    const receiver = await HttpReceiver.start({ port: 0, tls });
    try {
      const sink = new WebhookSink(receiver.url, {
        tls: { ca: certificates.ca, ...certificates.client },
      });
      await EventStream.from(alerts("one")).pipeTo(sink);
      const stranger = new WebhookSink(receiver.url, {
        retry: { maxAttempts: 1 },
        // Not without "ca": Deno then asks for a permission.
        tls: { ca: others.ca, ...certificates.client },
      });
      await assert.rejects(
        EventStream.from(alerts("two")).pipeTo(stranger),
        (error) => error instanceof DeliveryError && error.mayPass,
      );
      assert.equal(receiver.stats().received, 1);
    } finally {
      await receiver.cancel();
    }
    const missing = new WebhookSink(receiver.url, { tls: { ca: "/no/such.crt" } });
    await assert.rejects(
      EventStream.from(alerts("one")).pipeTo(missing),
      /"\/no\/such\.crt" of the option "tls\.ca" cannot be read/,
    );
    const { cert } = certificates.client;
    for (
      const [pair, problem] of [
        [
          { cert, key: others.client.key },
          /the key in the option "tls\.key" does not belong to the /,
        ],
        [{ cert }, /the option "tls\.key" is missing\. Pass PEM text or a path$/],
      ] as const
    ) {
      const mixed = new WebhookSink(receiver.url, { tls: { ca: certificates.ca, ...pair } });
      await assert.rejects(EventStream.from(alerts("one")).pipeTo(mixed), problem);
    }
  });

  it("fails at once with what no other attempt would change", async () => {
    const hook = await startHook(ok);
    const sink = new WebhookSink(hook.url, { headers: { "x-bad": "one\r\ntwo: three" } });
    await assert.rejects(
      EventStream.from(alerts("one")).pipeTo(sink),
      (error) =>
        error instanceof FalcoError && !(error instanceof DeliveryError) &&
        error.message.startsWith(`Cannot deliver to ${hook.url}: `),
    );
    assert.deepEqual(hook.bodies, []);
    assert.equal(sink.stats().retries, 0);
  });

  it("refuses wrong options", () => {
    assert.throws(() => new WebhookSink("ftp://x/"), TypeError);
    assert.throws(() => new WebhookSink("oops"), TypeError);
    for (
      const options of [
        { maxBuffered: 0 },
        { timeoutMs: -1 },
        { closeTimeoutMs: 0 },
        { retry: { minDelayMs: 0 } },
        { retry: { maxAttempts: 0 } },
      ]
    ) assert.throws(() => new WebhookSink("http://x/", options), RangeError);
  });
});
