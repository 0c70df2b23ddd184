/** How large an item is, roughly. @module */

/**
 * Estimates the length of a value as JSON in UTF-8, without writing it.
 *
 * For plain data (what JSON can hold, and `bigint`) it is never below the real length, and above it
 * only where a string holds characters beyond U+FFFF or control characters: those count as much as
 * their longest escape. A byte array counts its bytes; `undefined`, functions and symbols count 4; any
 * other object counts as its own enumerable properties.
 *
 * @param value The value; it may be cyclic if there is a limit.
 * @param limit Where to stop counting, since more makes no difference.
 * @returns The estimate in bytes; above `limit` it is only known to be above.
 */
export function estimateBytes(value: unknown, limit: number = Infinity): number {
  let bytes = 0;
  // A list of what is left to count instead of recursion: the nesting is chosen by strangers.
  const rest: unknown[] = [value];
  while (rest.length > 0 && bytes <= limit) {
    const item = rest.pop();
    if (typeof item === "string") {
      bytes += stringBytes(item);
    } else if (typeof item === "number" || typeof item === "bigint") {
      bytes += Number.isNaN(item) ? 4 : String(item).length;
    } else if (typeof item !== "object" || item === null) {
      bytes += item === false ? 5 : 4;
    } else if (item instanceof Uint8Array) {
      bytes += item.byteLength;
    } else if (Array.isArray(item)) {
      bytes += 2 + item.length;
      for (const element of item) rest.push(element);
    } else {
      bytes += 2;
      for (const [key, element] of Object.entries(item)) {
        bytes += stringBytes(key) + 2;
        rest.push(element);
      }
    }
  }
  return bytes;
}

function stringBytes(text: string): number {
  let bytes = text.length + 2;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || (code >= 0xd800 && code < 0xe000)) bytes += 5;
    else if (code === 0x22 || code === 0x5c) bytes += 1;
    else if (code >= 0x800) bytes += 2;
    else if (code >= 0x80) bytes += 1;
  }
  return bytes;
}
