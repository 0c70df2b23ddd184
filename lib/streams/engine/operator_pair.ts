/** The two streams of an operator, and what goes on between them. @module */
import type { BatchSource } from "./batch_source.ts";
import { EventStream } from "./event_stream.ts";
import type { OperatorSides } from "./operator_stages.ts";
import type { AnyStageFactory, Stage } from "./stage.ts";
import { StageChain } from "./stage_chain.ts";
import type { ChainHost } from "./stage_chain.ts";
import { StageOutput } from "./stage_output.ts";
import type { OutputState } from "./stage_output.ts";

const gate = Symbol("gate");

/**
 * Runs stages between a `WritableStream` and an `EventStream`, for pipes that know nothing of them.
 *
 * A write is settled when the stages are done with the item *and* a reader waits for more. So a pipe
 * takes nothing from its source that nobody asked for: not before the first read, and no item ahead.
 */
export class OperatorPair<I, O> implements OperatorSides<I, O>, BatchSource<O>, ChainHost {
  /** What the stages put out. */
  readonly readable: EventStream<O>;
  /** What goes into the stages. */
  readonly writable: WritableStream<I>;

  #chain: StageChain | undefined;
  readonly #output = new StageOutput<O>(
    () => void this.#finish("ended"),
    () => this.woken(),
  );
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

    this.#chain = new StageChain(factories, this.#output as Stage<unknown>, this);
    // A factory that failed the operator did so before there was a chain to cancel.
    if (this.#output.state === "failed") this.#chain.cancel(this.#output.error);
  }

  /** True if the readable has ended, or will once its last items are read. */
  get finished(): boolean {
    return this.#output.state !== "open";
  }

  /** Hands over the output there is, or waits for it and lets the next write through. */
  pull(): readonly O[] | null | Promise<readonly O[] | null> {
    const output = this.#output.take();
    if (output !== undefined) return output;
    const waiting = this.#output.wait();
    this.#release();
    return waiting;
  }

  /** The reader left. The pipe into the writable sees its error and cancels its source with it. */
  cancel(reason: unknown): void {
    this.#output.drop();
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
    this.#output.deliver();
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
      this.#output.deliver();
      if (wait === undefined) return after();
      return wait.then(() => {
        this.#output.deliver();
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
  #finish(state: OutputState, error?: unknown): boolean {
    if (!this.#output.finish(state, error)) return false;
    this.#release();
    return true;
  }

  #hold(): void | Promise<void> {
    if (this.finished || this.#stopped || this.#output.isAwaited) return;
    return new Promise((resolve) => this.#releaseWrite = resolve);
  }

  #release(): void {
    const release = this.#releaseWrite;
    this.#releaseWrite = undefined;
    release?.();
  }
}
