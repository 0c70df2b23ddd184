/** Makes something else of each item, with time to do it. @module */
import { OperatorStream } from "./engine/operator_stream.ts";
import type { Stage, StageContext } from "./engine/stage.ts";
import { LaterOutput } from "./later_output.ts";
import { requireFunction, requireWhole } from "./require_option.ts";

/**
 * Options of {@linkcode MapAsyncStream}.
 *
 * @example
 * ```ts
 * import type { MapAsyncStreamOptions } from "@falco-streams/core/streams";
 *
 * const options: MapAsyncStreamOptions = { concurrency: 8, ordered: false };
 * console.assert(options.concurrency === 8);
 * ```
 */
export interface MapAsyncStreamOptions {
  /**
   * How many items may be under way: from the call of the function to when the stage below is done
   * with its result. A whole number from 1.
   *
   * @default {1} The next call is made when the last one is settled, so nothing can overtake anything.
   */
  concurrency?: number;
  /**
   * True to hand on the results in the order of the items, false as soon as they are there.
   *
   * @default {true} A result then waits for those before it; it counts as under way meanwhile.
   */
  ordered?: boolean;
}

/**
 * Hands on what an asynchronous function makes of each item: look-ups, requests, hashes.
 *
 * - With a `concurrency` above 1 items are taken ahead of what the reader asked for: as many as may be
 *   under way, and not more.
 * - A failed call fails the stream with its error. If the results are ordered, those before it come
 *   out first, and no call is made meanwhile; otherwise it fails at once.
 * - If the source or an operator above fails, the stream does so at once, and the calls under way are
 *   dropped.
 * - Each call gets a signal of its own. It is aborted if the stream is over while that call is under
 *   way: with the reader's reason, with the error that the stream failed with, or with an `AbortError`
 *   if a stage below has enough. It is never aborted after the call is settled, so a result that still
 *   depends on it, such as a response with a body, stays usable. What a call brings that was aborted is
 *   dropped, an error too.
 *
 * @typeParam I The type of the items that go in.
 * @typeParam O The type of the items that come out.
 *
 * @example
 * ```ts
 * import { EventStream, MapAsyncStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const owners = new Map([["web", "team a"], ["db", "team b"]]);
 * // In a program this would be a request, made with `fetch(url, { signal })`.
 * const lookUp = (name: string, _signal: AbortSignal) => Promise.resolve(owners.get(name));
 *
 * const stream = EventStream.from(["web", "db"]).pipeThrough(
 *   new MapAsyncStream(lookUp, { concurrency: 2 }),
 * );
 * assert.deepEqual(await Array.fromAsync(stream), ["team a", "team b"]);
 * ```
 */
export class MapAsyncStream<I, O> extends OperatorStream<I, O> {
  /**
   * Creates the operator.
   *
   * @param fn Makes what goes out of an item. Called once for each, in order. What it throws, or
   * rejects with, fails the stream.
   * @param options See {@linkcode MapAsyncStreamOptions}.
   *
   * @throws {TypeError} when `fn` is not a function.
   * @throws {RangeError} when `concurrency` is not a whole number from 1.
   */
  constructor(
    fn: (item: I, signal: AbortSignal) => O | PromiseLike<O>,
    options: MapAsyncStreamOptions = {},
  ) {
    const { concurrency = 1, ordered = true } = options;
    requireFunction("create MapAsyncStream", "fn", fn);
    requireWhole("create MapAsyncStream", "concurrency", concurrency, 1);
    super((down, context) =>
      concurrency === 1
        ? new OneByOneStage(down, fn)
        : new ConcurrentStage(new LaterOutput(down, context), context, fn, concurrency, ordered)
    );
  }
}

type AsyncMap<I, O> = (item: I, signal: AbortSignal) => O | PromiseLike<O>;

/** What `fn` makes of an item; a promise that is rejected, too, if it throws. */
function call<I, O>(fn: AsyncMap<I, O>, item: I, signal: AbortSignal): Promise<O> {
  return new Promise((resolve) => resolve(fn(item, signal)));
}

/** Its calls have a caller who waits, and who hears of the error of each. */
class OneByOneStage<I, O> implements Stage<I> {
  readonly #down: Stage<O>;
  readonly #fn: AsyncMap<I, O>;
  #running: AbortController | undefined;
  #leave: (() => void) | undefined;
  #over = false;

  constructor(down: Stage<O>, fn: AsyncMap<I, O>) {
    this.#down = down;
    this.#fn = fn;
  }

  push(item: I): void | Promise<void> {
    if (this.#over) return;
    const controller = this.#running = new AbortController();
    return new Promise((resolve, reject) => {
      this.#leave = resolve;
      call(this.#fn, item, controller.signal).then((value) => {
        this.#running = undefined;
        if (!this.#over) return this.#down.push(value);
      }, (error) => {
        this.#running = undefined;
        throw error;
      }).then(resolve, reject);
    });
  }

  end(): void | Promise<void> {
    if (!this.#over) return this.#down.end();
  }

  cancel(reason: unknown): void {
    this.#over = true;
    this.#running?.abort(reason);
    // The caller is not to wait for a function that takes no notice of its signal.
    this.#leave?.();
  }
}

interface Call<O> {
  readonly controller: AbortController;
  /** Hands on the result, or the error; undefined while the call is under way. */
  finish?: () => void;
  value?: O;
}

class ConcurrentStage<I, O> implements Stage<I> {
  readonly #output: LaterOutput<O>;
  readonly #context: StageContext;
  readonly #fn: AsyncMap<I, O>;
  readonly #concurrency: number;
  readonly #ordered: boolean;
  // Calls whose results have not been handed on, in the order of their items.
  readonly #calls = new Set<Call<O>>();
  // These, and the results that the stage below is busy with.
  #underWay = 0;
  #failing = false;
  #over = false;
  // The push or the end that waits until no more than so many are under way.
  #waiting: { readonly limit: number; readonly resolve: () => void } | undefined;

  constructor(
    output: LaterOutput<O>,
    context: StageContext,
    fn: AsyncMap<I, O>,
    concurrency: number,
    ordered: boolean,
  ) {
    this.#output = output;
    this.#context = context;
    this.#fn = fn;
    this.#concurrency = concurrency;
    this.#ordered = ordered;
  }

  push(item: I): void | Promise<void> {
    if (this.#over) return;
    // After a failure no call is to be made any more; the results before it are still to come.
    if (this.#failing) return this.#until(-1);
    const entry: Call<O> = { controller: new AbortController() };
    this.#calls.add(entry);
    this.#underWay++;
    call(this.#fn, item, entry.controller.signal).then(
      (value) => this.#settled(entry, () => this.#handOn(value)),
      (error) => {
        this.#failing = true;
        this.#settled(entry, () => this.#fail(error));
      },
    );
    if (this.#underWay >= this.#concurrency) return this.#until(this.#concurrency - 1);
  }

  end(): void | Promise<void> {
    if (this.#over) return;
    if (this.#underWay === 0) return this.#output.end();
    return this.#until(0).then(() => this.#over ? undefined : this.#output.end());
  }

  cancel(reason: unknown): void {
    this.#over = true;
    this.#output.cancel();
    for (const { controller, finish } of this.#calls) {
      if (finish === undefined) controller.abort(reason);
    }
    this.#calls.clear();
    this.#waiting?.resolve();
  }

  #settled(entry: Call<O>, finish: () => void): void {
    if (this.#over) return;
    entry.finish = finish;
    const ready = this.#ordered ? this.#calls : [entry];
    for (const entry of ready) {
      if (entry.finish === undefined || this.#over) return;
      this.#calls.delete(entry);
      entry.finish();
    }
  }

  #handOn(value: O): void {
    const wait = this.#output.pushLater(value);
    if (wait === undefined) this.#done();
    else wait.then(() => this.#done());
  }

  #fail(error: unknown): void {
    if (this.#ordered) this.#output.failLater(error);
    else this.#context.fail(error);
  }

  #done(): void {
    this.#underWay--;
    if (this.#waiting === undefined || this.#underWay > this.#waiting.limit) return;
    this.#waiting.resolve();
    this.#waiting = undefined;
  }

  #until(limit: number): Promise<void> {
    return new Promise((resolve) => this.#waiting = { limit, resolve });
  }
}
