/** Tells several readers what becomes of a subscription. @module */
import type { BatchSource } from "../streams/engine/batch_source.ts";
import { EventStream } from "../streams/engine/event_stream.ts";
import type { Status } from "./status.ts";

/**
 * How many statuses wait for a reader that does not read: more than an hour of failing attempts at
 * the default back-off.
 */
const MAX_WAITING = 256;

/**
 * Hands each status to all readers, and never waits for one.
 *
 * A reader begins with the current state, so that whoever comes late need not guess. One that does
 * not read loses the oldest that wait for it, never the last ones.
 */
export class StatusLog {
  readonly #readers = new Set<StatusReader>();
  /** The last status that is a state: a gap is none. */
  #current: Status | undefined;
  #missed = 0;

  /** How many statuses readers lost because they did not read. */
  get missed(): number {
    return this.#missed;
  }

  /** Whether it is over. */
  get closed(): boolean {
    return this.#current?.type === "closed";
  }

  /** Tells all readers; `closed` is the last one that is told. */
  report(status: Status): void {
    if (this.closed) return;
    if (status.type !== "gap") this.#current = status;
    for (const reader of this.#readers) this.#missed += reader.push(status);
    if (this.closed) this.#readers.clear();
  }

  /**
   * Adds a reader.
   *
   * @returns The current state if there is one yet, then what follows; it ends after `closed`.
   */
  stream(): EventStream<Status> {
    const reader = new StatusReader(() => this.#readers.delete(reader));
    if (this.#current !== undefined) reader.push(this.#current);
    if (!this.closed) this.#readers.add(reader);
    return new EventStream(reader);
  }
}

/** What waits for one reader. */
class StatusReader implements BatchSource<Status> {
  readonly #onLeave: () => void;
  #waiting: Status[] = [];
  #over = false;
  #wake: () => void = () => {};

  constructor(onLeave: () => void) {
    this.#onLeave = onLeave;
  }

  /** Returns how many had to go to make room. */
  push(status: Status): number {
    this.#waiting.push(status);
    this.#wake();
    if (this.#waiting.length <= MAX_WAITING) return 0;
    this.#waiting.shift();
    return 1;
  }

  async pull(): Promise<readonly Status[] | null> {
    if (this.#over) return null;
    if (this.#waiting.length === 0) await new Promise<void>((resolve) => this.#wake = resolve);
    const batch = this.#waiting;
    this.#waiting = [];
    this.#over = batch.at(-1)?.type === "closed";
    return batch;
  }

  cancel(): void {
    this.#onLeave();
    this.#wake();
  }
}
