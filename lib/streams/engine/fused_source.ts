/** The runner of a whole chain of operators. @module */
import type { CancelTimer } from "../../clock.ts";
import type { BatchSource } from "./batch_source.ts";
import { ChainInput } from "./chain_input.ts";
import type { Feed, Pulled } from "./feed.ts";
import type { ItemCursor } from "./item_step.ts";
import { Pacer } from "./pacer.ts";
import type { AnyStageFactory, Stage } from "./stage.ts";
import { StageChain } from "./stage_chain.ts";
import type { ChainHost } from "./stage_chain.ts";
import { StageOutput } from "./stage_output.ts";
import type { OutputState } from "./stage_output.ts";

const stretch = 64;

/** What a chain comes out of. */
export interface FusedOutlet {
  /** The chain has failed, and what it put out and is not used yet is not to be used. */
  interrupt(reason: unknown): void;
}

/**
 * Runs the stages of several operators over the items of a stream, with no streams in between.
 *
 * While nothing was asked for, `pipeThrough` adds to it. With the first pull the stages are made, and
 * from then on each pull pushes items through them until something comes out: up to 64 of a
 * micro-batch at a time, and one at a time behind a stage that waits.
 */
export class FusedSource<T> implements BatchSource<T>, ChainHost {
  readonly #input = new ChainInput();
  readonly #stages: AnyStageFactory[] = [];
  readonly #stopListening: (() => void)[] = [];
  readonly #pacer = new Pacer();
  #outlet: FusedOutlet | undefined;
  #chain: StageChain | undefined;
  readonly #output = new StageOutput<T>(
    () => void this.#finish("ended"),
    () => this.woken(),
  );
  // The items up to `end` go through in one go.
  readonly #cursor: ItemCursor = { items: [], index: 0, end: 0 };
  // A pull, a stage or a turn is waited for.
  #busy = false;
  // Somebody asked for output and has got none yet.
  #wanted = false;
  #cancelTurn: CancelTimer | undefined;

  /** True if its stages are made, so that no more can be added. */
  get started(): boolean {
    return this.#chain !== undefined || this.finished;
  }

  /** True if its output has ended, or will once its last items are read. */
  get finished(): boolean {
    return this.#output.state !== "open";
  }

  /**
   * Adds an operator at the bottom.
   *
   * @param input The stream that is piped into it.
   * @param reader What that stream has been locked with.
   * @param stages The stages of the operator.
   * @param outlet What the whole chain comes out of from now on.
   * @param signal Fails the chain.
   */
  add<I>(
    input: Feed<I>,
    reader: ReadableStreamDefaultReader<I>,
    stages: readonly AnyStageFactory[],
    outlet: FusedOutlet,
    signal: AbortSignal | undefined,
  ): void {
    input.lock(reader, (reason) => {
      this.#inputFailed(reason);
      this.#interrupted(reason);
    });
    this.#input.add(input as Feed<unknown>);
    this.#stages.push(...stages);
    this.#outlet = outlet;
    if (signal === undefined) return;
    const onAbort = (): void => {
      if (this.finished) return;
      this.failed(signal.reason);
      this.#interrupted(signal.reason);
    };
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    this.#stopListening.push(() => signal.removeEventListener("abort", onAbort));
  }

  /** Hands over the output there is, or goes on until there is some. */
  pull(): Pulled<T> {
    if (!this.started) this.#chain = this.#makeChain();
    const ready = this.#output.take();
    if (ready !== undefined) return ready;
    this.#wanted = true;
    if (!this.#busy) this.#advance();
    const output = this.#output.take();
    if (output === undefined) return this.#output.wait();
    this.#wanted = false;
    return output;
  }

  /** The reader left. */
  cancel(reason: unknown): void | Promise<void> {
    this.#output.drop();
    if (!this.#finish("cancelled")) return;
    this.#chain?.cancel(reason);
    return this.#leaveInput(reason);
  }

  /** A stage has had enough. */
  stopped(): void {
    this.#leaveInput(undefined)?.catch(() => {});
  }

  /** A stage failed. */
  failed(error: unknown): void {
    if (!this.#finish("failed", error)) return;
    this.#chain?.cancel(error);
    this.#leaveInput(error)?.catch(() => {});
  }

  /** A stage pushed out of turn. */
  woken(): void {
    this.#deliver();
  }

  #makeChain(): StageChain | undefined {
    try {
      const chain = new StageChain(this.#stages, this.#output as Stage<unknown>, this);
      // A factory that failed the operator did so before there was a chain to cancel.
      if (this.#output.state === "failed") chain.cancel(this.#output.error);
      return chain;
    } catch (error) {
      this.failed(error);
    }
  }

  /** Goes on until there is output, an end, or something to wait for. */
  #advance(): void {
    const chain = this.#chain!;
    const cursor = this.#cursor;
    try {
      while (!this.finished && !this.#input.over) {
        if (cursor.index === cursor.items.length) {
          const pulled = this.#take();
          if (pulled === undefined) return;
          if (pulled === null) return this.#end();
          this.#setItems(pulled);
        }
        cursor.end = Math.min(cursor.index + stretch, cursor.items.length);
        const wait = chain.pushFrom(cursor);
        if (wait !== undefined) return this.#waitFor(wait);
        if (!this.#needsMore() || this.#giveTurn()) return;
      }
    } catch (error) {
      this.failed(error);
    }
  }

  /** The next micro-batch; undefined if it is waited for, or there will be none. */
  #take(): readonly unknown[] | null | undefined {
    let pulled: Pulled<unknown>;
    try {
      pulled = this.#input.take();
    } catch (error) {
      this.#inputFailed(error);
      return;
    }
    if (pulled === null || "length" in pulled) return pulled;
    this.#busy = true;
    pulled.then((batch) => {
      this.#busy = false;
      if (this.#input.over) return;
      if (batch === null) {
        try {
          this.#end();
        } catch (error) {
          this.failed(error);
        }
        return;
      }
      this.#setItems(batch);
      if (batch.length === 0 && this.#giveTurn()) return;
      this.#goOn();
    }, (error) => this.#inputFailed(error));
  }

  #end(): void {
    this.#input.end();
    const wait = this.#chain!.end();
    if (wait === undefined) this.#deliver();
    else this.#waitFor(wait);
  }

  #waitFor(wait: Promise<void>): void {
    this.#busy = true;
    wait.then(() => {
      this.#busy = false;
      if (!this.#needsMore() || !this.#giveTurn()) this.#goOn();
    }, (error) => this.failed(error));
  }

  /** True if somebody wants output, and there is none yet and no end. */
  #needsMore(): boolean {
    return this.#wanted && !this.#output.hasItems && !this.finished;
  }

  /** True if everything else has to have a turn first. */
  #giveTurn(): boolean {
    if (!this.#pacer.due()) return false;
    this.#busy = true;
    this.#cancelTurn = this.#pacer.giveTurn(() => {
      this.#busy = false;
      this.#goOn();
    });
    return true;
  }

  /** Goes on after a wait, if somebody wants output and there is none yet. */
  #goOn(): void {
    if (this.#needsMore()) this.#advance();
    this.#deliver();
  }

  #inputFailed(error: unknown): void {
    if (this.#input.fail(error) && this.#finish("failed", error)) this.#chain?.cancel(error);
  }

  #interrupted(reason: unknown): void {
    this.#output.drop();
    this.#outlet?.interrupt(reason);
  }

  #leaveInput(reason: unknown): Promise<void> | undefined {
    const unused = this.#cursor.items.length - this.#cursor.index;
    this.#setItems([]);
    return this.#input.leave(reason, unused);
  }

  #setItems(items: readonly unknown[]): void {
    this.#cursor.items = items;
    this.#cursor.index = 0;
    this.#cursor.end = 0;
  }

  /** Settles how the output ends; false if that was settled before. */
  #finish(state: OutputState, error?: unknown): boolean {
    if (!this.#output.finish(state, error)) return false;
    this.#cancelTurn?.();
    for (const stop of this.#stopListening) stop();
    return true;
  }

  #deliver(): void {
    if (this.#output.isAwaited && this.#output.hasItems) this.#wanted = false;
    this.#output.deliver();
  }
}
