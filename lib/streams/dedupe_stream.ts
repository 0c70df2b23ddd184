/** Drops items that were there a moment ago. @module */
import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";
import type { Stage } from "./engine/stage.ts";
import { requireFunction } from "./require_option.ts";
import { OperatorStream } from "./engine/operator_stream.ts";

/**
 * Options of {@linkcode DedupeStream}.
 *
 * @typeParam T The type of the items.
 *
 * @example
 * ```ts
 * import type { DedupeStreamOptions } from "@falco-streams/core/streams";
 *
 * const options: DedupeStreamOptions<string> = { windowMs: 5000, onDuplicate: () => {} };
 * console.assert(options.windowMs === 5000);
 * ```
 */
export interface DedupeStreamOptions<T> {
  /**
   * For how long a key drops its duplicates, in milliseconds from the item that was kept. Above 0;
   * `Infinity` for as long as the table holds the key.
   *
   * @default {60_000} A noisy rule then shows up once a minute.
   */
  windowMs?: number;
  /**
   * How many keys are remembered. A whole number from 1.
   *
   * @default {10_000} Some megabytes with keys of a line of text. Keys hold what watched processes
   * chose, so a table without a limit could be filled on purpose.
   */
  maxKeys?: number;
  /**
   * Called with each item that is dropped. What it throws fails the stream.
   */
  onDuplicate?: (item: T) => void;
  /**
   * What tells the time.
   *
   * @default {systemClock}
   */
  clock?: Clock;
}

/**
 * Lets an item through and drops the items of the same key that come within a window after it.
 *
 * - The window is fixed: it counts from the item that was kept. Duplicates do not prolong it, so a
 *   key that never rests is let through once every `windowMs`.
 * - The table of keys is bounded. When it is full, the key that was seen longest ago is forgotten, kept
 *   or dropped alike. The next item of a forgotten key is let through: a full table lets duplicates
 *   through and never drops anything else.
 * - If the clock is set back, keys kept in what is now the future count as new, for the same reason.
 * - {@linkcode DedupeStream.dropped} counts what was dropped.
 *
 * It sets no timers.
 *
 * @typeParam T The type of the items.
 *
 * @example
 * ```ts
 * import { DedupeStream, EventStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const dedupe = new DedupeStream<string>((text) => text.toLowerCase());
 * const stream = EventStream.from(["a", "A", "b", "a"]).pipeThrough(dedupe);
 * assert.deepEqual(await Array.fromAsync(stream), ["a", "b"]);
 * assert.equal(dedupe.dropped, 2);
 * ```
 */
export class DedupeStream<T> extends OperatorStream<T, T> {
  readonly #counter: { dropped: number };

  /**
   * Creates the operator, with an empty table.
   *
   * @param key Makes the key of an item; equal keys are duplicates. What it throws fails the stream.
   * @param options See {@linkcode DedupeStreamOptions}.
   *
   * @throws {TypeError} when `key` or `onDuplicate` is not a function. The stream fails with it when `key` returns
   * anything but a string.
   * @throws {RangeError} when `windowMs` or `maxKeys` is out of range.
   */
  constructor(key: (item: T) => string, options: DedupeStreamOptions<T> = {}) {
    const { windowMs = 60_000, maxKeys = 10_000, onDuplicate, clock = systemClock } = options;
    if (typeof key !== "function") {
      throw new TypeError(
        `Cannot create DedupeStream: "key" must be a function: current value is "${key}"`,
      );
    }
    if (!(windowMs > 0)) {
      throw new RangeError(
        `Cannot create DedupeStream: "windowMs" must be above 0: current value is "${windowMs}"`,
      );
    }
    if (!Number.isInteger(maxKeys) || maxKeys < 1) {
      throw new RangeError(
        `Cannot create DedupeStream: "maxKeys" must be a whole number from 1: current value is "${maxKeys}"`,
      );
    }
    if (onDuplicate !== undefined) {
      requireFunction("create DedupeStream", "onDuplicate", onDuplicate);
    }
    const counter = { dropped: 0 };
    super((down): Stage<T> => {
      // When each key was kept; the key seen longest ago comes first, since a Map keeps its order.
      const keptAt = new Map<string, number>();
      return {
        push(item) {
          const name = key(item);
          if (typeof name !== "string") {
            throw new TypeError(
              `Cannot dedupe an item: its key is "${name}". Return a string for every item`,
            );
          }
          const now = clock.now();
          const kept = keptAt.get(name);
          keptAt.delete(name);
          if (kept !== undefined && now >= kept && now - kept < windowMs) {
            keptAt.set(name, kept);
            counter.dropped++;
            onDuplicate?.(item);
            return;
          }
          if (keptAt.size >= maxKeys) keptAt.delete(keptAt.keys().next().value!);
          keptAt.set(name, now);
          return down.push(item);
        },
        end: () => down.end(),
        cancel: () => keptAt.clear(),
      };
    });
    this.#counter = counter;
  }

  /** How many items were dropped so far. */
  get dropped(): number {
    return this.#counter.dropped;
  }
}
