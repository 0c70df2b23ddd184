/** Bytes to lines that know where they stood. @module */

/** A line, without its line break. */
export interface ByteLine {
  /** The bytes; empty if the line is too long. Valid until the next `push`. */
  readonly bytes: Uint8Array;
  /** Where it begins, in bytes from the beginning of the file or stream. */
  readonly start: number;
  /** Where the next line begins. */
  readonly end: number;
  /** Its length is over the limit, and its bytes are gone. */
  readonly tooLong: boolean;
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const NO_BYTES = new Uint8Array();

/**
 * Cuts bytes into lines at `\n` or `\r\n`, and nowhere else, and counts bytes, so that reading can go
 * on at the end of any line later.
 *
 * A line that never ends holds `maxLineBytes` of memory and no more: the rest of it is skipped.
 */
export class LineSplitter {
  readonly #max: number;
  #parts: Uint8Array[] = [];
  #held = 0;
  #skipping = false;
  /** Where the line that is not complete begins. */
  #start: number;
  /** Where the next byte stands. */
  #at: number;

  /**
   * @param maxLineBytes How long a line may be.
   * @param offset Where the first byte stands.
   */
  constructor(maxLineBytes: number, offset = 0) {
    this.#max = maxLineBytes;
    this.#start = this.#at = offset;
  }

  /**
   * Takes bytes.
   *
   * @param chunk The next bytes, split anywhere.
   * @param onLine Called with each line that they complete.
   */
  push(chunk: Uint8Array, onLine: (line: ByteLine) => void): void {
    let from = 0;
    for (;;) {
      const newline = chunk.indexOf(NEWLINE, from);
      if (newline < 0) break;
      const rest = chunk.subarray(from, newline);
      this.#complete(rest, this.#at + (newline - from) + 1, onLine);
      from = newline + 1;
    }
    const rest = chunk.subarray(from);
    this.#at += rest.length;
    if (rest.length === 0 || this.#skipping) return;
    this.#parts.push(rest.slice()); // the caller may use its buffer again
    this.#held += rest.length;
    if (this.#held > this.#max) this.#skip();
  }

  /**
   * Ends the input: what has no line break yet is the last line.
   *
   * @param onLine Called with it, if there is one.
   */
  end(onLine: (line: ByteLine) => void): void {
    if (this.#at > this.#start) this.#complete(NO_BYTES, this.#at, onLine);
  }

  #complete(rest: Uint8Array, end: number, onLine: (line: ByteLine) => void): void {
    const start = this.#start;
    if (!this.#skipping && this.#held + rest.length > this.#max) this.#skip();
    const tooLong = this.#skipping;
    const bytes = tooLong ? NO_BYTES : this.#join(rest);
    this.#parts = [];
    this.#held = 0;
    this.#skipping = false;
    this.#start = this.#at = end;
    onLine({ bytes: withoutMark(withoutReturn(bytes), start), start, end, tooLong });
  }

  #join(rest: Uint8Array): Uint8Array {
    if (this.#parts.length === 0) return rest;
    const joined = new Uint8Array(this.#held + rest.length);
    let at = 0;
    for (const part of [...this.#parts, rest]) {
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  }

  #skip(): void {
    this.#parts = [];
    this.#held = 0;
    this.#skipping = true;
  }
}

function withoutReturn(bytes: Uint8Array): Uint8Array {
  return bytes.at(-1) === RETURN ? bytes.subarray(0, -1) : bytes;
}

/** Windows editors put a byte order mark at the beginning of a file. */
function withoutMark(bytes: Uint8Array, start: number): Uint8Array {
  const isMark = start === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return isMark ? bytes.subarray(3) : bytes;
}
