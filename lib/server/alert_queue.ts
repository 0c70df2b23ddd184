/** What a server's calls drain. @module */

/**
 * The end of a queue that calls take alerts from.
 *
 * Falco has one for all calls of all clients, which therefore compete; a server that fans out can
 * give each call its own.
 */
export interface AlertQueue {
  /**
   * Takes the next alert out.
   *
   * @returns The alert as an encoded `falco.outputs.response`, or undefined if there is none right
   * now. Never waits: a `sub` that finds nothing goes back to its client for the next request.
   */
  tryPop(): Uint8Array | undefined;
  /**
   * Takes several alerts out at once, where that is cheaper than one by one. A queue can do without.
   *
   * @returns The alerts; undefined if the next one has to be taken by `tryPop`.
   */
  tryPopRun?(): MessageRun | undefined;
  /**
   * Asks to be called once, at the next alert that is put in. Only the `subscribe` of 0.18 to 0.23
   * waits for alerts; a queue that serves later methods alone can do without.
   *
   * @param listener What to call. It must not throw.
   */
  onNextPush?(listener: () => void): void;
  /**
   * Called when the call that the queue was opened for is over, or takes no more; perhaps twice.
   */
  close?(): void;
}

/** Encoded alerts one after the other, for who has to send many. */
export interface MessageRun {
  /** The messages, each with gRPC's header of five bytes in front. */
  readonly bytes: Uint8Array;
  /** How many. */
  readonly count: number;
}

/** How much of single messages goes out in one piece: a DATA frame of the usual size. */
const MAX_JOINED_BYTES = 16_384;

/** The length of gRPC's header. */
const HEADER_BYTES = 5;

/**
 * A first-in, first-out queue in memory, without a bound, as Falco's own is (`grpc_queue.h`, where
 * it grows until the process is killed).
 *
 * Whoever fills it can hold it to a bound of their own with {@linkcode MemoryAlertQueue.whenBelow}.
 */
export class MemoryAlertQueue implements AlertQueue {
  #items: (Uint8Array | MessageRun | undefined)[] = [];
  #depth = 0;
  /** Where the next message is in the run at the head. */
  #runAt = 0;
  /** Where the next alert is; what is before it has been taken. */
  #head = 0;
  #waiting: { depth: number; resolve: () => void }[] = [];
  #listeners: (() => void)[] = [];

  /** How many alerts wait. */
  get depth(): number {
    return this.#depth;
  }

  /**
   * Puts an alert at the end.
   *
   * @param message The alert as an encoded `falco.outputs.response`.
   */
  push(message: Uint8Array): void {
    this.#put(message, 1);
  }

  /**
   * Puts many alerts at the end, as one item.
   *
   * @param run The alerts. It is not copied and may be put in again.
   */
  pushRun(run: MessageRun): void {
    if (run.count > 0) this.#put(run, run.count);
  }

  #put(item: Uint8Array | MessageRun, count: number): void {
    this.#items.push(item);
    this.#depth += count;
    if (this.#listeners.length > 0) {
      const listeners = this.#listeners;
      this.#listeners = [];
      for (const listener of listeners) listener();
    }
  }

  /** @inheritdoc */
  onNextPush(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** @inheritdoc */
  tryPop(): Uint8Array | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    let message: Uint8Array;
    if (item instanceof Uint8Array) {
      message = item;
      this.#next();
    } else {
      const { buffer, byteOffset, length } = item.bytes;
      const start = this.#runAt + HEADER_BYTES;
      const end = start + new DataView(buffer, byteOffset).getUint32(this.#runAt + 1);
      message = item.bytes.subarray(start, end);
      if (end === length) this.#next();
      else this.#runAt = end;
    }
    this.#depth--;
    if (this.#waiting.length > 0) this.#wake();
    return message;
  }

  /** @inheritdoc */
  tryPopRun(): MessageRun | undefined {
    const item = this.#items[this.#head];
    if (item === undefined || this.#runAt > 0) return undefined;
    if (item instanceof Uint8Array) return this.#join();
    this.#next();
    this.#depth -= item.count;
    if (this.#waiting.length > 0) this.#wake();
    return item;
  }

  /** Several single messages in one piece: HTTP/2 takes longer for a write than for its bytes. */
  #join(): MessageRun | undefined {
    let length = 0;
    let count = 0;
    for (let at = this.#head; at < this.#items.length; at++) {
      const item = this.#items[at];
      if (!(item instanceof Uint8Array) || length + item.length > MAX_JOINED_BYTES) break;
      length += HEADER_BYTES + item.length;
      count++;
    }
    if (count < 2) return undefined;
    const bytes = new Uint8Array(length);
    const view = new DataView(bytes.buffer);
    let at = 0;
    for (let taken = 0; taken < count; taken++) {
      const message = this.#items[this.#head] as Uint8Array;
      view.setUint32(at + 1, message.length);
      bytes.set(message, at + HEADER_BYTES);
      at += HEADER_BYTES + message.length;
      this.#next();
    }
    this.#depth -= count;
    if (this.#waiting.length > 0) this.#wake();
    return { bytes, count };
  }

  #next(): void {
    this.#items[this.#head++] = undefined;
    this.#runAt = 0;
    // Moving the rest only now and then keeps taking out cheap for any depth.
    if (
      this.#head === this.#items.length ||
      this.#head >= 4096 && this.#head * 2 >= this.#items.length
    ) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Throws all waiting alerts away, as the end of the process does. */
  clear(): void {
    this.#items = [];
    this.#head = this.#runAt = this.#depth = 0;
    this.#wake();
  }

  /**
   * Waits until there is room.
   *
   * @param depth Resolves once fewer alerts than this wait.
   * @param signal Ends the wait.
   * @returns A promise that rejects with `signal.reason` if the signal fires first.
   */
  whenBelow(depth: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.depth < depth) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting = this.#waiting.filter((entry) => entry !== waiter);
        reject(signal?.reason);
      };
      const waiter = {
        depth,
        resolve: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(waiter);
    });
  }

  #wake(): void {
    const ready = this.#waiting.filter((entry) => this.depth < entry.depth);
    if (ready.length === 0) return;
    this.#waiting = this.#waiting.filter((entry) => this.depth >= entry.depth);
    for (const entry of ready) entry.resolve();
  }
}
