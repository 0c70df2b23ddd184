/** What only a fused chain does: run ahead within a micro-batch, and let go of what it has taken over. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../harness/fake_clock.ts";
import { pushLater } from "../lib/streams/engine/stage.ts";
import {
  BatchStream,
  EventStream,
  FalcoClosedError,
  FilterStream,
  LimitStream,
  MapStream,
  OperatorStream,
  SinkStream,
  TapStream,
} from "../lib/streams/mod.ts";
import { slow } from "./operator_cases.ts";
import { paths } from "./stream_paths.ts";
import { batches, outcome, settled } from "./stream_probes.ts";

const keep = (): FilterStream<number> => new FilterStream<number>(() => true);

test("EventStream.pipeThrough() returns the operator's own readable", () => {
  const operator = keep();
  const { stream } = batches([1]);
  const piped = stream.pipeThrough(operator);
  assert.equal(piped, operator.readable);
  assert(piped instanceof EventStream);
  assert.equal(stream.locked, true);
  assert.equal(operator.writable.locked, true);
  assert.equal(operator.writable, operator.writable);
});

test("EventStream.pipeThrough() runs a micro-batch through all operators in one go", async () => {
  const asked: number[] = [];
  const { stream, log } = batches([1, 2, 3], [4]);
  const spy = new FilterStream<number>((n) => asked.push(n) > 0);
  const reader = stream.pipeThrough(spy).pipeThrough(keep()).getReader();
  await settled();
  assert.deepEqual(log, []);
  assert.equal((await reader.read()).value, 1);
  assert.deepEqual(asked, [1, 2, 3]);
  assert.deepEqual(log, ["pull"]);
});

test("EventStream.pipeThrough() runs at most 64 items ahead, and one behind a stage that waits", async () => {
  const many = Array.from({ length: 200 }, (_, index) => index);
  for (
    const { operator, ahead } of [
      { operator: keep(), ahead: 64 },
      { operator: new OperatorStream(slow), ahead: 1 },
    ]
  ) {
    let asked = 0;
    const { stream, log } = batches(many);
    const spy = new FilterStream<number>(() => ++asked > 0);
    const reader = stream.pipeThrough(spy).pipeThrough(operator).getReader();
    for (let read = 0; read < ahead; read++) {
      assert.equal((await reader.read()).value, read);
      await settled();
      assert.equal(asked, ahead);
    }
    assert.equal((await reader.read()).value, ahead);
    assert.equal(asked, 2 * ahead);
    assert.deepEqual(log, ["pull"]);
  }
});

test("EventStream.pipeThrough() is the platform's for an operator or a stream that is in use", async () => {
  // A reader waits at the readable before anything is piped in.
  const early = keep();
  const read = outcome(early.readable);
  assert.equal(EventStream.from([1, 2]).pipeThrough(early), early.readable);
  assert.deepEqual(await read, { items: [1, 2] });

  const { stream } = batches([1, 2, 3]);
  const reader = stream.getReader();
  await reader.read();
  reader.releaseLock();
  const rest = stream.pipeThrough(new LimitStream<number>(2));
  assert.deepEqual(await outcome(rest), { items: [2, 3] });

  const locked = batches([1]).stream;
  locked.getReader();
  const unused = keep();
  assert.throws(() => locked.pipeThrough(unused), TypeError);
});

test("EventStream.pipeThrough() and pipeTo() with a prevent option are the platform's", async () => {
  const { stream, log } = batches([1]);
  const piped = stream.pipeThrough(keep(), { preventCancel: true });
  await piped.cancel("gone");
  await settled();
  assert.equal(stream.locked, false);
  assert.deepEqual(log, []);

  const open = keep();
  const writer = open.writable;
  const fed = open.readable.getReader();
  const fill = EventStream.from([1]).pipeThrough(
    { readable: open.readable, writable: writer },
    { preventClose: true },
  );
  assert.equal(fill, open.readable);
  assert.equal((await fed.read()).value, 1);
  const second = fed.read();
  await settled();
  await writer.close();
  assert.equal((await second).done, true);

  const sink = new SinkStream<number>({ write() {}, abort: () => assert.fail("aborted") });
  const fails = new EventStream<number>({ pull: () => Promise.reject("broken"), cancel() {} });
  await assert.rejects(fails.pipeTo(sink, { preventAbort: true }), (given) => given === "broken");
  const refuses = new SinkStream<number>({ write: () => Promise.reject("full") });
  const kept = batches([1, 2]);
  await assert.rejects(kept.stream.pipeTo(refuses, { preventCancel: true }), /full/);
  assert.deepEqual(kept.log, ["pull"]);
});

test("EventStream.pipeThrough() begins a new chain behind one that has been read from", async () => {
  const { stream } = batches([1, 2, 3], [4]);
  const first = stream.pipeThrough(new MapStream((n: number) => 10 * n));
  for await (const item of first.values({ preventCancel: true })) if (item === 10) break;
  const second = first.pipeThrough(new MapStream((n: number) => n + 1)).pipeThrough(
    new LimitStream(3),
  );
  assert.deepEqual(await outcome(second), { items: [21, 31, 41] });
  assert.equal(stream.locked || first.locked, false);
});

test("Functions above an operator that has enough are called no more", async () => {
  for (const above of [keep, () => new TapStream<number>(() => {})]) {
    const { stream } = batches([1, 2, 3, 4, 5]);
    const seen: number[] = [];
    const counted = new FilterStream<number>((n) => seen.push(n) > 0);
    const limited = stream.pipeThrough(above()).pipeThrough(counted).pipeThrough(
      new LimitStream(2),
    );
    assert.deepEqual(await outcome(limited), { items: [1, 2] });
    assert.deepEqual(seen, [1, 2]);
  }
});

test("What is handed over stays as it is while a timer puts out more", async () => {
  const clock = new FakeClock();
  const delayed = new OperatorStream<number, number>((down, context) => ({
    push(item) {
      clock.setTimer(() => pushLater(down, -item, context), item);
      return down.push(item);
    },
    end: () => down.end(),
  }));
  const { stream } = batches([1, 2, 3], [4, 5, 6]);
  const written: number[] = [];
  const abort = new AbortController();
  const write = async (item: number): Promise<void> => {
    written.push(item);
    if (item === 1) clock.advance(2);
    await settled();
    if (written.length === 8) abort.abort("enough");
  };
  const done = stream.pipeThrough(delayed).pipeTo(new SinkStream({ write }), abort);
  await assert.rejects(done, (given) => given === "enough");
  assert.deepEqual(written, [1, 2, 3, -1, -2, 4, 5, 6]);
});

test("Streams between fused operators are locked, then closed or failed with the rest", async () => {
  const error = new Error("the source broke");
  for (const fails of [false, true]) {
    const top = new EventStream<number>({
      pull() {
        if (fails) throw error;
        return null;
      },
      cancel() {},
    });
    const between = top.pipeThrough(keep());
    const bottom = between.pipeThrough(keep());
    assert.equal(top.locked && between.locked, true);
    await outcome(bottom);
    for (const stream of [top, between, bottom]) {
      const reader = stream.getReader();
      if (fails) await assert.rejects(reader.closed, (given) => given === error);
      else await reader.closed;
    }
  }
});

test("EventStream.cancel() of a fused chain waits for the source and fails as it does", async () => {
  const error = new Error("cannot let go");
  const chain = (cancel: () => Promise<void>): ReadableStream<number> =>
    new EventStream<number>({ pull: () => [1], cancel }).pipeThrough(keep()).pipeThrough(keep());
  await assert.rejects(chain(() => Promise.reject(error)).cancel(), (given) => given === error);
  // Nobody waits for it when an operator ends the stream.
  const limited = chain(() => Promise.reject(error)).pipeThrough(new LimitStream(1));
  assert.deepEqual(await outcome(limited), { items: [1] });
  await settled();
});

test("An operator of a fused chain is refused a second time, while it runs and after", async () => {
  const operator = keep();
  const piped = EventStream.from([1]).pipeThrough(operator).pipeThrough(keep());
  assert.throws(() => EventStream.from([1]).pipeThrough(operator), TypeError);
  await outcome(piped);
  assert.throws(() => EventStream.from([1]).pipeThrough(operator), FalcoClosedError);
  assert.throws(() => operator.writable, FalcoClosedError);
});

test("An operator that has put out its last items is refused too, read or not, on both paths", async () => {
  for (const path of paths) {
    const limit = new LimitStream<number>(2);
    const { stream } = batches([1, 2, 3]);
    const reader = path.through(stream, limit).getReader();
    assert.equal((await reader.read()).value, 1);
    // The platform has both of them by now on one path, and the second is still to come on the other.
    if (path.name === "native") assert.equal((await reader.read()).value, 2);
    await settled();
    assert.throws(() => limit.writable, FalcoClosedError, path.name);
    assert.throws(() => path.through(EventStream.from([1]), limit), FalcoClosedError, path.name);
  }
});

test("A factory that throws fails the chain and takes back the timers below it", async () => {
  const error = new Error("cannot be made");
  const clock = new FakeClock();
  const refuses = new OperatorStream<number, number>(() => {
    throw error;
  });
  const timed = new OperatorStream<number, number>((down) => ({
    push: (item) => down.push(item),
    end: () => down.end(),
    cancel: clock.setTimer(() => {}, 10),
  }));
  const { stream, log } = batches([1]);
  const result = await outcome(stream.pipeThrough(refuses).pipeThrough(timed));
  assert.equal(result.error, error);
  assert.deepEqual(log, [["cancel", error]]);
  assert.equal(clock.pending, 0);
});

test("A chain serves readers from a timer while a stage above waits, and pulls no further", async () => {
  const clock = new FakeClock();
  const gates: (() => void)[] = [];
  const waits = new OperatorStream<number, number>((down) => ({
    push: (item) => new Promise<void>((resolve) => gates.push(resolve)).then(() => down.push(item)),
    end: () => down.end(),
  }));
  const { stream, log } = batches([1, 2], [3]);
  const batch = new BatchStream<number>(9, { maxWaitMs: 10, clock });
  const iterator = stream.pipeThrough(waits).pipeThrough(batch).values();
  const first = iterator.next();
  await settled();
  gates.shift()!();
  await settled();
  clock.advance(10);
  assert.deepEqual((await first).value, [1]);
  await settled();
  // The second item is on its way, and nobody has asked for what comes of it.
  gates.shift()!();
  await settled();
  assert.deepEqual(log, ["pull"]);
  const second = iterator.next();
  await settled();
  clock.advance(10);
  assert.deepEqual((await second).value, [2]);
  assert.equal(log.length, 2);
  await iterator.return?.();
});

test("A timer that pushes while the stage below waits keeps to one call at a time", async () => {
  const clock = new FakeClock();
  const log: string[] = [];
  const gates: (() => void)[] = [];
  const batch = new BatchStream<number>(2, { maxWaitMs: 10, clock });
  const busy = new OperatorStream<number[], string>((down) => ({
    async push(items) {
      log.push(`begin ${items}`);
      await new Promise<void>((resolve) => gates.push(resolve));
      log.push(`end ${items}`);
      await down.push(items.join());
    },
    end: () => down.end(),
  }));
  const pulls: PromiseWithResolvers<number[] | null>[] = [];
  const stream = new EventStream<number>({
    pull() {
      const pull = Promise.withResolvers<number[] | null>();
      pulls.push(pull);
      return pull.promise;
    },
    cancel() {},
  });
  const result = outcome(stream.pipeThrough(batch).pipeThrough(busy));
  await settled();
  pulls[0]!.resolve([1]);
  await settled();
  clock.advance(10);
  pulls[1]!.resolve([2, 3, 4]);
  await settled();
  assert.deepEqual(log, ["begin 1"]);
  for (let turn = 0; turn < 2; turn++) {
    gates.shift()!();
    await settled();
  }
  pulls[2]!.resolve(null);
  await settled();
  gates.shift()!();
  assert.deepEqual(await result, { items: ["1", "2,3", "4"] });
  assert.deepEqual(log, ["begin 1", "end 1", "begin 2,3", "end 2,3", "begin 4", "end 4"]);
});

test("Functions of the user may use the stream that they run in", async () => {
  // Asking for the next item from within a predicate: in order, and each item once.
  const results: Promise<IteratorResult<number>>[] = [];
  const { stream } = batches([1, 2, 3]);
  const iterator: AsyncIterator<number> = stream.pipeThrough(
    new FilterStream<number>((n) => {
      if (n === 1) results.push(iterator.next());
      return true;
    }),
  ).values();
  assert.equal((await iterator.next()).value, 1);
  assert.equal((await results[0])!.value, 2);
  assert.equal((await iterator.next()).value, 3);

  // Leaving from within one.
  const reason = { why: "enough" };
  const asked: number[] = [];
  const left = batches([1, 2, 3]);
  const reader = left.stream.pipeThrough(
    new FilterStream<number>((n) => {
      asked.push(n);
      if (n === 2) reader.cancel(reason);
      return true;
    }),
  ).pipeThrough(keep()).getReader();
  assert.equal((await reader.read()).done, true);
  assert.deepEqual(left.log, ["pull", ["cancel", reason]]);
  assert.deepEqual(asked, [1, 2]);
});

test("pushLater() into a chain that has failed is without effect", async () => {
  const clock = new FakeClock();
  const error = new Error("broken");
  const late = new OperatorStream<number, number>((down, context) => ({
    push(item) {
      clock.setTimer(() => pushLater(down, item, context), 10);
      if (item === 2) throw error;
    },
    end: () => down.end(),
  }));
  const { stream } = batches([1, 2]);
  const result = await outcome(stream.pipeThrough(late));
  assert.deepEqual(result, { items: [], error });
  clock.advance(10);
  await settled();
});
