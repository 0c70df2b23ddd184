/** Every item to the readers it is for. @module */
import { fanOut, requireFanOutOptions } from "./fan_out.ts";
import type { BranchStream } from "./fan_out.ts";
import type { Overflow } from "./overflow.ts";
import { requireFunction } from "./require_option.ts";

/**
 * Options of {@linkcode routeReadableStream}.
 *
 * @typeParam T The type of the items.
 * @typeParam N The names of the streams that come out.
 * @typeParam R The name of the stream for the items that no predicate accepts.
 *
 * @example
 * ```ts
 * import type { RouteReadableStreamOptions } from "@falco-streams/core/streams";
 *
 * const options: RouteReadableStreamOptions<number, "even", "odd"> = { otherwise: "odd" };
 * console.assert(options.otherwise === "odd");
 * ```
 */
export interface RouteReadableStreamOptions<T, N extends string, R extends string> {
  /**
   * The name of one more stream, for the items that no predicate accepts.
   *
   * @default No such stream: these items are dropped as by a filter, and not counted.
   */
  otherwise?: R;
  /**
   * How many items may wait in each stream. A whole number from 1.
   *
   * @default {1024} About a megabyte of alerts.
   */
  capacity?: number;
  /**
   * What happens to a stream that is full when the next item for it comes. With `error` that stream
   * fails, and the others go on.
   *
   * @default {"block"} Nothing is lost, and the slowest stream sets the pace of all.
   */
  overflow?: Overflow;
  /**
   * Called with each item that is dropped, and the name of the stream that lost it. What it throws
   * fails all streams.
   */
  onDrop?: (item: T, name: N | R) => void;
}

/**
 * The streams that {@linkcode routeReadableStream} makes, by name. A type guard narrows its stream.
 *
 * @typeParam T The type of the items.
 * @typeParam P The predicates by name.
 * @typeParam R The name of the stream for the rest.
 *
 * @example
 * ```ts
 * import { EventStream, routeReadableStream } from "@falco-streams/core/streams";
 * import type { RoutedStreams } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const isText = (value: unknown): value is string => typeof value === "string";
 * const streams: RoutedStreams<unknown, { texts: typeof isText }, never> = routeReadableStream(
 *   EventStream.from<unknown>(["a", 1]),
 *   { texts: isText },
 * );
 * const texts: ReadableStream<string> = streams.texts;
 * assert.deepEqual(await Array.fromAsync(texts), ["a"]);
 * ```
 */
export type RoutedStreams<T, P, R extends string> =
  & {
    readonly [K in keyof P]: BranchStream<
      // deno-lint-ignore no-explicit-any
      P[K] extends (item: any) => item is infer U ? U : T
    >;
  }
  & { readonly [K in R]: BranchStream<T> };

/**
 * Divides a stream into several: each item goes to every stream whose predicate accepts it.
 *
 * Each stream has a bounded queue for what it has not read.
 *
 * - The source is asked for an item when one of the streams waits for one. Items for the others fill
 *   their queues meanwhile.
 * - With `block` a stream that is not read holds up the others when it is full: cancel a stream that is
 *   not needed. Items for a cancelled stream are dropped, uncounted: nobody wants them.
 * - All streams get the end, or the error of the source, after the items they hold.
 * - When the last stream is cancelled, so is the source; the reason is a list of the reasons of all
 *   streams, in the order of the names with the one for the rest last.
 *
 * @typeParam T The type of the items.
 * @typeParam P The predicates by name.
 * @typeParam R The name of the stream for the rest.
 * @param stream The source; locked from now on.
 * @param routes The predicates, one or more, by the names of the streams. Each is called once for each
 * item. What one throws fails all streams.
 * @param options See {@linkcode RouteReadableStreamOptions}.
 * @returns The streams by name. Each says in `dropped` how many items it lost.
 *
 * @throws {RangeError} when `capacity` is not a whole number from 1.
 * @throws {TypeError} when `stream` is locked, there are no routes, `otherwise` is the name of one, or a
 * predicate or another option is of the wrong kind.
 *
 * @example Urgent alerts one way, the others another
 * ```ts
 * import { EventStream, routeReadableStream } from "@falco-streams/core/streams";
 * import { isAtLeast } from "@falco-streams/core";
 * import type { Alert } from "@falco-streams/core";
 * import { buildAlert } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const alerts = EventStream.from<Alert>([
 *   buildAlert({ rule: "Terminal shell in container", priority: "notice" }),
 *   buildAlert({ rule: "Drop and execute new binary in container", priority: "critical" }),
 * ]);
 * const { urgent, rest } = routeReadableStream(
 *   alerts,
 *   { urgent: (alert) => isAtLeast(alert.priority, "error") },
 *   { otherwise: "rest" },
 * );
 * const [first, second] = await Promise.all([Array.fromAsync(urgent), Array.fromAsync(rest)]);
 * assert.equal(first[0]?.rule, "Drop and execute new binary in container");
 * assert.equal(second[0]?.rule, "Terminal shell in container");
 * ```
 */
export function routeReadableStream<
  T,
  P extends { readonly [name: string]: (item: T) => boolean },
  R extends string = never,
>(
  stream: ReadableStream<T>,
  routes: P,
  options: RouteReadableStreamOptions<T, keyof P & string, R> = {},
): RoutedStreams<T, P, R> {
  const { otherwise, capacity = 1024, overflow = "block", onDrop } = options;
  const action = "route a stream";
  const names: string[] = Object.keys(routes);
  const predicates = names.map((name) => routes[name]!);
  if (names.length === 0) {
    throw new TypeError(`Cannot ${action}: there are no routes. Give at least one`);
  }
  for (const name of names) requireFunction(action, name, routes[name]);
  if (otherwise !== undefined) {
    if (names.includes(otherwise)) {
      throw new TypeError(
        `Cannot ${action}: "otherwise" is the name of a route too: "${otherwise}"`,
      );
    }
    names.push(otherwise);
  }
  requireFanOutOptions(action, { capacity, overflow, onDrop });

  const rest = otherwise === undefined ? [] : [predicates.length];
  const branches = fanOut(stream, names.length, (item) => {
    const accepting: number[] = [];
    for (let index = 0; index < predicates.length; index++) {
      if (predicates[index]!(item)) accepting.push(index);
    }
    return accepting.length > 0 ? accepting : rest;
  }, {
    capacity,
    overflow,
    onDrop: onDrop && ((item, branch) => onDrop(item, names[branch] as (keyof P & string) | R)),
  });
  const entries = names.map((name, index) => [name, branches[index]!]);
  return Object.fromEntries(entries) as RoutedStreams<T, P, R>;
}
