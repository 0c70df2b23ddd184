/** What an operator shows of itself while it runs as part of a chain. @module */
import type { OperatorSides } from "./operator_stages.ts";

/** The two streams of an operator whose stages run in a chain. */
export class FusedSides<I, O> implements OperatorSides<I, O> {
  #readable: ReadableStream<O> | undefined;
  #isFinished: () => boolean = () => false;
  #writable: WritableStream<I> | undefined;

  /**
   * Says what comes out, as soon as that is known: before anybody but the engine has the operator.
   *
   * @param readable What comes out.
   * @param isFinished Says whether it has come to its end, or will once its last items are read.
   */
  open(readable: ReadableStream<O>, isFinished: () => boolean): void {
    this.#readable = readable;
    this.#isFinished = isFinished;
  }

  /** What the stages put out. */
  get readable(): ReadableStream<O> {
    return this.#readable!;
  }

  /** A stream that is locked, as it is while something is piped into it. Nothing goes through it. */
  get writable(): WritableStream<I> {
    if (this.#writable === undefined) {
      this.#writable = new WritableStream<I>();
      this.#writable.getWriter();
    }
    return this.#writable;
  }

  /** True if the chain has come to its end, or will once its last items are read. */
  get finished(): boolean {
    return this.#isFinished();
  }
}
