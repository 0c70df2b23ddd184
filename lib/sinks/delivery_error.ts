/** Why a delivery failed. @module */
import { FalcoError } from "../errors.ts";

/**
 * A delivery failed: the receiver could not be reached, was not ready, or refused.
 *
 * @example
 * ```ts
 * import { DeliveryError } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * const error = new DeliveryError("Cannot deliver: it answered 503", { mayPass: true });
 * assert(error.mayPass);
 * ```
 */
export class DeliveryError extends FalcoError {
  /** The name of the class, as shown in stack traces. */
  override name: string = "DeliveryError";
  /** Another attempt may succeed. */
  readonly mayPass: boolean;
  /** When the receiver wants to be asked again, in milliseconds from now; undefined if it did not say. */
  readonly retryAfterMs: number | undefined;

  /**
   * Makes the error.
   *
   * @param message What cannot be done, the state, and the remedy.
   * @param details Whether and when to try again, and the error below.
   */
  constructor(
    message: string,
    details: { mayPass: boolean; retryAfterMs?: number | undefined; cause?: unknown },
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.mayPass = details.mayPass;
    this.retryAfterMs = details.retryAfterMs;
  }
}
