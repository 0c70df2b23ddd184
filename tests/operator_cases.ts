/** Operators that the tables of rules are run for. @module */
import {
  BatchStream,
  compose,
  DedupeStream,
  FilterStream,
  LimitStream,
  MapStream,
  OperatorStream,
} from "../lib/streams/mod.ts";
import type { StageFactory } from "../lib/streams/mod.ts";

/** Makes items of arrays of them. */
export const flatten: StageFactory<number[], number> = (down) => ({
  push(items) {
    let index = 0;
    const next = (): void | Promise<void> => {
      while (index < items.length) {
        const wait = down.push(items[index++]!);
        if (wait !== undefined) return wait.then(next);
      }
    };
    return next();
  },
  end: () => down.end(),
});

/** Hands on every item, a little later. */
export const slow: StageFactory<number, number> = (down) => ({
  async push(item) {
    await Promise.resolve();
    await down.push(item);
  },
  end: () => down.end(),
});

/** An operator that hands on every number above 0 as it is, so that one table of rules holds for all. */
export interface OperatorCase {
  readonly name: string;
  make(): OperatorStream<number, number>;
}

/** Every operator, alone or with what undoes it. */
export const operatorCases: readonly OperatorCase[] = [
  { name: "FilterStream", make: () => new FilterStream((n: number) => n > 0) },
  { name: "MapStream", make: () => new MapStream((n: number) => n) },
  { name: "DedupeStream", make: () => new DedupeStream<number>(String) },
  { name: "LimitStream", make: () => new LimitStream<number>(1000) },
  {
    name: "BatchStream and its opposite",
    make: () => compose(new BatchStream<number>(1), new OperatorStream(flatten)),
  },
  { name: "an operator that waits", make: () => new OperatorStream(slow) },
  { name: "compose() of nothing", make: () => compose<number>() },
  {
    name: "compose() of all",
    make: () =>
      compose(
        new FilterStream<number>(() => true),
        new OperatorStream(slow),
        new DedupeStream<number>(String),
        compose(
          new MapStream<number, string>(String),
          new MapStream<string, number>(Number),
          new BatchStream<number>(1),
          new OperatorStream(flatten),
        ),
        new LimitStream<number>(1000),
      ),
  },
];
