/** What a webhook sink does while its receiver is away, busy or slow: it tries again, waits, drops. */
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import { afterEach, describe, it } from "node:test";
import { FakeClock } from "../harness/fake_clock.ts";
import {
  broadcastReadableStream,
  EventStream,
  FileSink,
  followFile,
  SinkStream,
  WebhookSink,
} from "../mod.ts";
import type { Alert, Delivered, DropReason } from "../mod.ts";
import { alerts, closeHooks, hurry, ok, startHook, status } from "./webhook_probes.ts";

afterEach(closeHooks);

describe("WebhookSink", () => {
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
});
