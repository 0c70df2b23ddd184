import assert from "node:assert/strict";
import { test } from "node:test";
import type { Alert } from "../lib/alert/alert.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { JsonLinesSink } from "../lib/sinks/json_lines_sink.ts";
import { BatchStream, EventStream, SinkStream } from "../lib/streams/mod.ts";
import { settled } from "./stream_probes.ts";

function alertOf(rule: string): Alert {
  return {
    time: { seconds: 1767225600, nanos: 5 },
    priority: "notice",
    source: "syscall",
    rule,
    output: `00:00:00.000000005: Notice ${rule}`,
    outputFields: { "proc.name": "bash" },
    hostname: "node-1",
    tags: ["shell"],
  };
}

/** A byte stream that keeps what it gets. */
class Target extends SinkStream<Uint8Array> {
  readonly log: unknown[];

  constructor(write: (text: string) => void | Promise<void> = () => {}) {
    const log: unknown[] = [];
    const decoder = new TextDecoder();
    super({
      write(bytes) {
        log.push(decoder.decode(bytes));
        return write(log.at(-1) as string);
      },
      close: () => void log.push("closed"),
      abort: (reason) => void log.push(reason),
    });
    this.log = log;
  }
}

const alerts = ["one", "two", "three"].map(alertOf);

test("JsonLinesSink writes Falco's own line for each alert and closes the target", async () => {
  const target = new Target();
  await EventStream.from(alerts).pipeTo(new JsonLinesSink(target));
  assert.deepEqual(target.log, [...alerts.map((alert) => `${formatAlert(alert)}\n`), "closed"]);
  const line = JSON.parse(target.log[0] as string);
  assert.equal(line.rule, "one");
  assert.equal(line.time, "2026-01-01T00:00:00.000000005Z");
});

test("JsonLinesSink writes one array a line for batches", async () => {
  const target = new Target();
  await EventStream.from(alerts).pipeThrough(new BatchStream(2)).pipeTo(new JsonLinesSink(target));
  const [first, second, end] = target.log as [string, string, string];
  assert.equal(first, `[${formatAlert(alerts[0]!)},${formatAlert(alerts[1]!)}]\n`);
  assert.deepEqual(JSON.parse(second).map((alert: Alert) => alert.rule), ["three"]);
  assert.equal(end, "closed");

  const empty = new Target();
  await EventStream.from([[]]).pipeTo(new JsonLinesSink(empty));
  assert.deepEqual(empty.log, ["[]\n", "closed"]);
});

test("JsonLinesSink writes with the format it is given, in UTF-8", async () => {
  const target = new Target();
  const format = (alert: Alert): string => `{"rule":"${alert.rule} é€😀"}`;
  await EventStream.from([alerts[0]!, alerts.slice(1)])
    .pipeTo(new JsonLinesSink(target, { format }));
  assert.deepEqual(target.log, [
    '{"rule":"one é€😀"}\n',
    '[{"rule":"two é€😀"},{"rule":"three é€😀"}]\n',
    "closed",
  ]);
});

test("JsonLinesSink waits for the target, so that the source does", async () => {
  const takes: (() => void)[] = [];
  const target = new Target(() => new Promise((resolve) => takes.push(resolve)));
  let pulls = 0;
  const source = new EventStream<Alert>({
    pull: () => pulls++ < 10 ? [alerts[0]!] : null,
    cancel() {},
  });
  const piped = source.pipeTo(new JsonLinesSink(target));
  await settled();
  assert.equal(takes.length, 1);
  assert.equal(pulls, 1);
  takes[0]!();
  await settled();
  assert.equal(takes.length, 2);
  assert.equal(pulls, 2);
  for (let write = 1; write < 10; write++) {
    takes[write]!();
    await settled();
  }
  await piped;
  assert.equal(target.log.length, 11);
});

test("JsonLinesSink with preventClose leaves the target open and unlocked", async () => {
  const target = new Target();
  for (const rule of ["one", "two"]) {
    await EventStream.from([alertOf(rule)])
      .pipeTo(new JsonLinesSink(target, { preventClose: true, format: (alert) => alert.rule }));
    assert.equal(target.locked, false);
  }
  assert.deepEqual(target.log, ["one\n", "two\n"]);
  await target.close();
});

test("JsonLinesSink aborts the target with the reason, preventClose or not", async () => {
  for (const preventClose of [true, false]) {
    const reason = new Error("the source broke");
    const target = new Target();
    let pulls = 0;
    const source = new EventStream<Alert>({
      pull: () => pulls++ === 0 ? Promise.resolve([alerts[0]!]) : Promise.reject(reason),
      cancel() {},
    });
    const sink = new JsonLinesSink(target, { preventClose, format: (alert) => alert.rule });
    await assert.rejects(source.pipeTo(sink), (given) => given === reason);
    assert.deepEqual(target.log, ["one\n", reason]);
  }
});

test("JsonLinesSink fails as its target does, and as its format does", async () => {
  const error = new Error("disk full");
  const reasons: unknown[] = [];
  const source = (): EventStream<Alert> =>
    new EventStream<Alert>({
      pull: () => [alerts[0]!],
      cancel: (reason) => void reasons.push(reason),
    });
  const full = new Target(() => Promise.reject(error));
  await assert.rejects(source().pipeTo(new JsonLinesSink(full)), (given) => given === error);
  const format = (): string => {
    throw error;
  };
  const target = new Target();
  await assert.rejects(
    source().pipeTo(new JsonLinesSink(target, { format })),
    (given) => given === error,
  );
  assert.deepEqual(reasons, [error, error]);
  assert.deepEqual(target.log, []);
});

test("JsonLinesSink does not report an error of the target by itself", async () => {
  const target = new WritableStream<Uint8Array>({
    start(controller) {
      queueMicrotask(() => controller.error(new Error("gone")));
    },
  });
  const sink = new JsonLinesSink(target);
  await settled();
  const writer = sink.getWriter();
  await assert.rejects(writer.write(alerts[0]!), /gone/);
  await assert.rejects(writer.closed, /gone/);
});

test("JsonLinesSink refuses a target that is locked", () => {
  const target = new Target();
  target.getWriter();
  assert.throws(() => new JsonLinesSink(target), TypeError);
});
