/** Random numbers that are the same every time. @module */

/**
 * Makes a generator of random numbers: the same ones for the same seed, on every runtime.
 *
 * @param seed A whole number; of its bits the lowest 32 count.
 * @returns A function that draws the next number, from 0 up to but not including 1. Not for secrets.
 */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    // A counter with an odd step, and its bits mixed well enough for jitter and for picking.
    state = (state + 0x9e3779b9) | 0;
    let bits = state;
    bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad);
    bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
    return ((bits ^ (bits >>> 15)) >>> 0) / 2 ** 32;
  };
}
