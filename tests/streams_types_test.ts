/** What TypeScript infers along a pipeline, and what it refuses. Mostly checked by the compiler alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BatchStream,
  compose,
  EventStream,
  FilterStream,
  MapStream,
  OperatorStream,
  SinkStream,
} from "../lib/streams/mod.ts";

interface Item {
  readonly name: string;
  readonly size: number;
}
const items = (): EventStream<Item> => EventStream.from([{ name: "a", size: 1 }]);
/** Never called: the compiler is the test. */
const unused: (() => unknown)[] = [];

test("pipeThrough infers the items from end to end", async () => {
  const lengths: ReadableStream<number[]> = items()
    .pipeThrough(new FilterStream((item) => item.size > 0))
    .pipeThrough(new MapStream((item) => item.name))
    .pipeThrough(new MapStream((name) => name.length))
    .pipeThrough(new BatchStream(10));
  assert.deepEqual(await Array.fromAsync(lengths), [[1]]);
  for await (const { name } of items()) assert.equal(name.toUpperCase(), "A");
  for await (const item of items().values({ preventCancel: true })) assert.equal(item.size, 1);
});

test("a type guard narrows, also within compose()", async () => {
  const isText = (value: unknown): value is string => typeof value === "string";
  const mixed: (string | number)[] = ["a", 1];
  const lengths: ReadableStream<number> = EventStream.from(mixed).pipeThrough(
    compose(
      new FilterStream<string | number, string>(isText),
      new MapStream((text: string) => text.length),
    ),
  );
  assert.deepEqual(await Array.fromAsync(lengths), [1]);
});

test("what does not fit does not compile", () => {
  unused.push(
    // @ts-expect-error: an item has no such property
    () => items().pipeThrough(new FilterStream((item) => item.colour === "red")),
    // @ts-expect-error: a predicate returns a boolean
    () => items().pipeThrough(new FilterStream((item) => item.name)),
    // @ts-expect-error: the operator takes numbers
    () => items().pipeThrough(new MapStream((n: number) => n)),
    // @ts-expect-error: batches are arrays
    (): ReadableStream<Item> => items().pipeThrough(new BatchStream(2)),
    // @ts-expect-error: the sink takes numbers
    () => items().pipeTo(new SinkStream<number>({ write() {} })),
    // @ts-expect-error: the second takes what the first does not give
    () => compose(new MapStream((n: number) => `${n}`), new MapStream((n: number) => n)),
    // @ts-expect-error: a stage has an end
    () => new OperatorStream<number, number>((down) => ({ push: (item) => down.push(item) })),
    // @ts-expect-error: micro-batches are arrays
    () => new EventStream<number>({ pull: () => 1, cancel() {} }),
    // @ts-expect-error: there is no such option
    () => items().values({ preventAbort: true }),
    // @ts-expect-error: a signal is an AbortSignal
    () => items().pipeTo(new WritableStream<Item>(), { signal: "now" }),
  );
  assert.equal(unused.length, 10);
});
