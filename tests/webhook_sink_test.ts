/** What a webhook sink posts, whom it trusts, and what it fails with. */
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { makeCertificates } from "../harness/certificates.ts";
import {
  DeliveryError,
  EventStream,
  FalcoError,
  formatAlert,
  HttpReceiver,
  WebhookSink,
} from "../mod.ts";
import type { Delivered } from "../mod.ts";
import { alerts, closeHooks, ok, startHook, status } from "./webhook_probes.ts";

afterEach(closeHooks);

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

  it("delivers nothing to whoever has a certificate for another name", async () => {
    const { ca, server } = await makeCertificates({ names: ["other.example"] });
    const receiver = await HttpReceiver.start({ port: 0, tls: server });
    try {
      const sink = new WebhookSink(receiver.url, { retry: { maxAttempts: 1 }, tls: { ca } });
      await assert.rejects(EventStream.from(alerts("one")).pipeTo(sink), DeliveryError);
      assert.equal(receiver.stats().received, 0);
    } finally {
      await receiver.cancel();
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
