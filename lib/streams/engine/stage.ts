/** The step inside an operator: what `FilterStream`, `BatchStream` and the others are made of. @module */

/**
 * One step of an operator. It takes items in and hands what it makes of them to the stage below.
 *
 * Stages call each other directly, one item at a time. That is what makes a chain of operators cheap
 * and its order exact: when `push` returns, the item has gone as far down as it goes.
 *
 * What the caller promises:
 * - `push` and `end` are called one at a time: the next call comes after the promise of the last one
 *   is settled. The one exception is a stage with timers below a stage that waits: see
 *   {@linkcode pushLater}.
 * - `end` is called at most once, after the last `push`.
 *
 * What the stage promises:
 * - A promise is returned only if the caller has to wait. `undefined` is the quick way.
 * - After its own `stop` or `fail` it calls the stage below no more, and after `cancel` it holds
 *   nothing and sets no timer, though items may still come in: a stage above may be in the middle of a
 *   loop or of a wait.
 *
 * @typeParam I The type of the items that come in.
 *
 * @example A stage that doubles numbers
 * ```ts
 * import type { Stage } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const seen: number[] = [];
 * const last: Stage<number> = { push: (n) => void seen.push(n), end: () => {} };
 * const double: Stage<number> = { push: (n) => last.push(2 * n), end: () => last.end() };
 * double.push(21);
 * assert.deepEqual(seen, [42]);
 * ```
 */
export interface Stage<I> {
  /**
   * Takes one item.
   *
   * @param item The item.
   * @returns A promise if the caller has to wait before the next call. What `push` throws, or
   * rejects with, fails the operator.
   */
  push(item: I): void | Promise<void>;
  /**
   * The input is over. Hands down what is still held, then calls `end` of the stage below.
   *
   * @returns A promise if that takes time. What `end` throws, or rejects with, fails the operator.
   */
  end(): void | Promise<void>;
  /**
   * The stage is over without `end`, or in the middle of it: the reader left, the source failed, a
   * stage stopped or failed. Takes timers back and drops what is held. Must not throw. A stage that
   * holds nothing leaves it out.
   *
   * @param reason Why: the reader's reason, the error, or undefined if a stage below has enough.
   */
  cancel?(reason: unknown): void;
}

/**
 * What a stage can ask of the operator it is in.
 *
 * @example An operator that ends the stream at the first negative number
 * ```ts
 * import { OperatorStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const untilNegative = new OperatorStream<number, number>((down, context) => {
 *   let over = false;
 *   return {
 *     push(n) {
 *       if (over) return;
 *       if (n >= 0) return down.push(n);
 *       over = true;
 *       context.stop();
 *     },
 *     end: () => over ? undefined : down.end(),
 *   };
 * });
 * const numbers = ReadableStream.from([1, 2, -1, 3]).pipeThrough(untilNegative);
 * assert.deepEqual(await Array.fromAsync(numbers), [1, 2]);
 * ```
 */
export interface StageContext {
  /**
   * The stage has had enough. Downstream ends in good order after what was pushed, upstream is
   * cancelled with `undefined` as the reason, and so are this stage and those above it. Calls `end`
   * of the stage below; the stage itself must not. May be called by the factory already.
   */
  stop(): void;
  /**
   * The operator has failed, at a time when there is no caller to throw to. Downstream gets what was
   * pushed and then the error, upstream is cancelled with it.
   *
   * @param error The error, handed on as it is.
   */
  fail(error: unknown): void;
  /**
   * Hands on at once what was pushed at a time of the stage's own choosing: from a timer, after a wait.
   * Without it that is handed on a moment later, with what is pushed in the same go.
   */
  wake(): void;
}

/**
 * Makes the stage of an operator, once for each time the operator is used.
 *
 * @typeParam I The type of the items that come in.
 * @typeParam O The type of the items that go out.
 * @param down The stage below.
 * @param context What the stage can ask for.
 * @returns The stage.
 *
 * @example
 * ```ts
 * import { OperatorStream } from "@falco-streams/core/streams";
 * import type { StageFactory } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const lengths: StageFactory<string, number> = (down) => ({
 *   push: (text) => down.push(text.length),
 *   end: () => down.end(),
 * });
 * const stream = ReadableStream.from(["a", "bcd"]).pipeThrough(new OperatorStream(lengths));
 * assert.deepEqual(await Array.fromAsync(stream), [1, 3]);
 * ```
 */
export type StageFactory<I, O> = (down: Stage<O>, context: StageContext) => Stage<I>;

/**
 * A factory in a list of them, where types no longer say which fits to which.
 *
 * @example
 * ```ts
 * import { OperatorStream } from "@falco-streams/core/streams";
 * import type { AnyStageFactory, StageFactory } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const trim: StageFactory<string, string> = (down) => ({
 *   push: (text) => down.push(text.trim()),
 *   end: () => down.end(),
 * });
 * const length: StageFactory<string, number> = (down) => ({
 *   push: (text) => down.push(text.length),
 *   end: () => down.end(),
 * });
 * const stages: AnyStageFactory[] = [trim, length];
 * const lengths = ReadableStream.from([" a "]).pipeThrough(new OperatorStream<string, number>(stages));
 * assert.deepEqual(await Array.fromAsync(lengths), [1]);
 * ```
 */
// deno-lint-ignore no-explicit-any
export type AnyStageFactory = StageFactory<any, any>;

/**
 * Pushes from a timer, where nobody catches what the stages below throw and nobody waits for them.
 *
 * @param down The stage below.
 * @param item The item.
 * @param context The context of the stage: it learns of an error, and is woken.
 * @returns A promise that never rejects if the stage below needs time. Until it is settled the
 * calling stage must push nothing more: it waits for it at the start of its next `push` or `end`.
 */
export function pushLater<O>(
  down: Stage<O>,
  item: O,
  context: StageContext,
): void | Promise<void> {
  try {
    const wait = down.push(item);
    context.wake();
    return wait?.then(() => context.wake(), (error) => context.fail(error));
  } catch (error) {
    context.fail(error);
  }
}
