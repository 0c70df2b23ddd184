/** Small harm done to bytes and texts, the same for the same seed. @module */

/** Numbers that depend on a seed alone. */
export class Random {
  #state: number;

  /** @param seed Any whole number. */
  constructor(seed: number) {
    // Neighbouring seeds are to give unlike numbers.
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0;
  }

  /** A whole number from 0 up to, and without, `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 * limit);
  }

  /** One of the items. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

/** Names that have a meaning for objects. */
const hostileNames = ["__proto__", "constructor", "toString", "hasOwnProperty", "then", "0", ""];

/** Bytes that mean trouble to a reader of protobuf or UTF-8. */
const snippets: readonly (readonly number[])[] = [
  [0xff, 0xfe],
  [0xc3],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xef, 0xbb, 0xbf],
  [0xef, 0xbf, 0xbd],
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
  [0x0a, 0x00],
  [0x32, 0x00],
  [0x53, 0x54],
  [0x00],
];

/** A change: takes bytes, gives others. */
type Harm = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

const harms: readonly Harm[] = [
  function flipBit(bytes, random) {
    return overwrite(bytes, random, (old) => old ^ (1 << random.below(8)));
  },
  function setByte(bytes, random) {
    return overwrite(bytes, random, () => random.below(256));
  },
  function lieAboutLength(bytes, random) {
    return overwrite(bytes, random, (old) => (old + random.pick([1, -1, 2, 16, 64])) & 0xff);
  },
  function truncate(bytes, random) {
    return bytes.slice(0, random.below(bytes.length + 1));
  },
  function remove(bytes, random) {
    const at = random.below(bytes.length + 1);
    return join(bytes.subarray(0, at), bytes.subarray(at + random.below(16)));
  },
  function repeat(bytes, random) {
    const at = random.below(bytes.length + 1);
    const part = bytes.subarray(at, at + random.below(64));
    return join(bytes.subarray(0, at), part, part, bytes.subarray(at + part.length));
  },
  function splice(bytes, random, other) {
    const from = random.below(other.length + 1);
    const part = other.subarray(from, from + random.below(128));
    return insert(bytes, random, part);
  },
  function append(bytes, _random, other) {
    return join(bytes, other);
  },
  function insertSnippet(bytes, random) {
    return insert(bytes, random, Uint8Array.from(random.pick(snippets)));
  },
  function nest(bytes, random) {
    const depth = random.pick([3, 98, 99, 100, 101, 2000]);
    const [open, close] = [new Uint8Array(depth).fill(0x53), new Uint8Array(depth).fill(0x54)];
    return random.below(2) === 0 ? join(bytes, open, close) : join(bytes, open);
  },
  function nameHostilely(bytes, random) {
    return join(bytes, fieldEntry(random.pick(hostileNames), random.pick(hostileNames)));
  },
];

/**
 * Harms bytes in one to four ways.
 *
 * @param bytes What to begin with; stays as it is.
 * @param random Where the choices come from.
 * @param other Other bytes of the same kind, to take parts of.
 * @returns The harmed bytes.
 */
export function mutate(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  let harmed = bytes;
  for (let left = 1 + random.below(4); left > 0; left--) {
    harmed = random.pick(harms)(harmed, random, other);
  }
  return harmed;
}

/** An entry of `output_fields`. */
export function fieldEntry(name: string, value: string): Uint8Array {
  const part = (number: number, text: string) => {
    const bytes = new TextEncoder().encode(text);
    return Uint8Array.of(number << 3 | 2, bytes.length, ...bytes);
  };
  const entry = join(part(1, name), part(2, value));
  return join(Uint8Array.of(0x32, entry.length), entry);
}

/** One after the other. */
export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function overwrite(bytes: Uint8Array, random: Random, change: (old: number) => number): Uint8Array {
  const changed = bytes.slice();
  if (changed.length > 0) {
    const at = random.below(changed.length);
    changed[at] = change(changed[at]!);
  }
  return changed;
}

function insert(bytes: Uint8Array, random: Random, part: Uint8Array): Uint8Array {
  const at = random.below(bytes.length + 1);
  return join(bytes.subarray(0, at), part, bytes.subarray(at));
}
