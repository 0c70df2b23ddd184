import assert from "node:assert/strict";
import { test } from "node:test";
import { filterStage, mapStage, mergeSteps } from "../lib/streams/engine/item_step.ts";
import { StageChain } from "../lib/streams/engine/stage_chain.ts";
import type { AnyStageFactory } from "../lib/streams/engine/stage.ts";

const other: AnyStageFactory = (down) => ({
  push: (item) => down.push(item),
  end: () => down.end(),
});
const filter = (): AnyStageFactory => filterStage<number, number>(() => true);
const map = (): AnyStageFactory => mapStage((n: number) => n);

/** What comes out of the stages for an item, and whether their end comes out too. */
function run(factories: readonly AnyStageFactory[], item: number): unknown[] {
  const out: unknown[] = [];
  const chain = new StageChain(factories, {
    push: (given) => void out.push(given),
    end: () => void out.push("end"),
  }, { stopped() {}, failed() {}, woken() {} });
  chain.push(item);
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

test("mergeSteps() keeps the order, and what a filter drops goes no further", () => {
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
      assert.deepEqual(run(factories, 0), refuses ? ["end"] : [length >> 1, "end"]);
      assert.deepEqual(
        calls,
        Array.from({ length: reached }, (_, index) => `${index}: ${index >> 1}`),
      );
    }
  }
});
