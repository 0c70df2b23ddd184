/** Numbers as Falco reads them for a field that counts. @module */

const LIMIT = 1n << 64n;

/**
 * Reads a number for an unsigned field of 64 bits: a negative one wraps round, one that is too big
 * becomes the greatest.
 *
 * @param text The number: decimal, perhaps with blanks and a sign in front.
 * @returns The number as Falco prints it; undefined if it is none.
 */
export function readUnsigned(text: string): string | undefined {
  const match = /^[ \t\n\v\f\r]*([+-]?)0*([0-9]+)$/.exec(text);
  if (match === null) return undefined;
  const digits = match[2]!;
  if (digits.length > 20) return String(LIMIT - 1n);
  const value = BigInt(digits);
  if (value >= LIMIT) return String(LIMIT - 1n);
  return String(match[1] === "-" ? BigInt.asUintN(64, -value) : value);
}
