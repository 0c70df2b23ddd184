/** Goes on when an operator fails with an item. @module */
import { linkOf } from "./engine/link.ts";
import { operatorStages } from "./engine/operator_stages.ts";
import { OperatorStream } from "./engine/operator_stream.ts";
import type { AnyStageFactory, Stage, StageContext } from "./engine/stage.ts";
import { StageChain } from "./engine/stage_chain.ts";
import { requireFunction } from "./require_option.ts";

/**
 * Options of {@linkcode CatchStream}.
 *
 * @typeParam I The type of the items that go in.
 *
 * @example
 * ```ts
 * import type { CatchStreamOptions } from "@falco-streams/core/streams";
 *
 * const options: CatchStreamOptions<string> = {
 *   onError: (error) => error instanceof SyntaxError ? "skip" : "fail",
 * };
 * console.assert(options.onError(new SyntaxError("oops"), "{") === "skip");
 * ```
 */
export interface CatchStreamOptions<I> {
  /**
   * Called with what the operator threw, or rejected with, and the item that was going in. Returns
   * `"skip"` to go on with the next item, or `"fail"` to fail the stream with the error. What it throws
   * fails the stream instead.
   */
  onError: (error: unknown, item: I) => "skip" | "fail";
}

/**
 * Wraps an operator, so that an item it fails with can be skipped.
 *
 * What is caught is what the operator throws, or rejects with, while it takes an item: the functions
 * given to `FilterStream`, `MapStream`, `TapStream`, `FlatMapStream`, `ScanStream`, keys and callbacks,
 * and `MapAsyncStream` with a `concurrency` of 1. What can be promised then:
 *
 * - Only that item is given up. What was handed on for it before the error stays handed on, and what
 *   was still to be made of it is not made.
 * - The operator goes on in the state it was in when it threw.
 * - `onError` gets the item that was going in. Where operators in it hold items, that is not always the
 *   one at fault: if what follows a `BatchStream` fails, the batch is lost, and the item is its last.
 * - {@linkcode CatchStream.skipped} counts the items that were given up.
 *
 * Not caught, since no item can be named or the operator cannot go on: errors that come at another time
 * (timers, `MapAsyncStream` with a `concurrency` above 1), at the end of the input, and of course those
 * of the source and of operators above and below. They fail the stream as always.
 *
 * @typeParam I The type of the items that go in.
 * @typeParam O The type of the items that come out.
 *
 * @example
 * ```ts
 * import { CatchStream, EventStream, MapStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const parse = new MapStream((line: string) => JSON.parse(line) as unknown);
 * const parsed = new CatchStream(parse, { onError: () => "skip" });
 * const stream = EventStream.from(["1", "{", "3"]).pipeThrough(parsed);
 * assert.deepEqual(await Array.fromAsync(stream), [1, 3]);
 * assert.equal(parsed.skipped, 1);
 * ```
 */
export class CatchStream<I, O> extends OperatorStream<I, O> {
  readonly #counter: { skipped: number };

  /**
   * Creates the operator.
   *
   * @param operator What to wrap; of several make one with `compose` first. It cannot be used elsewhere
   * any more.
   * @param options See {@linkcode CatchStreamOptions}.
   *
   * @throws {TypeError} when `onError` is not a function, or `operator` is none of this package or
   * has a `BufferStream` or a `TimeoutStream` in it.
   * @throws {FalcoClosedError} when the operator has been used already.
   */
  constructor(operator: OperatorStream<I, O>, options: CatchStreamOptions<I>) {
    const onError = options?.onError;
    requireFunction("create CatchStream", "onError", onError);
    requireFunction("create CatchStream", "operator", operator?.[operatorStages]);
    const factories = operator[operatorStages]();
    if (factories.some((factory) => linkOf(factory) !== undefined)) {
      throw new TypeError(
        "Cannot create CatchStream: a buffer or a timeout in it would lose track of which item failed. Put it before or behind",
      );
    }
    const counter = { skipped: 0 };
    super((down, context) =>
      new CatchStage(down, context, factories, (error, item) => {
        if (onError(error, item) !== "skip") throw error;
        counter.skipped++;
      })
    );
    this.#counter = counter;
  }

  /** How many items were given up so far. */
  get skipped(): number {
    return this.#counter.skipped;
  }
}

class CatchStage<I, O> implements Stage<I> {
  readonly #chain: StageChain;
  readonly #skip: (error: unknown, item: I) => void;
  // An error that comes from below goes on up: it is not for us to catch.
  #isLost = false;
  #isEnding = false;

  constructor(
    down: Stage<O>,
    context: StageContext,
    factories: readonly AnyStageFactory[],
    skip: (error: unknown, item: I) => void,
  ) {
    this.#skip = skip;
    const bottom: Stage<unknown> = {
      push: (item) => this.#below(() => down.push(item as O)),
      end: () => {
        if (this.#isEnding) return this.#below(() => down.end());
        // A stage inside has had enough. To those around it that is this operator.
        context.stop();
      },
    };
    this.#chain = new StageChain(factories, bottom, {
      stopped() {},
      failed: (error) => context.fail(error),
      woken: () => context.wake(),
    });
  }

  push(item: I): void | Promise<void> {
    let wait: void | Promise<void>;
    try {
      wait = this.#chain.push(item);
    } catch (error) {
      return this.#caught(error, item);
    }
    return wait?.then(undefined, (error) => this.#caught(error, item));
  }

  end(): void | Promise<void> {
    this.#isEnding = true;
    return this.#chain.end();
  }

  cancel(reason: unknown): void {
    this.#isLost = true;
    this.#chain.cancel(reason);
  }

  #caught(error: unknown, item: I): void {
    if (this.#isLost) throw error;
    this.#skip(error, item);
  }

  #below(call: () => void | Promise<void>): void | Promise<void> {
    try {
      return call()?.then(undefined, (error) => this.#lost(error));
    } catch (error) {
      this.#lost(error);
    }
  }

  #lost(error: unknown): never {
    this.#isLost = true;
    throw error;
  }
}
