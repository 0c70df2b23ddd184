/** What the last stage of a chain puts out, until somebody takes it. @module */
import type { Stage } from "./stage.ts";

/** How output ends once what is there is read; `open` if more may come. */
export type OutputState = "open" | "ended" | "failed" | "cancelled";

const maxReused = 256;

/** The end of a chain of stages: keeps what comes out, and how that ends, for one pull at a time. */
export class StageOutput<T> implements Stage<T> {
  readonly #onEnd: () => void;
  readonly #onLate: () => void;
  // Only the first #count are meant: an array that is filled again needs no new memory, and two of them
  // take turns.
  #items: T[] = [];
  #count = 0;
  // What was taken last. It is not read any more when the next is taken.
  #taken: T[] = [];
  #state: OutputState = "open";
  #error: unknown;
  #waiting: PromiseWithResolvers<readonly T[] | null> | undefined;
  #isLateTold = false;

  /**
   * @param onEnd Called when the last stage has ended.
   * @param onLate Called soon after something was put out for a pull that waits. A stage above may go
   * on for long with the rest of its item, and whoever waits is not to wait for that.
   */
  constructor(onEnd: () => void, onLate: () => void) {
    this.#onEnd = onEnd;
    this.#onLate = onLate;
  }

  /** How it ends, or `open`. */
  get state(): OutputState {
    return this.#state;
  }

  /** The error, if it has failed. */
  get error(): unknown {
    return this.#error;
  }

  /** True if there is something to take. */
  get hasItems(): boolean {
    return this.#count > 0;
  }

  /** True if a pull waits. */
  get isAwaited(): boolean {
    return this.#waiting !== undefined;
  }

  /** Takes what the last stage puts out; nothing more once it is over. */
  push(item: T): void {
    if (this.#state !== "open") return;
    this.#items[this.#count++] = item;
    if (this.#waiting !== undefined && !this.#isLateTold) this.#tellLate();
  }

  /** The last stage has ended. */
  end(): void {
    this.#onEnd();
  }

  /** Settles how it ends; false if that was settled before. */
  finish(state: OutputState, error?: unknown): boolean {
    if (this.#state !== "open") return false;
    this.#state = state;
    this.#error = error;
    this.deliver();
    return true;
  }

  /** Forgets what was put out and not taken. */
  drop(): void {
    this.#items = [];
    this.#count = 0;
  }

  /**
   * Takes the items there are.
   *
   * @returns The items, which may be read until the next call; `null` at the end, or undefined if nothing has come yet; it throws the error.
   */
  take(): readonly T[] | null | undefined {
    if (this.#count > 0) {
      const items = this.#items;
      items.length = this.#count;
      this.#items = this.#taken;
      this.#count = 0;
      // A large one would be held for long.
      this.#taken = items.length > maxReused ? [] : items;
      return items;
    }
    if (this.#state === "failed") throw this.#error;
    return this.#state === "open" ? undefined : null;
  }

  /** Waits for items when there are none; {@linkcode StageOutput.deliver} settles it. */
  wait(): Promise<readonly T[] | null> {
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  /** Gives a waiting pull what there is for it; the items first, the end or the error after them. */
  deliver(): void {
    const waiting = this.#waiting;
    if (waiting === undefined || this.#count === 0 && this.#state === "open") return;
    this.#waiting = undefined;
    try {
      waiting.resolve(this.take()!);
    } catch (error) {
      waiting.reject(error);
    }
  }

  /** After all that comes in the same go, so that it is one micro-batch. */
  #tellLate(): void {
    this.#isLateTold = true;
    queueMicrotask(() => {
      this.#isLateTold = false;
      this.#onLate();
    });
  }
}
