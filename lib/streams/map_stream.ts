/** Makes something else of each item. @module */
import { mapStage } from "./engine/item_step.ts";
import { OperatorStream } from "./engine/operator_stream.ts";

/**
 * Hands on what a function makes of each item, one for one and in their order.
 *
 * The function is not waited for: what it returns goes out as it is, a promise too.
 *
 * @typeParam I The type of the items that go in.
 * @typeParam O The type of the items that come out.
 *
 * @example
 * ```ts
 * import { EventStream, MapStream } from "@falco-streams/core/streams";
 * import type { Alert } from "@falco-streams/core";
 * import { buildAlert } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const alerts = EventStream.from<Alert>([buildAlert({ rule: "Terminal shell in container" })]);
 * const rules = alerts.pipeThrough(new MapStream((alert) => alert.rule));
 * assert.deepEqual(await Array.fromAsync(rules), ["Terminal shell in container"]);
 * ```
 */
export class MapStream<I, O> extends OperatorStream<I, O> {
  /**
   * Creates the operator.
   *
   * @param fn Makes what goes out of an item. Called once for each, in order. What it throws fails
   * the stream.
   *
   * @throws {TypeError} when `fn` is not a function.
   */
  constructor(fn: (item: I) => O) {
    if (typeof fn !== "function") {
      throw new TypeError(
        `Cannot create MapStream: "fn" must be a function: current value is "${fn}"`,
      );
    }
    super(mapStage(fn));
  }
}
