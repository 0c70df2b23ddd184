/** Operators that have to see what is asked for, and not only what comes. @module */
import type { BatchSource } from "./batch_source.ts";
import type { FusedOutlet } from "./fused_source.ts";
import type { AnyStageFactory } from "./stage.ts";

/** What a link makes of the source above it. */
export interface LinkedSource<O> extends BatchSource<O> {
  /**
   * The input has failed out of turn: a signal was aborted. It is cancelled already. Every pull from
   * now on fails with the reason, the one that waits too; what is held may come before.
   *
   * @param reason Why.
   */
  interrupt(reason: unknown): void;
}

/**
 * Makes a source of a source, once for each time the operator is used.
 *
 * A stage is called when there is an item. A link is called when somebody wants one, and it asks for
 * items when it likes. So what is above it and what is below are two chains, with a hand-over a
 * micro-batch between them.
 *
 * @param input What comes in. After `null`, an error, `cancel` or an interruption it is over.
 * @param outlet What comes out; for a link that holds nothing, to pass on an interruption.
 */
export type Link<I, O> = (input: BatchSource<I>, outlet: FusedOutlet) => LinkedSource<O>;

/** The link in a factory. The name carries a version: another copy of this package may look for it. */
const linkKey: unique symbol = Symbol.for("@falco-streams/core/link.v1");

/** A part of an operator: stages that run as one, or a link. */
// deno-lint-ignore no-explicit-any
export type OperatorPart = readonly AnyStageFactory[] | Link<any, any>;

/**
 * Puts a link among stages.
 *
 * @param link The link.
 * @returns What stands for it in a list of stages. It makes none.
 */
export function linkStage<I, O>(link: Link<I, O>): AnyStageFactory {
  const factory: AnyStageFactory = () => {
    throw new TypeError("Cannot run a link as a stage: it has to run between two chains");
  };
  return Object.assign(factory, { [linkKey]: link });
}

/**
 * Says which of the stages are links.
 *
 * @param factory A stage, or what stands for a link.
 * @returns The link, or undefined.
 */
// deno-lint-ignore no-explicit-any
export function linkOf(factory: AnyStageFactory): Link<any, any> | undefined {
  // deno-lint-ignore no-explicit-any
  return (factory as { [linkKey]?: Link<any, any> })[linkKey];
}

/**
 * Cuts a list of stages at its links.
 *
 * @param factories The stages and links from top to bottom.
 * @returns The parts, at least one.
 */
export function partsOf(factories: readonly AnyStageFactory[]): readonly OperatorPart[] {
  const parts: OperatorPart[] = [];
  let stages: AnyStageFactory[] = [];
  for (const factory of factories) {
    const link = linkOf(factory);
    if (link === undefined) {
      stages.push(factory);
      continue;
    }
    if (stages.length > 0) parts.push(stages);
    parts.push(link);
    stages = [];
  }
  return stages.length > 0 || parts.length === 0 ? [...parts, stages] : parts;
}
