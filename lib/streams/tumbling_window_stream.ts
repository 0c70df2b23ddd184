/** One result for all items of a span of time. @module */
import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import { OperatorStream } from "./engine/operator_stream.ts";
import { LaterOutput } from "./later_output.ts";
import { requireDuration, requireFunction, requireWhole } from "./require_option.ts";
import { requireLateness, WindowStage } from "./window_stage.ts";
import type { WindowResult } from "./window_stage.ts";

/**
 * What a window makes of its items.
 *
 * @typeParam T The type of the items.
 * @typeParam A The type of the value.
 *
 * @example
 * ```ts
 * import type { WindowAggregate } from "@falco-streams/core/streams";
 *
 * const sum: WindowAggregate<number, number> = { initial: () => 0, add: (sum, n) => sum + n };
 * console.assert(sum.add(sum.initial(), 5) === 5);
 * ```
 */
export interface WindowAggregate<T, A> {
  /** Makes the value of a window that has no items yet. */
  initial: () => A;
  /** Makes the next value of the last one and an item. It may change the value it got. */
  add: (value: A, item: T) => A;
}

/**
 * Options of {@linkcode TumblingWindowStream}.
 *
 * @typeParam T The type of the items.
 * @typeParam A The type of the values.
 *
 * @example The alerts of each rule, by their own time
 * ```ts
 * import type { Alert } from "@falco-streams/core";
 * import type { TumblingWindowStreamOptions } from "@falco-streams/core/streams";
 *
 * const options: TumblingWindowStreamOptions<Alert, number> = {
 *   key: (alert) => alert.rule,
 *   timestamp: ({ time }) => time.seconds * 1000 + time.nanos / 1e6,
 *   latenessMs: 5000,
 *   aggregate: { initial: () => 0, add: (count) => count + 1 },
 * };
 * console.assert(options.latenessMs === 5000);
 * ```
 */
export interface TumblingWindowStreamOptions<T, A> {
  /** What to make of the items of a window. What its functions throw fails the stream. */
  aggregate: WindowAggregate<T, A>;
  /**
   * Makes the key of an item; each key has windows of its own. What it throws fails the stream.
   *
   * @default All items have the same key, the empty string.
   */
  key?: (item: T) => string;
  /**
   * Tells the item's own time, in milliseconds since 1970. What it throws fails the stream.
   *
   * @default The time at which the item arrives, by `clock`.
   */
  timestamp?: (item: T) => number;
  /**
   * How long a window waits for late items beyond its end, in milliseconds of the items' own time. 0 or
   * more. Only with `timestamp`.
   *
   * @default {0} Right for a single Falco, whose alerts come in order.
   */
  latenessMs?: number;
  /**
   * How many windows may be open at a time, of all keys together. A whole number from 1.
   *
   * @default {10_000} Keys hold what watched processes chose, so there has to be a limit.
   */
  maxWindows?: number;
  /**
   * Called with each item that is dropped because its window is over. What it throws fails the stream.
   */
  onLate?: (item: T) => void;
  /**
   * What tells the time of arrival.
   *
   * @default {systemClock}
   */
  clock?: Clock;
}

/**
 * Divides time into windows that follow each other, and hands on one result for each window, and for
 * each key, in which there were items.
 *
 * The windows begin at multiples of `durationMs` since 1970, so they are the same for all keys and in
 * every run; an item at the very end of a window is in the next one.
 *
 * With the time of arrival a window closes when the clock reaches its end, by a timer. A clock that is
 * set back makes windows no longer than `durationMs`.
 *
 * With the items' own time a window closes when an item comes whose time is `latenessMs` past its end or
 * later. No timer is set: without further items windows stay open, until the end of the stream. Items
 * whose window is over are dropped and counted in {@linkcode TumblingWindowStream.late}. A single item
 * from the far future makes all others late, so the time should be one that no stranger sets.
 *
 * - Results come in the order of the ends of their windows, those of one window in the order of the
 *   first items of their keys.
 * - The table of windows is bounded. When it is full, the window that was opened longest ago is handed
 *   on at once with `isComplete: false`. The next item for it opens it again, so it comes out twice, each
 *   time with other items.
 * - At the end of the stream open windows are handed on, with `isComplete: false`. If it fails or is
 *   cancelled they are lost with it, and the timer is taken back.
 *
 * @typeParam T The type of the items.
 * @typeParam A The type of the values.
 *
 * @example
 * ```ts
 * import { EventStream, TumblingWindowStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const readings = [{ at: 1000, n: 1 }, { at: 1900, n: 2 }, { at: 2100, n: 5 }];
 * const sums = EventStream.from(readings).pipeThrough(
 *   new TumblingWindowStream(1000, {
 *     timestamp: (reading) => reading.at,
 *     aggregate: { initial: () => 0, add: (sum, reading) => sum + reading.n },
 *   }),
 * );
 * assert.deepEqual(await Array.fromAsync(sums), [
 *   { key: "", start: 1000, end: 2000, value: 3, isComplete: true },
 *   { key: "", start: 2000, end: 3000, value: 5, isComplete: false },
 * ]);
 * ```
 */
export class TumblingWindowStream<T, A> extends OperatorStream<T, WindowResult<A>> {
  readonly #counter: { late: number };

  /**
   * Creates the operator.
   *
   * @param durationMs How long a window is, in milliseconds. Above 0.
   * @param options See {@linkcode TumblingWindowStreamOptions}.
   *
   * @throws {RangeError} when `durationMs`, `latenessMs` or `maxWindows` is out of range.
   * @throws {TypeError} when an option that has to be a function is none, or there is a `latenessMs`
   * without `timestamp`. The stream fails with it when `key` returns anything but a string, or
   * `timestamp` anything but a finite number.
   */
  constructor(durationMs: number, options: TumblingWindowStreamOptions<T, A>) {
    const { aggregate, key, timestamp, latenessMs, maxWindows = 10_000 } = options;
    const { onLate, clock = systemClock } = options;
    const action = "create TumblingWindowStream";
    requireDuration(action, "durationMs", durationMs);
    requireFunction(action, "aggregate.initial", aggregate?.initial);
    requireFunction(action, "aggregate.add", aggregate.add);
    if (key !== undefined) requireFunction(action, "key", key);
    if (timestamp !== undefined) requireFunction(action, "timestamp", timestamp);
    if (onLate !== undefined) requireFunction(action, "onLate", onLate);
    requireLateness(action, latenessMs, timestamp);
    requireWhole(action, "maxWindows", maxWindows, 1);
    const counter = { late: 0 };
    const rules = {
      durationMs,
      aggregate,
      key,
      timestamp,
      latenessMs: latenessMs ?? 0,
      maxWindows,
      clock,
      late(item: T) {
        counter.late++;
        onLate?.(item);
      },
    };
    super((down, context) => new WindowStage(new LaterOutput(down, context), rules));
    this.#counter = counter;
  }

  /** How many items were dropped so far because their windows were over. */
  get late(): number {
    return this.#counter.late;
  }
}
