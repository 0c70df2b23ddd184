/** What a chain has put out reaches the reader, though a stage above is not done with its item. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../harness/fake_clock.ts";
import {
  compose,
  FlatMapStream,
  MapAsyncStream,
  MapStream,
  OperatorStream,
  RateLimitStream,
} from "../lib/streams/mod.ts";
import { paths } from "./stream_paths.ts";
import { probedSources, settled } from "./stream_probes.ts";

/** Operators that begin to push when their caller waits already. */
const heads: readonly [name: string, make: () => OperatorStream<number, number>][] = [
  ["MapAsyncStream", () => new MapAsyncStream((n: number) => Promise.resolve(n))],
  ["an operator that knows nothing of wake()", () =>
    new OperatorStream<number, number>((down) => ({
      async push(n) {
        await Promise.resolve();
        await down.push(n);
      },
      end: () => down.end(),
    }))],
];

for (const path of paths) {
  for (const source of probedSources) {
    for (const [name, make] of heads) {
      test(`${name}, ${source.name}, ${path.name}: the first of several is there at once`, async () => {
        const clock = new FakeClock(0);
        const chain = compose(
          make(),
          new FlatMapStream((n: number) => [n, n + 1, n + 2]),
          new RateLimitStream<number>({ limit: 1, intervalMs: 60_000, clock }),
          new MapStream((n: number) => n),
        );
        const reader = path.through(source.make([1]).stream, chain).getReader();
        for (const expected of [1, 2, 3]) {
          const reading = reader.read();
          await settled();
          assert.deepEqual(await Promise.race([reading, settled()]), {
            done: false,
            value: expected,
          });
          clock.advance(60_000);
        }
        assert.equal((await reader.read()).done, true);
      });
    }
  }
}
