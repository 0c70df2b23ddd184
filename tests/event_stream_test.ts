import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStream, LimitStream, SinkStream, TapStream, toArray } from "../lib/streams/mod.ts";
import type { BatchSource } from "../lib/streams/mod.ts";
import { batches, outcome, settled } from "./stream_probes.ts";

/** Hands over the batches, one a pull, and notes what happens. */
class ListSource<T> implements BatchSource<T> {
  pulls = 0;
  readonly reasons: unknown[] = [];
  readonly #steps: (readonly T[] | Error)[];

  constructor(...steps: (readonly T[] | Error)[]) {
    this.#steps = steps;
  }

  pull(): readonly T[] | null {
    this.pulls++;
    const step = this.#steps.shift();
    if (step instanceof Error) throw step;
    return step ?? null;
  }

  cancel(reason: unknown): void {
    this.reasons.push(reason);
  }
}

test("EventStream is a ReadableStream to the platform and to its subclasses", async () => {
  class Subscription extends EventStream<string> {
    readonly topic: string;
    constructor(topic: string, source: BatchSource<string>) {
      super(source);
      this.topic = topic;
    }
    shout(): string {
      return this.topic.toUpperCase();
    }
  }
  const stream = new Subscription("alerts", new ListSource(["a", "b"], ["c"]));
  assert(stream instanceof ReadableStream);
  assert(stream instanceof EventStream);
  assert.equal(stream.shout(), "ALERTS");
  const response = new Response(
    stream.pipeThrough(
      new TransformStream<string, Uint8Array>({
        transform: (text, controller) => controller.enqueue(new TextEncoder().encode(text)),
      }),
    ),
  );
  assert.equal(await response.text(), "abc");
});

test("EventStream pulls nothing before the first read", async () => {
  const source = new ListSource([1]);
  const stream = new EventStream(source);
  await settled();
  assert.equal(source.pulls, 0);
  const reader = stream.getReader();
  await settled();
  assert.equal(source.pulls, 0);
  assert.deepEqual(await reader.read(), { done: false, value: 1 });
  assert.equal(source.pulls, 1);
});

test("EventStream pulls again only when a micro-batch is read to its end", async () => {
  const source = new ListSource([1, 2, 3], [4]);
  const reader = new EventStream(source).getReader();
  for (const expected of [1, 2, 3]) {
    assert.equal((await reader.read()).value, expected);
    await settled();
    assert.equal(source.pulls, 1);
  }
  assert.equal((await reader.read()).value, 4);
  assert.equal(source.pulls, 2);
  assert.equal((await reader.read()).done, true);
  assert.equal(source.pulls, 3);
});

test("EventStream has one pull under way at a time and serves reads in order", async () => {
  let waiting = 0;
  let next = 0;
  const reader = new EventStream<number>({
    async pull() {
      assert.equal(++waiting, 1);
      await settled();
      waiting--;
      return [next++];
    },
    cancel() {},
  }).getReader();
  const reads = await Promise.all([reader.read(), reader.read(), reader.read()]);
  assert.deepEqual(reads.map((read) => read.value), [0, 1, 2]);
});

test("EventStream asks again after an empty micro-batch, given at once or later", async () => {
  const atOnce = new ListSource<number>([], [], [1], []);
  assert.deepEqual(await Array.fromAsync(new EventStream(atOnce)), [1]);
  assert.equal(atOnce.pulls, 5);
  const steps = [[], [1], [], [], null];
  const later = new EventStream<number>({
    pull: () => Promise.resolve(steps.shift() ?? null),
    cancel() {},
  });
  assert.deepEqual(await Array.fromAsync(later), [1]);
});

test("EventStream.cancel() hands on the very reason and waits for the source", async () => {
  const reason = { why: "enough" };
  const freed = Promise.withResolvers<void>();
  const reasons: unknown[] = [];
  const stream = new EventStream<number>({
    pull: () => [1],
    cancel(given) {
      reasons.push(given);
      return freed.promise;
    },
  });
  let done = false;
  const cancelled = stream.cancel(reason).then(() => done = true);
  await settled();
  assert.equal(done, false);
  freed.resolve();
  await cancelled;
  assert.equal(reasons.length, 1);
  assert.equal(reasons[0], reason);
});

test("EventStream.cancel() fails as the source's cancel does", async () => {
  const error = new Error("cannot let go");
  const stream = new EventStream<number>({ pull: () => [1], cancel: () => Promise.reject(error) });
  await assert.rejects(stream.cancel(), (given) => given === error);
});

test("EventStream drops what a pull brings after cancel()", async () => {
  const endings: (number[] | null | Error)[] = [[1], [], null, new Error("late")];
  for (const ending of endings) {
    const pulled = Promise.withResolvers<number[] | null>();
    let pulls = 0;
    const stream = new EventStream<number>({
      pull() {
        pulls++;
        return pulled.promise;
      },
      cancel() {},
    });
    const reader = stream.getReader();
    const read = reader.read();
    await settled();
    await reader.cancel("gone");
    if (ending instanceof Error) pulled.reject(ending);
    else pulled.resolve(ending);
    assert.equal((await read).done, true);
    await settled();
    assert.equal(pulls, 1);
  }
});

test("EventStream cancels the source when for await is left early", async () => {
  const source = new ListSource([1, 2, 3]);
  const stream = new EventStream(source);
  for await (const item of stream) if (item === 2) break;
  assert.deepEqual(source.reasons, [undefined]);
  assert.equal(stream.locked, false);
  assert.deepEqual(await Array.fromAsync(stream), []);
});

test("EventStream keeps unread items if for await is left with preventCancel", async () => {
  const source = new ListSource([1, 2, 3]);
  const stream = new EventStream(source);
  for await (const item of stream.values({ preventCancel: true })) if (item === 1) break;
  assert.deepEqual(source.reasons, []);
  assert.deepEqual(await Array.fromAsync(stream), [2, 3]);
});

test("EventStream tells the source how many items of a micro-batch nobody had", async () => {
  const ways: [name: string, leave: (stream: EventStream<number>) => Promise<unknown>][] = [
    ["a reader", async (stream) => {
      const reader = stream.getReader();
      await reader.read();
      await reader.read();
      await reader.cancel();
    }],
    ["for await", async (stream) => {
      for await (const item of stream) if (item === 2) break;
    }],
    ["for await, and then a reader", async (stream) => {
      for await (const item of stream.values({ preventCancel: true })) if (item === 1) break;
      const reader = stream.getReader();
      await reader.read();
      await reader.cancel();
    }],
    ["an operator", (stream) => toArray(stream.pipeThrough(new LimitStream(2)))],
    ["a sink", async (stream) => {
      const error = new Error("disk full");
      const sink = new SinkStream<number>({
        write: (item) => item === 2 ? Promise.reject(error) : undefined,
      });
      await assert.rejects(stream.pipeTo(sink), (given) => given === error);
    }],
  ];
  for (const [name, leave] of ways) {
    const log: unknown[] = [];
    const source: BatchSource<number> = {
      pull: () => [1, 2, 3, 4, 5],
      unread: (count) => void log.push(count),
      cancel: () => void log.push("cancel"),
    };
    await leave(new EventStream(source));
    await settled();
    assert.deepEqual(log, [3, "cancel"], name);
  }
});

test("EventStream gives the source's own error, after the items before it", async () => {
  const error = new Error("the source broke");
  const thrown = new ListSource([1, 2], [3], error);
  const first = await outcome(new EventStream(thrown));
  assert.deepEqual(first.items, [1, 2, 3]);
  assert.equal(first.error, error);
  assert.deepEqual(thrown.reasons, []);

  let pulls = 0;
  const rejected = new EventStream<number>({
    pull: () => pulls++ === 0 ? Promise.resolve([1, 2]) : Promise.reject(error),
    cancel() {},
  });
  const second = await outcome(rejected);
  assert.deepEqual(second.items, [1, 2]);
  assert.equal(second.error, error);
});

test("EventStream.tee() gives both branches everything and cancels when both left", async () => {
  const source = new ListSource([1, 2], [3]);
  const [left, right] = new EventStream(source).tee();
  assert.deepEqual(await Promise.all([Array.fromAsync(left), Array.fromAsync(right)]), [
    [1, 2, 3],
    [1, 2, 3],
  ]);

  const left2 = new ListSource([1, 2]);
  const branches = new EventStream(left2).tee();
  await Promise.all(branches.map((branch, index) => branch.cancel(index)));
  assert.equal(left2.reasons.length, 1);
});

test("EventStream.pipeTo() takes an item when the sink is ready for it", async () => {
  const source = new ListSource([1], [2], [3]);
  const writes: (() => void)[] = [];
  const piped = new EventStream(source).pipeTo(
    new SinkStream<number>({ write: () => new Promise((resolve) => writes.push(resolve)) }),
  );
  await settled();
  assert.equal(writes.length, 1);
  assert.equal(source.pulls, 1);
  for (let write = 0; write < 3; write++) {
    writes[write]!();
    await settled();
  }
  await piped;
  assert.equal(source.pulls, 4);
});

test("EventStream.pipeTo() cancels the source with the sink's error", async () => {
  const error = new Error("disk full");
  const source = new ListSource([1, 2, 3]);
  const sink = new SinkStream<number>({
    write(item) {
      if (item === 2) throw error;
    },
  });
  await assert.rejects(new EventStream(source).pipeTo(sink), (given) => given === error);
  assert.equal(source.reasons.length, 1);
  assert.equal(source.reasons[0], error);
});

test("EventStream.pipeTo() with an aborted signal cancels the source and aborts the sink", async () => {
  const reason = new Error("stop it");
  const reasons: unknown[] = [];
  const aborts: unknown[] = [];
  const abort = new AbortController();
  const stream = new EventStream<number>({
    pull: () => new Promise(() => {}),
    cancel: (given) => void reasons.push(given),
  });
  const sink = new SinkStream<number>({ write() {}, abort: (given) => void aborts.push(given) });
  const piped = stream.pipeTo(sink, { signal: abort.signal });
  await settled();
  abort.abort(reason);
  await assert.rejects(piped, (given) => given === reason);
  assert.equal(reasons[0], reason);
  assert.equal(aborts[0], reason);
});

test("EventStream.from() takes arrays, iterables, async iterables and streams", async () => {
  async function* letters(): AsyncGenerator<string> {
    yield "a";
    yield "b";
  }
  const long = Array.from({ length: 200 }, (_, index) => index);
  assert.deepEqual(await Array.fromAsync(EventStream.from(long)), long);
  assert.deepEqual(await Array.fromAsync(EventStream.from([])), []);
  assert.deepEqual(await Array.fromAsync(EventStream.from(new Set([1, 2]))), [1, 2]);
  assert.deepEqual(await Array.fromAsync(EventStream.from(letters())), ["a", "b"]);
  assert.deepEqual(await Array.fromAsync(EventStream.from(new Blob(["x"]).stream())), [
    new TextEncoder().encode("x"),
  ]);
  const promises = [1, Promise.resolve(2), 3, Promise.resolve(4)];
  assert.deepEqual(await Array.fromAsync(EventStream.from(promises)), [1, 2, 3, 4]);
  assert.deepEqual(await Array.fromAsync(EventStream.from(new Set(promises))), [1, 2, 3, 4]);
});

test("EventStream.from() gives the items before a promise that fails", async () => {
  const error = new Error("no third");
  const third = Promise.reject<number>(error);
  // Handled here: on a busy machine the stream comes to it some turns later.
  third.catch(() => {});
  const items = [1, 2, third];
  for (const source of [items, new Set(items)]) {
    const { items, error: given } = await outcome(EventStream.from(source));
    assert.deepEqual(items, [1, 2]);
    assert.equal(given, error);
  }
});

test("EventStream.from() cancels what it was made of", async () => {
  const reason = new Error("enough");
  const reasons: unknown[] = [];
  const foreign = new ReadableStream<number>({ cancel: (given) => void reasons.push(given) });
  await EventStream.from(foreign).cancel(reason);
  assert.equal(reasons[0], reason);

  let returned = 0;
  async function* endless(): AsyncGenerator<number> {
    try {
      for (let n = 0;; n++) yield n;
    } finally {
      returned++;
    }
  }
  for await (const n of EventStream.from(endless())) if (n === 3) break;
  assert.equal(returned, 1);
});

test("EventStream.from() of an EventStream keeps its micro-batches, and locks it", async () => {
  const reason = new Error("enough");
  const { stream, log } = batches([1, 2, 3], [4]);
  const seen: number[] = [];
  const again = EventStream.from(stream).pipeThrough(new TapStream((n) => void seen.push(n)));
  assert.equal(stream.locked, true);
  const reader = again.getReader();
  await settled();
  assert.deepEqual(log, []);
  assert.equal((await reader.read()).value, 1);
  assert.deepEqual(seen, [1, 2, 3]);
  await reader.cancel(reason);
  assert.deepEqual(log, ["pull", ["cancel", reason]]);
  assert.equal(stream.locked, false);

  // One that the platform has read may have items in its queue.
  const begun = EventStream.from([1, 2, 3]);
  const first = begun.getReader();
  assert.equal((await first.read()).value, 1);
  first.releaseLock();
  assert.deepEqual(await Array.fromAsync(EventStream.from(begun)), [2, 3]);
});

test("EventStream.from() refuses what cannot be iterated, and a stream in use", () => {
  assert.throws(() => EventStream.from(5 as unknown as Iterable<number>), /cannot be iterated/);
  assert.throws(() => EventStream.from(null as unknown as Iterable<number>), TypeError);
  const stream = new ReadableStream();
  stream.getReader();
  assert.throws(() => EventStream.from(stream), TypeError);
});
