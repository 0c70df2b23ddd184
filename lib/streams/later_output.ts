/** The way down for stages that push at times of their own. @module */
import { pushLater } from "./engine/stage.ts";
import type { Stage, StageContext } from "./engine/stage.ts";

/**
 * Keeps calls to the stage below one at a time, whoever makes them: the stage above, a timer, or a
 * promise that is settled.
 *
 * Calls are made at once if the stage below is free, and in their order otherwise.
 */
export class LaterOutput<O> {
  readonly #down: Stage<O>;
  readonly #context: StageContext;
  // Settled when all calls so far are done; never rejects.
  #busy: Promise<void> | undefined;
  #over = false;

  /**
   * @param down The stage below.
   * @param context The context of the stage.
   */
  constructor(down: Stage<O>, context: StageContext) {
    this.#down = down;
    this.#context = context;
  }

  /**
   * Pushes for a caller who waits.
   *
   * @param item The item.
   * @returns A promise if it takes time. It throws, or rejects with, what the stages below throw.
   */
  push(item: O): void | Promise<void> {
    return this.#inTurn(() => this.#down.push(item));
  }

  /**
   * Pushes several items for a caller who waits.
   *
   * @param items The items.
   * @returns As {@linkcode LaterOutput.push} does.
   */
  pushAll(items: readonly O[]): void | Promise<void> {
    return this.#inTurn(() => this.#pushEach(items, 0));
  }

  /**
   * Pushes when nobody waits.
   *
   * @param item The item.
   * @returns A promise if it takes time; it never rejects. An error goes to the context.
   */
  pushLater(item: O): void | Promise<void> {
    return this.#inTurn(() => pushLater(this.#down, item, this.#context));
  }

  /**
   * Ends the stage below.
   *
   * @returns As {@linkcode LaterOutput.push} does.
   */
  end(): void | Promise<void> {
    return this.#inTurn(() => this.#down.end());
  }

  /**
   * Fails the operator, after what has been pushed so far.
   *
   * @param error The error.
   */
  failLater(error: unknown): void {
    this.#inTurn(() => this.#context.fail(error));
  }

  /** From now on nothing is pushed any more, nor what has not had its turn yet. */
  cancel(): void {
    this.#over = true;
  }

  #pushEach(items: readonly O[], from: number): void | Promise<void> {
    // A stage below may stop in the middle.
    for (let index = from; index < items.length && !this.#over; index++) {
      const wait = this.#down.push(items[index]!);
      if (wait === undefined) continue;
      return wait.then(() => {
        this.#context.wake();
        return this.#pushEach(items, index + 1);
      });
    }
  }

  #inTurn(call: () => void | Promise<void>): void | Promise<void> {
    if (this.#over) return;
    const wait = this.#busy === undefined
      ? call()
      : this.#busy.then(() => this.#over ? undefined : call());
    if (wait === undefined) return;
    // The caller hears of an error. Whether it ends the stream is for others to say.
    const busy = wait.then(() => {}, () => {});
    this.#busy = busy;
    busy.then(() => {
      if (this.#busy === busy) this.#busy = undefined;
    });
    return wait;
  }
}
