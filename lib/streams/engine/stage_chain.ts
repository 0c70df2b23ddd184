/** The stages of one or more operators, tied together. @module */
import { mergeSteps, pushItems } from "./item_step.ts";
import type { ItemCursor, ItemStage } from "./item_step.ts";
import type { AnyStageFactory, Stage, StageContext } from "./stage.ts";

/** What a chain asks of whoever runs it. All of it may come while the runner is in a call to the chain. */
export interface ChainHost {
  /** A stage has had enough: no more input is wanted. The last stage has ended, or soon will. */
  stopped(): void;
  /** A stage failed without a caller. The host is to {@linkcode StageChain.cancel} the chain. */
  failed(error: unknown): void;
  /** Output was pushed out of turn. */
  woken(): void;
}

/**
 * Runs stages as one, each calling the next directly.
 *
 * Whoever runs it pushes into the top, one call at a time, and takes the output from `bottom`.
 */
export class StageChain {
  readonly #stages: Stage<unknown>[] = [];
  readonly #bottom: Stage<unknown>;
  readonly #top: Stage<unknown>;
  readonly #host: ChainHost;
  // The uppermost stage that is still in use; those above it were cut off by stop().
  #first = 0;

  /**
   * @param given The stages from top to bottom; none at all means items go through as they are.
   * @param bottom What takes the output of the last stage.
   * @param host Who to tell about what happens out of turn.
   * @throws What a factory throws; the stages that were made by then are cancelled.
   */
  constructor(given: readonly AnyStageFactory[], bottom: Stage<unknown>, host: ChainHost) {
    this.#bottom = bottom;
    this.#host = host;
    const factories = mergeSteps(given);
    // A factory may stop at once (a limit of 0), before the stages above it are there to be cut off.
    let building = true;
    let stopped = -1;
    let down = bottom;
    for (let index = factories.length - 1; index >= 0; index--) {
      const context: StageContext = {
        stop: () => {
          if (building) stopped = Math.max(stopped, index);
          else this.#stop(index);
        },
        fail: (error) => host.failed(error),
        wake: () => host.woken(),
      };
      try {
        down = factories[index]!(down, context);
      } catch (error) {
        // Those below it may have set timers already.
        for (const stage of this.#stages) stage.cancel?.(error);
        throw error;
      }
      this.#stages.unshift(down);
    }
    this.#top = down;
    building = false;
    if (stopped >= 0) this.#stop(stopped);
  }

  /**
   * Pushes an item in at the top; ignored after a stop.
   *
   * @param item The item.
   * @returns What the first stage returns, and it throws what the stages throw; but not what those
   * throw that a stop has cut off meanwhile.
   */
  push(item: unknown): void | Promise<void> {
    if (this.#first > 0) return;
    try {
      return this.#top.push(item)?.catch(this.#onLateError);
    } catch (error) {
      this.#onLateError(error);
    }
  }

  /**
   * Pushes several items in at the top, until one has to be waited for or the chain stops.
   *
   * @param cursor The items; it is moved on. The host empties it when the chain has
   * {@linkcode ChainHost.stopped}.
   * @returns As `push` does, for the last item that was taken.
   */
  pushFrom(cursor: ItemCursor): void | Promise<void> {
    if (this.#first > 0) return;
    try {
      return this.#pushEach(this.#top, cursor)?.catch(this.#onLateError);
    } catch (error) {
      this.#onLateError(error);
    }
  }

  /**
   * Ends the chain from the top; ignored after a stop, which has ended it from the middle.
   *
   * @returns What the first stage returns, and it throws what the stages throw, as with `push`.
   */
  end(): void | Promise<void> {
    if (this.#first > 0) return;
    try {
      return this.#top.end()?.catch(this.#onLateError);
    } catch (error) {
      this.#onLateError(error);
    }
  }

  /**
   * Gives up: every stage that is still in use clears its timers and drops what it holds.
   *
   * @param reason Why.
   */
  cancel(reason: unknown): void {
    this.#cutOff(this.#stages.length, reason);
  }

  /**
   * A stage above one that has stopped may be in the middle of a loop, and run into an error in it:
   * its input is over, so that is nobody's any more. The stages below cannot be where it comes from,
   * since `stop` ends them and is not called while they are busy with a push.
   */
  readonly #onLateError = (error: unknown): void => {
    if (this.#first === 0) throw error;
  };

  #pushEach(top: Stage<unknown> & Partial<ItemStage>, cursor: ItemCursor): void | Promise<void> {
    if (top[pushItems] !== undefined) return top[pushItems](cursor);
    while (cursor.index < cursor.end) {
      const wait = top.push(cursor.items[cursor.index++]);
      if (wait !== undefined) return wait;
    }
  }

  #stop(index: number): void {
    if (index < this.#first) return;
    this.#cutOff(index, undefined);
    try {
      const wait = this.#below(index + 1).end();
      wait?.then(() => this.#host.woken(), (error) => this.#host.failed(error));
    } catch (error) {
      return this.#host.failed(error);
    }
    this.#host.stopped();
    this.#host.woken();
  }

  #cutOff(last: number, reason: unknown): void {
    const from = this.#first;
    // First, so that whatever a hook sets off finds the stages cut off already.
    this.#first = last + 1;
    for (const stage of this.#stages.slice(from, last + 1)) stage.cancel?.(reason);
  }

  #below(index: number): Stage<unknown> {
    return this.#stages[index] ?? this.#bottom;
  }
}
