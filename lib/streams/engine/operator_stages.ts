/** The hidden side of operators. @module */

/**
 * Takes the stages out of an operator, for `compose` and for the runner of whole chains. The name
 * carries a version, since two copies of this package can meet in one program.
 */
export const operatorStages: unique symbol = Symbol.for("@falco-streams/core/operator.v1");

/** The two streams of an operator in use, whoever runs its stages. */
export interface OperatorSides<I, O> {
  /** What the stages put out. */
  readonly readable: ReadableStream<O>;
  /** What goes into the stages. */
  readonly writable: WritableStream<I>;
  /** True if the readable has ended, or will once its last items are read. */
  readonly finished: boolean;
}
