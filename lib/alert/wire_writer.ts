/** Protobuf's bytes, written. @module */

/** Room for nearly every alert. */
const START_BYTES = 4096;

/** A buffer that has grown beyond this, for one huge alert, is not kept. */
const MAX_KEPT_BYTES = 1024 * 1024;

/** Texts up to this length are copied here, if they are ASCII: asking the platform takes longer. */
const MAX_SHORT = 160;

const encoder = new TextEncoder();

/**
 * Writes the fields of a message one after the other into a buffer that serves all messages in turn.
 *
 * The writer of protobuf-es keeps a list of pieces for each nested message and asks the platform for
 * every text; with two dozen short ones in an alert that is most of what sending it costs.
 */
export class WireWriter {
  #bytes = new Uint8Array(START_BYTES);
  #at = 0;

  /** Begins a message; what an error has left behind is forgotten. */
  begin(): void {
    this.#at = 0;
  }

  /**
   * Hands out what has been written.
   *
   * @returns The message.
   */
  finish(): Uint8Array<ArrayBuffer> {
    const message = this.#bytes.slice(0, this.#at);
    if (this.#bytes.length > MAX_KEPT_BYTES) this.#bytes = new Uint8Array(START_BYTES);
    return message;
  }

  /**
   * Writes a number.
   *
   * @param field The number of the field, below 16.
   * @param value A whole number; negative ones take ten bytes, as protobuf has it.
   */
  integer(field: number, value: number): void {
    this.#reserve(11);
    this.#bytes[this.#at++] = field << 3;
    if (value >= 0) return this.#varint(value);
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 127n; rest >>= 7n) this.#bytes[this.#at++] = Number(rest & 127n) | 128;
    this.#bytes[this.#at++] = Number(rest);
  }

  /**
   * Writes a text.
   *
   * @param field The number of the field, below 16.
   * @param value The text; surrogates without their other half become U+FFFD.
   */
  text(field: number, value: string): void {
    this.#reserve(6 + value.length * 3);
    this.#text(field, value);
  }

  /**
   * Writes an entry of a map from text to text.
   *
   * @param field The number of the field, below 16.
   * @param key The key.
   * @param value The value.
   */
  entry(field: number, key: string, value: string): void {
    this.#reserve(18 + (key.length + value.length) * 3);
    // As long as it is if all is ASCII; if not, it is moved.
    const { length } = key;
    const guess = 2 + sizeOf(length) + length + sizeOf(value.length) + value.length;
    const start = this.#begin(field, guess);
    this.#text(1, key);
    this.#text(2, value);
    this.#end(start, guess);
  }

  /**
   * Writes a nested message of less than 128 bytes.
   *
   * @param field The number of the field, below 16.
   * @param write Writes its fields.
   */
  short(field: number, write: () => void): void {
    this.#reserve(2);
    const start = this.#begin(field, 0);
    write();
    this.#bytes[start - 1] = this.#at - start;
  }

  #text(field: number, value: string): void {
    const { length } = value;
    const start = this.#begin(field, length);
    const bytes = this.#bytes;
    let at = start;
    let index = 0;
    if (length <= MAX_SHORT) {
      for (; index < length; index++) {
        const code = value.charCodeAt(index);
        if (code > 127) break;
        bytes[at++] = code;
      }
    }
    if (index < length) at = start + encoder.encodeInto(value, bytes.subarray(start)).written;
    this.#at = at;
    this.#end(start, length);
  }

  /** The head of something of that length: where it begins. */
  #begin(field: number, length: number): number {
    this.#bytes[this.#at++] = field << 3 | 2;
    this.#varint(length);
    return this.#at;
  }

  /** Corrects the head of something that has become longer. */
  #end(start: number, guess: number): void {
    const length = this.#at - start;
    if (length === guess) return;
    const moved = sizeOf(length) - sizeOf(guess);
    if (moved > 0) this.#bytes.copyWithin(start + moved, start, this.#at);
    this.#at = start - sizeOf(guess);
    this.#varint(length);
    this.#at += length;
  }

  #varint(value: number): void {
    let rest = value;
    // Not by shifting: that takes 32 bits.
    while (rest > 0x7f_ff_ff_ff) {
      this.#bytes[this.#at++] = rest % 128 | 128;
      rest = Math.floor(rest / 128);
    }
    for (; rest > 127; rest >>>= 7) this.#bytes[this.#at++] = rest & 127 | 128;
    this.#bytes[this.#at++] = rest;
  }

  #reserve(count: number): void {
    const needed = this.#at + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }
}

/** How many bytes a varint takes. */
function sizeOf(value: number): number {
  return value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : value < 268_435_456 ? 4 : 5;
}
