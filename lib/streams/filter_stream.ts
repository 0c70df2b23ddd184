/** Keeps some items and drops the others. @module */
import type { Alert } from "../alert/alert.ts";
import { compileCondition } from "../condition/compile_condition.ts";
import type { ConditionOptions } from "../condition/compile_condition.ts";
import { filterStage } from "./engine/item_step.ts";
import { OperatorStream } from "./engine/operator_stream.ts";

/**
 * Lets through the items that a predicate accepts, or the alerts that match a condition in Falco's
 * filter language, in their order.
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
 * @example A condition as in Falco's rules
 * ```ts
 * import { EventStream, FilterStream } from "@falco-streams/core/streams";
 * import type { Alert } from "@falco-streams/core";
 * import { buildAlert } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const alerts = EventStream.from<Alert>([
 *   buildAlert({ priority: "critical", outputFields: { "proc.name": "bash" } }),
 *   buildAlert({ priority: "critical", outputFields: { "proc.name": "nginx" } }),
 * ]);
 * const shells = alerts.pipeThrough(
 *   new FilterStream("alert.priority >= warning and proc.name in (sh, bash)"),
 * );
 * assert.equal((await Array.fromAsync(shells)).length, 1);
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
export class FilterStream<T = Alert, U extends T = T> extends OperatorStream<T, U> {
  /** What Falco accepts in the condition though it can only be a mistake, a sentence each; empty for a predicate. */
  readonly warnings: readonly string[];

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
   * Creates the operator. The type of the items stays as it is: only a type guard narrows it.
   *
   * @param predicate Says whether to keep an item. Called once for each, in order. What it throws
   * fails the stream.
   *
   * @throws {TypeError} when `predicate` is not a function.
   */
  constructor(predicate: ((item: T) => boolean) & ([T] extends [U] ? unknown : never));
  /**
   * Creates the operator for alerts, with a condition in Falco's filter language. It is compiled
   * once; any dotted name is an output field, and `alert.rule`, `alert.priority`, `alert.source`,
   * `alert.tags`, `alert.hostname`, `alert.output` and `alert.time` are the alert's own.
   *
   * @param condition The condition.
   * @param options Macros and lists that it may refer to.
   *
   * @throws {ConditionError} when Falco would not accept it; with line, column and a caret.
   */
  constructor(
    condition: string & ([T] extends [Alert & U] ? unknown : never),
    options?: ConditionOptions,
  );
  constructor(test: string | ((item: T) => boolean), options: ConditionOptions = {}) {
    if (typeof test !== "function" && typeof test !== "string") {
      throw new TypeError(
        `Cannot create FilterStream: "predicate" must be a function or a condition: current value is "${test}"`,
      );
    }
    const condition = typeof test === "string" ? compileCondition(test, options) : undefined;
    super(filterStage<T, U>((condition ?? test) as (item: T) => boolean));
    this.warnings = condition?.warnings ?? [];
  }
}
