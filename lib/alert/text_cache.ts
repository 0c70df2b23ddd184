/** Texts that come again and again, found by their bytes. @module */

/** Longer ones are not worth comparing. */
const MAX_BYTES = 128;
/** Slots for each text, so that few texts want the same one. */
const SLOTS_A_TEXT = 4;

/** A text that was read. */
export interface CachedText {
  /** The text. */
  readonly text: string;
  /** A number for it, below {@linkcode TextCache.maxTexts}; -1 if it is not kept. */
  readonly id: number;
}

interface Entry extends CachedText {
  readonly length: number;
  /** The first four bytes, the last four, and those between them. */
  readonly head: number;
  readonly tail: number;
  readonly middle: Int32Array;
}

/**
 * A bounded table of texts by their bytes: a text that is in it costs no new string.
 *
 * When it is full it starts again from nothing. So whoever sends ever new names makes it slow, not
 * large.
 */
export class TextCache {
  /** How many texts are kept; their ids are below this. */
  readonly maxTexts: number;
  readonly #mask: number;
  #slots: (Entry | undefined)[];
  #count = 0;
  #generation = 0;

  /** @param maxTexts How many texts to keep: a power of two, or 0. */
  constructor(maxTexts: number) {
    this.maxTexts = maxTexts;
    this.#mask = Math.max(maxTexts * SLOTS_A_TEXT, 1) - 1;
    this.#slots = emptySlots(this.#mask + 1);
  }

  /** Changes when the ids handed out before are no longer valid. */
  get generation(): number {
    return this.#generation;
  }

  /**
   * Finds a text.
   *
   * @param view The memory, readable up to 4 bytes beyond the text.
   * @param start Where the text begins.
   * @param end Where it ends.
   * @returns The text, or undefined if it is not kept.
   */
  find(view: DataView, start: number, end: number): CachedText | undefined {
    const length = end - start;
    if (length > MAX_BYTES) return undefined;
    const head = headOf(view, start, length);
    const tail = length < 4 ? 0 : view.getInt32(end - 4, true);
    const slots = this.#slots;
    const mask = this.#mask;
    for (let at = hashOf(head, tail, length) & mask;; at = (at + 1) & mask) {
      const entry = slots[at];
      if (entry === undefined) return undefined;
      if (
        entry.head === head && entry.tail === tail && entry.length === length &&
        hasMiddle(entry.middle, view, start + 4)
      ) return entry;
    }
  }

  /**
   * Keeps a text that was not found.
   *
   * @param view As for {@linkcode TextCache.find}.
   * @param start Likewise.
   * @param end Likewise.
   * @param text What the bytes say.
   * @returns The text, kept unless it is long.
   */
  add(view: DataView, start: number, end: number, text: string): CachedText {
    const length = end - start;
    if (length > MAX_BYTES || this.maxTexts === 0) return { text, id: -1 };
    if (this.#count === this.maxTexts) {
      this.#slots = emptySlots(this.#slots.length);
      this.#count = 0;
      this.#generation++;
    }
    const head = headOf(view, start, length);
    const tail = length < 4 ? 0 : view.getInt32(end - 4, true);
    const middle = Int32Array.from(
      { length: Math.max(Math.ceil(length / 4) - 2, 0) },
      (_, index) => view.getInt32(start + 4 + index * 4, true),
    );
    const entry: Entry = { text: detach(text), id: this.#count++, length, head, tail, middle };
    let at = hashOf(head, tail, length) & this.#mask;
    while (this.#slots[at] !== undefined) at = (at + 1) & this.#mask;
    this.#slots[at] = entry;
    return entry;
  }
}

function emptySlots(count: number): undefined[] {
  return new Array<undefined>(count).fill(undefined);
}

/** The first four bytes; all of them if there are fewer. */
function headOf(view: DataView, start: number, length: number): number {
  const word = view.getInt32(start, true);
  return length < 4 ? word & ((1 << (length * 8)) - 1) : word;
}

function hasMiddle(middle: Int32Array, view: DataView, start: number): boolean {
  for (let index = 0; index < middle.length; index++) {
    if (view.getInt32(start + index * 4, true) !== middle[index]) return false;
  }
  return true;
}

function hashOf(head: number, tail: number, length: number): number {
  const hash = Math.imul(head, 0x9e3779b1) ^ Math.imul(tail ^ length, 0x85ebca6b);
  return hash ^ (hash >>> 15);
}

/** A text of its own: one cut out of a message would keep the message alive. */
function detach(text: string): string {
  // A name of a property is a text of its own in every engine.
  return Object.keys({ [text]: 0 })[0]!;
}
