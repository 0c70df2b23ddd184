import assert from "node:assert/strict";
import { test } from "node:test";
import { SinkStream } from "../lib/streams/mod.ts";
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
