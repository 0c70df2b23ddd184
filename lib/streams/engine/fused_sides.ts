/** What an operator shows of itself while it runs as part of a chain. @module */
import type { OperatorSides } from "./operator_stages.ts";

/** The two streams of an operator whose stages run in a chain. */
export class FusedSides<I, O> implements OperatorSides<I, O> {
  /** What the stages put out. */
  readonly readable: ReadableStream<O>;
  readonly #chain: { readonly finished: boolean };
  #writable: WritableStream<I> | undefined;

  /**
   * @param readable What comes out.
   * @param chain What runs the stages.
   */
  constructor(readable: ReadableStream<O>, chain: { readonly finished: boolean }) {
    this.readable = readable;
    this.#chain = chain;
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
    return this.#chain.finished;
  }
}
