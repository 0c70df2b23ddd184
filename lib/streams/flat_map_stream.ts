/** Makes any number of items of each item. @module */
import { OperatorStream } from "./engine/operator_stream.ts";
import type { Stage, StageContext } from "./engine/stage.ts";
import { requireFunction } from "./require_option.ts";

/**
 * Hands on all that a function makes of each item: none, one or many, in their order.
 *
 * What the function returns is gone through at once, without regard to how much was asked for, so it
 * should be short. It is not held as a whole if it is made step by step, but what comes out of the last
 * stage is. A stage below that waits is waited for between two items. If a stage below has enough, or
 * the reader leaves in the middle, the rest is not asked for and the iterator is told by `return()`.
 *
 * @typeParam I The type of the items that go in.
 * @typeParam O The type of the items that come out.
 *
 * @example The tags of alerts, one by one
 * ```ts
 * import { EventStream, FlatMapStream } from "@falco-streams/core/streams";
 * import type { Alert } from "@falco-streams/core";
 * import { buildAlert } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const alerts = EventStream.from<Alert>([buildAlert({ tags: ["container", "shell"] })]);
 * const tags = alerts.pipeThrough(new FlatMapStream((alert) => alert.tags));
 * assert.deepEqual(await Array.fromAsync(tags), ["container", "shell"]);
 * ```
 */
export class FlatMapStream<I, O> extends OperatorStream<I, O> {
  /**
   * Creates the operator.
   *
   * @param fn Makes the items that go out of an item. Called once for each, in order. What it throws,
   * or what it returns throws while it is gone through, fails the stream after what came before.
   *
   * @throws {TypeError} when `fn` is not a function. The stream fails with it when `fn` returns
   * anything that cannot be iterated.
   */
  constructor(fn: (item: I) => Iterable<O>) {
    requireFunction("create FlatMapStream", "fn", fn);
    super((down, context) => new FlatMapStage(down, context, fn));
  }
}

class FlatMapStage<I, O> implements Stage<I> {
  readonly #down: Stage<O>;
  readonly #context: StageContext;
  readonly #fn: (item: I) => Iterable<O>;
  #over = false;

  constructor(down: Stage<O>, context: StageContext, fn: (item: I) => Iterable<O>) {
    this.#down = down;
    this.#context = context;
    this.#fn = fn;
  }

  push(item: I): void | Promise<void> {
    const items: unknown = this.#fn(item);
    if (items === null || items === undefined || !(Symbol.iterator in Object(items))) {
      throw new TypeError(
        `Cannot go through what was made of an item: "${
          String(items)
        }" cannot be iterated. Return an array or another iterable`,
      );
    }
    const iterator = (items as Iterable<O>)[Symbol.iterator]();
    return this.#pushAll(iterator);
  }

  end(): void | Promise<void> {
    return this.#down.end();
  }

  cancel(): void {
    this.#over = true;
  }

  #pushAll(iterator: Iterator<O>): void | Promise<void> {
    while (!this.#over) {
      const step = iterator.next();
      if (step.done) return;
      let wait: void | Promise<void>;
      try {
        wait = this.#down.push(step.value);
      } catch (error) {
        leave(iterator);
        throw error;
      }
      if (wait !== undefined) {
        return wait.then(() => {
          // The reader need not wait for the others.
          this.#context.wake();
          return this.#pushAll(iterator);
        }, (error) => {
          leave(iterator);
          throw error;
        });
      }
    }
    iterator.return?.();
  }
}

/** Tells an iterator that it is not needed any more, for a reason that matters more than its own errors. */
function leave(iterator: Iterator<unknown>): void {
  try {
    iterator.return?.();
  } catch {
    // The error of the stage below is the one to report.
  }
}
