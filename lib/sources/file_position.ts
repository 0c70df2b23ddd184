/** A place in a file that is found again later. @module */
import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";

/**
 * Where reading of a followed file got to, as plain data to keep as JSON.
 *
 * @example
 * ```ts
 * import type { FilePosition } from "@falco-streams/core";
 *
 * const saved: FilePosition = JSON.parse('{"inode":"131","offset":4096,"head":"9f86d081884c7d65"}');
 * console.assert(saved.offset === 4096);
 * ```
 */
export interface FilePosition {
  /** The number of the file in its file system, in decimal. */
  readonly inode: string;
  /** The first byte that was not read. */
  readonly offset: number;
  /**
   * A digest of the first bytes of the file (at most 1024, and not past `offset`): file systems give
   * the number of a deleted file to the next one.
   */
  readonly head: string;
}

const HEAD_BYTES = 1024;

/** One file among those that had the same name: its number, and its first bytes as far as they are read. */
export class FileIdentity {
  /** The number of the file in its file system, in decimal. */
  readonly inode: string;
  readonly #head: Uint8Array;
  #filled = 0;

  /**
   * @param inode The number of the file.
   */
  constructor(inode: string) {
    this.inode = inode;
    this.#head = new Uint8Array(HEAD_BYTES);
  }

  /**
   * Gets to know a file that reading begins in.
   *
   * @param file The open file.
   * @param offset Where reading will begin.
   * @returns The identity.
   */
  static async of(file: FileHandle, offset: number): Promise<FileIdentity> {
    const { ino } = await file.stat({ bigint: true });
    const identity = new FileIdentity(String(ino));
    const head = new Uint8Array(Math.min(offset, HEAD_BYTES));
    while (identity.#filled < head.length) {
      const at = identity.#filled;
      const { bytesRead } = await file.read(head, 0, head.length - at, at);
      if (bytesRead === 0) break;
      identity.sawBytes(head.subarray(0, bytesRead), at);
    }
    return identity;
  }

  /**
   * Learns of bytes that were read.
   *
   * @param bytes The bytes.
   * @param at Where they stand in the file.
   */
  sawBytes(bytes: Uint8Array, at: number): void {
    if (at !== this.#filled || at >= HEAD_BYTES) return;
    const first = bytes.subarray(0, HEAD_BYTES - at);
    this.#head.set(first, at);
    this.#filled += first.length;
  }

  /**
   * Makes a position.
   *
   * @param offset A place in the file, up to where it has been read.
   * @returns The position.
   */
  positionAt(offset: number): FilePosition {
    const head = this.#head.subarray(0, Math.min(offset, this.#filled));
    const digest = createHash("sha256").update(head).digest("hex").slice(0, 16);
    return { inode: this.inode, offset, head: digest };
  }
}

/**
 * Tells whether a position is one in this file.
 *
 * @param file The open file.
 * @param position A position that was saved earlier.
 * @returns False if it is another file, or has been written anew.
 */
export async function holdsPosition(file: FileHandle, position: FilePosition): Promise<boolean> {
  const { size } = await file.stat();
  if (size < position.offset) return false;
  const here = (await FileIdentity.of(file, position.offset)).positionAt(position.offset);
  return here.inode === position.inode && here.head === position.head;
}

/**
 * Checks a position that comes from outside.
 *
 * @param position What the caller passed.
 * @throws {TypeError} If it is none.
 */
export function requirePosition(position: FilePosition): void {
  const { inode, offset, head } = position;
  if (
    typeof inode !== "string" || typeof head !== "string" || !Number.isSafeInteger(offset) ||
    offset < 0
  ) {
    throw new TypeError(
      'Cannot follow the file: "from" must be "start", "end" or a position with "inode", "offset" ' +
        'and "head", as position() returns it',
    );
  }
}
