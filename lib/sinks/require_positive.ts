/** Limits that callers set. @module */

/**
 * Checks options of a sink.
 *
 * @param options By name.
 * @throws {RangeError} If one of them is not above 0.
 */
export function requirePositive(options: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (!(value > 0)) {
      throw new RangeError(`Cannot create the sink: "${name}" must be above 0: it is ${value}`);
    }
  }
}
