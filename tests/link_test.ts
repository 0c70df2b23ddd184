/** Operators that see what is asked for run fused: between two chains, with one hand-over a micro-batch. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../harness/fake_clock.ts";
import { linkStage, partsOf } from "../lib/streams/engine/link.ts";
import {
  BatchStream,
  BufferStream,
  CatchStream,
  compose,
  EventStream,
  OperatorStream,
  SinkStream,
  TapStream,
  TimeoutStream,
} from "../lib/streams/mod.ts";
import { paths } from "./stream_paths.ts";
import { batches, countedSignal, outcome, settled } from "./stream_probes.ts";

type Numbers = OperatorStream<number, number>;

const links: { name: string; make: () => Numbers }[] = [
  { name: "TimeoutStream", make: () => new TimeoutStream(60_000) },
  { name: "BufferStream", make: () => new BufferStream(100) },
  { name: "compose() with links", make: () => compose<number>(new TimeoutStream(60_000), tap([])) },
  {
    name: "compose() of links",
    make: () => compose<number>(tap([]), new BufferStream(100), tap([]), new TimeoutStream(60_000)),
  },
];

function tap(seen: number[]): TapStream<number> {
  return new TapStream((n) => void seen.push(n));
}

for (const { name, make } of links) {
  test(`${name} takes a micro-batch in one go, and is the operator's own readable`, async () => {
    const { stream, log } = batches([1, 2, 3], [4]);
    const above: number[] = [];
    const below: number[] = [];
    const operator = make();
    const linked = stream.pipeThrough(tap(above)).pipeThrough(operator);
    assert.equal(linked, operator.readable);
    assert.equal(operator.writable.locked, true);
    const reader = linked.pipeThrough(tap(below)).getReader();
    await settled();
    assert.deepEqual(log, []);
    assert.equal((await reader.read()).value, 1);
    // Nothing has let the source go on, and nothing was handed over one by one.
    assert.deepEqual(above.slice(0, 3), [1, 2, 3]);
    assert.equal((await reader.read()).value, 2);
    assert.equal((await reader.read()).value, 3);
    assert.deepEqual(below.slice(0, 3), [1, 2, 3]);
    await reader.cancel("enough");
    await settled();
    assert.deepEqual(log.at(-1), ["cancel", "enough"]);
    assert.equal(stream.locked, false);
  });

  test(`${name} fails with the reason of a signal above it, at it and below it`, async () => {
    for (const where of ["above", "at", "below"]) {
      for (const begin of ["at once", "before the first read", "while a read waits", "later"]) {
        const reason = new Error(`${where}, ${begin}`);
        const counted = countedSignal();
        const { stream, log } = batches([1, 2]);
        if (begin === "at once") counted.controller.abort(reason);
        const options = (place: string) => place === where ? { signal: counted.signal } : {};
        const reader = stream.pipeThrough(tap([]), options("above"))
          .pipeThrough(make(), options("at"))
          .pipeThrough(tap([]), options("below")).getReader();
        const items: unknown[] = [];
        if (begin === "while a read waits") {
          items.push((await reader.read()).value, (await reader.read()).value);
        }
        if (begin === "later") items.push((await reader.read()).value);
        const read = begin === "while a read waits" ? reader.read() : undefined;
        read?.catch(() => {});
        await settled();
        counted.controller.abort(reason);
        await assert.rejects(
          async () => {
            let step = await (read ?? reader.read());
            for (; !step.done; step = await reader.read()) items.push(step.value);
          },
          (given) => given === reason,
          `${where}, ${begin}`,
        );
        await settled();
        assert.deepEqual(items, [1, 2].slice(0, items.length));
        assert.deepEqual(log.at(-1), ["cancel", reason], `${where}, ${begin}`);
        assert.equal(stream.locked, false);
        assert(counted.listeners <= 0);
      }
    }
  });

  test(`${name} lets go of a signal on every way out`, async () => {
    const error = new Error("broken");
    const ways: Record<string, (stream: ReadableStream<number>) => Promise<unknown>> = {
      "the end": (stream) => outcome(stream),
      "a break": async (stream) => {
        for await (const _ of stream) break;
      },
      "a cancel": (stream) => stream.cancel(),
      "a sink that throws": (stream) =>
        stream.pipeTo(new SinkStream({ write: () => Promise.reject(error) })).catch(() => {}),
    };
    for (const [how, run] of Object.entries(ways)) {
      const counted = countedSignal();
      const stream = EventStream.from([1, 2]);
      await run(stream.pipeThrough(make(), { signal: counted.signal }));
      await settled();
      assert.equal(counted.listeners, 0, how);
      assert.equal(stream.locked, false, how);
    }
    for (const how of ["throws", "rejects"]) {
      const counted = countedSignal();
      const failing = new EventStream<number>({
        pull() {
          if (how === "throws") throw error;
          return Promise.reject(error);
        },
        cancel() {},
      });
      const result = await outcome(failing.pipeThrough(make(), { signal: counted.signal }));
      assert.equal(result.error, error);
      assert.equal(counted.listeners, 0);
      assert.equal(failing.locked, false);
      await assert.rejects(failing.getReader().closed, (given) => given === error);
    }
  });

  test(`${name} hands on what the source's cancel says`, async () => {
    const error = new Error("cannot close");
    const source = { pull: () => [1], cancel: () => Promise.reject(error) };
    const stream = new EventStream<number>(source).pipeThrough(make());
    await assert.rejects(stream.cancel(), (given) => given === error);
  });
}

test("an abort above a TimeoutStream drops what is on its way below it", async () => {
  const reason = new Error("stop");
  for (const how of ["getReader", "for await", "pipeTo", "an operator"]) {
    const controller = new AbortController();
    const { stream } = batches([1, 2, 3]);
    const timed = stream.pipeThrough(tap([]), controller).pipeThrough(new TimeoutStream(1000));
    const seen: number[] = [];
    const note = (n: number): void => {
      seen.push(n);
      controller.abort(reason);
    };
    const read = async (): Promise<void> => {
      if (how === "getReader") {
        const reader = timed.getReader();
        for (let step = await reader.read(); !step.done; step = await reader.read()) {
          note(step.value);
        }
      } else if (how === "for await") {
        for await (const item of timed) note(item);
      } else {
        const below = how === "an operator" ? timed.pipeThrough(tap([])) : timed;
        await below.pipeTo(new SinkStream({ write: note }));
      }
    };
    await assert.rejects(read, (given) => given === reason, how);
    assert.deepEqual(seen, [1], how);
  }
});

test("an abort above a BufferStream comes after what it holds, and drops what it has not taken", async () => {
  const reason = new Error("stop");
  const controller = new AbortController();
  const { stream } = batches([1, 2, 3, 4, 5, 6]);
  const reader = stream.pipeThrough(tap([]), controller).pipeThrough(new BufferStream(2))
    .getReader();
  assert.equal((await reader.read()).value, 1);
  await settled();
  controller.abort(reason);
  assert.equal((await reader.read()).value, 2);
  assert.equal((await reader.read()).value, 3);
  await assert.rejects(reader.read(), (given) => given === reason);
});

for (const path of paths) {
  test(`an aborted signal at an operator with a buffer in it leaves what is held, ${path.name}`, async () => {
    const reason = new Error("stop");
    const controller = new AbortController();
    const operator = compose<number>(tap([]), new BufferStream(9), tap([]));
    const { stream } = batches([1], [2], [3]);
    const reader = path.through(stream, operator, controller).getReader();
    assert.equal((await reader.read()).value, 1);
    await settled();
    controller.abort(reason);
    await settled();
    assert.equal((await reader.read()).value, 2);
    assert.equal((await reader.read()).value, 3);
    await assert.rejects(reader.read(), (given) => given === reason);
  });
}

test("TimeoutStream does not take an empty micro-batch for an item", async () => {
  const clock = new FakeClock();
  let give!: (items: number[]) => void;
  const reasons: unknown[] = [];
  const stream = new EventStream<number>({
    pull: () => new Promise((resolve) => give = resolve),
    cancel: (reason) => void reasons.push(reason),
  });
  const read = stream.pipeThrough(new TimeoutStream(100, { clock })).getReader().read();
  read.catch(() => {});
  await settled();
  clock.advance(60);
  give([]);
  await settled();
  clock.advance(40);
  await assert.rejects(read, { name: "TimeoutError" });
  await settled();
  assert.equal(reasons.length, 1);
  assert.equal(clock.pending, 0);
});

test("TimeoutStream below a stage that waits for long fails, and above one it does not", async () => {
  for (const where of ["above", "below"]) {
    const clock = new FakeClock();
    const slow = new OperatorStream<number, number>((down, context) => ({
      push: (n) =>
        new Promise((resolve, reject) => {
          clock.setTimer(() => {
            Promise.resolve(down.push(n)).then(resolve, reject);
            context.wake();
          }, 500);
        }),
      end: () => down.end(),
    }));
    const timeout = new TimeoutStream<number>(100, { clock });
    const stream = batches([1]).stream;
    const chain = where === "above"
      ? stream.pipeThrough(timeout).pipeThrough(slow)
      : stream.pipeThrough(slow).pipeThrough(timeout);
    const read = chain.getReader().read();
    read.catch(() => {});
    await settled();
    for (let step = 0; step < 10; step++) {
      clock.advance(50);
      await settled();
    }
    if (where === "above") assert.equal((await read).value, 1);
    else await assert.rejects(read, { name: "TimeoutError" });
  }
});

test("BufferStream gives its reader a turn before it drops from a large micro-batch", async () => {
  for (const overflow of ["drop-oldest", "drop-newest", "error"] as const) {
    const numbers = Array.from({ length: 100 }, (_, n) => n);
    const buffer = new BufferStream<number>(10, { overflow });
    const stream = EventStream.from(numbers).pipeThrough(tap([])).pipeThrough(buffer);
    assert.deepEqual(await outcome(stream), { items: numbers });
    assert.equal(buffer.dropped, 0);
  }
});

test("BufferStream that is left, or overflows, while a pull is under way pulls no more", async () => {
  for (const how of ["left", "overflows"]) {
    let pulls = 0;
    let give!: (items: number[]) => void;
    const stream = new EventStream<number>({
      pull: () => ++pulls < 3 ? [pulls, 0] : new Promise((resolve) => give = resolve),
      cancel() {},
    });
    const buffer = new BufferStream<number>(4, { overflow: "error" });
    const reader = stream.pipeThrough(buffer).getReader();
    await reader.read();
    await settled();
    assert.equal(pulls, 3);
    if (how === "left") await reader.cancel();
    give([7, 8, 9]);
    for (let round = 0; round < 5; round++) await settled();
    assert.equal(pulls, 3);
    assert.equal(stream.locked, false);
  }
});

test("BufferStream with an operator that waits below it goes on to fill", async () => {
  const { stream, log } = batches([1], [2], [3], [4], [5]);
  const never = new OperatorStream<number, number>((down) => ({
    push: () => new Promise<void>(() => {}),
    end: () => down.end(),
  }));
  const reader = stream.pipeThrough(new BufferStream(3)).pipeThrough(never).getReader();
  const read = reader.read();
  await settled();
  // One is below, three wait.
  assert.deepEqual(log, ["pull", "pull", "pull", "pull"]);
  await reader.cancel();
  assert.equal((await read).done, true);
});

test("CatchStream refuses an operator with a link in it", () => {
  const operators = [new BufferStream<number>(1), compose(tap([]), new TimeoutStream<number>(5))];
  for (const operator of operators) {
    assert.throws(() => new CatchStream(operator, { onError: () => "skip" }), {
      name: "TypeError",
      message: /^Cannot create CatchStream: a buffer or a timeout in it would lose track/,
    });
  }
});

test("partsOf() cuts a list of stages at its links, and has a part in any case", () => {
  const a = () => ({ push() {}, end() {} });
  const link = () => ({ pull: () => null, cancel() {}, interrupt() {} });
  const linked = linkStage(link);
  assert.deepEqual(partsOf([]), [[]]);
  assert.deepEqual(partsOf([a, a]), [[a, a]]);
  assert.deepEqual(partsOf([a, linked, a, a, linked, linked]), [[a], link, [a, a], link, link]);
  assert.throws(() => linked({ push() {}, end() {} }, { stop() {}, fail() {}, wake() {} }), {
    name: "TypeError",
  });
});

test("a batch above and a batch below a buffer keep their own time", async () => {
  const clock = new FakeClock();
  const batch = (maxWaitMs: number) => new BatchStream<number>(9, { maxWaitMs, clock });
  const flat = new OperatorStream<number[], number>((down) => ({
    push: (items) => items.forEach((item) => void down.push(item)),
    end: () => down.end(),
  }));
  const { stream } = batches([1], [2]);
  const reader = stream.pipeThrough(
    compose(batch(10), flat, new BufferStream<number>(5), batch(50)),
  )
    .getReader();
  const read = reader.read();
  await settled();
  clock.advance(10);
  await settled();
  clock.advance(49);
  await settled();
  assert.equal(clock.pending, 1);
  clock.advance(1);
  assert.deepEqual((await read).value, [1, 2]);
  await reader.cancel();
  assert.equal(clock.pending, 0);
});
