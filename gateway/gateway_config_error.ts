/** A configuration that will not do. @module */
import { FalcoError } from "../lib/errors.ts";

/**
 * The configuration of a gateway has a mistake.
 *
 * @example
 * ```ts
 * import { GatewayConfigError, parseGatewayConfig } from "@falco-streams/core/gateway";
 * import assert from "node:assert/strict";
 *
 * assert.throws(
 *   () => parseGatewayConfig("version: 1\nsorces: []\n"),
 *   (error) => error instanceof GatewayConfigError && error.line === 2 && error.column === 1,
 * );
 * ```
 */
export class GatewayConfigError extends FalcoError {
  /** The name of the class, as shown in stack traces. */
  override name: string = "GatewayConfigError";
  /** The line in the file, from 1; undefined if there is no file. */
  readonly line: number | undefined;
  /** The column in UTF-16 units, from 1; undefined if there is no file. */
  readonly column: number | undefined;

  /**
   * Makes the error.
   *
   * @param message What is wrong, without the place in the file.
   * @param place Where it is wrong, if there is a file, and the error below, if there is one.
   */
  constructor(message: string, place: { line?: number; column?: number; cause?: unknown } = {}) {
    super(message, place.cause === undefined ? undefined : { cause: place.cause });
    this.line = place.line;
    this.column = place.column;
  }
}
