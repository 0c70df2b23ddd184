/** Several operators as one. @module */
import { operatorStages } from "./operator_stages.ts";
import { OperatorStream } from "./operator_stream.ts";

/**
 * Makes one operator of several, to keep a part of a pipeline under one name.
 *
 * Items go through all of them in one call each, with no stream in between: cheaper than
 * `pipeThrough` for each, and in an exact order. What a stage above does before it pushes an item,
 * such as moving a clock on, has taken effect in the stages below before the item gets there.
 *
 * @param a The operators, first to last; for more than six compose composed ones. They cannot be used
 * elsewhere any more, but counters such as `DedupeStream.dropped` can still be read. None at all
 * makes an operator that changes nothing.
 * @returns The operator.
 *
 * @throws {FalcoClosedError} when one of them has been used already, or is given twice.
 * @throws {TypeError} when one of them is not an operator of this package.
 *
 * @example
 * ```ts
 * import { BatchStream, compose, EventStream, FilterStream } from "@falco-streams/core/streams";
 * import type { OperatorStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * function evenPairs(): OperatorStream<number, number[]> {
 *   return compose(new FilterStream<number>((n) => n % 2 === 0), new BatchStream<number>(2));
 * }
 * const stream = EventStream.from([1, 2, 3, 4, 5, 6]).pipeThrough(evenPairs());
 * assert.deepEqual(await Array.fromAsync(stream), [[2, 4], [6]]);
 * ```
 */
export function compose<A, B>(a: OperatorStream<A, B>): OperatorStream<A, B>;
/** Two operators. */
export function compose<A, B, C>(
  a: OperatorStream<A, B>,
  b: OperatorStream<B, C>,
): OperatorStream<A, C>;
/** Three operators. */
export function compose<A, B, C, D>(
  a: OperatorStream<A, B>,
  b: OperatorStream<B, C>,
  c: OperatorStream<C, D>,
): OperatorStream<A, D>;
/** Four operators. */
export function compose<A, B, C, D, E>(
  a: OperatorStream<A, B>,
  b: OperatorStream<B, C>,
  c: OperatorStream<C, D>,
  d: OperatorStream<D, E>,
): OperatorStream<A, E>;
/** Five operators. */
export function compose<A, B, C, D, E, F>(
  a: OperatorStream<A, B>,
  b: OperatorStream<B, C>,
  c: OperatorStream<C, D>,
  d: OperatorStream<D, E>,
  e: OperatorStream<E, F>,
): OperatorStream<A, F>;
/** Six operators. */
export function compose<A, B, C, D, E, F, G>(
  a: OperatorStream<A, B>,
  b: OperatorStream<B, C>,
  c: OperatorStream<C, D>,
  d: OperatorStream<D, E>,
  e: OperatorStream<E, F>,
  f: OperatorStream<F, G>,
): OperatorStream<A, G>;
/** Any number of operators, none even, that leave the type of the items as it is. */
export function compose<T>(...operators: readonly OperatorStream<T, T>[]): OperatorStream<T, T>;
// deno-lint-ignore no-explicit-any
export function compose(...operators: OperatorStream<any, any>[]): OperatorStream<any, any> {
  const foreign = operators.findIndex((one) => typeof one?.[operatorStages] !== "function");
  if (foreign >= 0) {
    throw new TypeError(
      `Cannot compose: "operators[${foreign}]" is no operator of this package. Use "pipeThrough" for other transforms`,
    );
  }
  return new OperatorStream(operators.flatMap((operator) => [...operator[operatorStages]()]));
}
