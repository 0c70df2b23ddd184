/** The alerts of one listener, and who has read how far. @module */
import type { AlertQueue, MessageRun } from "../lib/server/alert_queue.ts";

/** How much is sent in one piece, unless a single alert is larger: more would not be faster. */
const RUN_BYTES = 65_536;

/** gRPC's header in front of each alert. */
const HEADER_BYTES = 5;

/** Bounds of an {@linkcode AlertLog}. */
export interface AlertLogOptions {
  /** How many alerts may wait for a cursor, beyond those it began with. */
  readonly maxAlerts: number;
  /** How many bytes are kept for all cursors together. */
  readonly maxBytes: number;
  /** How many of the latest are kept for cursors to come. */
  readonly replay: number;
  /** What happens at the bounds. */
  readonly overflow: "drop-oldest" | "drop-newest" | "disconnect" | "block";
}

/**
 * Encoded alerts in order, kept once however many read them: until all cursors have passed them, they
 * have left the replay window, or the bounds are reached.
 *
 * It stands between sources and deliveries. A durable log can take its place: what is put in has a
 * position, and what a reader has taken is a position, too.
 */
export class AlertLog {
  readonly #options: AlertLogOptions;
  readonly #limit: number;
  readonly #cursors = new Set<LogCursor>();
  /** Framed alerts; those before `#at` are gone. */
  #items: (Uint8Array | undefined)[] = [];
  #at = 0;
  /** The position of the oldest one that is kept. */
  #first = 0;
  #bytes = 0;
  #droppedBefore = 0;
  #delivered = 0;
  #ended = false;
  #waiting: (() => void)[] = [];
  /** The last run that was put together: clients that are level with each other get the same one. */
  #run: (MessageRun & { readonly from: number }) | undefined;

  /** @param options See {@linkcode AlertLogOptions}. */
  constructor(options: AlertLogOptions) {
    this.#options = options;
    this.#limit = options.maxAlerts + options.replay;
  }

  /** The position behind the newest alert: how many were put in so far. */
  get end(): number {
    return this.#first + this.#items.length - this.#at;
  }

  /** The position of the oldest alert that is kept. */
  get first(): number {
    return this.#first;
  }

  /** How many bytes are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many alerts cursors have missed, each counted for each. */
  get dropped(): number {
    let dropped = this.#droppedBefore;
    for (const cursor of this.#cursors) dropped += cursor.dropped;
    return dropped;
  }

  /** How many alerts cursors have given, each counted for each. */
  get delivered(): number {
    return this.#delivered;
  }

  /** How many alerts the holding cursor that is furthest behind has before it. */
  get depth(): number {
    let depth = 0;
    for (const cursor of this.#cursors) {
      if (cursor.holds) depth = Math.max(depth, cursor.depth);
    }
    return depth;
  }

  /**
   * Begins to read.
   *
   * @param holds Whether it is waited for: at the end, and by sources where the policy is `block`.
   * @param onLost Called if it is sent away for being too far behind, where the policy is `disconnect`.
   * @returns Who reads; before it are the alerts of the replay window.
   */
  open(holds: boolean, onLost: () => void = () => {}): LogCursor {
    const from = Math.max(this.#first, this.end - this.#options.replay);
    const cursor = new LogCursor(this, from, holds, onLost);
    if (!this.#ended) this.#cursors.add(cursor);
    return cursor;
  }

  /**
   * Puts an alert in.
   *
   * @param framed The alert as an encoded `falco.outputs.response` with gRPC's header.
   * @returns False if it was dropped.
   */
  append(framed: Uint8Array): boolean {
    const { overflow } = this.#options;
    if (overflow === "drop-newest" && this.#isFull(framed.length)) {
      this.#droppedBefore++;
      return false;
    }
    this.#items.push(framed);
    this.#bytes += framed.length;
    // In steps: to look at all cursors for each alert would cost more than the alert.
    if (this.#items.length - this.#at >= this.#limit || (this.end & 63) === 0) this.#forget();
    if (this.#isOver()) this.#overflow();
    return true;
  }

  /** Whether sources should wait. */
  get isBlocked(): boolean {
    if (this.#options.overflow !== "block" || this.#ended) return false;
    return this.#isFull(0);
  }

  /** @returns A promise that resolves when it is not blocked any more. */
  async room(): Promise<void> {
    while (this.isBlocked) await this.#change();
  }

  /** @returns A promise that resolves when no holding cursor has an alert before it. */
  async drained(): Promise<void> {
    while (!this.#ended && this.depth > 0) await this.#change();
  }

  /** Gives nothing any more. @returns How many alerts were still before holding cursors. */
  finish(): number {
    let left = 0;
    for (const cursor of this.#cursors) if (cursor.holds) left += cursor.depth;
    this.#ended = true;
    for (const cursor of this.#cursors) cursor.close();
    this.#items = [];
    this.#at = this.#bytes = 0;
    this.#wake();
    return left;
  }

  /**
   * For cursors: one alert.
   *
   * @param position Not before `first`, and before `end`.
   */
  at(position: number): Uint8Array {
    return this.#items[this.#at + position - this.#first]!;
  }

  /**
   * For cursors: some alerts in one piece.
   *
   * @param from Not before `first`, and before `end`.
   */
  runFrom(from: number): MessageRun {
    if (this.#run?.from === from) return this.#run;
    let to = from;
    let length = 0;
    while (to < this.end && (to === from || length + this.at(to).length <= RUN_BYTES)) {
      length += this.at(to++).length;
    }
    const count = to - from;
    if (count === 1) return { bytes: this.at(from), count };
    const bytes = new Uint8Array(length);
    let offset = 0;
    for (let position = from; position < to; position++) {
      const framed = this.at(position);
      bytes.set(framed, offset);
      offset += framed.length;
    }
    this.#run = { from, bytes, count };
    return this.#run;
  }

  /** For cursors: one has given so many alerts. */
  moved(count: number): void {
    this.#delivered += count;
    if (this.#waiting.length > 0) this.#wake();
  }

  /** For cursors: one is closed. */
  closed(cursor: LogCursor): void {
    if (!this.#cursors.delete(cursor)) return;
    this.#droppedBefore += cursor.dropped;
    this.#wake();
  }

  #isFull(bytes: number): boolean {
    const { maxBytes } = this.#options;
    for (const cursor of this.#cursors) {
      if (!cursor.holds || cursor.depth === 0) continue;
      if (cursor.depth >= this.#limit || this.#bytes + bytes > maxBytes) return true;
    }
    return false;
  }

  #isOver(): boolean {
    return this.#items.length - this.#at > this.#limit || this.#bytes > this.#options.maxBytes;
  }

  /** Lets go of what nobody is going to read. */
  #forget(): void {
    this.#removeUntil(Math.min(this.end - this.#options.replay, this.#slowest(() => true)));
  }

  /** Takes the oldest ones away from whoever has not read them. */
  #overflow(): void {
    const { overflow } = this.#options;
    const keep = overflow === "block" ? this.#slowest(({ holds }) => holds) : this.end;
    while (this.#isOver() && this.#first < keep) {
      this.#removeUntil(this.#first + 1);
      if (overflow !== "disconnect") continue;
      for (const cursor of this.#cursors) if (cursor.isLost) cursor.lose();
    }
  }

  #slowest(counts: (cursor: LogCursor) => boolean): number {
    let slowest = this.end;
    for (const cursor of this.#cursors) {
      if (counts(cursor)) slowest = Math.min(slowest, cursor.position);
    }
    return slowest;
  }

  #removeUntil(position: number): void {
    while (this.#first < position && this.#at < this.#items.length) {
      this.#bytes -= this.#items[this.#at]!.length;
      this.#items[this.#at++] = undefined;
      this.#first++;
    }
    if (this.#at === this.#items.length || this.#at >= 4096 && this.#at * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#at);
      this.#at = 0;
    }
    if (this.#run !== undefined && this.#run.from < this.#first) this.#run = undefined;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** Reads an {@linkcode AlertLog} for one call, or for all of them. */
export class LogCursor implements AlertQueue {
  /** Whether it is waited for. */
  readonly holds: boolean;
  readonly #log: AlertLog;
  readonly #onLost: () => void;
  #position: number;
  #dropped = 0;
  #closed = false;

  /**
   * @param log The log.
   * @param position Where it begins.
   * @param holds As above.
   * @param onLost See {@linkcode AlertLog.open}.
   */
  constructor(log: AlertLog, position: number, holds: boolean, onLost: () => void) {
    this.#log = log;
    this.#position = position;
    this.holds = holds;
    this.#onLost = onLost;
  }

  /** The next alert that it gives. */
  get position(): number {
    if (this.#position < this.#log.first && !this.#closed) {
      this.#dropped += this.#log.first - this.#position;
      this.#position = this.#log.first;
    }
    return this.#position;
  }

  /** How many alerts it has missed. */
  get dropped(): number {
    void this.position;
    return this.#dropped;
  }

  /** How many alerts are before it. */
  get depth(): number {
    return this.#closed ? 0 : this.#log.end - this.position;
  }

  /** Whether alerts it has not read are gone. */
  get isLost(): boolean {
    return this.#position < this.#log.first;
  }

  /** Closes it for being too far behind. */
  lose(): void {
    this.close();
    this.#onLost();
  }

  /** @inheritdoc */
  tryPop(): Uint8Array | undefined {
    if (this.depth === 0) return undefined;
    const framed = this.#log.at(this.#position);
    this.#advance(1);
    return framed.subarray(HEADER_BYTES);
  }

  /** @inheritdoc */
  tryPopRun(): MessageRun | undefined {
    if (this.depth === 0) return undefined;
    const run = this.#log.runFrom(this.#position);
    this.#advance(run.count);
    return run;
  }

  #advance(count: number): void {
    this.#position += count;
    this.#log.moved(count);
  }

  /** @inheritdoc */
  close(): void {
    if (this.#closed) return;
    void this.position;
    this.#closed = true;
    this.#log.closed(this);
  }
}
