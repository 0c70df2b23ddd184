/** Stages that only call a function with each item, and runs of them as one stage. @module */
import type { AnyStageFactory, StageFactory } from "./stage.ts";

/**
 * The steps of a stage that does nothing but call functions with each item. The name carries a
 * version, since stages of another copy of this package can be in a chain.
 */
const itemSteps: unique symbol = Symbol.for("@falco-streams/core/item-steps.v1");

/** Keeps the items for which a function is true, or hands on what it makes of them. */
interface ItemStep {
  readonly isMap: boolean;
  // deno-lint-ignore no-explicit-any
  readonly fn: (item: any) => any;
}

// How many steps the code below is written out for.
const width = 8;

/**
 * The stage of a filter.
 *
 * @param predicate Says whether to keep an item.
 * @returns The factory of the stage.
 */
export function filterStage<T, U extends T>(predicate: (item: T) => boolean): StageFactory<T, U> {
  return stageOf([{ isMap: false, fn: predicate }]);
}

/**
 * The stage of a map.
 *
 * @param fn Makes what goes out of an item.
 * @returns The factory of the stage.
 */
export function mapStage<I, O>(fn: (item: I) => O): StageFactory<I, O> {
  return stageOf([{ isMap: true, fn }]);
}

/**
 * Makes one stage of filters and maps that follow each other.
 *
 * Engines inline a call that always reaches the same function. Eight equal stages share their code, so
 * the one call in it reaches eight functions: such a chain ran at half the speed (measured).
 *
 * @param factories The stages from top to bottom.
 * @returns Fewer stages that do the same.
 */
export function mergeSteps(factories: readonly AnyStageFactory[]): readonly AnyStageFactory[] {
  const merged: AnyStageFactory[] = [];
  let run: ItemStep[] = [];
  for (const factory of factories) {
    const steps = (factory as { [itemSteps]?: readonly ItemStep[] })[itemSteps];
    if (steps !== undefined && run.length > 0 && run.length + steps.length <= width) {
      merged.pop();
      run = [...run, ...steps];
      merged.push(stageOf(run));
    } else {
      merged.push(factory);
      run = steps === undefined ? [] : [...steps];
    }
  }
  return merged;
}

function stageOf(steps: readonly ItemStep[]): AnyStageFactory {
  // Each in a variable of its own, and each called on a line of its own: a loop would be one call again.
  const [a, b, c, d, e, f, g, h] = steps.map((step) => step.fn);
  const [aIsMap, bIsMap, cIsMap, dIsMap, eIsMap, fIsMap, gIsMap, hIsMap] = steps
    .map((step) => step.isMap);
  const first = a!;
  const factory: AnyStageFactory = (down) => ({
    push(item) {
      if (aIsMap) item = first(item);
      else if (!first(item)) return;
      if (b === undefined) return down.push(item);
      if (bIsMap) item = b(item);
      else if (!b(item)) return;
      if (c === undefined) return down.push(item);
      if (cIsMap) item = c(item);
      else if (!c(item)) return;
      if (d === undefined) return down.push(item);
      if (dIsMap) item = d(item);
      else if (!d(item)) return;
      if (e === undefined) return down.push(item);
      if (eIsMap) item = e(item);
      else if (!e(item)) return;
      if (f === undefined) return down.push(item);
      if (fIsMap) item = f(item);
      else if (!f(item)) return;
      if (g === undefined) return down.push(item);
      if (gIsMap) item = g(item);
      else if (!g(item)) return;
      if (h === undefined) return down.push(item);
      if (hIsMap) item = h(item);
      else if (!h(item)) return;
      return down.push(item);
    },
    end: () => down.end(),
  });
  return Object.assign(factory, { [itemSteps]: steps });
}
