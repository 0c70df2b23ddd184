/** What the items of a stream come through. @module */
import type { CancelTimer } from "../../clock.ts";
import type { BatchSource } from "./batch_source.ts";
import { Pacer } from "./pacer.ts";

/** What a pull brings. */
export type Pulled<T> = readonly T[] | null | Promise<readonly T[] | null>;

/**
 * Gives the items of one `EventStream` either to the platform, item by item, or to one direct consumer
 * at a time, a micro-batch at a time.
 *
 * A direct consumer locks the stream as any reader does, and says how it ended, so that the stream is
 * in the right state for whoever looks at it from outside. As soon as the platform has read, the rest
 * of a micro-batch may be in its queue, and there are no direct consumers any more.
 */
export class Feed<T> implements UnderlyingDefaultSource<T> {
  readonly #source: BatchSource<T>;
  readonly #pacer = new Pacer();
  #controller!: ReadableStreamDefaultController<T>;
  #reader: ReadableStreamDefaultReader<T> | undefined;
  #interrupt: ((reason: unknown) => void) | undefined;
  // What a direct consumer has given back, or the platform gets one by one.
  #held: readonly T[] = [];
  #index = 0;
  // How many items a direct consumer had not used when it left.
  #unused = 0;
  #readByPlatform = false;
  #over = false;
  #cancelTurn: CancelTimer | undefined;

  /** @param source Where the items come from. */
  constructor(source: BatchSource<T>) {
    this.#source = source;
  }

  /** The source that was given. */
  get source(): BatchSource<T> {
    return this.#source;
  }

  /** True if a direct consumer may have it, once the stream is not locked. */
  get isDirect(): boolean {
    return !this.#readByPlatform && !this.#over;
  }

  /** True if the stream has ended or failed, or was cancelled. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Called by the platform. */
  start(controller: ReadableStreamDefaultController<T>): void {
    this.#controller = controller;
  }

  /** Called by the platform: a reader waits. What is there goes out in the same turn. */
  pull(): void | Promise<void> {
    this.#readByPlatform = true;
    if (this.#index < this.#held.length) {
      return this.#controller.enqueue(this.#held[this.#index++]!);
    }
    // The platform does not ask again after a pull that brought nothing.
    while (!this.#over) {
      if (this.#pacer.due()) {
        return new Promise<void>((resolve) => {
          this.#cancelTurn = this.#pacer.giveTurn(resolve);
        }).then(() => this.pull());
      }
      const pulled = this.take();
      if (pulled === null || "length" in pulled) {
        if (this.#enqueue(pulled)) return;
      } else {
        return pulled.then((batch) => this.#enqueue(batch) ? undefined : this.pull());
      }
    }
  }

  /** Called by the platform: the reader left. */
  cancel(reason: unknown): void | Promise<void> {
    this.#over = true;
    const unread = this.#held.length - this.#index + this.#unused;
    this.#hold([]);
    this.#interrupt = undefined;
    this.#cancelTurn?.();
    this.#source.unread?.(unread);
    return this.#source.cancel(reason);
  }

  /**
   * Begins direct consumption.
   *
   * @param reader What the consumer has locked the stream with.
   * @param interrupt Called if the stream fails out of turn, as {@linkcode Feed.interrupt} says.
   */
  lock(reader: ReadableStreamDefaultReader<T>, interrupt: (reason: unknown) => void): void {
    this.#reader = reader;
    this.#interrupt = interrupt;
  }

  /**
   * Takes the next micro-batch, which may be empty. One call at a time.
   *
   * @returns What the source returns, and it throws what the source throws. The direct consumer then
   * calls {@linkcode Feed.end} or {@linkcode Feed.fail}.
   */
  take(): Pulled<T> {
    if (this.#index === this.#held.length) return this.#source.pull();
    const held = this.#index === 0 ? this.#held : this.#held.slice(this.#index);
    this.#hold([]);
    return held;
  }

  /** The direct consumer has got the end. */
  end(): void {
    this.#over = true;
    this.#controller.close();
    this.#release();
  }

  /** The direct consumer has got an error. */
  fail(error: unknown): void {
    this.#over = true;
    this.#controller.error(error);
    this.#release();
  }

  /** The direct consumer wants no more, and has not used so many items. The promise is the source's. */
  leave(reason: unknown, unused = 0): Promise<void> {
    this.#unused = unused;
    const cancelled = this.#reader!.cancel(reason);
    this.#release();
    return cancelled;
  }

  /** The direct consumer leaves the stream to the next one, with what it has not used. */
  giveBack(items: readonly T[]): void {
    this.#hold(items);
    this.#release();
  }

  /**
   * The stream has failed, and what was handed over and is not used yet is not to be used. The source
   * has let go already, and throws the reason from its next `pull`.
   */
  interrupt(reason: unknown): void {
    if (this.#interrupt !== undefined) return this.#interrupt(reason);
    if (this.#over) return;
    this.#over = true;
    this.#hold([]);
    this.#cancelTurn?.();
    this.#controller.error(reason);
  }

  #hold(items: readonly T[], index = 0): void {
    this.#held = items;
    this.#index = index;
  }

  #release(): void {
    this.#interrupt = undefined;
    this.#reader?.releaseLock();
    this.#reader = undefined;
  }

  /** True if the stream has got something, or is over. */
  #enqueue(batch: readonly T[] | null): boolean {
    if (this.#over) return true;
    if (batch === null) {
      this.#over = true;
      this.#controller.close();
      return true;
    }
    if (batch.length === 0) return false;
    if (this.#source.unread === undefined) {
      for (const item of batch) this.#controller.enqueue(item);
    } else {
      this.#hold(batch, 1);
      this.#controller.enqueue(batch[0]!);
    }
    return true;
  }
}
