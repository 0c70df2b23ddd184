/** An aborted signal in a fused chain: what it drops, and that nobody is left listening to it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../harness/fake_clock.ts";
import { pushLater } from "../lib/streams/engine/stage.ts";
import {
  BatchStream,
  EventStream,
  FilterStream,
  LimitStream,
  MapStream,
  OperatorStream,
  SinkStream,
} from "../lib/streams/mod.ts";
import { batches, countedSignal, outcome, settled } from "./stream_probes.ts";

const keep = (): FilterStream<number> => new FilterStream<number>(() => true);

test("An aborted signal drops what a timer put out while nobody read, in nested chains too", async () => {
  for (const nested of [false, true]) {
    const clock = new FakeClock();
    const reason = new Error("stop");
    const controller = new AbortController();
    const { stream } = batches([1], [2]);
    const batch = new BatchStream<number>(9, { maxWaitMs: 10, clock });
    const first = stream.pipeThrough(batch, controller);
    const iterator = first.values({ preventCancel: true });
    const next = iterator.next();
    await settled();
    clock.advance(10);
    assert.deepEqual((await next).value, [1, 2]);
    await iterator.return?.();
    const tail = nested ? first.pipeThrough(new FilterStream<number[]>(() => true)) : first;
    controller.abort(reason);
    const result = await outcome(tail);
    assert.deepEqual(result, { items: [], error: reason });
    assert.equal(stream.locked || first.locked, false);
  }

  // Output that nobody has taken yet.
  const clock = new FakeClock();
  const controller = new AbortController();
  const { stream } = batches([1]);
  const delayed = new OperatorStream<number, number>((down, context) => ({
    push(item) {
      clock.setTimer(() => pushLater(down, 2, context), 10);
      return down.push(item);
    },
    end: () => down.end(),
  }));
  const iterator = stream.pipeThrough(delayed, controller).values();
  assert.equal((await iterator.next()).value, 1);
  clock.advance(10);
  controller.abort("stop");
  await assert.rejects(iterator.next(), (given) => given === "stop");
});

test("EventStream.pipeThrough() refuses a signal that is none, as the platform does", () => {
  const { stream } = batches([1]);
  const signal = {} as AbortSignal;
  assert.throws(() => stream.pipeThrough(keep(), { signal }), TypeError);
});

test("EventStream.pipeThrough() drops what was not read when the signal is aborted", async () => {
  const reason = new Error("stop");
  const read = async (consume: (stream: ReadableStream<number>, abort: () => void) => unknown) => {
    const controller = new AbortController();
    const { stream, log } = batches([1, 2, 3]);
    const piped = stream.pipeThrough(keep(), { signal: controller.signal }).pipeThrough(keep());
    await assert.rejects(
      async () => await consume(piped, () => controller.abort(reason)),
      (given) => given === reason,
    );
    assert.deepEqual(log, ["pull", ["cancel", reason]]);
    assert.equal(stream.locked, false);
  };
  const seen: number[] = [];
  await read(async (stream, abort) => {
    for await (const item of stream) if (seen.push(item) === 1) abort();
  });
  await read(async (stream, abort) => {
    const reader = stream.getReader();
    seen.push((await reader.read()).value!);
    abort();
    await reader.read();
  });
  await read((stream, abort) => {
    const write = (item: number): void => void (seen.push(item) && abort());
    return stream.pipeTo(new SinkStream({ write }));
  });
  assert.deepEqual(seen, [1, 1, 1]);
});

test("EventStream.pipeThrough() fails at once with a signal that is aborted already", async () => {
  const reason = new Error("stop");
  const { stream, log } = batches([1]);
  const piped = stream.pipeThrough(keep(), { signal: AbortSignal.abort(reason) });
  assert.deepEqual(log, [["cancel", reason]]);
  await assert.rejects(piped.getReader().closed, (given) => given === reason);
});

test("Signals are let go of on every way out", async () => {
  const error = new Error("broken");
  const consume: Record<string, (stream: ReadableStream<number>) => Promise<unknown>> = {
    "the end": (stream) => outcome(stream),
    "a break": async (stream) => {
      for await (const _ of stream) break;
    },
    "a cancel": (stream) => stream.cancel(),
    "an operator that has enough": (stream) => outcome(stream.pipeThrough(new LimitStream(1))),
    "an operator that throws": (stream) =>
      outcome(stream.pipeThrough(
        new MapStream(() => {
          throw error;
        }),
      )),
    "a sink that throws": (stream) =>
      stream.pipeTo(
        new SinkStream({
          write() {
            throw error;
          },
        }),
      ).catch(() => {}),
  };
  for (const [how, run] of Object.entries(consume)) {
    const counted = countedSignal();
    const { signal } = counted;
    await run(EventStream.from([1, 2]).pipeThrough(keep(), { signal }).pipeThrough(keep()));
    assert.equal(counted.listeners, 0, how);
  }
  for (const failing of [false, true]) {
    const counted = countedSignal();
    const write = (): void => {
      if (failing) throw error;
    };
    const piped = EventStream.from([1]).pipeTo(new SinkStream({ write }), counted);
    assert.equal(counted.listeners, 1);
    await piped.catch(() => {});
    assert.equal(counted.listeners, 0);
  }
});
