/** One stream read by several readers. @module */
import { BoundedOutlet } from "./bounded_outlet.ts";
import { EventStream } from "./engine/event_stream.ts";
import type { Overflow } from "./overflow.ts";
import { overflows } from "./overflow.ts";
import { Pump } from "./pump.ts";
import { requireFunction, requireWhole, requireWord } from "./require_option.ts";

/**
 * One of the streams that come out of `broadcastReadableStream` or `routeReadableStream`.
 *
 * @typeParam T The type of the items.
 *
 * @example
 * ```ts
 * import { broadcastReadableStream, EventStream } from "@falco-streams/core/streams";
 * import type { BranchStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const branches: BranchStream<number>[] = broadcastReadableStream(EventStream.from([1]), 1);
 * assert.deepEqual(await Array.fromAsync(branches[0]!), [1]);
 * assert.equal(branches[0]!.dropped, 0);
 * ```
 */
export interface BranchStream<T> extends EventStream<T> {
  /** How many items were dropped so far because its reader was too slow. */
  readonly dropped: number;
}

/** What happens in front of a slow branch. */
export interface FanOutOptions<T> {
  /** How many items may wait in each branch. */
  readonly capacity: number;
  /** What happens to one more. */
  readonly overflow: Overflow;
  /** Called with each item that is dropped, and the branch. */
  readonly onDrop: ((item: T, branch: number) => void) | undefined;
}

/**
 * Reads a stream whenever a branch waits for an item, and gives each item to some branches.
 *
 * @param stream The stream; locked from now on.
 * @param count How many branches.
 * @param select Which branches get an item. What it throws fails all of them.
 * @param options See {@linkcode FanOutOptions}.
 * @returns The branches.
 */
export function fanOut<T>(
  stream: ReadableStream<T>,
  count: number,
  select: (item: T) => Iterable<number>,
  options: FanOutOptions<T>,
): BranchStream<T>[] {
  const { capacity, overflow, onDrop } = options;
  const reasons: unknown[] = new Array(count).fill(undefined);
  const outlets: BoundedOutlet<T>[] = reasons.map((_, branch) =>
    new BoundedOutlet<T>({
      capacity,
      overflow,
      onDrop: onDrop && ((item) => onDrop(item, branch)),
      onPull: () => pump.wake(),
      onLeave(reason) {
        reasons[branch] = reason;
        if (outlets.every((outlet) => !outlet.isOpen)) return pump.cancel(reasons);
        // The others may have waited for it.
        pump.wake();
      },
    })
  );
  const pump: Pump<T> = new Pump(stream, {
    // Only if a branch waits, with a policy that drops, too: a source that never has to wait would
    // otherwise fill all branches and drop nearly everything before a reader has its turn.
    wantsMore: () =>
      outlets.some((outlet) => outlet.isAwaited) && !outlets.some((outlet) => outlet.isBlocked),
    // Readers of the same speed do not have their turns at the same time.
    needsTurn: () => outlets.some((outlet) => outlet.takeTurn()),
    take(item) {
      for (const branch of select(item)) outlets[branch]!.offer(item);
    },
    end() {
      for (const outlet of outlets) outlet.end();
    },
    fail(error) {
      for (const outlet of outlets) outlet.fail(error);
    },
  });
  return outlets.map((outlet) => new Branch(outlet));
}

/**
 * Refuses options that make no sense.
 *
 * @param action What cannot be done with them.
 * @param options See {@linkcode FanOutOptions}.
 *
 * @throws {RangeError} when `capacity` is not a whole number from 1.
 * @throws {TypeError} when `overflow` or `onDrop` is of the wrong kind.
 */
export function requireFanOutOptions(
  action: string,
  options: { readonly [N in keyof FanOutOptions<unknown>]: unknown },
): void {
  const { capacity, overflow, onDrop } = options;
  requireWhole(action, "capacity", capacity, 1);
  requireWord(action, "overflow", overflow, overflows);
  if (onDrop !== undefined) requireFunction(action, "onDrop", onDrop);
}

class Branch<T> extends EventStream<T> implements BranchStream<T> {
  readonly #outlet: BoundedOutlet<T>;

  constructor(outlet: BoundedOutlet<T>) {
    super(outlet);
    this.#outlet = outlet;
  }

  get dropped(): number {
    return this.#outlet.dropped;
  }
}
