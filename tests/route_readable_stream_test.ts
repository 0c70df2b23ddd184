import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStream, FalcoError, routeReadableStream, toArray } from "../lib/streams/mod.ts";
import type { BranchStream } from "../lib/streams/mod.ts";
import { outcome, probedSources, settled } from "./stream_probes.ts";

const numbers = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
const isEven = (n: number): boolean => n % 2 === 0;
const isThird = (n: number): boolean => n % 3 === 0;

for (const source of probedSources) {
  test(`routeReadableStream() gives an item of ${source.name} to all who accept it`, async () => {
    const streams = routeReadableStream(source.make(numbers).stream, {
      even: isEven,
      third: isThird,
    }, { otherwise: "rest" });
    assert.deepEqual(Object.keys(streams), ["even", "third", "rest"]);
    const [even, third, rest] = await Promise.all([
      toArray(streams.even),
      toArray(streams.third),
      toArray(streams.rest),
    ]);
    assert.deepEqual(even, numbers.filter(isEven));
    assert.deepEqual(third, numbers.filter(isThird));
    assert.deepEqual(rest, [1, 5, 7, 11]);
  });

  test(`routeReadableStream() drops what nobody accepts of ${source.name}`, async () => {
    const { third } = routeReadableStream(source.make(numbers).stream, { third: isThird });
    assert.deepEqual(await toArray(third), [3, 6, 9, 12]);
    assert.equal(third.dropped, 0);
  });

  test(`routeReadableStream() pulls from ${source.name} when a stream waits`, async () => {
    const probe = source.make(numbers);
    const { even, rest } = routeReadableStream(probe.stream, { even: isEven }, {
      otherwise: "rest",
      capacity: 2,
    });
    await settled();
    assert.equal(probe.pulls, 0);
    const evens = even.getReader();
    const rests = rest.getReader();
    assert.equal((await evens.read()).value, 2);
    await settled();
    assert.equal(probe.pulls, 2);
    // The rest is full with 1 and 3, and everything waits, since nobody knows what is next.
    const second = evens.read();
    await settled();
    assert.equal(probe.pulls, 3);
    assert.equal((await rests.read()).value, 1);
    assert.equal((await second).value, 4);
    assert.equal((await evens.read()).value, 6);
    // A stream that is cancelled holds nobody up, and its items are nobody's.
    await rests.cancel();
    assert.equal((await evens.read()).value, 8);
    assert.equal((await evens.read()).value, 10);
    assert.equal(rest.dropped, 0);
    await evens.cancel("done");
    await settled();
    assert.deepEqual(probe.reasons, [["done", undefined]]);
  });

  test(`routeReadableStream() counts what a slow stream of ${source.name} loses`, async () => {
    const lost: [number, string][] = [];
    const { even, rest } = routeReadableStream(source.make(numbers).stream, { even: isEven }, {
      otherwise: "rest",
      capacity: 2,
      overflow: "drop-oldest",
      onDrop: (item, name) => void lost.push([item, name]),
    });
    assert.deepEqual(await toArray(even), numbers.filter(isEven));
    assert.deepEqual(await toArray(rest), [9, 11]);
    assert.deepEqual(lost, [[1, "rest"], [3, "rest"], [5, "rest"], [7, "rest"]]);
    assert.deepEqual([even.dropped, rest.dropped], [0, 4]);

    const strict = routeReadableStream(source.make(numbers).stream, { even: isEven }, {
      otherwise: "rest",
      capacity: 2,
      overflow: "error",
    });
    assert.deepEqual(await toArray(strict.even), numbers.filter(isEven));
    const failed = await outcome(strict.rest);
    assert.deepEqual(failed.items, [1, 3]);
    assert(failed.error instanceof FalcoError);
  });

  test(`routeReadableStream() fails with what a predicate throws, on ${source.name}`, async () => {
    const error = new Error("no idea");
    const probe = source.make(numbers);
    const { even, bad } = routeReadableStream(probe.stream, {
      even: isEven,
      bad(n) {
        if (n === 3) throw error;
        return false;
      },
    });
    const results = await Promise.all([outcome(even), outcome(bad)]);
    assert.deepEqual(results[0], { items: [2], error });
    assert.deepEqual(results[1], { items: [], error });
    await settled();
    assert.deepEqual(probe.reasons, [error]);
  });
}

test("routeReadableStream() narrows a stream by its type guard", async () => {
  const isText = (value: unknown): value is string => typeof value === "string";
  const { texts, others } = routeReadableStream(
    EventStream.from<string | number>(["a", 1]),
    { texts: isText },
    { otherwise: "others" },
  );
  const typed: BranchStream<string> = texts;
  // @ts-expect-error The rest can be anything.
  const wrong: BranchStream<string> = others;
  assert.deepEqual(await Promise.all([toArray(typed), toArray(wrong)]), [["a"], [1]]);
});

test("routeReadableStream() takes any name for a stream", async () => {
  const routes = JSON.parse('{"__proto__": 0, "constructor": 0}') as Record<string, never>;
  const all = Object.fromEntries(Object.keys(routes).map((name) => [name, () => true]));
  const streams = routeReadableStream(EventStream.from([1]), all, { otherwise: "toString" });
  assert.deepEqual(Object.keys(streams), ["__proto__", "constructor", "toString"]);
  const items = await Promise.all(Object.values(streams).map((stream) => toArray(stream)));
  assert.deepEqual(items, [[1], [1], []]);
});

test("routeReadableStream() refuses what makes no sense", () => {
  const stream = EventStream.from([1]);
  assert.throws(() => routeReadableStream(stream, {}), {
    name: "TypeError",
    message: "Cannot route a stream: there are no routes. Give at least one",
  });
  assert.throws(() => routeReadableStream(stream, { a: 1 as unknown as () => boolean }), {
    name: "TypeError",
    message: 'Cannot route a stream: "a" must be a function: current value is "1"',
  });
  assert.throws(() => routeReadableStream(stream, { a: isEven }, { otherwise: "a" }), {
    name: "TypeError",
    message: 'Cannot route a stream: "otherwise" is the name of a route too: "a"',
  });
  assert.throws(() => routeReadableStream(stream, { a: isEven }, { capacity: 0 }), RangeError);
  assert.equal(stream.locked, false);
});

test("routeReadableStream() lets others have their turn while nothing comes for who waits", async () => {
  let left = false;
  const endless = new ReadableStream<number>({
    pull: (controller) => controller.enqueue(1),
    cancel: () => void (left = true),
  });
  const { even } = routeReadableStream(endless, { even: isEven });
  const reader = even.getReader();
  const read = reader.read();
  await settled();
  await reader.cancel();
  assert.equal((await read).done, true);
  await settled();
  assert.equal(left, true);
});
