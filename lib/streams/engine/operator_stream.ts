/** What all operators are: a pair of streams with stages in between. @module */
import { FalcoClosedError } from "../../errors.ts";
import type { EventStream } from "./event_stream.ts";
import { linkOf } from "./link.ts";
import { OperatorPair } from "./operator_pair.ts";
import { operatorStages } from "./operator_stages.ts";
import type { OperatorSides } from "./operator_stages.ts";
import type { AnyStageFactory, StageFactory } from "./stage.ts";

/**
 * An operator: what goes into `writable` comes out of `readable`, changed.
 *
 * Give it to `pipeThrough` of any `ReadableStream`. It is a pair of streams like a `TransformStream`,
 * with these rules:
 *
 * - Lazy: it asks for nothing before the first read, and then for one item at a time, no item ahead.
 *   A `write()` is settled when the item is dealt with and the reader waits for more. Behind an
 *   {@linkcode EventStream} it takes what the source has handed over, at most 64 items at a time: so
 *   functions given to operators may be called for that many items before the first is read.
 * - A cancelled `readable` errors the `writable` with the same reason, so that `pipeThrough` cancels
 *   its source with it.
 * - What an operator throws becomes the error of both sides, as the very object. Output made before
 *   it is read first. So is output made before an error of the source.
 * - At the end of the input it puts out what it still holds.
 * - An operator that has enough ends its `readable` at once and cancels the source with `undefined`.
 * - Its timers are gone on every way out.
 *
 * Operators behind an {@linkcode EventStream} that follow each other run as one, with no streams in
 * between. What comes out is the same.
 *
 * An operator can be used once. When it is over, `writable` throws {@linkcode FalcoClosedError}, so a
 * second `pipeThrough` fails rather than to lose what goes in; while it is in use its streams are
 * locked, and the platform says so with a `TypeError`.
 *
 * @typeParam I The type of the items that go in.
 * @typeParam O The type of the items that come out.
 *
 * @example An operator of one's own
 * ```ts
 * import { OperatorStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * class LengthStream extends OperatorStream<string, number> {
 *   constructor() {
 *     super((down) => ({ push: (text) => down.push(text.length), end: () => down.end() }));
 *   }
 * }
 * const lengths = ReadableStream.from(["a", "bcd"]).pipeThrough(new LengthStream());
 * assert.deepEqual(await Array.fromAsync(lengths), [1, 3]);
 * ```
 */
export class OperatorStream<I, O> {
  readonly #factories: readonly AnyStageFactory[];
  #sides: OperatorSides<I, O> | undefined;
  #taken = false;
  #hasGivenWritable = false;

  /**
   * Creates the operator; the stage is made when one of its streams is first asked for.
   *
   * @param stage Makes the stage, when the operator is first used; several in a list run one into the
   * other, each taking what the one before puts out.
   *
   * @throws {TypeError} when `stage` is neither a function nor a list of functions.
   */
  constructor(stage: StageFactory<I, O> | readonly AnyStageFactory[]) {
    const factories = typeof stage === "function" ? [stage] : [...stage];
    for (const factory of factories) {
      if (typeof factory === "function") continue;
      throw new TypeError(
        `Cannot create ${new.target.name}: a stage must be a function: current value is "${factory}"`,
      );
    }
    this.#factories = factories;
  }

  /**
   * What comes out.
   *
   * @throws {FalcoClosedError} when the operator has become part of another one.
   */
  get readable(): EventStream<O> {
    // It is one of ours, or one of another copy of this package.
    return this.#open().readable as EventStream<O>;
  }

  /**
   * What goes in.
   *
   * @throws {FalcoClosedError} when the operator is over, or has become part of another one.
   */
  get writable(): WritableStream<I> {
    const sides = this.#open();
    // An operator may be over before its first use: a limit of 0. That is no second use.
    if (this.#hasGivenWritable && sides.finished) throw this.#usedError();
    this.#hasGivenWritable = true;
    return sides.writable;
  }

  /**
   * Takes the stages out, to run them elsewhere.
   *
   * @param sides What to give out as `readable` and `writable` from now on; without it the operator
   * cannot be used any more.
   * @returns The stages from top to bottom.
   *
   * @throws {FalcoClosedError} when the operator has been used already.
   *
   * @internal
   */
  [operatorStages](sides?: OperatorSides<I, O>): readonly AnyStageFactory[] {
    if (this.#taken || this.#sides !== undefined) throw this.#usedError();
    if (sides === undefined) this.#taken = true;
    this.#sides = sides;
    this.#hasGivenWritable = true;
    return this.#factories;
  }

  #open(): OperatorSides<I, O> {
    if (this.#taken) throw this.#usedError();
    return this.#sides ??= this.#makeSides();
  }

  #makeSides(): OperatorSides<I, O> {
    const factories = this.#factories;
    const first = factories.findIndex((factory) => linkOf(factory) !== undefined);
    if (first < 0) return new OperatorPair<I, O>(factories);
    // A link runs behind a stream of ours only; and what follows it is fused with it then.
    const pair = new OperatorPair<I, unknown>(factories.slice(0, first));
    const rest = new OperatorStream<unknown, O>(factories.slice(first));
    const readable = pair.readable.pipeThrough(rest);
    return {
      readable,
      writable: pair.writable,
      get finished() {
        return rest.#sides!.finished;
      },
    };
  }

  #usedError(): FalcoClosedError {
    return new FalcoClosedError(
      `Cannot use this ${this.constructor.name} again: it has been used already. Create a new one for each pipeline`,
    );
  }
}
