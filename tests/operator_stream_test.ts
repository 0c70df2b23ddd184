import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../harness/fake_clock.ts";
import { pushLater } from "../lib/streams/engine/stage.ts";
import {
  BatchStream,
  compose,
  FilterStream,
  LimitStream,
  OperatorStream,
} from "../lib/streams/mod.ts";
import type { StageFactory } from "../lib/streams/mod.ts";
import { outcome, probedSources, settled } from "./stream_probes.ts";

test("OperatorStream delivers from a timer while the source hangs, woken or not", async () => {
  for (const wakes of [true, false]) {
    const clock = new FakeClock();
    const probe = probedSources[0]!.make([1], "hang");
    const delay = new OperatorStream<number, number>((down, context) => ({
      push(item) {
        clock.setTimer(() => {
          if (wakes) pushLater(down, item, context);
          else down.push(item);
        }, 10);
      },
      end: () => down.end(),
    }));
    const reader = probe.stream.pipeThrough(delay).getReader();
    let got: number | undefined;
    reader.read().then(({ value }) => got = value);
    await settled();
    clock.advance(10);
    await settled();
    assert.equal(got, 1);
    await reader.cancel();
  }
});

test("OperatorStream fails in order when its timer does", async () => {
  const error = new Error("late");
  const clock = new FakeClock();
  for (const way of ["fail", "throw below", "reject below"]) {
    const probe = probedSources[1]!.make([1], "hang");
    const timed = new OperatorStream<number, number>((down, context) => ({
      push(item) {
        const wait = down.push(item);
        clock.setTimer(() => {
          if (way === "fail") context.fail(error);
          else pushLater(down, 3, context);
        }, 10);
        return wait;
      },
      end: () => down.end(),
    }));
    const below = new OperatorStream<number, number>((down) => ({
      push(item) {
        if (item !== 3) return down.push(item);
        if (way === "throw below") throw error;
        return Promise.reject(error);
      },
      end: () => down.end(),
    }));
    const read = outcome(probe.stream.pipeThrough(compose(timed, below)));
    await settled();
    clock.advance(10);
    const { items, error: given } = await read;
    assert.deepEqual(items, [1]);
    assert.equal(given, error);
    await settled();
    assert.equal(probe.reasons.length, 1);
    assert.equal(probe.reasons[0], error);
  }
});

test("OperatorStream fails when its end does, after what it put out", async () => {
  const error = new Error("cannot flush");
  for (
    const refuse of [() => Promise.reject(error), () => {
      throw error;
    }]
  ) {
    const operator = new OperatorStream<number, number>((down) => ({
      push: (item) => down.push(item),
      end() {
        down.push(0);
        return refuse();
      },
    }));
    const { items, error: given } = await outcome(
      probedSources[0]!.make([1]).stream.pipeThrough(operator),
    );
    assert.deepEqual(items, [1, 0]);
    assert.equal(given, error);
  }
});

test("OperatorStream hands over as one what a stage puts out in one call", async () => {
  const probe = probedSources[0]!.make([[1, 2, 3], [4]]);
  const reader = probe.stream.pipeThrough(
    new OperatorStream<number[], number>((down) => ({
      push: (items) => items.forEach((item) => void down.push(item)),
      end: () => down.end(),
    })),
  ).getReader();
  assert.equal((await reader.read()).value, 1);
  await settled();
  assert.equal((await reader.read()).value, 2);
  assert.equal((await reader.read()).value, 3);
  await settled();
  assert.equal(probe.pulls, 1);
  assert.equal((await reader.read()).value, 4);
});

test("OperatorStream.writable settles a write when the reader wants more", async () => {
  const operator = new FilterStream((n: number) => n !== 2);
  const writer = operator.writable.getWriter();
  const settledWrites: number[] = [];
  const write = (n: number): void => void writer.write(n).then(() => settledWrites.push(n));
  [1, 2, 3, 4].forEach(write);
  await settled();
  assert.equal(writer.desiredSize, -4);
  assert.deepEqual(settledWrites, []);

  const reader = operator.readable.getReader();
  assert.equal((await reader.read()).value, 1);
  await settled();
  assert.deepEqual(settledWrites, []);
  const read = reader.read();
  await settled();
  assert.deepEqual(settledWrites, [1, 2]);
  assert.equal((await read).value, 3);

  const closed = writer.close();
  assert.equal((await reader.read()).value, 4);
  assert.equal((await reader.read()).done, true);
  await closed;
  assert.deepEqual(settledWrites, [1, 2, 3, 4]);
});

test("OperatorStream.writable waits for a stage that waits", async () => {
  const gate = Promise.withResolvers<void>();
  const operator = new OperatorStream<number, number>((down) => ({
    push: (item) => gate.promise.then(() => down.push(item)),
    end: () => down.end(),
  }));
  const read = operator.readable.getReader().read();
  const writer = operator.writable.getWriter();
  writer.write(1);
  await settled();
  assert.equal(writer.desiredSize, 0);
  gate.resolve();
  assert.equal((await read).value, 1);
});

test("OperatorStream.writable.abort() fails the readable, also while a write is held", async () => {
  const reason = new Error("cannot go on");
  for (const reads of [0, 1]) {
    const operator = new FilterStream<number>(() => true);
    const writer = operator.writable.getWriter();
    writer.write(1).catch(() => {});
    const reader = operator.readable.getReader();
    if (reads > 0) assert.equal((await reader.read()).value, 1);
    await settled();
    await writer.abort(reason);
    await assert.rejects(reader.read(), (given) => given === reason);
    await assert.rejects(writer.closed, (given) => given === reason);
  }
});

test("OperatorStream.readable.cancel() fails the writer with the reason", async () => {
  const reason = new Error("enough");
  const operator = new FilterStream<number>(() => true);
  const writer = operator.writable.getWriter();
  await operator.readable.cancel(reason);
  await assert.rejects(writer.write(1), (given) => given === reason);
  await assert.rejects(writer.closed, (given) => given === reason);
});

test("OperatorStream.cancel() clears a stage that goes on after a wait", async () => {
  const clock = new FakeClock();
  const gate = Promise.withResolvers<void>();
  const waits = new OperatorStream<number, number>((down) => ({
    push: (item) => gate.promise.then(() => down.push(item)),
    end: () => down.end(),
  }));
  const batch = new BatchStream<number>(9, { maxWaitMs: 50, clock });
  const probe = probedSources[0]!.make([1], "hang");
  const reader = probe.stream.pipeThrough(compose(waits, batch)).getReader();
  const read = reader.read();
  await settled();
  await reader.cancel("gone");
  assert.equal((await read).done, true);
  gate.resolve();
  await settled();
  assert.equal(clock.pending, 0);
  assert.deepEqual(probe.reasons, ["gone"]);
});

test("OperatorStream ends once, whoever stops it", async () => {
  const ends: string[] = [];
  const spy = (name: string): OperatorStream<number, number> =>
    new OperatorStream<number, number>((down) => ({
      push: (item) => down.push(item),
      end() {
        ends.push(name);
        return down.end();
      },
      cancel: (reason) => void ends.push(`${name} cancelled ${reason}`),
    }));
  const operator = compose(
    spy("a"),
    new LimitStream<number>(3),
    spy("b"),
    new LimitStream<number>(3),
    spy("c"),
  );
  const probe = probedSources[0]!.make([1, 2, 3, 4]);
  assert.deepEqual(await outcome(probe.stream.pipeThrough(operator)), { items: [1, 2, 3] });
  await settled();
  // The lower limit is reached first: the upper one is cut off with the rest.
  assert.deepEqual(ends, ["a cancelled undefined", "b cancelled undefined", "c"]);
  assert.deepEqual(probe.reasons, [undefined]);
});

test("OperatorStream that stops lets a slow stage below finish", async () => {
  const probe = probedSources[1]!.make([1, 2, 3]);
  const gate = Promise.withResolvers<void>();
  const slowEnd = new OperatorStream<number, number>((down) => ({
    push: (item) => down.push(item),
    async end() {
      await gate.promise;
      await down.push(99);
      await down.end();
    },
  }));
  const read = outcome(probe.stream.pipeThrough(compose(new LimitStream<number>(1), slowEnd)));
  await settled();
  assert.deepEqual(probe.reasons, [undefined]);
  gate.resolve();
  assert.deepEqual(await read, { items: [1, 99] });
});

test("OperatorStream that stops cancels the source though nobody reads on", async () => {
  // The stage below takes its time to end, or a timer stops the stage while a write is held.
  for (const byTimer of [false, true]) {
    const clock = new FakeClock();
    const probe = probedSources[1]!.make([1, 2, 3]);
    const stops = new OperatorStream<number, number>((down, context) => {
      let over = false;
      return {
        push(item) {
          if (over) return;
          down.push(item);
          const stop = (): void => {
            over = true;
            context.stop();
          };
          if (byTimer) clock.setTimer(stop, 10);
          else stop();
        },
        end: () => over ? undefined : down.end(),
      };
    });
    const gate = Promise.withResolvers<void>();
    const slowEnd = new OperatorStream<number, number>((down) => ({
      push: (item) => down.push(item),
      async end() {
        await down.push(98);
        await gate.promise;
        await down.push(99);
        await down.end();
      },
    }));
    const reader = probe.stream.pipeThrough(compose(stops, slowEnd)).getReader();
    assert.equal((await reader.read()).value, 1);
    await settled();
    clock.advance(10);
    await settled();
    assert.deepEqual(probe.reasons, [undefined]);
    assert.equal((await reader.read()).value, 98);
    gate.resolve();
    assert.equal((await reader.read()).value, 99);
    assert.equal((await reader.read()).done, true);
  }
});

test("OperatorStream keeps what a timer put out before an error, and nothing after it", async () => {
  const error = new Error("broken");
  const clock = new FakeClock();
  const operator = new OperatorStream<number, number>((down, context) => ({
    push(item) {
      clock.setTimer(() => pushLater(down, 10 * item, context), 10);
      clock.setTimer(() => {
        context.fail(error);
        pushLater(down, 0, context);
      }, 20);
      return down.push(item);
    },
    end: () => down.end(),
  }));
  const reader = probedSources[0]!.make([1], "hang").stream.pipeThrough(operator).getReader();
  assert.equal((await reader.read()).value, 1);
  clock.advance(20);
  await settled();
  assert.equal((await reader.read()).value, 10);
  await assert.rejects(reader.read(), (given) => given === error);
});

test("OperatorStream that fails while it is made lets go of everything", async () => {
  const error = new Error("cannot begin");
  const clock = new FakeClock();
  const operator = new OperatorStream<number, number>((down, context) => {
    const cancelTimer = clock.setTimer(() => {}, 10);
    context.fail(error);
    return { push: (item) => down.push(item), end: () => down.end(), cancel: cancelTimer };
  });
  const probe = probedSources[1]!.make([1], "hang");
  const result = await outcome(probe.stream.pipeThrough(operator));
  assert.deepEqual(result.items, []);
  assert.equal(result.error, error);
  await settled();
  assert.equal(probe.pulls, 0);
  assert.equal(probe.reasons[0], error);
  assert.equal(clock.pending, 0);
});

test("OperatorStream refuses a stage that is no function", () => {
  assert.throws(
    () => new OperatorStream("filter" as unknown as StageFactory<number, number>),
    TypeError,
  );
  assert.throws(
    () => new OperatorStream(["filter"] as unknown as StageFactory<number, number>[]),
    /must be a function: current value is "filter"/,
  );
});
