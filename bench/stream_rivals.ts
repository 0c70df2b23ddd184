/** The ways to run a chain. All read the same source, and none knows more of it than the others. @module */
import { Readable, Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { bufferCount, filter, map, Observable } from "rxjs";
import type { OperatorFunction } from "rxjs";
import type { Alert } from "../lib/alert/alert.ts";
import { BatchStream } from "../lib/streams/batch_stream.ts";
import { EventStream } from "../lib/streams/engine/event_stream.ts";
import type { OperatorStream } from "../lib/streams/engine/operator_stream.ts";
import { SinkStream } from "../lib/streams/engine/sink_stream.ts";
import { FilterStream } from "../lib/streams/filter_stream.ts";
import { MapStream } from "../lib/streams/map_stream.ts";
import { sourceOf } from "./stream_work.ts";
import type { Chain, Step, Take } from "./stream_work.ts";

/** A way to run a chain: hands all that comes out to `take`. */
export type Way = (chain: Chain, take: Take) => Promise<void>;

/** The ways by name; the first is what others are compared with. */
export const ways = {
  "fused, pipeTo(SinkStream)": async (chain, take) => {
    await fused(chain).pipeTo(new SinkStream({ write: take }));
  },
  "fused, pipeTo(WritableStream)": async (chain, take) => {
    await fused(chain).pipeTo(new WritableStream({ write: take }));
  },
  "fused, for await": async (chain, take) => {
    for await (const output of fused(chain)) take(output);
  },
  "native TransformStreams": async (chain, take) => {
    await native(chain).pipeTo(new WritableStream({ write: take }));
  },
  "closures that push": async (chain, take) => {
    await drive(chain, pushing(chain, take));
  },
  "a loop by hand": async (chain, take) => {
    await drive(chain, chain.loop(take));
  },
  "RxJS": async (chain, take) => {
    // pipe() has types for what is written out, not for what is put together.
    const operators = chain.steps.map(rxOperator) as [OperatorFunction<unknown, unknown>];
    await new Observable<unknown>((subscriber) => {
      drive(chain, {
        push: (alert) => subscriber.next(alert),
        end: () => subscriber.complete(),
      }).catch((error) => subscriber.error(error));
    }).pipe(...operators).forEach(take);
  },
  "Node streams": async (chain, take) => {
    await pipeline([
      nodeSource(chain),
      ...chain.steps.map(nodeTransform),
      new Writable({
        objectMode: true,
        write(output, _, done) {
          take(output);
          done();
        },
      }),
    ]);
  },
  "async generators": async (chain, take) => {
    const outputs = chain.steps.reduce<AsyncIterable<unknown>>(
      (items, step) => generators[step.type](items, step as never),
      generate(chain),
    );
    for await (const output of outputs) take(output);
  },
} satisfies Record<string, Way>;

/** The name of a way. */
export type WayName = keyof typeof ways;

function fused(chain: Chain): ReadableStream<unknown> {
  return chain.steps.reduce<ReadableStream<unknown>>(
    (stream, step) => stream.pipeThrough(operator(step)),
    new EventStream(sourceOf(chain)),
  );
}

// deno-lint-ignore no-explicit-any
function operator(step: Step): OperatorStream<any, unknown> {
  if (step.type === "filter") return new FilterStream(step.test);
  return step.type === "map" ? new MapStream(step.make) : new BatchStream(step.size);
}

function native(chain: Chain): ReadableStream<unknown> {
  const source = sourceOf(chain);
  const alerts = new ReadableStream<unknown>({
    async pull(controller) {
      const batch = await source.pull();
      if (batch === null) controller.close();
      else for (const alert of batch) controller.enqueue(alert);
    },
  }, { highWaterMark: 0 });
  return chain.steps.reduce((stream, step) => stream.pipeThrough(transform(step)), alerts);
}

function transform(step: Step): TransformStream<unknown, unknown> {
  if (step.type === "filter") {
    return new TransformStream({
      transform(item, controller) {
        if (step.test(item)) controller.enqueue(item);
      },
    });
  }
  if (step.type === "map") {
    return new TransformStream({
      transform: (item, controller) => controller.enqueue(step.make(item)),
    });
  }
  let items: unknown[] = [];
  return new TransformStream({
    transform(item, controller) {
      if (items.push(item) < step.size) return;
      controller.enqueue(items);
      items = [];
    },
    flush(controller) {
      if (items.length > 0) controller.enqueue(items);
    },
  });
}

interface Pushed {
  push(alert: Alert): void;
  end(): void;
}

/** Nobody can make these wait, stop or fail: what is left when a stream is taken away. */
function pushing(chain: Chain, take: Take): Pushed {
  let down: { push: Take; end: () => void } = { push: take, end: () => {} };
  for (const step of chain.steps.toReversed()) {
    const { push, end } = down;
    if (step.type === "filter") {
      const { test } = step;
      down = { push: (item) => test(item) ? push(item) : undefined, end };
    } else if (step.type === "map") {
      const { make } = step;
      down = { push: (item) => push(make(item)), end };
    } else down = pushingBatch(step.size, push);
  }
  return down;
}

function pushingBatch(size: number, push: Take): { push: Take; end: () => void } {
  let items: unknown[] = [];
  return {
    push(item) {
      if (items.push(item) < size) return;
      push(items);
      items = [];
    },
    end() {
      if (items.length > 0) push(items);
    },
  };
}

/** Reads the source to its end. */
async function drive(chain: Chain, down: Pushed): Promise<void> {
  const source = sourceOf(chain);
  for (;;) {
    const batch = await source.pull();
    if (batch === null) return down.end();
    for (const alert of batch) down.push(alert);
  }
}

function rxOperator(step: Step): OperatorFunction<unknown, unknown> {
  if (step.type === "filter") return filter(step.test);
  return step.type === "map" ? map(step.make) : bufferCount(step.size);
}

function nodeSource(chain: Chain): Readable {
  const source = sourceOf(chain);
  return new Readable({
    objectMode: true,
    async read() {
      const batch = await source.pull();
      // What is pushed beyond the mark waits in the stream; it is read again when that is gone.
      if (batch === null) this.push(null);
      else for (const alert of batch) this.push(alert);
    },
  });
}

function nodeTransform(step: Step): Transform {
  if (step.type === "batch") {
    let items: unknown[] = [];
    return new Transform({
      objectMode: true,
      transform(item, _, done) {
        if (items.push(item) < step.size) return done();
        const full = items;
        items = [];
        done(null, full);
      },
      flush: (done) => items.length > 0 ? done(null, items) : done(),
    });
  }
  return new Transform({
    objectMode: true,
    transform(item, _, done) {
      if (step.type === "map") done(null, step.make(item));
      else if (step.test(item)) done(null, item);
      else done();
    },
  });
}

async function* generate(chain: Chain): AsyncGenerator<Alert> {
  const source = sourceOf(chain);
  for (let batch = await source.pull(); batch !== null; batch = await source.pull()) {
    // yield* would make a promise more of each.
    for (const alert of batch) yield alert;
  }
}

const generators = {
  async *filter(items: AsyncIterable<unknown>, { test }: Step & { type: "filter" }) {
    for await (const item of items) if (test(item)) yield item;
  },
  async *map(items: AsyncIterable<unknown>, { make }: Step & { type: "map" }) {
    for await (const item of items) yield make(item);
  },
  async *batch(items: AsyncIterable<unknown>, { size }: Step & { type: "batch" }) {
    let batch: unknown[] = [];
    for await (const item of items) {
      if (batch.push(item) < size) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  },
};
