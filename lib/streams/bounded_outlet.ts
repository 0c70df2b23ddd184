/** A bounded queue that a stream reads from. @module */
import { OverflowError } from "../errors.ts";
import type { BatchSource } from "./engine/batch_source.ts";
import type { Overflow } from "./overflow.ts";

/** How many items are handed over at a time. */
const sliceLength = 64;

/**
 * How many turns a reader gets to take something before it counts as slow. One is not enough: what
 * stands between it and the queue may give everything else a turn before it takes, each `Pacer` one.
 */
const patienceTurns = 10;

/** What a {@linkcode BoundedOutlet} is told. */
export interface OutletOptions<T> {
  /** How many items may wait. */
  readonly capacity: number;
  /** What happens to one more. */
  readonly overflow: Overflow;
  /** Called with each item that is dropped, after it is counted. */
  readonly onDrop: ((item: T) => void) | undefined;
  /** Called when a reader waits, or there is room again. */
  readonly onPull: () => void;
  /** Called when the reader left, or the outlet has failed by itself; `reason` says why. */
  readonly onLeave: (reason: unknown) => void | Promise<void>;
}

/** Takes items from somebody who does not wait and hands them to a stream that asks for them. */
export class BoundedOutlet<T> implements BatchSource<T> {
  readonly #options: OutletOptions<T>;
  #items: T[] = [];
  // Where the oldest item is. Moving all items for each one that is dropped would be slow.
  #first = 0;
  #waiting: PromiseWithResolvers<readonly T[] | null> | undefined;
  // open: items may come; the others say how it is to end once the items are read.
  #state: "open" | "ended" | "failed" = "open";
  #error: unknown;
  #dropped = 0;
  // The turns that the reader has had since it last took something, while there was no room.
  #turns = 0;

  /**
   * @param options See {@linkcode OutletOptions}.
   */
  constructor(options: OutletOptions<T>) {
    this.#options = options;
  }

  /** How many items were dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** True if it takes items. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** True if a reader waits, which it does only when no item does. */
  get isAwaited(): boolean {
    return this.#waiting !== undefined;
  }

  /** True if an item has to wait until one is read, or if there is none, to be dropped. */
  get isFull(): boolean {
    return this.#length >= this.#options.capacity;
  }

  /** True if it is full and must not get an item. */
  get isBlocked(): boolean {
    return this.isOpen && this.isFull && this.#options.overflow === "block";
  }

  /**
   * Asks for a turn of the reader, before an item has to be dropped; to be given if it is asked for.
   *
   * @returns True if there is no room, and the reader has not had turns enough to make some.
   */
  takeTurn(): boolean {
    if (!this.isOpen || !this.isFull || this.#turns >= patienceTurns) return false;
    this.#turns++;
    return true;
  }

  /**
   * Takes an item. Ignored when it is not open.
   *
   * @param item The item.
   * @throws What `onDrop` throws.
   */
  offer(item: T): void {
    if (!this.isOpen) return;
    if (this.#waiting !== undefined) {
      this.#waiting.resolve([item]);
      this.#waiting = undefined;
    } else if (!this.isFull) {
      this.#items.push(item);
    } else {
      this.#overflow(item);
    }
  }

  /** There will be no more items. */
  end(): void {
    this.#finish("ended");
  }

  /**
   * It fails, after the items that wait.
   *
   * @param error The error.
   */
  fail(error: unknown): void {
    this.#finish("failed", error);
  }

  /** Called by the stream: hands over the items that wait, or the next one. */
  pull(): readonly T[] | null | Promise<readonly T[] | null> {
    this.#turns = 0;
    if (this.#length > 0) {
      const items = this.#take();
      this.#options.onPull();
      return items;
    }
    if (this.#state === "failed") throw this.#error;
    if (this.#state === "ended") return null;
    const waiting = this.#waiting = Promise.withResolvers();
    this.#options.onPull();
    return waiting.promise;
  }

  /** Called by the stream: its reader left. */
  cancel(reason: unknown): void | Promise<void> {
    const wasOpen = this.isOpen;
    this.#items = [];
    this.#first = 0;
    this.end();
    if (wasOpen) return this.#options.onLeave(reason);
  }

  get #length(): number {
    return this.#items.length - this.#first;
  }

  #overflow(item: T): void {
    const { capacity, overflow, onDrop, onLeave } = this.#options;
    if (overflow === "error") {
      const error = new OverflowError(
        `Cannot hold an item for a slow reader: ${capacity} are waiting already. Read faster, or choose another "overflow"`,
        { capacity },
      );
      this.fail(error);
      // Nobody waits for it, and the error is known already.
      Promise.resolve(onLeave(error)).catch(() => {});
      return;
    }
    let dropped = item;
    if (overflow === "drop-oldest") {
      dropped = this.#items[this.#first]!;
      // No reference is left to keep it alive.
      this.#items[this.#first++] = undefined as T;
      if (this.#first >= capacity) this.#compact();
      this.#items.push(item);
    }
    this.#dropped++;
    onDrop?.(dropped);
  }

  #take(): T[] {
    const end = this.#first + sliceLength;
    const taken = this.#items.slice(this.#first, end);
    this.#items.fill(undefined as T, this.#first, end);
    this.#first = Math.min(end, this.#items.length);
    if (this.#first * 2 >= this.#items.length) this.#compact();
    return taken;
  }

  #compact(): void {
    this.#items = this.#items.slice(this.#first);
    this.#first = 0;
  }

  #finish(state: "ended" | "failed", error?: unknown): void {
    if (!this.isOpen) return;
    this.#state = state;
    this.#error = error;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (state === "failed") waiting?.reject(error);
    else waiting?.resolve(null);
  }
}
