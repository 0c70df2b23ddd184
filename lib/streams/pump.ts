/** Reads a stream on behalf of others. @module */
import { Pacer } from "./engine/pacer.ts";

/** Who a {@linkcode Pump} works for. */
export interface PumpHost<T> {
  /** Says whether to read one more item. */
  wantsMore(): boolean;
  /** Says whether somebody else should have a turn first. */
  needsTurn(): boolean;
  /** Takes an item. What it throws ends the pump: `fail` is called with it, the stream cancelled. */
  take(item: T): void;
  /** The stream has ended. */
  end(): void;
  /** The stream has failed. */
  fail(error: unknown): void;
}

/** Reads items one by one, as long as they are wanted. */
export class Pump<T> {
  readonly #reader: ReadableStreamDefaultReader<T>;
  readonly #host: PumpHost<T>;
  readonly #pacer = new Pacer();
  #running = false;
  #over = false;

  /**
   * @param stream What to read; locked from now on.
   * @param host Who to read for.
   * @throws {TypeError} when the stream is locked.
   */
  constructor(stream: ReadableStream<T>, host: PumpHost<T>) {
    this.#reader = stream.getReader();
    this.#host = host;
  }

  /** Begins to read, or goes on, if items are wanted. */
  wake(): void {
    if (this.#running || this.#over) return;
    this.#running = true;
    void this.#run();
  }

  /**
   * Gives the stream up.
   *
   * @param reason Why.
   * @returns The promise of the stream's `cancel()`.
   */
  cancel(reason: unknown): Promise<void> {
    this.#over = true;
    return this.#reader.cancel(reason);
  }

  async #run(): Promise<void> {
    try {
      while (!this.#over && this.#host.wantsMore()) {
        // A stream that never has to wait would keep every slow reader from its turn.
        if (this.#pacer.due() || this.#host.needsTurn()) {
          await new Promise<void>((resolve) => void this.#pacer.giveTurn(resolve));
          continue;
        }
        const { done, value } = await this.#reader.read();
        if (this.#over) return;
        if (done) {
          this.#over = true;
          return this.#host.end();
        }
        this.#take(value);
      }
    } catch (error) {
      if (this.#over) return;
      this.#over = true;
      this.#host.fail(error);
    } finally {
      this.#running = false;
    }
  }

  #take(item: T): void {
    try {
      this.#host.take(item);
    } catch (error) {
      this.#host.fail(error);
      this.cancel(error).catch(() => {});
    }
  }
}
