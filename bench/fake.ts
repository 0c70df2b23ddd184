/** How fast the fake Falco is: alerts a second, and from nothing to the first alert. @module */
import process from "node:process";
import { buildAlert } from "../harness/build_alert.ts";
import { encodeAlerts } from "../harness/encode_alerts.ts";
import { FakeFalco } from "../harness/fake_falco.ts";
import type { Alert } from "../lib/alert/alert.ts";
import { encodeAlert } from "../lib/alert/wire.ts";
import { connect } from "../lib/client/connect.ts";
import type { Bench } from "./bench.ts";
import { measurement, spreadOf } from "./measurement.ts";
import type { Goal } from "./measurement.ts";
import { SinkProcess } from "./sink_process.ts";

const ALERT_BYTES = 700;
/** gRPC's, in front of each. */
const HEADER_BYTES = 5;

/** Rounds of a replay, which takes seconds. */
const MAX_ROUNDS = 5;
const COUNT = 1_000_000;
/** Of what takes longer; nothing in it depends on how many there are. */
const SLOW_COUNT = 100_000;

/** Replay to a sink, the time to the first alert, and many fakes at once. */
export async function benchFake(bench: Bench): Promise<void> {
  await benchReplays(bench);
  for (const tls of [false, true]) await startAndReceive(bench, tls);
  await manyAtOnce(bench);
}

/** One way to replay. */
interface ReplayCase {
  readonly tls: boolean;
  readonly oneAlertPerFrame: boolean;
  readonly encoded: boolean;
}

/** How it went. */
interface ReplayTime {
  readonly microseconds: number;
  /** Of the processor, for the process that sends. */
  readonly busyMicroseconds: number;
  readonly bytes: number;
}

const ways = [
  {
    name: "ready-made",
    how: { encoded: true, oneAlertPerFrame: false },
    count: COUNT,
    goal: atRate(1_000_000),
  },
  {
    name: "ready-made, one a frame",
    how: { encoded: true, oneAlertPerFrame: true },
    count: SLOW_COUNT,
  },
  {
    name: "encoded as they come",
    how: { encoded: false, oneAlertPerFrame: false },
    count: COUNT,
    goal: atRate(70_000),
  },
] as const;

async function benchReplays(bench: Bench): Promise<void> {
  const results: { name: string; values: number[]; goal?: Goal }[] = [];
  const notes: string[] = [];
  for (const tls of [false, true]) {
    for (const { how, ...way } of ways) {
      const name = `${way.name}, ${tls ? "mutual TLS" : "unix socket"}`;
      const values: number[] = [];
      const busy: number[] = [];
      const resident: number[] = [];
      const count = bench.isQuick ? 2_000 : tls ? SLOW_COUNT : way.count;
      for (let round = 0; round < Math.min(bench.rounds, MAX_ROUNDS); round++) {
        const { microseconds, busyMicroseconds, bytes } = await replay(count, { ...how, tls });
        if (bytes !== count * (ALERT_BYTES + HEADER_BYTES)) {
          throw new Error(`Cannot measure ${name}: ${bytes} bytes came for ${count} alerts`);
        }
        values.push(microseconds);
        busy.push(busyMicroseconds);
        resident.push(Math.round(process.memoryUsage().rss / 2 ** 20));
      }
      results.push({ name, values, ...("goal" in way && !tls ? { goal: way.goal } : {}) });
      notes.push(
        `${name}: ${rate(spreadOf(values).median)} alerts a second, ` +
          `${
            rate(spreadOf(busy).median)
          } in a second of the fake's processor time; resident after ` +
          `each replay of ${count.toLocaleString("en")}: ${resident.join(", ")} MiB.`,
      );
    }
  }
  const question =
    `An alert of ${ALERT_BYTES} bytes from the fake to a sink in another process that only counts, ` +
    `in a replay of ${COUNT.toLocaleString("en")}, or ${SLOW_COUNT.toLocaleString("en")} one a ` +
    "frame and over TLS";
  const digest = ALERT_BYTES + HEADER_BYTES;
  bench.add(measurement(question, { unit: "µs", digest, results }));
  for (const note of notes) bench.note(note);
  bench.note(
    "A real Falco 0.43.1 sent alerts of 178 bytes to a client on bare HTTP/2 at 269,000 a second on " +
      "a unix socket, and at 97,000 over mutual TLS.",
  );
}

function rate(microseconds: number): string {
  return (Math.round(10_000 / microseconds) * 100).toLocaleString("en");
}

/** So many alerts in a second. */
function atRate(alerts: number): Goal {
  return {
    text: `at least ${alerts.toLocaleString("en")} a second`,
    isMet: ({ value }) => value.median <= 1_000_000 / alerts,
  };
}

async function replay(count: number, how: ReplayCase): Promise<ReplayTime> {
  const { tls, oneAlertPerFrame, encoded } = how;
  const fake = await FakeFalco.start({ tls, oneAlertPerFrame });
  const { ca, client } = fake.certificates ?? {};
  const sink = new SinkProcess({
    address: fake.address,
    tls: client === undefined ? undefined : { ca: ca!, cert: client.cert, key: client.key },
  });
  try {
    await sink.ready();
    const alert = alertOf(ALERT_BYTES);
    const thousand = encodeAlerts(Array.from({ length: 1000 }, () => alert));
    const startedAt = performance.now();
    const busyAt = process.cpuUsage();
    let replayed: Promise<unknown> | undefined;
    if (encoded) {
      for (let done = 0; done < count; done += thousand.count) fake.pushEncoded(thousand);
    } else {
      // Few are queued at a time, so that the memory stays flat; a get that finds none ends, and the
      // sink does the next.
      replayed = fake.replay(repeat(alert, count), { maxQueued: 4096 });
    }
    let bytes = 0;
    while (bytes < count * (ALERT_BYTES + HEADER_BYTES)) {
      bytes += (await sink.get()).bytes;
    }
    await replayed;
    const { user, system } = process.cpuUsage(busyAt);
    return {
      microseconds: (performance.now() - startedAt) * 1000 / count,
      busyMicroseconds: (user + system) / count,
      bytes,
    };
  } finally {
    await sink.end();
    await fake.kill();
    await fake[Symbol.asyncDispose]();
  }
}

/** The library's own client, so that the time is what a test waits. */
async function startAndReceive(bench: Bench, tls: boolean): Promise<void> {
  const times: number[] = [];
  const alert = alertOf(ALERT_BYTES);
  for (let round = 0; round < (bench.isQuick ? 3 : 41); round++) {
    const startedAt = performance.now();
    const fake = await FakeFalco.start({ tls });
    fake.push(alert);
    const falco = connect(fake.address, { tls: fake.credentials });
    for await (const _ of falco.outputs.subscribe()) break;
    times.push(performance.now() - startedAt);
    await falco.close();
    await fake[Symbol.asyncDispose]();
  }
  const { median, high } = spreadOf(times);
  const where = tls ? "over TLS, with new certificates each time" : "on a unix socket";
  bench.note(
    `From FakeFalco.start() to the first alert ${where}: ${median.toFixed(1)} ms (median of ` +
      `${times.length}; a quarter took more than ${high.toFixed(1)} ms). Goal: below ` +
      `${tls ? 150 : 50} ms.`,
  );
}

async function manyAtOnce(bench: Bench): Promise<void> {
  const count = bench.isQuick ? 10 : 200;
  const startedAt = performance.now();
  const alert = alertOf(ALERT_BYTES);
  const fakes = await Promise.all(Array.from({ length: count }, () => FakeFalco.start()));
  await Promise.all(fakes.map(async (fake) => {
    fake.push(alert);
    const falco = connect(fake.address, { tls: fake.credentials });
    for await (const _ of falco.outputs.get());
    await falco.close();
    await fake[Symbol.asyncDispose]();
  }));
  const ms = performance.now() - startedAt;
  bench.note(`${count} fakes at once, an alert from each, and all gone: ${ms.toFixed(0)} ms.`);
}

/** An alert that has that many bytes on the wire. */
function alertOf(bytes: number): Alert {
  const alert = buildAlert();
  for (let length = 0;; length++) {
    const padded = { ...alert, output: alert.output + "x".repeat(length) };
    if (encodeAlert(padded).length >= bytes) return padded;
  }
}

function* repeat(alert: Alert, count: number): Generator<Alert> {
  for (let done = 0; done < count; done++) yield alert;
}
