/** What a configuration file is blamed for. @module */
import { FalcoError } from "../../lib/errors.ts";

/**
 * A place in a configuration file.
 *
 * @example
 * ```ts
 * import { parseFalcoConfig } from "@falco-streams/core/harness";
 * import type { ConfigPlace } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const { warnings } = parseFalcoConfig("nonsense: 1\nstdout_output: { enabled: true }\n");
 * const place: ConfigPlace = warnings[0]!;
 * assert.deepEqual([place.file, place.line, place.column], ["falco.yaml", 1, 1]);
 * ```
 */
export interface ConfigPlace {
  /** The file as it was given. */
  readonly file: string;
  /** The line, from 1. */
  readonly line: number;
  /** The column in UTF-16 units, from 1. */
  readonly column: number;
}

/**
 * A `falco.yaml` that Falco refuses to start with: its message begins with the place,
 * `FILE:LINE:COLUMN: `, or with `FILE: ` if the file as a whole is no good.
 *
 * @example
 * ```ts
 * import { FalcoConfigError, parseFalcoConfig } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * try {
 *   parseFalcoConfig("stdout_output:\n  enabled: true\npriority: loud\n");
 *   assert.fail("unreachable");
 * } catch (error) {
 *   assert(error instanceof FalcoConfigError);
 *   assert.match(error.message, /^falco\.yaml:3:11: Unknown priority "loud"/);
 * }
 * ```
 */
export class FalcoConfigError extends FalcoError {
  /** The name of the class, as shown in stack traces. */
  override name: string = "FalcoConfigError";
  /** The file as it was given. */
  readonly file: string;
  /** The line, from 1; undefined if the file as a whole is no good. */
  readonly line: number | undefined;
  /** The column, from 1; undefined likewise. */
  readonly column: number | undefined;
  /** What is wrong, without the place; Falco's own words where it has some. */
  readonly reason: string;

  /**
   * Makes the error.
   *
   * @param place Where it is wrong.
   * @param reason What is wrong.
   * @param cause The error below, if there is one.
   */
  constructor(
    place: { readonly file: string; readonly line?: number; readonly column?: number },
    reason: string,
    cause?: unknown,
  ) {
    const { file, line, column } = place;
    const shown = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
    super(`${shown}: ${reason}`, cause === undefined ? undefined : { cause });
    this.file = file;
    this.line = line;
    this.column = line === undefined ? undefined : column ?? 1;
    this.reason = reason;
  }
}

/**
 * Something in a `falco.yaml` that Falco goes on with, though not as its author meant it.
 *
 * @example
 * ```ts
 * import { parseFalcoConfig } from "@falco-streams/core/harness";
 * import type { FalcoConfigWarning } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const { warnings } = parseFalcoConfig("stdout_output: { enabled: true }\njson_output: maybe\n");
 * const warning: FalcoConfigWarning = warnings[0]!;
 * assert.equal(
 *   warning.message,
 *   'falco.yaml:2:14: "json_output" must be true or false: it is "maybe". Falco takes its default',
 * );
 * ```
 */
export interface FalcoConfigWarning extends ConfigPlace {
  /** The place and what is wrong, for people. */
  readonly message: string;
  /** What Falco's schema validation says of it; undefined if it says nothing. */
  readonly schema?: string;
}
