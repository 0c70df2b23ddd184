import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { afterEach, describe, it } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { buildAlert } from "../harness/build_alert.ts";
import { makeCertificates } from "../harness/certificates.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { DeliveryError, EventStream, formatAlert, priorities, SyslogSink } from "../mod.ts";
import type { Alert, Delivered, SyslogSinkOptions } from "../mod.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

/** A receiver of a stream that cuts it into messages, and fails if a count is wrong. */
class StreamReceiver {
  readonly messages: string[] = [];
  readonly sockets: Socket[] = [];
  readonly port: number;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(
    make: (onSocket: (socket: Socket) => void) => Server = createServer,
    port = 0,
  ): Promise<StreamReceiver> {
    const server: Server = make((socket) => receiver.#take(socket));
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const receiver: StreamReceiver = new StreamReceiver(server);
    open.push(receiver);
    return receiver;
  }

  #take(socket: Socket): void {
    this.sockets.push(socket);
    socket.on("error", () => {});
    let held = new Uint8Array();
    socket.on("data", (chunk: Uint8Array) => {
      const joined = new Uint8Array(held.length + chunk.length);
      joined.set(held);
      joined.set(chunk, held.length);
      held = joined;
      for (;;) {
        const space = held.indexOf(0x20);
        const count = Number(new TextDecoder().decode(held.subarray(0, space)));
        if (space < 0 || held.length < space + 1 + count) return;
        const message = held.subarray(space + 1, space + 1 + count);
        this.messages.push(new TextDecoder("utf-8", { fatal: true }).decode(message));
        held = held.slice(space + 1 + count);
      }
    });
  }

  async received(count: number): Promise<void> {
    while (this.messages.length < count) await new Promise((go) => setImmediate(go));
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** What one alert becomes. */
async function messageOf(alert: Alert, options: SyslogSinkOptions = {}): Promise<string> {
  const receiver = await StreamReceiver.start();
  await EventStream.from([alert])
    .pipeTo(new SyslogSink(`tcp://127.0.0.1:${receiver.port}`, options));
  await receiver.received(1);
  return receiver.messages[0]!;
}

const fixed: Partial<Alert> = {
  time: { seconds: 1767225600, nanos: 123_456_789 },
  rule: "Terminal shell in container",
  hostname: "node-1",
  source: "syscall",
  priority: "notice",
  tags: ["container", "shell"],
};

describe("SyslogSink", () => {
  it("writes what RFC 5424 says, with Falco's JSON", async () => {
    const alert = buildAlert(fixed);
    assert.equal(
      await messageOf(alert),
      "<13>1 2026-01-01T00:00:00.123456Z node-1 falco - - " +
        '[falco@32473 rule="Terminal shell in container" source="syscall" tags="container,shell"] ' +
        formatAlert(alert),
    );
  });

  it("has the severity of each priority, and the facility of the caller", async () => {
    for (const [severity, priority] of priorities.entries()) {
      const options = { facility: "local7", appName: "my falco", enterpriseNumber: 7 } as const;
      const message = await messageOf(buildAlert({ ...fixed, priority }), options);
      assert(message.startsWith(`<${23 * 8 + severity}>1 `), message);
      assert.match(message, / node-1 my\?falco - - \[falco@7 rule=/);
    }
  });

  it("lets no string of an alert end a value, the header or the message", async () => {
    const evil = 'x"] \n<0>1 - - - - - forged\r\0\x7f\u0085\\';
    const alert = buildAlert({
      ...fixed,
      rule: evil,
      source: evil,
      hostname: `a b\n${"é".repeat(300)}`,
      tags: [evil],
      output: evil,
    });
    for (const message of [undefined, (one: Alert) => one.output]) {
      const text = await messageOf(alert, message === undefined ? {} : { message });
      // deno-lint-ignore no-control-regex
      assert.doesNotMatch(text, /[\x00-\x1f\x7f-\x9f]/);
      const escaped = 'x\\"\\] #012<0>1 - - - - - forged#015#000#177#205\\\\';
      assert(
        text.includes(`[falco@32473 rule="${escaped}" source="${escaped}" tags="${escaped}"]`),
      );
      const host = text.split(" ")[2]!;
      assert.match(host, /^a\?b\?\?+$/);
      assert.equal(host.length, 255);
      if (message !== undefined) {
        assert(text.endsWith('] x"] #012<0>1 - - - - - forged#015#000#177#205\\'), text);
      }
    }
  });

  it("leaves out what is empty", async () => {
    const alert = buildAlert({ ...fixed, rule: "", source: "", hostname: "", tags: [] });
    assert.match(await messageOf(alert), /Z - falco - - \[falco@32473\] \{/);
  });

  it("cuts a message that is too long, within no character, and counts it", async () => {
    const receiver = await StreamReceiver.start();
    const sink = new SyslogSink(`tcp://127.0.0.1:${receiver.port}`, { maxMessageBytes: 300 });
    const alert = buildAlert({ ...fixed, output: "€".repeat(300) });
    await EventStream.from([
      { ...alert, rule: "a" },
      { ...alert, rule: "ab" },
      { ...alert, rule: "abc" },
      buildAlert({ ...fixed, output: "", outputFields: {}, tags: [] }),
    ]).pipeTo(sink);
    await receiver.received(4);
    for (const message of receiver.messages.slice(0, 3)) {
      const { length } = new TextEncoder().encode(message);
      assert(length <= 300 && length > 297, `${length}`);
      assert(!message.includes("\uFFFD"));
    }
    assert.equal(sink.stats().cut, 3);
    assert.equal(sink.stats().connections, 1);
  });

  it("sends a datagram a message, arrays too", async () => {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    const messages: string[] = [];
    socket.on("message", (message) => messages.push(new TextDecoder().decode(message)));
    const alerts = ["one", "two", "three"].map((rule) => buildAlert({ ...fixed, rule }));
    const sink = new SyslogSink(`udp://localhost:${socket.address().port}`);
    await EventStream.from<Delivered>([alerts[0]!, alerts.slice(1)]).pipeTo(sink);
    while (messages.length < 3) await new Promise((go) => setImmediate(go));
    assert.deepEqual(
      messages.map((message) => /rule="([^"]*)"/.exec(message)?.[1]),
      ["one", "two", "three"],
    );
    assert.equal(sink.stats().connections, 1);
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  });

  it("tries a datagram again that this machine cannot send", async () => {
    const errors: Error[] = [];
    const sink = new SyslogSink("udp://127.0.0.1:9", {
      maxMessageBytes: 1e6,
      retry: { maxAttempts: 1 },
      onDrop: (_item, _reason, error) => errors.push(error!),
    });
    await EventStream.from([buildAlert({ output: "x".repeat(100_000) })]).pipeTo(sink);
    assert.match(
      errors.join(),
      /^DeliveryError: Cannot deliver to udp:\/\/127\.0\.0\.1:9: .*EMSGSIZE/,
    );
  });

  it("connects again when the receiver has closed, in order", async () => {
    const clock = new FakeClock();
    const first = await StreamReceiver.start();
    let second: StreamReceiver | undefined;
    let failures = 0;
    const sink = new SyslogSink(`tcp://127.0.0.1:${first.port}`, {
      clock,
      onRetry(error, _attempt, delayMs) {
        assert.match(error.message, /^Cannot deliver to tcp:\/\/127\.0\.0\.1:\d+: /);
        void (async () => {
          if (++failures === 2) second = await StreamReceiver.start(undefined, first.port);
          setImmediate(() => clock.advance(delayMs));
        })();
      },
    });
    const writer = sink.getWriter();
    await writer.write(buildAlert({ ...fixed, rule: "one" }));
    await first.received(1);
    await first.close();
    while (sink.stats().retries === 0) {
      // What goes out before this side has noticed is lost: no answer would tell.
      await writer.write(buildAlert({ ...fixed, rule: "lost or late" }));
      await new Promise((go) => setImmediate(go));
    }
    await writer.write(buildAlert({ ...fixed, rule: "last" }));
    await writer.close();
    await second!.received(1);
    while (!second!.messages.at(-1)!.includes('rule="last"')) {
      await new Promise((go) => setImmediate(go));
    }
    assert.equal(sink.stats().connections, 2);
    assert(failures >= 2);
  });

  it("does not wait for a receiver that does not read", async () => {
    const clock = new FakeClock();
    const receiver = await StreamReceiver.start((onSocket) =>
      createServer({ pauseOnConnect: true }, onSocket)
    );
    const errors: string[] = [];
    const sink = new SyslogSink(`tcp://127.0.0.1:${receiver.port}`, {
      clock,
      timeoutMs: 5000,
      maxMessageBytes: 1e9,
      retry: { maxAttempts: 1 },
      onDrop: (_item, _reason, error) => errors.push(error!.message),
    });
    receiver.sockets.forEach((socket) => socket.pause());
    const writer = sink.getWriter();
    await writer.write(buildAlert({ output: "x".repeat(64 * 1024 * 1024) }));
    while (sink.stats().connections === 0) await new Promise((go) => setImmediate(go));
    for (let turn = 0; turn < 20; turn++) {
      receiver.sockets.forEach((socket) => socket.removeAllListeners("data").pause());
      await new Promise((go) => setImmediate(go));
    }
    clock.advance(5000);
    await writer.close();
    assert.deepEqual(errors, [
      `Cannot deliver to tcp://127.0.0.1:${receiver.port}: no answer within 5000 ms`,
    ]);
    assert.equal(clock.pending, 0);
  });

  it("can be aborted while it connects or sends", async () => {
    const receiver = await StreamReceiver.start();
    const sink = new SyslogSink(`tcp://127.0.0.1:${receiver.port}`, { maxMessageBytes: 1e9 });
    const writer = sink.getWriter();
    writer.closed.catch(() => {});
    await writer.write(buildAlert({ output: "x".repeat(16 * 1024 * 1024) }));
    await writer.abort();
    assert.deepEqual(sink.stats().dropped, { aborted: 1 });
  });

  it("speaks TLS with a client certificate, and trusts one authority", async () => {
    const [ours, theirs] = await Promise.all([makeCertificates(), makeCertificates()]);
    const receiver = await StreamReceiver.start((onSocket) =>
      createTlsServer(
        { ...ours.server, ca: ours.ca, requestCert: true, rejectUnauthorized: true },
        onSocket,
      ).on("tlsClientError", () => {})
    );
    const url = `tls://localhost:${receiver.port}`;
    const alert = buildAlert({ ...fixed, rule: "secret" });
    await EventStream.from([alert])
      .pipeTo(new SyslogSink(url, { tls: { ca: ours.ca, ...ours.client } }));
    await receiver.received(1);
    assert.match(receiver.messages[0]!, /rule="secret"/);
    await assert.rejects(
      EventStream.from([alert]).pipeTo(
        new SyslogSink(url, {
          tls: { ca: theirs.ca, ...ours.client },
          retry: { maxAttempts: 1 },
        }),
      ),
      (error) =>
        error instanceof DeliveryError && error.message.startsWith(`Cannot deliver to ${url}`),
    );
    await assert.rejects(
      EventStream.from([alert]).pipeTo(new SyslogSink(url, { tls: { ca: "/no/such.crt" } })),
      /Cannot deliver to tls:.*"\/no\/such\.crt" of the option "tls\.ca" cannot be read/,
    );
    const mixed = { ca: ours.ca, ...ours.client, key: theirs.client.key };
    await assert.rejects(
      EventStream.from([alert]).pipeTo(new SyslogSink(url, { tls: mixed })),
      /Cannot deliver to tls:.*the key in the option "tls\.key" does not belong to the certificate /,
    );
  });

  it("delivers nothing to whoever has a certificate for another name", async () => {
    const { ca, server } = await makeCertificates({ names: ["other.example"] });
    const receiver = await StreamReceiver.start((onSocket) =>
      createTlsServer({ ...server }, onSocket).on("tlsClientError", () => {})
    );
    const url = `tls://localhost:${receiver.port}`;
    const sink = new SyslogSink(url, { tls: { ca }, retry: { maxAttempts: 1 } });
    await assert.rejects(EventStream.from([buildAlert()]).pipeTo(sink), DeliveryError);
    assert.deepEqual(receiver.messages, []);
  });

  it("refuses wrong options", () => {
    for (
      const url of ["http://x", "tcp://", "tcp://x/path", "udp://x?y", "oops", "unix:///dev/log"]
    ) {
      assert.throws(() => new SyslogSink(url), TypeError, url);
    }
    assert.throws(() => new SyslogSink("tcp://x", { tls: {} }), TypeError);
    const facility = "toString" as unknown as "user";
    assert.throws(() => new SyslogSink("tcp://x", { facility }), TypeError);
    for (const options of [{ maxMessageBytes: 0 }, { timeoutMs: 0 }, { enterpriseNumber: -1 }]) {
      assert.throws(() => new SyslogSink("tcp://x", options), RangeError);
    }
  });
});
