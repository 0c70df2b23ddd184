/** Streams and transforms that know nothing of ours, between ours. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventSourceParserStream } from "eventsource-parser/stream";
import * as polyfill from "web-streams-polyfill";
import {
  EventStream,
  FilterStream,
  FlatMapStream,
  LimitStream,
  MapStream,
  toArray,
} from "../lib/streams/mod.ts";
import { outcome, probedSources, settled } from "./stream_probes.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Numbers = ReadableStream<number>;

const toLines = (): MapStream<number, string> => new MapStream((n) => `${n}\n`);
/** Makes numbers of text that holds one a line, however it is cut. */
function fromLines(): FlatMapStream<string, number> {
  let rest = "";
  return new FlatMapStream((text) => {
    const lines = `${rest}${text}`.split("\n");
    rest = lines.pop()!;
    return lines.map(Number);
  });
}

interface Foreign {
  readonly name: string;
  /** Puts it between operators of ours that together hand on every number as it is. */
  readonly between: (numbers: Numbers) => Numbers;
  /** It puts nothing out before its end. */
  readonly holdsAll?: boolean;
}

const foreigners: readonly Foreign[] = [
  {
    name: "TextEncoderStream and TextDecoderStream",
    between: (numbers) =>
      numbers.pipeThrough(toLines())
        .pipeThrough(new TextEncoderStream())
        .pipeThrough(new MapStream((bytes: Bytes) => bytes.slice()))
        .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Bytes>)
        .pipeThrough(fromLines()),
  },
  {
    name: "CompressionStream and DecompressionStream",
    between: (numbers) =>
      numbers.pipeThrough(toLines())
        .pipeThrough(new MapStream((text) => new TextEncoder().encode(text)))
        .pipeThrough(new CompressionStream("gzip"))
        .pipeThrough(new MapStream((bytes: Bytes) => bytes))
        .pipeThrough(new DecompressionStream("gzip"))
        .pipeThrough(new MapStream((bytes: Bytes) => new TextDecoder().decode(bytes)))
        .pipeThrough(fromLines()),
    holdsAll: true,
  },
  {
    name: "EventSourceParserStream",
    between: (numbers) =>
      numbers.pipeThrough(new MapStream((n) => `data: ${n}\n\n`))
        .pipeThrough(new EventSourceParserStream())
        .pipeThrough(new MapStream(({ data }) => Number(data))),
  },
  {
    name: "a TransformStream of another implementation",
    between(numbers) {
      const transform = new polyfill.TransformStream<number, number>();
      const given = polyfill.ReadableStream.from(
        numbers.pipeThrough(new MapStream((n: number) => n + 1)),
      );
      return EventStream.from(given.pipeThrough(transform) as Numbers)
        .pipeThrough(new MapStream((n) => n - 1));
    },
  },
];

for (const { name, between, holdsAll } of foreigners) {
  for (const source of probedSources) {
    const title = `${name} on ${source.name}`;

    test(`${title} hands on everything to the end`, async () => {
      for (const numbers of [[], [0], [1, 2, 3], Array.from({ length: 500 }, (_, n) => n)]) {
        const { stream } = source.make(numbers);
        assert.deepEqual(await outcome(between(stream)), { items: numbers });
      }
    });

    test(`${title} pulls no more than the foreign streams hold`, async () => {
      if (holdsAll) return;
      const probe = source.make(Array.from({ length: 100 }, (_, n) => n));
      const reader = between(probe.stream).getReader();
      for (let reads = 0; reads < 5; reads++) {
        await settled();
        assert(probe.pulls <= reads + 4, `${probe.pulls} pulls for ${reads} reads`);
        assert.equal((await reader.read()).value, reads);
      }
      await reader.cancel();
    });

    test(`${title} cancels the source when the reader leaves`, async () => {
      const reason = new Error("enough");
      const probe = source.make([1], "hang");
      const reader = between(probe.stream).getReader();
      const read = reader.read();
      if (!holdsAll) assert.equal((await read).value, 1);
      await settled();
      await reader.cancel(reason);
      await settled();
      assert.equal(probe.reasons.length, 1);
      // An iterator, which the other implementation reads with, cannot hand a reason on.
      if (!name.includes("implementation")) assert.equal(probe.reasons[0], reason);
    });

    test(`${title} cancels the source at an early end`, async () => {
      if (holdsAll) return;
      const probe = source.make([1, 2, 3], "hang");
      const limited = between(probe.stream).pipeThrough(new LimitStream(2));
      assert.deepEqual(await toArray(limited), [1, 2]);
      await settled();
      assert.equal(probe.reasons.length, 1);
    });

    test(`${title} hands on the error of the source, and of an operator before and after`, async () => {
      const error = new Error("broken");
      const refuse = (): FilterStream<number> =>
        new FilterStream((n) => {
          if (n === 2) throw error;
          return true;
        });
      const broken = source.make([1], { error });
      assert.equal((await outcome(between(broken.stream))).error, error);

      const above = source.make([1, 2], "hang");
      assert.equal((await outcome(between(above.stream.pipeThrough(refuse())))).error, error);
      await settled();
      assert.equal(above.reasons[0], error);

      const below = source.make([1, 2, 3]);
      const { items, error: given } = await outcome(between(below.stream).pipeThrough(refuse()));
      assert.deepEqual(items, [1]);
      assert.equal(given, error);
    });
  }
}

test("EventStream.from() takes a stream of another implementation, and hands the reason up", async () => {
  const reason = new Error("enough");
  const reasons: unknown[] = [];
  let pulls = 0;
  const foreign = new polyfill.ReadableStream<number>({
    pull: (controller) => controller.enqueue(++pulls),
    cancel: (given) => void reasons.push(given),
  }, { highWaterMark: 0 });
  const stream = EventStream.from(foreign as Numbers).pipeThrough(new MapStream((n) => 2 * n));
  assert.equal(foreign.locked, true);
  const reader = stream.getReader();
  await settled();
  assert.equal(pulls, 0);
  assert.equal((await reader.read()).value, 2);
  await settled();
  assert.equal(pulls, 1);
  await reader.cancel(reason);
  assert.deepEqual(reasons, [reason]);
});

test("a stream of another implementation is refused by pipeThrough as the platform does", () => {
  const transform = new polyfill.TransformStream<number, number>();
  const stream = EventStream.from([1]);
  assert.throws(
    () => stream.pipeThrough(transform as ReadableWritablePair<number, number>),
    TypeError,
  );
});
