import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStream, SinkStream } from "../lib/streams/mod.ts";
import { probedSources, settled } from "./stream_probes.ts";

test("SinkStream writes one item at a time, closes, and aborts", async () => {
  const log: unknown[] = [];
  const make = (): SinkStream<number> =>
    new SinkStream<number>({
      async write(item) {
        log.push(`begin ${item}`);
        await settled();
        log.push(`end ${item}`);
      },
      close: () => void log.push("close"),
      abort: (reason) => void log.push(reason),
    });
  await probedSources[0]!.make([1, 2]).stream.pipeTo(make());
  assert.deepEqual(log.splice(0), ["begin 1", "end 1", "begin 2", "end 2", "close"]);
  const error = new Error("the source broke");
  await assert.rejects(probedSources[1]!.make([1], { error }).stream.pipeTo(make()));
  assert.deepEqual(log, ["begin 1", "end 1", error]);
});

test("SinkStream works with write alone, and refuses what cannot work", async () => {
  await probedSources[0]!.make([1]).stream.pipeTo(new SinkStream({ write() {} }));
  await new SinkStream({ write() {} }).abort("gone");
  assert.equal(new SinkStream({ write() {} }).getWriter().desiredSize, 1);
  assert.equal(new SinkStream({ write() {} }, { highWaterMark: 9 }).getWriter().desiredSize, 9);
  for (const highWaterMark of [0, -1, 1.5, NaN]) {
    assert.throws(() => new SinkStream({ write() {} }, { highWaterMark }), RangeError);
  }
  assert.throws(() => new SinkStream({} as { write(item: number): void }), TypeError);
});

test("SinkStream that somebody has written to gets the rest through its queue", async () => {
  const log: unknown[] = [];
  const gate = Promise.withResolvers<void>();
  const sink = new SinkStream<number>({
    write(item) {
      log.push(item);
      return gate.promise;
    },
    close: () => void log.push("close"),
  });
  const writer = sink.getWriter();
  writer.write(0);
  writer.releaseLock();
  const piped = EventStream.from([1, 2]).pipeTo(sink);
  await settled();
  assert.deepEqual(log, [0]);
  gate.resolve();
  await piped;
  assert.deepEqual(log, [0, 1, 2, "close"]);
});

test("SinkStream that is locked, closing, closed or failed is refused as any sink is", async () => {
  const ways: Record<string, (sink: SinkStream<number>) => unknown> = {
    locked: (sink) => sink.getWriter(),
    closing: (sink) => void sink.close(),
    closed: (sink) => sink.close(),
    failed: (sink) => sink.abort("gone"),
    "closed by a pipe": (sink) => EventStream.from([1]).pipeTo(sink),
  };
  for (const [way, prepare] of Object.entries(ways)) {
    let written = 0;
    const sink = new SinkStream<number>({ write: () => void written++ });
    await prepare(sink);
    const before = written;
    await assert.rejects(
      EventStream.from([1]).pipeTo(sink),
      (error) => error instanceof TypeError || error === "gone",
      way,
    );
    assert.equal(written, before, way);
  }
});

test("SinkStream may get one pipe after the other with preventClose", async () => {
  const log: unknown[] = [];
  const sink = new SinkStream<number>({
    write: (item) => void log.push(item),
    close: () => void log.push("close"),
  });
  await EventStream.from([1]).pipeTo(sink, { preventClose: true });
  await EventStream.from([2]).pipeTo(sink);
  assert.deepEqual(log, [1, 2, "close"]);
});

test("SinkStream may return anything from write", async () => {
  const seen: number[] = [];
  const sink = new SinkStream<number>({ write: (n) => seen.push(n) as unknown as void });
  await EventStream.from([1, 2]).pipeTo(sink);
  assert.deepEqual(seen, [1, 2]);
});

test("SinkStream that cannot close or abort fails the pipe with that", async () => {
  const error = new Error("cannot");
  const refuse = (): Promise<void> => Promise.reject(error);
  const closes = EventStream.from([1]).pipeTo(new SinkStream({ write() {}, close: refuse }));
  await assert.rejects(closes, (given) => given === error);
  const { stream } = probedSources[0]!.make([1], { error: "the source broke" });
  const aborts = stream.pipeTo(new SinkStream({ write() {}, abort: refuse }));
  await assert.rejects(aborts, (given) => given === error);
});
