/** Fills a bounded queue from a source. @module */
import type { BoundedOutlet } from "./bounded_outlet.ts";
import type { BatchSource } from "./engine/batch_source.ts";
import { Pacer } from "./engine/pacer.ts";

/** Takes micro-batches as long as the queue takes their items. */
export class BufferPump<T> {
  readonly #source: BatchSource<T>;
  readonly #outlet: BoundedOutlet<T>;
  readonly #pacer = new Pacer();
  // What the source has handed over and is not in the queue yet.
  #items: readonly T[] = [];
  #index = 0;
  #running = false;
  #over = false;

  /**
   * @param source Where the items come from.
   * @param outlet The queue.
   */
  constructor(source: BatchSource<T>, outlet: BoundedOutlet<T>) {
    this.#source = source;
    this.#outlet = outlet;
  }

  /** The reader asks for items, or has taken some: begins, or goes on, to fill the queue. */
  wake(): void {
    if (this.#running || this.#over) return;
    this.#running = true;
    void this.#run();
  }

  /**
   * Gives the source up.
   *
   * @param reason Why.
   * @returns What the source's `cancel` returns.
   */
  cancel(reason: unknown): void | Promise<void> {
    this.stop();
    return this.#source.cancel(reason);
  }

  /** Takes nothing any more. */
  stop(): void {
    this.#over = true;
    this.#items = [];
  }

  async #run(): Promise<void> {
    try {
      while (!this.#over && !this.#outlet.isBlocked) {
        if (this.#pacer.due()) await this.#giveTurn();
        else if (this.#index === this.#items.length) await this.#pull();
        // A micro-batch larger than the queue would otherwise overflow it before anybody could read.
        else if (this.#outlet.takeTurn()) await this.#giveTurn();
        else this.#offer(this.#items[this.#index++]!);
      }
    } catch (error) {
      if (this.#over) return;
      this.stop();
      this.#outlet.fail(error);
    } finally {
      this.#running = false;
    }
  }

  async #pull(): Promise<void> {
    const batch = await this.#source.pull();
    if (this.#over) return;
    this.#items = batch ?? [];
    this.#index = 0;
    if (batch !== null) return;
    this.stop();
    this.#outlet.end();
  }

  #offer(item: T): void {
    try {
      this.#outlet.offer(item);
    } catch (error) {
      // onDrop threw. The source is told, and the error is known already.
      Promise.resolve(this.cancel(error)).catch(() => {});
      this.#outlet.fail(error);
    }
  }

  #giveTurn(): Promise<void> {
    return new Promise((resolve) => void this.#pacer.giveTurn(resolve));
  }
}
