/** What TypeScript infers along a pipeline, and what it refuses. Mostly checked by the compiler alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { buildAlert } from "../harness/build_alert.ts";
import type { Alert } from "../lib/alert/alert.ts";
import {
  BatchStream,
  broadcastReadableStream,
  BufferStream,
  CatchStream,
  compose,
  count,
  CountByStream,
  DedupeStream,
  EventStream,
  FilterStream,
  first,
  FlatMapStream,
  forEach,
  LimitStream,
  MapAsyncStream,
  MapStream,
  mergeReadableStreams,
  OperatorStream,
  RateLimitStream,
  RedactStream,
  routeReadableStream,
  ScanStream,
  SinkStream,
  SkipStream,
  TakeWhileStream,
  TapStream,
  ThrottleStream,
  TimeoutStream,
  toArray,
  TumblingWindowStream,
} from "../lib/streams/mod.ts";
import type { BranchStream, CountResult, WindowResult } from "../lib/streams/mod.ts";

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

test("every operator infers what comes out of it from the stream before", async () => {
  const alert: Alert = buildAlert({ rule: "r", outputFields: {} });
  const alerts = (): EventStream<Alert> => EventStream.from([alert]);
  const same: ReadableStream<Alert> = alerts()
    .pipeThrough(new FilterStream((alert) => alert.rule !== ""))
    .pipeThrough(new FilterStream("alert.rule = r"))
    .pipeThrough(new TapStream((alert) => void alert.rule.length))
    .pipeThrough(new SkipStream(0))
    .pipeThrough(new LimitStream(5))
    .pipeThrough(new TakeWhileStream((alert) => alert.tags.length >= 0))
    .pipeThrough(new DedupeStream((alert) => alert.rule))
    .pipeThrough(new RateLimitStream({ limit: 5, key: (alert) => alert.rule }))
    .pipeThrough(new ThrottleStream(5, { key: (alert) => alert.rule }))
    .pipeThrough(new TimeoutStream(60_000))
    .pipeThrough(new BufferStream(5, { onDrop: (alert) => void alert.rule }))
    .pipeThrough(new RedactStream(["user.name"]));
  assert.deepEqual(await Array.fromAsync(same), [alert]);

  const batches: ReadableStream<Alert[]> = alerts().pipeThrough(new BatchStream(2));
  assert.deepEqual(await Array.fromAsync(batches), [[alert]]);
  const rules: ReadableStream<string> = alerts().pipeThrough(new MapStream(({ rule }) => rule));
  assert.deepEqual(await Array.fromAsync(rules), ["r"]);
  const later: ReadableStream<string> = alerts()
    .pipeThrough(new MapAsyncStream((alert) => Promise.resolve(alert.rule)));
  assert.deepEqual(await Array.fromAsync(later), ["r"]);
  const letters: ReadableStream<string> = alerts()
    .pipeThrough(new FlatMapStream((alert) => new Set(alert.rule)));
  assert.deepEqual(await Array.fromAsync(letters), ["r"]);
  const counts: ReadableStream<number> = alerts()
    .pipeThrough(new ScanStream((count, alert) => count + alert.rule.length, 0));
  assert.deepEqual(await Array.fromAsync(counts), [1]);
  const windows: ReadableStream<WindowResult<number>> = alerts().pipeThrough(
    new TumblingWindowStream(1000, {
      key: (alert) => alert.rule,
      timestamp: (alert) => alert.time.seconds * 1000,
      aggregate: { initial: () => 0, add: (size, alert) => size + alert.rule.length },
    }),
  );
  assert.deepEqual((await Array.fromAsync(windows)).map(({ value }) => value), [1]);
  const frequent: ReadableStream<CountResult> = alerts()
    .pipeThrough(new CountByStream((alert) => alert.rule, { threshold: 1 }));
  assert.deepEqual((await Array.fromAsync(frequent)).map(({ key }) => key), ["r"]);
  const caught: ReadableStream<string> = alerts().pipeThrough(
    new CatchStream(new MapStream((alert: Alert) => alert.rule), {
      onError: (_error, alert) => alert.rule === "" ? "fail" : "skip",
    }),
  );
  assert.deepEqual(await Array.fromAsync(caught), ["r"]);

  const merged: EventStream<Alert> = mergeReadableStreams(alerts(), alerts());
  const branches: BranchStream<Alert>[] = broadcastReadableStream(merged, 1);
  const { all, rest } = routeReadableStream(branches[0]!, { all: (alert) => alert.rule === "r" }, {
    otherwise: "rest",
  });
  const ends: [Alert[], number, Alert | undefined] = [
    ...await Promise.all([toArray(all), count(rest)]),
    await first(alerts()),
  ];
  assert.deepEqual(ends, [[alert, alert], 0, alert]);
  await forEach(alerts(), (alert) => void alert.rule);
});

test("a type guard narrows, written as one or seen by the compiler", async () => {
  const mixed = (): EventStream<string | number> => EventStream.from<string | number>(["a", 1]);
  const isText = (value: unknown): value is string => typeof value === "string";
  const texts: ReadableStream<string> = mixed().pipeThrough(new FilterStream(isText));
  const seen: ReadableStream<string> = mixed()
    .pipeThrough(new FilterStream((value) => typeof value === "string"));
  for (const stream of [texts, seen]) assert.deepEqual(await Array.fromAsync(stream), ["a"]);
});

test("what does not fit does not compile", () => {
  unused.push(
    // @ts-expect-error: an item has no such property
    () => items().pipeThrough(new FilterStream((item) => item.colour === "red")),
    // @ts-expect-error: a predicate returns a boolean
    () => items().pipeThrough(new FilterStream((item) => item.name)),
    // @ts-expect-error: only a type guard narrows
    () => new FilterStream<unknown, string>(() => Math.random() < 0.5),
    // @ts-expect-error: nor does the place that it is wanted in make it one
    (): FilterStream<unknown, string> => new FilterStream((x: unknown) => x !== 1),
    // @ts-expect-error: nor a pipeline
    (): ReadableStream<1> => EventStream.from<1 | 2>([]).pipeThrough(new FilterStream((n) => !!n)),
    // @ts-expect-error: a condition is for alerts
    () => items().pipeThrough(new FilterStream("alert.rule = r")),
    // @ts-expect-error: and narrows nothing
    () => new FilterStream<Alert, Alert & { readonly rule: "r" }>("alert.rule = r"),
    // @ts-expect-error: a key is text
    () => items().pipeThrough(new DedupeStream((item) => item.size)),
    // @ts-expect-error: what a condition stops at is a boolean
    () => items().pipeThrough(new TakeWhileStream((item) => item.name)),
    // @ts-expect-error: it makes several of one
    () => items().pipeThrough(new FlatMapStream((item) => item.size)),
    // @ts-expect-error: a count is no item
    (): ReadableStream<Item> => items().pipeThrough(new CountByStream((item) => item.name)),
    (): ReadableStream<Promise<number>> =>
      // @ts-expect-error: a promise is waited for, and not handed on
      items().pipeThrough(new MapAsyncStream((item) => Promise.resolve(item.size))),
    // @ts-expect-error: only alerts have fields to take out
    () => items().pipeThrough(new RedactStream(["user.name"])),
    // @ts-expect-error: there is no such policy
    () => items().pipeThrough(new BufferStream(5, { overflow: "drop" })),
    // @ts-expect-error: what failed is skipped or fails
    () => new CatchStream(new TapStream(() => {}), { onError: () => "ignore" }),
    // @ts-expect-error: a duration is a number
    () => items().pipeThrough(new TimeoutStream("5s")),
    // @ts-expect-error: streams of other items
    (): EventStream<Item> => mergeReadableStreams(EventStream.from([1])),
    // @ts-expect-error: there is no such route
    () => routeReadableStream(items(), { big: (item: Item) => item.size > 1 }).small,
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
  assert.equal(unused.length, 26);
});
