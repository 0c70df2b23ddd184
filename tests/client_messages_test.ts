/** What streams make of messages that are no alerts, are not all text, or are too large. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { encodeAlert } from "../lib/alert/wire.ts";
import { connect } from "../lib/client/connect.ts";
import type { ConnectOptions, FalcoClient } from "../lib/client/connect.ts";
import { AlertFormatError, FalcoRpcError } from "../lib/errors.ts";
import { MemoryAlertQueue } from "../lib/server/alert_queue.ts";
import { FalcoServer } from "../lib/server/falco_server.ts";
import { frameMessage } from "../lib/transport/message_splitter.ts";
import {
  certificates,
  credentials,
  GRPC_HEADERS,
  join,
  numbered,
  rejection,
  testWays,
  withAnswer,
  withSocketPath,
} from "./client_probes.ts";
import type { Way } from "./client_probes.ts";
import { passAll } from "./reconnect_probes.ts";
import { outcome } from "./stream_probes.ts";
import { until } from "./waits.ts";

/** Not a protobuf message: a field of a group that has no end. */
const INVALID = Uint8Array.of(0x0b);

interface RawFalco {
  readonly falco: FalcoClient;
  readonly server: FalcoServer;
}

/** A server as Falco's, whose queue holds any bytes. */
async function withMessages(
  { kind, transport }: Pick<Way, "kind" | "transport">,
  messages: readonly Uint8Array[],
  run: (raw: RawFalco) => Promise<void>,
  options: ConnectOptions = {},
): Promise<void> {
  await withSocketPath(async (path) => {
    const queue = new MemoryAlertQueue();
    for (const message of messages) queue.push(message);
    const server = await FalcoServer.listen(
      kind === "unix" ? { kind, path } : {
        kind,
        host: "localhost",
        port: 0,
        credentials: { ca: certificates.ca, ...certificates.server },
      },
      { openQueue: () => queue, versionMessage: new Uint8Array() },
    );
    const tls = kind === "unix" ? undefined : credentials;
    const falco = connect(server.address, { ...options, transport, tls });
    try {
      await run({ falco, server });
    } finally {
      await falco.close();
      await server.kill();
    }
  });
}

testWays("Streams skip, count and report messages that are no alerts", async (way) => {
  const messages = [
    encodeAlert(numbered(0)),
    INVALID,
    Uint8Array.of(0xff),
    encodeAlert(numbered(1)),
    Uint8Array.of(0x0a, 0x05, 0x01),
  ];
  await withMessages(way, [...messages, ...messages], async ({ falco }) => {
    const reports: [AlertFormatError, Uint8Array][] = [];
    const alerts = falco.outputs.subscribe({
      onInvalid: (...report) => void reports.push(report),
    });
    const read: string[] = [];
    for await (const { rule } of alerts) {
      read.push(rule);
      if (read.length === 4) break;
    }
    assert.deepEqual(read, ["rule 0", "rule 1", "rule 0", "rule 1"]);
    const { received, invalid } = alerts.stats();
    assert.equal(received, 4);
    // Whether the last one is in comes down to how the bytes arrived.
    assert(invalid === 5 || invalid === 6, `${invalid}`);
    assert.equal(reports.length, invalid);
    for (const [index, [error, message]] of reports.entries()) {
      assert(error instanceof AlertFormatError);
      assert.deepEqual(message, [messages[1]!, messages[2]!, messages[4]!][index % 3]);
    }
  });
});

testWays("Streams go on without a word if nobody asks for bad messages", async (way) => {
  await withMessages(way, [INVALID, encodeAlert(numbered(0)), INVALID], async ({ falco }) => {
    const { items, error } = await outcome(falco.outputs.get());
    assert.equal(error, undefined);
    assert.deepEqual(items, [numbered(0)]);
  });
});

testWays("Streams fail with what onInvalid throws, after the alerts before it", async (way) => {
  const good = [0, 1, 2].map((index) => encodeAlert(numbered(index)));
  const late = Array.from({ length: 50 }, () => encodeAlert(numbered(99)));
  await withMessages(way, [...good, INVALID, ...late], async ({ falco, server }) => {
    const mine = new Error("mine");
    const alerts = falco.outputs.subscribe({
      onInvalid() {
        throw mine;
      },
    });
    const { items, error } = await outcome(alerts);
    assert.equal(error, mine);
    assert.deepEqual(items.map(({ rule }) => rule), ["rule 0", "rule 1", "rule 2"]);
    assert.equal(await alerts.closed, mine);
    await until("the call is over", () => server.services.openCalls.length === 0);
    const { received, invalid, dropped } = alerts.stats();
    assert.deepEqual([received, invalid], [3, 1]);
    assert(dropped <= 50);
    // And the next subscription is welcome.
    await falco.outputs.subscribe().close();
  });
});

testWays(
  "Streams that onInvalid has failed end their call, read on or not",
  async ({ kind, transport }) => {
    const onInvalid = (): void => {
      throw new Error("mine");
    };
    let open = 0;
    let body = join(frameMessage(encodeAlert(numbered(0))), frameMessage(INVALID));
    await withAnswer((stream) => {
      open++;
      stream.on("close", () => open--);
      stream.respond(GRPC_HEADERS);
      stream.write(body);
    }, async (falco) => {
      const reader = falco.outputs.subscribe({ onInvalid }).getReader();
      assert.equal((await reader.read()).value?.rule, "rule 0");
      await until("the call is over", () => open === 0);
      assert.match(String(await rejection(reader.read())), /mine/);

      body = frameMessage(INVALID);
      const second = falco.outputs.subscribe({ onInvalid });
      assert.match(String(await rejection(second.getReader().read())), /mine/);
      await until("the call is over", () => open === 0);
      assert.equal(second.stats().received, 0);
    }, { kind, transport });
  },
);

testWays("Streams replace text that is not UTF-8, and count it", async (way) => {
  const wire = encodeAlert(buildAlert({ rule: "RULE", hostname: "HOST" }));
  const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
  const broken = Uint8Array.from(
    [...text(wire).replace("RULE", "R\xffLE").replace("HOST", "H\xc3ST")]
      .map((character) => character.charCodeAt(0)),
  );
  await withMessages(way, [wire, broken, wire], async ({ falco }) => {
    const alerts = falco.outputs.subscribe();
    const read: Alert[] = [];
    for await (const alert of alerts) if (read.push(alert) === 3) break;
    assert.deepEqual(read.map(({ rule }) => rule), ["RULE", "R\ufffdLE", "RULE"]);
    assert.equal(read[1]!.hostname, "H\ufffdST");
    const { received, invalid, lossyText } = alerts.stats();
    assert.deepEqual([received, invalid, lossyText], [3, 0, 2]);
  });
});

testWays("Streams fail on a message above maxMessageBytes", async (way) => {
  const small = encodeAlert(numbered(0));
  const large = encodeAlert(buildAlert({ output: "x".repeat(2000) }));
  const options = { maxMessageBytes: large.length - 1 };
  await withMessages(way, [small, small, large, small], async ({ falco, server }) => {
    const alerts = falco.outputs.subscribe({ reconnect: false });
    const { items, error } = await outcome(alerts);
    assert.equal(items.length, 2);
    assert(error instanceof FalcoRpcError);
    assert.equal(error.status, 8);
    assert.equal(error.method, "falco.outputs.service/sub");
    assert.equal(
      error.message,
      "Cannot read the answer of falco.outputs.service/sub: " +
        `the message has ${large.length} bytes, ${
          large.length - 1
        } are allowed. That alert is lost; raise ` +
        "maxMessageBytes of connect() for others like it",
    );
    assert.equal(await alerts.closed, error);
    await until("the call is over", () => server.services.openCalls.length === 0);
  }, options);
  await withMessages(way, [small, large], async ({ falco }) => {
    assert.equal((await outcome(falco.outputs.get())).items.length, 2);
  }, { maxMessageBytes: large.length });
});

test("Subscription counts and reports a message above maxMessageBytes, and goes on", async () => {
  const small = frameMessage(encodeAlert(numbered(1)));
  const clock = new FakeClock(1000);
  let calls = 0;
  await withAnswer((stream) => {
    stream.respond(GRPC_HEADERS);
    stream.write(++calls < 3 ? join(small, frameMessage(new Uint8Array(2000)), small) : small);
  }, async (falco) => {
    const reports: [AlertFormatError, Uint8Array][] = [];
    const onInvalid = (...report: [AlertFormatError, Uint8Array]): void =>
      void reports.push(report);
    const { items, error } = await outcome(falco.outputs.get({ onInvalid }));
    assert.equal(items.length, 1);
    assert(error instanceof FalcoRpcError);
    assert.equal(reports.length, 1);

    const alerts = falco.outputs.subscribe({ onInvalid });
    const reader = alerts.getReader();
    for (let index = 0; index < 2; index++) {
      assert.equal((await passAll(clock, reader.read())).value?.rule, "rule 1");
    }
    const { received, invalid, reconnects } = alerts.stats();
    assert.deepEqual([received, invalid, reconnects], [2, 1, 1]);
    assert.equal(reports.length, 2);
    for (const [report, bytes] of reports) {
      assert(report instanceof AlertFormatError);
      assert.match(
        report.message,
        /: the message has 2000 bytes, 1000 are allowed\. That alert is lost; raise maxMessageBytes of connect\(\) for others like it$/,
      );
      assert.deepEqual(bytes, new Uint8Array());
    }
    await alerts.close();
    calls = 1;
    const mine = new Error("mine");
    const strict = falco.outputs.subscribe({
      onInvalid() {
        throw mine;
      },
    });
    const failed = await outcome(strict);
    assert.deepEqual([failed.items.length, failed.error], [1, mine]);
    assert.equal(await strict.closed, mine);
  }, { maxMessageBytes: 1000, clock });
});

testWays("Streams accept messages of 4 MiB by default, and no longer ones", async (way) => {
  const size = 4 * 1024 * 1024;
  const overhead = encodeAlert(buildAlert({ output: "x".repeat(size - 1000) })).length - size;
  const largest = encodeAlert(buildAlert({ output: "x".repeat(size - 1000 - overhead) }));
  assert.equal(largest.length, size);
  const above = encodeAlert(buildAlert({ output: "x".repeat(size - 999 - overhead) }));
  await withMessages(way, [largest, above], async ({ falco }) => {
    const { items, error } = await outcome(falco.outputs.get());
    assert.equal(items.length, 1);
    assert(error instanceof FalcoRpcError);
    assert.match(
      error.message,
      /the message has 4194305 bytes, 4194304 are allowed\. That alert is lost; raise maxMessageBytes of connect\(\) for others like it$/,
    );
  });
});
