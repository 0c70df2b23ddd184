import assert from "node:assert/strict";
import { test } from "node:test";
import { filterStage, mapStage, mergeSteps } from "../lib/streams/engine/item_step.ts";
import { StageChain } from "../lib/streams/engine/stage_chain.ts";
import type { AnyStageFactory } from "../lib/streams/engine/stage.ts";
import { EventStream, FilterStream, MapStream, TapStream } from "../lib/streams/mod.ts";
import { paths } from "./stream_paths.ts";
import { outcome } from "./stream_probes.ts";

const other: AnyStageFactory = (down) => ({
  push: (item) => down.push(item),
  end: () => down.end(),
});
const filter = (): AnyStageFactory => filterStage<number, number>(() => true);
const map = (): AnyStageFactory => mapStage((n: number) => n);

/** What comes out of the stages for an item, alone or in a stretch, and whether their end comes out too. */
function run(factories: readonly AnyStageFactory[], item: number, way: string): unknown[] {
  const out: unknown[] = [];
  const chain = new StageChain(factories, {
    push: (given) => void out.push(given),
    end: () => void out.push("end"),
  }, { stopped() {}, failed() {}, woken() {} });
  if (way === "alone") chain.push(item);
  else chain.pushFrom({ items: [-1, item, -1], index: 1, end: 2 });
  chain.end();
  return out;
}

test("mergeSteps() makes one stage of up to 8 filters and maps that follow each other", () => {
  const long = Array.from({ length: 20 }, (_, index) => index % 3 === 0 ? map() : filter());
  assert.equal(mergeSteps(long).length, 3);
  assert.equal(mergeSteps([...long.slice(0, 8)]).length, 1);
  assert.equal(mergeSteps([filter(), other, map(), filter(), other, other, map()]).length, 6);
  assert.deepEqual(mergeSteps([]), []);
  // What is merged can be merged again.
  assert.equal(mergeSteps([...mergeSteps([filter(), map()]), filter()]).length, 1);
});

for (const way of ["alone", "in a stretch"]) {
  test(`mergeSteps() keeps the order of what comes ${way}, and what a filter drops goes no further`, () => {
    for (let length = 1; length <= 18; length++) {
      for (let refusing = 0; refusing <= length; refusing++) {
        const calls: string[] = [];
        const factories = Array.from({ length }, (_, index): AnyStageFactory => {
          if (index % 2 === 0) {
            return filterStage<number, number>((n) => {
              calls.push(`${index}: ${n}`);
              return index !== refusing;
            });
          }
          return mapStage((n: number) => {
            calls.push(`${index}: ${n}`);
            return n + 1;
          });
        });
        const refuses = refusing < length && refusing % 2 === 0;
        const reached = refuses ? refusing + 1 : length;
        assert.deepEqual(run(factories, 0, way), refuses ? ["end"] : [length >> 1, "end"]);
        assert.deepEqual(
          calls,
          Array.from({ length: reached }, (_, index) => `${index}: ${index >> 1}`),
        );
      }
    }
  });
}

test("a stage of filters and maps takes a stretch up to an item that has to be waited for", async () => {
  const kinds: Record<string, AnyStageFactory[]> = {
    filter: [filterStage<number, number>((n) => n !== 2)],
    map: [mapStage((n: number) => n)],
    both: [filterStage<number, number>((n) => n !== 2), mapStage((n: number) => n)],
    none: [],
  };
  for (const [name, factories] of Object.entries(kinds)) {
    const out: unknown[] = [];
    const chain = new StageChain(factories, {
      push(item) {
        out.push(item);
        if (item === 3) return Promise.resolve();
      },
      end() {},
    }, { stopped() {}, failed() {}, woken() {} });
    const cursor = { items: [0, 1, 2, 3, 4, 5, 6], index: 1, end: 6 };
    await chain.pushFrom(cursor);
    assert.equal(cursor.index, 4, name);
    assert.equal(chain.pushFrom(cursor), undefined);
    assert.equal(cursor.index, 6, name);
    const dropsTwo = name === "filter" || name === "both";
    assert.deepEqual(out, dropsTwo ? [1, 3, 4, 5] : [1, 2, 3, 4, 5], name);
  }
});

test("long chains of filters and maps are as many stages as it takes, and all of any other", async () => {
  const steps = Array.from({ length: 200 }, (_, index) => index % 2 === 0 ? map() : filter());
  assert.equal(mergeSteps(steps).length, 25);
  for (const path of paths) {
    for (
      const make of [
        () => new FilterStream<number>(() => true),
        () => new TapStream<number>(() => {}),
      ]
    ) {
      let stream: ReadableStream<number> = EventStream.from([1, 2, 3]);
      for (let count = 0; count < 300; count++) {
        stream = path.through(
          stream,
          count % 2 === 0 ? new MapStream((n: number) => n + 1) : make(),
        );
      }
      assert.deepEqual(await outcome(path.items(stream)), { items: [151, 152, 153] });
    }
  }
});
