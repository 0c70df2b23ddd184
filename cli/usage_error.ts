/** Bad arguments and bad input. @module */

/** Ends a command with status 2 and its message as the one line on standard error. */
export class UsageError extends Error {
  /** The name of the class. */
  override name: string = "UsageError";
}
