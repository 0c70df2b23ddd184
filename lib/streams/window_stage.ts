/** Windows of time that follow each other. @module */
import type { CancelTimer, Clock } from "../clock.ts";
import type { Stage } from "./engine/stage.ts";
import type { LaterOutput } from "./later_output.ts";
import { keyOf } from "./require_option.ts";

/**
 * What comes out for a window of time.
 *
 * @typeParam A The type of the value.
 *
 * @example
 * ```ts
 * import type { WindowResult } from "@falco-streams/core/streams";
 *
 * const result: WindowResult<number> = {
 *   key: "Terminal shell in container",
 *   start: 1767225600000,
 *   end: 1767225660000,
 *   value: 3,
 *   isComplete: true,
 * };
 * console.assert(result.end - result.start === 60_000);
 * ```
 */
export interface WindowResult<A> {
  /** The key of the items. */
  readonly key: string;
  /** The first moment of the window, in milliseconds since 1970. */
  readonly start: number;
  /** The first moment after the window, in milliseconds since 1970. */
  readonly end: number;
  /** What was made of the items. */
  readonly value: A;
  /** False if the window came out before its time: the stream ended, or the table was full. */
  readonly isComplete: boolean;
}

/** The options of a window operator, complete. */
export interface WindowRules<T, A> {
  readonly durationMs: number;
  readonly aggregate: {
    readonly initial: () => A;
    readonly add: (value: A, item: T) => A;
  };
  readonly key: ((item: T) => string) | undefined;
  /** Undefined for the time of arrival. */
  readonly timestamp: ((item: T) => number) | undefined;
  readonly latenessMs: number;
  readonly maxWindows: number;
  readonly clock: Clock;
  /** Called with each late item. */
  readonly late: (item: T) => void;
}

interface OpenWindow<A> {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  value: A;
}

/** Keeps the open windows, and hands them down when their time is over. */
export class WindowStage<T, A> implements Stage<T> {
  readonly #output: LaterOutput<WindowResult<A>>;
  readonly #rules: WindowRules<T, A>;
  // The one that was opened longest ago comes first, since a Map keeps its order.
  readonly #windows = new Map<string, OpenWindow<A>>();
  // Windows that end by then are over. It never goes back.
  #reached = -Infinity;
  // The end of the window that is over next.
  #nextEnd = Infinity;
  #cancelTimer: CancelTimer | undefined;
  #over = false;

  /**
   * @param output The way down.
   * @param rules The options.
   */
  constructor(output: LaterOutput<WindowResult<A>>, rules: WindowRules<T, A>) {
    this.#output = output;
    this.#rules = rules;
  }

  /** Puts an item into its window. */
  push(item: T): void | Promise<void> {
    if (this.#over) return;
    const { durationMs, key, timestamp, latenessMs, late, clock } = this.#rules;
    const time = timestamp === undefined
      ? Math.max(clock.now(), this.#reached)
      : ownTime(timestamp(item));
    const start = Math.floor(time / durationMs) * durationMs;
    const end = start + durationMs;
    if (end <= this.#reached) return late(item);
    const name = keyOf(key, item);
    this.#reached = Math.max(this.#reached, time - latenessMs);
    const results = this.#takeFinished();
    this.#add(name, start, end, item, results);
    if (timestamp === undefined) this.#setTimer();
    if (results.length > 0) return this.#output.pushAll(results);
  }

  /** Hands down all that is open. */
  end(): void | Promise<void> {
    if (this.#over) return;
    const results = this.#takeFinished();
    const open = [...this.#windows.values()].sort((a, b) => a.end - b.end);
    results.push(...open.map((window) => ({ ...window, isComplete: false })));
    this.#clear();
    const wait = this.#output.pushAll(results);
    return wait === undefined ? this.#output.end() : wait.then(() => this.#output.end());
  }

  /** Drops everything. */
  cancel(): void {
    this.#over = true;
    this.#clear();
    this.#output.cancel();
  }

  #add(key: string, start: number, end: number, item: T, results: WindowResult<A>[]): void {
    const { aggregate, maxWindows } = this.#rules;
    const id = `${start} ${key}`;
    let window = this.#windows.get(id);
    if (window === undefined) {
      if (this.#windows.size >= maxWindows) {
        const [oldest, cut] = this.#windows.entries().next().value!;
        this.#windows.delete(oldest);
        results.push({ ...cut, isComplete: false });
      }
      window = { key, start, end, value: aggregate.initial() };
      this.#windows.set(id, window);
      this.#nextEnd = Math.min(this.#nextEnd, end);
    }
    window.value = aggregate.add(window.value, item);
  }

  #takeFinished(): WindowResult<A>[] {
    if (this.#reached < this.#nextEnd) return [];
    const finished: WindowResult<A>[] = [];
    this.#nextEnd = Infinity;
    for (const [id, window] of this.#windows) {
      if (window.end > this.#reached) {
        this.#nextEnd = Math.min(this.#nextEnd, window.end);
      } else {
        this.#windows.delete(id);
        finished.push({ ...window, isComplete: true });
      }
    }
    return finished.sort((a, b) => a.end - b.end);
  }

  #setTimer(): void {
    if (this.#cancelTimer !== undefined || this.#windows.size === 0) return;
    const { durationMs, clock } = this.#rules;
    const delayMs = Math.min(this.#nextEnd - clock.now(), durationMs);
    this.#cancelTimer = clock.setTimer(() => this.#onTimer(), delayMs);
  }

  #onTimer(): void {
    this.#cancelTimer = undefined;
    // A timer may be early by a part of a millisecond, or the clock be set back.
    if (this.#windows.size > 0) this.#reached = Math.max(this.#reached, this.#nextEnd);
    for (const result of this.#takeFinished()) this.#output.pushLater(result);
    this.#setTimer();
  }

  #clear(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#windows.clear();
    this.#nextEnd = Infinity;
  }
}

/**
 * Refuses a lateness that is no duration, or that means nothing.
 *
 * @param action What cannot be done with it.
 * @param latenessMs The option.
 * @param timestamp The option it goes with.
 *
 * @throws {RangeError} when it is not a number from 0.
 * @throws {TypeError} when there is no `timestamp`.
 */
export function requireLateness(
  action: string,
  latenessMs: unknown,
  timestamp: unknown,
): void {
  if (latenessMs === undefined) return;
  if (!(typeof latenessMs === "number" && latenessMs >= 0 && latenessMs < Infinity)) {
    throw new RangeError(
      `Cannot ${action}: "latenessMs" must be a number from 0: current value is "${latenessMs}"`,
    );
  }
  if (timestamp === undefined) {
    throw new TypeError(
      `Cannot ${action}: "latenessMs" means nothing for the time of arrival. Give "timestamp" too`,
    );
  }
}

/**
 * Refuses what is no time.
 *
 * @param time What an item gave as its own time.
 * @returns The same.
 *
 * @throws {TypeError} when it is not a finite number.
 */
export function ownTime(time: unknown): number {
  if (Number.isFinite(time)) return time as number;
  throw new TypeError(
    `Cannot put an item into a window: its time is "${String(time)}". Return a finite number`,
  );
}
