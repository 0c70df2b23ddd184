/** Stages that only call a function with each item, and runs of them as one stage. @module */
import type { AnyStageFactory, Stage, StageFactory } from "./stage.ts";

/** How far a runner is in its micro-batch. Whoever pushes the items moves it on. */
export interface ItemCursor {
  items: readonly unknown[];
  /** The next item. */
  index: number;
  /** Where to stop; the runner sets it to `index` if no more items are wanted. */
  end: number;
}

/** The method of an {@linkcode ItemStage}; no stage of a user has it by chance. */
export const pushItems: unique symbol = Symbol.for("@falco-streams/core/push-items.v1");

/** A stage that can take many items in one call, which saves most of what an item costs. */
export interface ItemStage extends Stage<unknown> {
  /**
   * Takes items as `push` does, until one has to be waited for.
   *
   * @param cursor The items.
   * @returns The promise for the item before `cursor.index`.
   */
  [pushItems](cursor: ItemCursor): void | Promise<void>;
}

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
const dropped = Symbol("dropped");

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
  const { isMap, fn } = steps[0]!;
  const factory = steps.length > 1 ? several(joined(steps)) : isMap ? oneMap(fn) : oneFilter(fn);
  return Object.assign(factory, { [itemSteps]: steps });
}

// Three times the same loop: an engine inlines the call of a function only where it always is the same
// one, so the three do not share it.
function oneFilter(predicate: ItemStep["fn"]): (down: Stage<unknown>) => ItemStage {
  return (down) => ({
    push(item) {
      if (predicate(item)) return down.push(item);
    },
    [pushItems](cursor) {
      const { items } = cursor;
      let { index } = cursor;
      while (index < cursor.end) {
        const item = items[index++];
        if (!predicate(item)) continue;
        const wait = down.push(item);
        if (wait === undefined) continue;
        cursor.index = index;
        return wait;
      }
      cursor.index = index;
    },
    end: () => down.end(),
  });
}

function oneMap(fn: ItemStep["fn"]): (down: Stage<unknown>) => ItemStage {
  return (down) => ({
    push: (item) => down.push(fn(item)),
    [pushItems](cursor) {
      const { items } = cursor;
      let { index } = cursor;
      while (index < cursor.end) {
        const wait = down.push(fn(items[index++]));
        if (wait === undefined) continue;
        cursor.index = index;
        return wait;
      }
      cursor.index = index;
    },
    end: () => down.end(),
  });
}

function several(take: ItemStep["fn"]): (down: Stage<unknown>) => ItemStage {
  return (down) => ({
    push(item) {
      const made = take(item);
      if (made !== dropped) return down.push(made);
    },
    [pushItems](cursor) {
      const { items } = cursor;
      let { index } = cursor;
      while (index < cursor.end) {
        const made = take(items[index++]);
        if (made === dropped) continue;
        const wait = down.push(made);
        if (wait === undefined) continue;
        cursor.index = index;
        return wait;
      }
      cursor.index = index;
    },
    end: () => down.end(),
  });
}

/** Makes one function of two or more steps: what becomes of an item, or `dropped`. */
function joined(steps: readonly ItemStep[]): ItemStep["fn"] {
  // Each in a variable of its own, and each called on a line of its own: a loop would be one call again.
  const [a, b, c, d, e, f, g, h] = steps.map((step) => step.fn);
  const [aIsMap, bIsMap, cIsMap, dIsMap, eIsMap, fIsMap, gIsMap, hIsMap] = steps
    .map((step) => step.isMap);
  const [first, second] = [a!, b!];
  return (item) => {
    if (aIsMap) item = first(item);
    else if (!first(item)) return dropped;
    if (bIsMap) item = second(item);
    else if (!second(item)) return dropped;
    if (c === undefined) return item;
    if (cIsMap) item = c(item);
    else if (!c(item)) return dropped;
    if (d === undefined) return item;
    if (dIsMap) item = d(item);
    else if (!d(item)) return dropped;
    if (e === undefined) return item;
    if (eIsMap) item = e(item);
    else if (!e(item)) return dropped;
    if (f === undefined) return item;
    if (fIsMap) item = f(item);
    else if (!f(item)) return dropped;
    if (g === undefined) return item;
    if (gIsMap) item = g(item);
    else if (!g(item)) return dropped;
    if (h === undefined) return item;
    if (hIsMap) item = h(item);
    else if (!h(item)) return dropped;
    return item;
  };
}
