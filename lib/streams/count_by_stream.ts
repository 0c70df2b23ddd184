/** How many items of a kind there are in a time. @module */
import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import { OperatorStream } from "./engine/operator_stream.ts";
import type { AnyStageFactory, Stage } from "./engine/stage.ts";
import { LaterOutput } from "./later_output.ts";
import { keyOf, requireDuration, requireFunction, requireWhole } from "./require_option.ts";
import { ownTime, requireLateness, WindowStage } from "./window_stage.ts";
import type { WindowResult } from "./window_stage.ts";

/**
 * A count that comes out of {@linkcode CountByStream}.
 *
 * @example
 * ```ts
 * import type { CountResult } from "@falco-streams/core/streams";
 *
 * const result: CountResult = { key: "web-1", count: 5, start: 1767225600000, end: 1767225601500 };
 * console.assert(result.count === 5);
 * ```
 */
export interface CountResult {
  /** The key of the items. */
  readonly key: string;
  /** How many items there were; the threshold, if there is one. */
  readonly count: number;
  /** The first moment of the window or, with a threshold, the time of the first item that counts; in milliseconds since 1970. */
  readonly start: number;
  /** The first moment after the window or, with a threshold, the time of the last item that counts; in milliseconds since 1970. */
  readonly end: number;
}

/**
 * Options of {@linkcode CountByStream}.
 *
 * @typeParam T The type of the items.
 *
 * @example Five in ten seconds
 * ```ts
 * import type { CountByStreamOptions } from "@falco-streams/core/streams";
 *
 * const options: CountByStreamOptions<string> = { windowMs: 10_000, threshold: 5 };
 * console.assert(options.threshold === 5);
 * ```
 */
export interface CountByStreamOptions<T> {
  /**
   * The time that items are counted in, in milliseconds. Above 0.
   *
   * @default {60_000}
   */
  windowMs?: number;
  /**
   * Hands on a count only, and as soon as, so many items of a key came within `windowMs`. A whole number
   * from 1.
   *
   * @default No threshold: a count for each key and window, at the end of the window.
   */
  threshold?: number;
  /**
   * Tells the item's own time, in milliseconds since 1970. What it throws fails the stream.
   *
   * @default The time at which the item arrives, by `clock`.
   */
  timestamp?: (item: T) => number;
  /**
   * How much later than it should an item may come, in milliseconds of the items' own time. 0 or more.
   * Only with `timestamp`.
   *
   * @default {0} Right for a single Falco, whose alerts come in order.
   */
  latenessMs?: number;
  /**
   * How many counts may be under way at a time. A whole number from 1.
   *
   * @default {10_000} Keys hold what watched processes chose, so there has to be a limit.
   */
  maxKeys?: number;
  /** Called with each item that comes too late to be counted. What it throws fails the stream. */
  onLate?: (item: T) => void;
  /**
   * Called with each key whose count is given up because the table is full; only with `threshold`. What
   * it throws fails the stream.
   */
  onForget?: (key: string) => void;
  /**
   * What tells the time of arrival.
   *
   * @default {systemClock}
   */
  clock?: Clock;
}

/**
 * Counts items by a key: how many there are in each window of time, or when there are too many.
 *
 * Without a threshold it is a `TumblingWindowStream` that counts. Windows begin at multiples of
 * `windowMs` since 1970, and each key has a count at the end of each window in which it occurred. When
 * the table is full, the window that was opened longest ago comes out early, and again with the rest.
 * At the end of the stream the open windows come out.
 *
 * With a threshold it watches any span of `windowMs`, wherever it begins: as soon as `threshold` items of
 * a key are less than `windowMs` apart, a count comes out, and these items count no more. Nothing comes
 * out otherwise, at the end neither, and no timer is set.
 *
 * - Of each key it then remembers the times of fewer than `threshold` items for each span of `windowMs`.
 * - An item that is `windowMs` and `latenessMs` older than the newest of its key is late.
 * - The table of keys is bounded. When it is full, the key that was seen longest ago is forgotten, with
 *   its count: {@linkcode CountByStream.forgotten} counts these keys. Many keys made on purpose can hide
 *   a slow one, so watch that number.
 * - If the clock is set back, keys are counted anew.
 *
 * {@linkcode CountByStream.late} counts late items. If the stream fails or is cancelled, counts under way
 * are lost with it, and timers are taken back.
 *
 * @typeParam T The type of the items.
 *
 * @example Three alerts of a rule within a second
 * ```ts
 * import { CountByStream, EventStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const alerts = [0, 400, 700, 5000].map((at) => ({ rule: "Read sensitive file untrusted", at }));
 * const bursts = EventStream.from(alerts).pipeThrough(
 *   new CountByStream((alert) => alert.rule, {
 *     windowMs: 1000,
 *     threshold: 3,
 *     timestamp: (alert) => alert.at,
 *   }),
 * );
 * assert.deepEqual(await Array.fromAsync(bursts), [
 *   { key: "Read sensitive file untrusted", count: 3, start: 0, end: 700 },
 * ]);
 * ```
 */
export class CountByStream<T> extends OperatorStream<T, CountResult> {
  readonly #counter: { late: number; forgotten: number };

  /**
   * Creates the operator.
   *
   * @param key Makes the key of an item. What it throws fails the stream.
   * @param options See {@linkcode CountByStreamOptions}.
   *
   * @throws {RangeError} when `windowMs`, `threshold`, `latenessMs` or `maxKeys` is out of range.
   * @throws {TypeError} when an option that has to be a function is none, or there is a `latenessMs`
   * without `timestamp`. The stream fails with it when `key` returns anything but a string, or
   * `timestamp` anything but a finite number.
   */
  constructor(key: (item: T) => string, options: CountByStreamOptions<T> = {}) {
    const { windowMs = 60_000, threshold, timestamp, latenessMs, maxKeys = 10_000 } = options;
    const { onLate, onForget, clock = systemClock } = options;
    const action = "create CountByStream";
    requireFunction(action, "key", key);
    requireDuration(action, "windowMs", windowMs);
    if (threshold !== undefined) requireWhole(action, "threshold", threshold, 1);
    if (timestamp !== undefined) requireFunction(action, "timestamp", timestamp);
    if (onLate !== undefined) requireFunction(action, "onLate", onLate);
    if (onForget !== undefined) requireFunction(action, "onForget", onForget);
    requireLateness(action, latenessMs, timestamp);
    requireWhole(action, "maxKeys", maxKeys, 1);
    const counter = { late: 0, forgotten: 0 };
    const rules: CountRules<T> = {
      key,
      windowMs,
      timestamp,
      latenessMs: latenessMs ?? 0,
      maxKeys,
      clock,
      late(item) {
        counter.late++;
        onLate?.(item);
      },
      forget(name) {
        counter.forgotten++;
        onForget?.(name);
      },
    };
    super(threshold === undefined ? windowStages(rules) : [thresholdStage(rules, threshold)]);
    this.#counter = counter;
  }

  /** How many items came too late to be counted. */
  get late(): number {
    return this.#counter.late;
  }

  /** How many counts under way were given up because the table was full; only with a threshold. */
  get forgotten(): number {
    return this.#counter.forgotten;
  }
}

interface CountRules<T> {
  readonly key: (item: T) => string;
  readonly windowMs: number;
  readonly timestamp: ((item: T) => number) | undefined;
  readonly latenessMs: number;
  readonly maxKeys: number;
  readonly clock: Clock;
  readonly late: (item: T) => void;
  readonly forget: (key: string) => void;
}

function windowStages<T>(rules: CountRules<T>): AnyStageFactory[] {
  const windowRules = {
    ...rules,
    durationMs: rules.windowMs,
    maxWindows: rules.maxKeys,
    aggregate: { initial: () => 0, add: (count: number) => count + 1 },
  };
  return [
    (down, context) => new WindowStage<T, number>(new LaterOutput(down, context), windowRules),
    (down) => ({
      push: ({ key, value, start, end }: WindowResult<number>) =>
        down.push({ key, count: value, start, end }),
      end: () => down.end(),
    }),
  ];
}

function thresholdStage<T>(rules: CountRules<T>, threshold: number): AnyStageFactory {
  const { key, windowMs, timestamp, latenessMs, maxKeys, clock, late, forget } = rules;
  return (down: Stage<CountResult>): Stage<T> => {
    // The times of each key in order; the key that was seen longest ago comes first.
    const table = new Map<string, number[]>();
    return {
      push(item) {
        const name = keyOf(key, item);
        const time = timestamp === undefined ? clock.now() : ownTime(timestamp(item));
        let times = table.get(name) ?? [];
        const newest = times.at(-1) ?? -Infinity;
        // By arrival no item can be late: the clock was set back.
        if (timestamp === undefined && time < newest) times = [];
        else if (time <= newest - windowMs - latenessMs) return late(item);
        const oldest = Math.max(time, times.at(-1) ?? time) - windowMs - latenessMs;
        const kept = times.findIndex((one) => one > oldest);
        times.splice(0, kept < 0 ? times.length : kept);
        const place = times.findLastIndex((one) => one <= time) + 1;
        times.splice(place, 0, time);

        const from = firstOf(times, place, threshold, windowMs);
        table.delete(name);
        const counted = from === undefined ? undefined : times.splice(from, threshold);
        if (times.length > 0) {
          if (table.size >= maxKeys) {
            const oldestKey = table.keys().next().value!;
            table.delete(oldestKey);
            forget(oldestKey);
          }
          table.set(name, times);
        }
        if (counted === undefined) return;
        return down.push({
          key: name,
          count: threshold,
          start: counted[0]!,
          end: counted.at(-1)!,
        });
      },
      end: () => down.end(),
      cancel: () => table.clear(),
    };
  };
}

/** Where `count` times begin that are within `windowMs`, the one at `place` among them. */
function firstOf(
  times: readonly number[],
  place: number,
  count: number,
  windowMs: number,
): number | undefined {
  const last = Math.min(place, times.length - count);
  for (let from = Math.max(0, place - count + 1); from <= last; from++) {
    if (times[from + count - 1]! - times[from]! < windowMs) return from;
  }
}
