/** Keeps some items and drops the others. @module */
import { OperatorStream } from "./engine/operator_stream.ts";

/**
 * Lets through the items that a predicate accepts, in their order.
 *
 * What it drops was asked to be dropped, so it is not counted.
 *
 * @typeParam T The type of the items that go in.
 * @typeParam U The type of the items that come out; narrower than `T` if the predicate is a type guard.
 *
 * @example Alerts that are at least a warning
 * ```ts
 * import { EventStream, FilterStream } from "@falco-streams/core/streams";
 * import { isAtLeast } from "@falco-streams/core";
 * import type { Alert } from "@falco-streams/core";
 * import { buildAlert } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const alerts = EventStream.from<Alert>([
 *   buildAlert({ priority: "debug" }),
 *   buildAlert({ priority: "critical" }),
 * ]);
 * const urgent = alerts.pipeThrough(new FilterStream((alert) => isAtLeast(alert.priority, "warning")));
 * const priorities = (await Array.fromAsync(urgent)).map((alert) => alert.priority);
 * assert.deepEqual(priorities, ["critical"]);
 * ```
 *
 * @example A type guard narrows the stream
 * ```ts
 * import { EventStream, FilterStream } from "@falco-streams/core/streams";
 * import assert from "node:assert/strict";
 *
 * const isText = (value: unknown): value is string => typeof value === "string";
 * const texts: ReadableStream<string> = EventStream.from<unknown>(["a", 1, "b"])
 *   .pipeThrough(new FilterStream(isText));
 * assert.deepEqual(await Array.fromAsync(texts), ["a", "b"]);
 * ```
 */
export class FilterStream<T, U extends T = T> extends OperatorStream<T, U> {
  // A condition in Falco's filter language will be a third way to say which items to keep.

  /**
   * Creates the operator with a type guard.
   *
   * @param predicate Says whether to keep an item; TypeScript then knows the items by their narrower
   * type. Called once for each, in order. What it throws fails the stream.
   *
   * @throws {TypeError} when `predicate` is not a function.
   */
  constructor(predicate: (item: T) => item is U);
  /**
   * Creates the operator.
   *
   * @param predicate Says whether to keep an item. Called once for each, in order. What it throws
   * fails the stream.
   *
   * @throws {TypeError} when `predicate` is not a function.
   */
  constructor(predicate: (item: T) => boolean);
  constructor(predicate: (item: T) => boolean) {
    if (typeof predicate !== "function") {
      throw new TypeError(
        `Cannot create FilterStream: "predicate" must be a function: current value is "${predicate}"`,
      );
    }
    super((down) => ({
      push(item: T) {
        if (predicate(item)) return down.push(item as U);
      },
      end: () => down.end(),
    }));
  }
}
