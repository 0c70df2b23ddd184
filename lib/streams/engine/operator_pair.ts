/** The two streams of an operator, and what goes on between them. @module */
import type { BatchSource } from "./batch_source.ts";
import { EventStream } from "./event_stream.ts";
import type { AnyStageFactory } from "./stage.ts";
import { StageChain } from "./stage_chain.ts";
import type { ChainHost } from "./stage_chain.ts";

const gate = Symbol("gate");

/**
 * Runs stages between a `WritableStream` and an `EventStream`, for pipes that know nothing of them.
 *
 * A write is settled when the stages are done with the item *and* a reader waits for more. So a pipe
 * takes nothing from its source that nobody asked for: not before the first read, and no item ahead.
 */
export class OperatorPair<I, O> implements BatchSource<O>, ChainHost {
  /** What the stages put out. */
  readonly readable: EventStream<O>;
  /** What goes into the stages. */
  readonly writable: WritableStream<I>;

  #chain: StageChain | undefined;
  // open: output may come; the others say how the readable is to end once #output is read.
  #state: "open" | "ended" | "failed" | "cancelled" = "open";
  #error: unknown;
  #output: O[] = [];
  #waitingPull: PromiseWithResolvers<readonly O[] | null> | undefined;
  #releaseWrite: (() => void) | undefined;
  #input!: WritableStreamDefaultController;
  #stopped = false;

  /**
   * @param factories The stages from top to bottom.
   */
  constructor(factories: readonly AnyStageFactory[]) {
    this.writable = new WritableStream<unknown>({
      start: (controller) => {
        this.#input = controller;
        // abort() of the platform waits for the write under way, which may be one that is held.
        controller.signal.addEventListener("abort", () => this.#aborted(controller.signal.reason), {
          once: true,
        });
      },
      write: (item) => this.#write(item),
      close: () => this.#close(),
    }, { highWaterMark: 1 }) as WritableStream<I>;
    this.readable = new EventStream<O>(this);

    // A writable cannot start out full, but it can be filled: with this first write, which is held as
    // all others are until a reader waits. Until then a pipe into it reads nothing from its source.
    const writer = (this.writable as WritableStream<unknown>).getWriter();
    writer.write(gate).catch(() => {});
    writer.releaseLock();

    this.#chain = new StageChain(factories, {
      push: (item) => {
        if (this.#state === "open") this.#output.push(item as O);
      },
      end: () => void this.#finish("ended"),
    }, this);
    // A factory that failed the operator did so before there was a chain to cancel.
    if (this.#state === "failed") this.#chain.cancel(this.#error);
  }

  /** True if the readable has ended, or will once its last items are read. */
  get finished(): boolean {
    return this.#state !== "open";
  }

  /** Hands over the output there is, or waits for it and lets the next write through. */
  pull(): readonly O[] | null | Promise<readonly O[] | null> {
    if (this.#output.length > 0) return this.#takeOutput();
    if (this.#state === "failed") throw this.#error;
    if (this.#state !== "open") return null;
    this.#waitingPull = Promise.withResolvers();
    this.#release();
    return this.#waitingPull.promise;
  }

  /** The reader left. The pipe into the writable sees its error and cancels its source with it. */
  cancel(reason: unknown): void {
    this.#output = [];
    if (!this.#finish("cancelled")) return;
    this.#chain?.cancel(reason);
    this.#input.error(reason);
  }

  /** A stage has had enough. */
  stopped(): void {
    this.#stopped = true;
    this.#input.error(undefined);
    this.#release();
  }

  /** A stage failed. */
  failed(error: unknown): void {
    if (!this.#finish("failed", error)) return;
    this.#chain?.cancel(error);
    this.#input.error(error);
  }

  /** A stage pushed out of turn. */
  woken(): void {
    this.#deliver();
  }

  #write(item: unknown): void | Promise<void> {
    if (item === gate) return this.#hold();
    return this.#run(() => this.#chain?.push(item), () => this.#hold());
  }

  #close(): void | Promise<void> {
    return this.#run(() => this.#chain?.end(), () => {});
  }

  #run(call: () => void | Promise<void>, after: () => void | Promise<void>): void | Promise<void> {
    try {
      const wait = call();
      this.#deliver();
      if (wait === undefined) return after();
      return wait.then(() => {
        this.#deliver();
        return after();
      }, (error) => {
        this.failed(error);
        throw error;
      });
    } catch (error) {
      this.failed(error);
      throw error;
    }
  }

  #aborted(reason: unknown): void {
    if (this.#finish("failed", reason)) this.#chain?.cancel(reason);
  }

  /** Settles how the readable ends; false if that was settled before. */
  #finish(state: "ended" | "failed" | "cancelled", error?: unknown): boolean {
    if (this.#state !== "open") return false;
    this.#state = state;
    this.#error = error;
    this.#deliver();
    this.#release();
    return true;
  }

  #hold(): void | Promise<void> {
    if (this.#state !== "open" || this.#stopped || this.#waitingPull !== undefined) return;
    return new Promise((resolve) => this.#releaseWrite = resolve);
  }

  #release(): void {
    const release = this.#releaseWrite;
    this.#releaseWrite = undefined;
    release?.();
  }

  /** Gives a waiting pull what there is for it; the output first, the end or the error after it. */
  #deliver(): void {
    const pull = this.#waitingPull;
    if (pull === undefined) return;
    if (this.#output.length > 0) pull.resolve(this.#takeOutput());
    else if (this.#state === "failed") pull.reject(this.#error);
    else if (this.#state !== "open") pull.resolve(null);
    else return;
    this.#waitingPull = undefined;
  }

  #takeOutput(): readonly O[] {
    const output = this.#output;
    this.#output = [];
    return output;
  }
}
