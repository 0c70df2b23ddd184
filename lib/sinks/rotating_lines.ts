/** Lines into files of a limited size. @module */
import { Buffer } from "node:buffer";
import type { LineFile } from "./line_file.ts";

/**
 * Adds lines to a file, and goes on in the next one when it is full.
 *
 * Who opens the next file says what becomes of the names: numbered ones, or a row of older ones.
 */
export class RotatingLines {
  /** What an empty file begins with, before its first line and in one write with it. */
  header: Uint8Array = new Uint8Array();
  readonly #maxBytes: number;
  readonly #openNext: (full: LineFile) => Promise<LineFile>;
  #file: LineFile;
  #isClosed = false;

  /**
   * @param file The first file.
   * @param maxBytes How large a file may become. A line that is longer is alone in its file.
   * @param openNext Opens the next one; the full one is closed by then.
   */
  constructor(file: LineFile, maxBytes: number, openNext: (full: LineFile) => Promise<LineFile>) {
    this.#file = file;
    this.#maxBytes = maxBytes;
    this.#openNext = openNext;
  }

  /** The file that is being written. */
  get file(): LineFile {
    return this.#file;
  }

  /**
   * Adds as many of the lines as belong into one file, and at least one, to the next file if none
   * fits into this one.
   *
   * @param lines One or more, each with its line break.
   * @returns How many were added.
   * @throws {Error} If none was; with the `code` of the system call that failed.
   */
  async append(lines: readonly Uint8Array[]): Promise<number> {
    if (this.#file.bytes > 0 && this.#file.bytes + lines[0]!.length > this.#maxBytes) {
      await this.#next();
    }
    const head = this.#file.bytes === 0 ? this.header : new Uint8Array();
    let size = this.#file.bytes + head.length + lines[0]!.length;
    let count = 1;
    while (count < lines.length && size + lines[count]!.length <= this.#maxBytes) {
      size += lines[count++]!.length;
    }
    await this.#file.append([Buffer.concat([head, lines[0]!]), ...lines.slice(1, count)]);
    return count;
  }

  /**
   * Closes the file, unless it was closed for a next one that could not be opened.
   *
   * @throws {Error} If the disk has not taken everything.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#file.close();
  }

  async #next(): Promise<void> {
    const full = this.#file;
    await this.close();
    this.#file = await this.#openNext(full);
    this.#isClosed = false;
  }
}
