/** `pipeTo` into a sink of ours, without a queue in between. @module */
import type { CancelTimer } from "../../clock.ts";
import type { Feed, Pulled } from "./feed.ts";
import { Pacer } from "./pacer.ts";
import type { DirectSink } from "./sink_stream.ts";

const stretch = 64;

/**
 * Writes the items of a stream to a sink, one at a time, until one of them is over or the signal is
 * aborted, and does to the other one then what `pipeTo` of the platform does.
 *
 * Not an async function: a signal has to end it while a pull hangs.
 */
export class SinkDrive<T> {
  /** Settled as `pipeTo` is. */
  readonly done: Promise<void>;
  readonly #feed: Feed<T>;
  readonly #sink: DirectSink<T>;
  readonly #signal: AbortSignal | undefined;
  readonly #pacer = new Pacer();
  readonly #settle: (ending: Promise<unknown>) => void;
  #items: readonly T[] = [];
  #index = 0;
  #writing: PromiseLike<void> | undefined;
  #cancelTurn: CancelTimer | undefined;
  #over = false;
  // How many items it had not written when it was over.
  #unused = 0;

  /**
   * @param feed Where the items come from.
   * @param reader What its stream has been locked with.
   * @param sink Where they go, locked too.
   * @param signal Ends it early.
   */
  constructor(
    feed: Feed<T>,
    reader: ReadableStreamDefaultReader<T>,
    sink: DirectSink<T>,
    signal: AbortSignal | undefined,
  ) {
    this.#feed = feed;
    this.#sink = sink;
    this.#signal = signal;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.done = promise;
    this.#settle = (ending) =>
      resolve(
        ending.then(() => {}).finally(() => {
          sink.release();
        }),
      );
    feed.lock(reader, (reason) => this.#sourceFailed(reason));
    if (signal?.aborted) this.#aborted();
    else signal?.addEventListener("abort", this.#onAbort, { once: true });
    // Not in the same turn: who calls pipeTo() can still do what comes first.
    Promise.resolve().then(() => this.#run());
  }

  readonly #onAbort = (): void => this.#aborted();

  /** Goes on until there is something to wait for. */
  #run(): void {
    while (!this.#over) {
      if (!this.#writeStretch()) return;
      if (this.#pacer.due()) {
        this.#cancelTurn = this.#pacer.giveTurn(() => this.#run());
        return;
      }
      if (this.#index === this.#items.length && !this.#pull()) return;
    }
  }

  /** Writes the next items; false if the sink is busy or has failed. */
  #writeStretch(): boolean {
    const items = this.#items;
    const { target } = this.#sink;
    const end = Math.min(this.#index + stretch, items.length);
    try {
      let index = this.#index;
      while (index < end && !this.#over) {
        const wait: unknown = target.write(items[index++]!);
        if (wait === undefined || !isPromiseLike(wait)) continue;
        this.#index = index;
        this.#writing = wait;
        wait.then(this.#written, this.#onSinkError);
        return false;
      }
      this.#index = index;
      return true;
    } catch (error) {
      this.#sinkFailed(error);
      return false;
    }
  }

  readonly #written = (): void => {
    this.#writing = undefined;
    this.#run();
  };

  /** Takes the next micro-batch; false if it is waited for, or there is none. */
  #pull(): boolean {
    let pulled: Pulled<T>;
    try {
      pulled = this.#feed.take();
    } catch (error) {
      this.#sourceFailed(error);
      return false;
    }
    if (pulled !== null && !("length" in pulled)) {
      pulled.then(this.#pulled, this.#onSourceError);
      return false;
    }
    return this.#accept(pulled);
  }

  readonly #pulled = (batch: readonly T[] | null): void => {
    if (this.#accept(batch)) this.#run();
  };

  #accept(batch: readonly T[] | null): boolean {
    if (this.#over) return false;
    this.#items = batch ?? [];
    this.#index = 0;
    if (batch !== null) return true;
    this.#finish();
    this.#feed.end();
    this.#settle(this.#sink.close());
    return false;
  }

  readonly #onSourceError = (error: unknown): void => this.#sourceFailed(error);

  #sourceFailed(error: unknown): void {
    if (!this.#finish()) return;
    this.#feed.fail(error);
    this.#settle(this.#afterWrite(() => this.#sink.abort(error), error));
  }

  readonly #onSinkError = (error: unknown): void => {
    this.#writing = undefined;
    this.#sinkFailed(error);
  };

  #sinkFailed(error: unknown): void {
    this.#sink.fail(error);
    if (!this.#finish()) return;
    this.#settle(rejecting(this.#feed.leave(error, this.#unused), error));
  }

  #aborted(): void {
    if (!this.#finish()) return;
    const reason: unknown = this.#signal?.reason;
    const both = (): Promise<unknown> =>
      Promise.all([this.#sink.abort(reason), this.#feed.leave(reason, this.#unused)]);
    this.#settle(this.#afterWrite(both, reason));
  }

  /** Does something when the write under way is done, then rejects. */
  async #afterWrite(action: () => Promise<unknown>, error: unknown): Promise<never> {
    if (this.#writing !== undefined) this.#sink.target.interrupt?.(error);
    try {
      await this.#writing;
    } catch {
      // The sink has been told.
    }
    return await rejecting(action(), error);
  }

  /** True if it was not over before. */
  #finish(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#unused = this.#items.length - this.#index;
    this.#items = [];
    this.#cancelTurn?.();
    this.#signal?.removeEventListener("abort", this.#onAbort);
    return true;
  }
}

/** Rejects with the error, or with what goes wrong before. */
async function rejecting(action: Promise<unknown>, error: unknown): Promise<never> {
  await action;
  throw error;
}

function isPromiseLike(value: unknown): value is PromiseLike<void> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}
