/** The order of text in C++ and Go. @module */

/**
 * Orders text by its UTF-8 bytes, as C++ and Go do. JavaScript's own order is another where
 * surrogates are, and only there.
 *
 * @param a One text.
 * @param b The other.
 * @returns Below 0 if `a` comes first, above 0 if `b` does, 0 if they are the same.
 */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const x = a.charCodeAt(index);
    const y = b.charCodeAt(index);
    if (x === y) continue;
    const xIsPair = x >= 0xd800 && x < 0xe000;
    const yIsPair = y >= 0xd800 && y < 0xe000;
    if (xIsPair !== yIsPair) return xIsPair ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}
