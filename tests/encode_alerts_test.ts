import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import { encodeAlerts } from "../harness/encode_alerts.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import { encodeAlert } from "../lib/alert/wire.ts";
import { MemoryAlertQueue } from "../lib/server/alert_queue.ts";
import { MessageSplitter } from "../lib/transport/message_splitter.ts";
import { frameMessage } from "../lib/transport/message_splitter.ts";
import { alerts, rules, socketPath, wires, withFake } from "./fake_falco_clients.ts";
import { until, within } from "./waits.ts";

/** Some messages of one byte each as a run. */
function runOf(...bytes: number[]): { bytes: Uint8Array; count: number } {
  const frames = bytes.flatMap((byte) => [...frameMessage(new Uint8Array([byte]))]);
  return { bytes: new Uint8Array(frames), count: bytes.length };
}

describe("encodeAlerts()", () => {
  it("holds the messages that push() would queue, in runs of at most 256 KiB", () => {
    const some = alerts(1, 3000);
    const { count, falcoVersion, runs } = encodeAlerts(some);
    assert.deepEqual([count, falcoVersion], [3000, "0.43.1"]);
    assert.ok(runs.length > 1);
    assert.ok(runs.every(({ bytes }) => bytes.length <= 262_144));
    assert.equal(runs.reduce((sum, run) => sum + run.count, 0), 3000);
    const expected = Buffer.concat(some.map((alert) => frameMessage(encodeAlert(alert))));
    assert.ok(expected.equals(Buffer.concat(runs.map(({ bytes }) => bytes))));
  });

  it("gives an alert that is longer a run of its own", () => {
    const long = buildAlert({ output: "x".repeat(300_000) });
    assert.deepEqual(
      encodeAlerts([...alerts(1), long, ...alerts(2)]).runs.map(({ count }) => count),
      [
        1,
        1,
        1,
      ],
    );
  });

  it("encodes for a version, without what that does not send", () => {
    const { count, falcoVersion } = encodeAlerts(
      [buildAlert({ source: "internal" }), buildAlert()],
      { falcoVersion: "0.26.0" },
    );
    assert.deepEqual([count, falcoVersion], [1, "0.26.0"]);
    assert.deepEqual(encodeAlerts([]).runs, []);
    assert.throws(() => encodeAlerts([], { falcoVersion: "x" }), RangeError);
  });
});

describe("MemoryAlertQueue", () => {
  it("hands out a run whole, or message by message", () => {
    const queue = new MemoryAlertQueue();
    queue.push(new Uint8Array([1]));
    queue.pushRun(runOf(2, 3));
    queue.pushRun(runOf());
    queue.pushRun(runOf(4, 5));
    queue.push(new Uint8Array([6]));
    assert.equal(queue.depth, 6);
    assert.equal(queue.tryPopRun(), undefined);
    assert.deepEqual([...queue.tryPop()!], [1]);
    assert.deepEqual([...queue.tryPop()!], [2]);
    assert.equal(queue.tryPopRun(), undefined); // one of it is gone
    assert.deepEqual([...queue.tryPop()!], [3]);
    assert.equal(queue.tryPopRun()?.count, 2);
    assert.equal(queue.depth, 1);
    assert.equal(queue.tryPopRun(), undefined);
    assert.deepEqual([...queue.tryPop()!], [6]);
    assert.deepEqual([queue.tryPop(), queue.tryPopRun(), queue.depth], [undefined, undefined, 0]);
  });

  it("joins single messages to runs of 16 KiB, in order, and leaves one alone as it is", () => {
    const queue = new MemoryAlertQueue();
    // So many that the queue moves up what is left in between.
    const count = 10_000;
    for (let number = 0; number < count; number++) {
      queue.push(new Uint8Array([number >> 8, number & 255, ...new Uint8Array(1_000)]));
    }
    queue.pushRun(runOf(7));
    queue.push(new Uint8Array(20_000));
    queue.push(new Uint8Array([8]));
    const seen: number[] = [];
    const splitter = new MessageSplitter(1_002);
    while (seen.length < count) {
      const run = queue.tryPopRun()!;
      assert(run.bytes.length <= 16_384 && run.count > 1, `${run.count} in ${run.bytes.length}`);
      const messages = splitter.push(run.bytes);
      assert.equal(messages.length, run.count);
      seen.push(...messages.map((message) => message[0]! * 256 + message[1]!));
      assert.equal(queue.depth, count + 3 - seen.length);
    }
    assert.deepEqual(seen, Array.from({ length: count }, (_, number) => number));
    assert.equal(queue.tryPopRun()?.count, 1);
    assert.equal(queue.tryPopRun(), undefined); // too long to be joined
    assert.equal(queue.tryPop()?.length, 20_000);
    assert.equal(queue.tryPopRun(), undefined); // alone
    assert.deepEqual([...queue.tryPop()!], [8]);
    assert.equal(queue.depth, 0);
  });

  it("counts runs by their alerts where somebody waits for room", async () => {
    const queue = new MemoryAlertQueue();
    queue.pushRun(runOf(1, 2, 3));
    const below = queue.whenBelow(2);
    queue.tryPop();
    queue.tryPop();
    await within("room", below);
    queue.pushRun(runOf(4));
    const empty = queue.whenBelow(1);
    queue.tryPop();
    queue.tryPopRun();
    await within("room", empty);
  });

  it("forgets a run that is half taken when it is cleared", () => {
    const queue = new MemoryAlertQueue();
    queue.pushRun(runOf(1, 2));
    queue.tryPop();
    queue.clear();
    queue.pushRun(runOf(3, 4));
    assert.equal(queue.depth, 2);
    assert.deepEqual([...queue.tryPop()!], [3]);
  });
});

for (const wire of wires) {
  describe(`FakeFalco.pushEncoded() over ${wire.name}`, () => {
    it("delivers the same as push(), among others, in order, to sub and get", () =>
      withFake(wire, async ({ fake, dial }) => {
        const encoded = encodeAlerts(alerts(2, 400));
        const client = dial();
        for (let round = 0; round < 2; round++) {
          fake.push(...alerts(1));
          fake.pushEncoded(encoded);
          fake.push(...alerts(401));
          assert.equal(fake.queueDepth, 401);
          if (round === 0) {
            const sub = await client.sub(1);
            assert.deepEqual(await sub.read(401), rules(1, 401));
            assert.equal(fake.requests[0]?.alerts, 401);
            sub.cancel();
          } else {
            assert.deepEqual(await client.get(), rules(1, 401));
          }
        }
      }));

    it("keeps its place among single alerts", () =>
      withFake(wire, async ({ fake, dial }) => {
        for (const from of [1, 11, 21]) {
          fake.push(...alerts(from));
          fake.pushEncoded(encodeAlerts(alerts(from + 1, from + 3)));
          fake.pushEncoded(encodeAlerts(alerts(from + 4)));
          fake.push(...alerts(from + 5, from + 9));
        }
        const client = dial();
        const sub = await client.sub(1);
        assert.deepEqual(await sub.read(30), rules(1, 30));
        fake.push(...alerts(1));
        fake.pushEncoded(encodeAlerts(alerts(2, 3)));
        assert.deepEqual(await client.get(), rules(1, 3));
      }));

    it("keeps what a slow reader has no room for", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.pushEncoded(encodeAlerts(alerts(1, 5_000)));
        const sub = await dial().sub();
        sub.pause();
        sub.request();
        await until("the drain has begun", () => fake.queueDepth < 5_000);
        await fake.settle();
        assert.ok(fake.queueDepth > 0);
        sub.resume();
        assert.deepEqual(await sub.read(5_000), rules(1, 5_000));
      }));

    it("is ended by stop() like any drain", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.pushEncoded(encodeAlerts(alerts(1, 5_000)));
        const get = await dial().call("falco.outputs.service/get");
        get.pause();
        get.request();
        await until("the drain has begun", () => fake.queueDepth < 5_000);
        const stopped = fake.stop();
        get.resume();
        await get.end();
        assert.equal(get.status, 0);
        assert.ok(get.here().length < 5_000);
        await within("the end", stopped);
      }));
  });

  describe(`FakeFalco with oneAlertPerFrame over ${wire.name}`, () => {
    for (const encoded of [false, true]) {
      it(`sends each alert in a DATA frame of its own${encoded ? ", encoded ones too" : ""}`, () =>
        withFake(wire, async ({ fake, dial }) => {
          const client = dial();
          const some = alerts(1, 300);
          if (encoded) fake.pushEncoded(encodeAlerts(some));
          else fake.push(...some);
          const sub = await client.sub(1);
          assert.deepEqual(await sub.read(300), rules(1, 300));
          await fake.settle(); // the drain goes on until the last alert has left
          fake.push(...alerts(301, 303));
          assert.deepEqual(await client.get(), rules(301, 303));
          assert.equal(fake.requests[0]?.alerts, 300);
        }, { oneAlertPerFrame: true }));
    }

    it("splits a backlog between two drains at once, each in order", () =>
      withFake(wire, async ({ fake, dial }) => {
        fake.push(...alerts(1, 400));
        const clients = [dial(), dial()];
        for (const client of clients) await client.session();
        const calls = await Promise.all(clients.map((client) => client.sub(1)));
        await fake.drained();
        await fake.settle();
        const [one, two] = calls.map((call) => call.here());
        assert.equal(one!.length + two!.length, 400);
        for (const got of [one!, two!]) {
          assert.deepEqual(got, got.toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1))));
        }
      }, { oneAlertPerFrame: true }));
  });
}

describe("FakeFalco.pushEncoded()", () => {
  it("refuses alerts of another version, and all after stop()", async () => {
    const fake = await FakeFalco.start({ falcoVersion: "0.36.0" });
    try {
      assert.throws(() => fake.pushEncoded(encodeAlerts(alerts(1))), {
        name: "RangeError",
        message: "Cannot push alerts of Falco 0.43.1: this is 0.36.0",
      });
      const right = encodeAlerts(alerts(1), { falcoVersion: "0.36.0" });
      fake.pushEncoded(right);
      assert.equal(fake.queueDepth, 1);
      await fake.stop();
      assert.throws(() => fake.pushEncoded(right), { name: "FalcoClosedError" });
    } finally {
      await fake[Symbol.asyncDispose]();
    }
  });
});

describe("FakeFalco without TLS, looked at byte by byte", () => {
  it("has as many DATA frames as alerts with oneAlertPerFrame, and fewer without", async () => {
    for (const oneAlertPerFrame of [true, false]) {
      await withFake(wires[0]!, async ({ fake }) => {
        fake.push(...alerts(1, 50));
        const frames = await dataFrames(fake);
        if (oneAlertPerFrame) assert.equal(frames, 50);
        else assert.ok(frames < 50, `${frames}`);
      }, { oneAlertPerFrame });
    }
  });
});

describe("FakeFalco and a client that does not read, whatever its windows allow", () => {
  for (
    const { name, oneAlertPerFrame, count, push } of [
      {
        name: "alerts",
        oneAlertPerFrame: false,
        count: 60_000,
        push: (fake: FakeFalco, count: number) =>
          fake.push(...Array.from({ length: count }, () => long)),
      },
      {
        name: "alerts that were encoded",
        oneAlertPerFrame: false,
        count: 60_000,
        push: (fake: FakeFalco, count: number) => {
          const encoded = encodeAlerts(Array.from({ length: 1000 }, () => long));
          for (let done = 0; done < count; done += 1000) fake.pushEncoded(encoded);
        },
      },
      {
        name: "alerts in frames of their own",
        oneAlertPerFrame: true,
        count: 15_000, // each takes as long as some twenty that share a frame
        push: (fake: FakeFalco, count: number) =>
          fake.push(...Array.from({ length: count }, () => long)),
      },
    ]
  ) {
    it(`keeps ${name} in the queue, and goes on when it reads`, () =>
      withFake(wires[0]!, async ({ fake }) => {
        push(fake, count);
        const socket = beginGet(fake).pause();
        try {
          await until("the drain has begun", () => fake.queueDepth < count);
          // It comes to rest: nothing leaves the queue for a hundred turns.
          let depth = 0;
          let turns = 0;
          await until("it rests", () => {
            if (fake.queueDepth !== depth) turns = 0;
            depth = fake.queueDepth;
            return turns++ > 100;
          });
          assert(depth > count / 2, `${depth}`);
          socket.resume();
          await until("all is out", () => fake.queueDepth === 0);
        } finally {
          socket.destroy();
          await until("it is gone", () => fake.connections === 0);
        }
      }, { oneAlertPerFrame }));
  }
});

/** 700 bytes, so that there are 10 or 40 MB of them. */
const long = buildAlert({ output: "x".repeat(560) });

/** Begins a `get` on a bare socket, with windows as large as they can be. */
function beginGet(fake: FakeFalco): Socket {
  const socket = connect(socketPath(fake)!);
  const text = new TextEncoder();
  const header = (name: string, value: string): number[] => [
    ...[0, name.length, ...text.encode(name)],
    ...[value.length, ...text.encode(value)],
  ];
  const frame = (type: number, flags: number, stream: number, payload: number[] = []) => [
    ...[0, payload.length >> 8, payload.length & 255, type, flags, 0, 0, 0, stream],
    ...payload,
  ];
  const headers = [
    ...header(":method", "POST"),
    ...header(":scheme", "http"),
    ...header(":path", "/falco.outputs.service/get"),
    ...header(":authority", "localhost"),
    ...header("te", "trailers"),
  ];
  const settings = [0, 4, 0x7f, 255, 255, 255];
  socket.write(
    new Uint8Array([
      ...text.encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      ...frame(4, 0, 0, settings),
      ...frame(8, 0, 0, [0x7f, 0xff, 0, 0]),
      ...frame(1, 4, 1, headers),
      ...frame(0, 1, 1, [0, 0, 0, 0, 0]),
    ]),
  );
  return socket;
}

/** How many DATA frames come. */
async function dataFrames(fake: FakeFalco): Promise<number> {
  const socket = beginGet(fake);
  let bytes: number[] = [];
  let frames = 0;
  const trailers = new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("data", (chunk: Uint8Array) => {
      bytes = [...bytes, ...chunk];
      for (;;) {
        const length = (bytes[0]! << 16) | (bytes[1]! << 8) | bytes[2]!;
        if (!(bytes.length >= 9 + length)) return;
        if (bytes[3] === 0 && length > 0) frames++;
        if (bytes[3] === 1 && frames > 0) resolve();
        bytes = bytes.slice(9 + length);
      }
    });
  });
  try {
    await within("the trailers", trailers);
    return frames;
  } finally {
    socket.destroy();
    await until("it is gone", () => fake.connections === 0);
  }
}
