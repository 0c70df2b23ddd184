/** A stream that never has to wait leaves timers and sockets their turn. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { nextTurn } from "../lib/streams/engine/next_turn.ts";
import {
  BufferStream,
  EventStream,
  FilterStream,
  OperatorStream,
  SinkStream,
  TimeoutStream,
} from "../lib/streams/mod.ts";
import { slow } from "./operator_cases.ts";
import { outcome, settled } from "./stream_probes.ts";

/** So long a starved test goes on before it gives up, in milliseconds. */
const patienceMs = 2000;

/** A source that has items at once until a timer has had its turn. */
function untilTimer(give: () => readonly number[] | Promise<readonly number[]>) {
  const state = { fired: false };
  const startedAt = performance.now();
  setTimeout(() => state.fired = true, 1);
  const stream = new EventStream<number>({
    pull: () => state.fired || performance.now() - startedAt > patienceMs ? null : give(),
    cancel() {},
  });
  return { state, stream };
}

const gives = {
  "at once": () => [1, 2, 3],
  "in a promise": () => Promise.resolve([1, 2, 3]),
  "nothing, at once": () => [],
  "nothing, in a promise": () => Promise.resolve([]),
};
const none = (): FilterStream<number> => new FilterStream<number>(() => false);
const readers: Record<string, (stream: EventStream<number>) => Promise<unknown>> = {
  "for await": (stream) => outcome(stream),
  "pipeTo() a sink of ours": (stream) => stream.pipeTo(new SinkStream({ write() {} })),
  "pipeTo() any sink": (stream) => stream.pipeTo(new WritableStream()),
  async "getReader()"(stream) {
    const reader = stream.getReader();
    while (!(await reader.read()).done);
  },
  "operators that keep nothing": (stream) => outcome(stream.pipeThrough(none())),
  "operators that wait and keep nothing": (stream) =>
    outcome(stream.pipeThrough(new OperatorStream(slow)).pipeThrough(none())),
  "a buffer that drops": (stream) =>
    outcome(stream.pipeThrough(new BufferStream<number>(2, { overflow: "drop-oldest" }))),
  "a buffer and operators that keep nothing": (stream) =>
    outcome(stream.pipeThrough(new BufferStream<number>(2)).pipeThrough(none())),
  "a timeout": (stream) => outcome(stream.pipeThrough(new TimeoutStream<number>(60_000))),
  "operators and a sink": (stream) =>
    stream.pipeThrough(new FilterStream<number>(() => true))
      .pipeTo(new SinkStream({ write() {} })),
};

for (const [how, give] of Object.entries(gives)) {
  for (const [reader, read] of Object.entries(readers)) {
    test(`EventStream that gives ${how} lets timers run beside ${reader}`, async () => {
      const { state, stream } = untilTimer(give);
      await read(stream);
      assert.equal(state.fired, true);
    });
  }
}

test("EventStream that gives an endless micro-batch lets timers run", async () => {
  const huge = Array.from({ length: 3_000_000 }, () => 1);
  for (const how of ["for await", "pipeTo", "operators"]) {
    let fired = false;
    let seen = 0;
    setTimeout(() => fired = true, 1);
    const stream = new EventStream<number>({ pull: () => huge, cancel() {} });
    const enough = { reason: "enough" };
    const write = (): void => {
      seen++;
      if (fired) throw enough;
    };
    if (how === "for await") { for await (const _ of stream) if (++seen && fired) break; }
    if (how === "pipeTo") await stream.pipeTo(new SinkStream({ write })).catch(() => {});
    if (how === "operators") {
      await stream.pipeThrough(new FilterStream<number>(() => true)).pipeTo(
        new SinkStream({ write }),
      )
        .catch(() => {});
    }
    assert(seen < huge.length, how);
  }
});

test("nextTurn() calls back after timers that are due, with and without setImmediate", async () => {
  for (const platform of [undefined, { MessageChannel }]) {
    let turns = 0;
    let fired = false;
    setTimeout(() => fired = true, 0);
    while (!fired && turns < 100_000) {
      await new Promise<void>((resolve) => void nextTurn(resolve, platform));
      turns++;
    }
    assert.equal(fired, true);
    let called = false;
    nextTurn(() => called = true, platform)();
    await settled();
    assert.equal(called, false);
  }
});
