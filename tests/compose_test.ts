import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../harness/fake_clock.ts";
import {
  BatchStream,
  compose,
  FalcoClosedError,
  FilterStream,
  OperatorStream,
} from "../lib/streams/mod.ts";
import { outcome, probedSources } from "./stream_probes.ts";

test("compose() takes the operators it is given, once", () => {
  const filter = new FilterStream<number>(() => true);
  compose(filter);
  assert.throws(() => filter.readable, FalcoClosedError);
  assert.throws(() => filter.writable, /Cannot use this FilterStream again/);
  assert.throws(() => compose(filter), FalcoClosedError);
  const twice = new FilterStream<number>(() => true);
  assert.throws(() => compose(twice, twice), FalcoClosedError);
  assert.throws(
    () => compose(new TransformStream() as unknown as OperatorStream<number, number>),
    /Cannot compose: "operators\[0\]" is no operator/,
  );
});

test("compose() fires a timer below before the item that moved the clock", async () => {
  const clock = new FakeClock();
  const moves = new OperatorStream<{ at: number }, { at: number }>((down) => ({
    push(item) {
      clock.advanceTo(item.at);
      return down.push(item);
    },
    end: () => down.end(),
  }));
  const log: string[] = [];
  const notes = new OperatorStream<{ at: number }[], string>((down) => ({
    push(batch) {
      log.push(`${clock.now()}`);
      return down.push(batch.map(({ at }) => at).join());
    },
    end: () => down.end(),
  }));
  const items = [0, 5, 9, 10, 25, 100].map((at) => ({ at }));
  const stream = probedSources[0]!.make(items).stream
    .pipeThrough(
      compose(moves, new BatchStream<{ at: number }>(9, { maxWaitMs: 10, clock }), notes),
    );
  assert.deepEqual((await outcome(stream)).items, ["0,5,9", "10", "25", "100"]);
  assert.deepEqual(log, ["10", "20", "35", "100"]);
});
