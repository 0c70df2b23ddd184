/** A file of lines. @module */
import { Buffer } from "node:buffer";
import { open, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";

/** How to open a {@linkcode LineFile}. */
export interface LineFileOptions {
  /** `append` keeps what is there, `replace` empties it, `create` fails with `EEXIST`. */
  readonly how: "append" | "replace" | "create";
  /** The permissions of a new file, such as 0o600. */
  readonly mode: number;
}

/** Always at the end, so that nothing is left out where something was taken back. */
const FLAGS = { append: "a+", replace: "a+", create: "ax+" } as const;
const NEWLINE = 0x0a;

/**
 * A file that grows by whole lines: a write that fails half way is taken back, and half a line that a
 * crash has left is ended before anything is added.
 */
export class LineFile {
  /** The path that it was opened at. */
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #inode: bigint;
  #bytes: number;
  #lines = 0;
  #endsWithin: boolean;

  private constructor(
    path: string,
    handle: FileHandle,
    inode: bigint,
    bytes: number,
    last: number,
  ) {
    this.path = path;
    this.#handle = handle;
    this.#inode = inode;
    this.#bytes = bytes;
    this.#endsWithin = last !== NEWLINE;
  }

  /**
   * Opens a file.
   *
   * @param path The path.
   * @param options See {@linkcode LineFileOptions}.
   * @returns The file.
   * @throws {Error} With the `code` of the system call that failed.
   */
  static async open(path: string, options: LineFileOptions): Promise<LineFile> {
    const handle = await open(path, FLAGS[options.how], options.mode);
    try {
      let { ino, size } = await handle.stat({ bigint: true });
      if (options.how === "replace" && size > 0n) {
        await handle.truncate(0);
        size = 0n;
      }
      const last = Buffer.from([NEWLINE]);
      if (size > 0n) await handle.read(last, 0, 1, Number(size) - 1);
      return new LineFile(path, handle, ino, Number(size), last[0]!);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** How many bytes are in it. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many lines were added. */
  get lines(): number {
    return this.#lines;
  }

  /**
   * Adds lines: all of them or none.
   *
   * @param lines Each with its line break.
   * @throws {Error} With the `code` of the system call that failed.
   */
  async append(lines: readonly Uint8Array[]): Promise<void> {
    const bytes = Buffer.concat(this.#endsWithin ? [Buffer.from("\n"), ...lines] : lines);
    let done = 0;
    try {
      while (done < bytes.length) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, null);
        done += bytesWritten;
      }
    } catch (error) {
      if (done > 0) await this.#takeBack(done);
      throw error;
    }
    this.#endsWithin = false;
    this.#bytes += bytes.length;
    this.#lines += lines.length;
  }

  /**
   * Looks whether the path still names this file, and how long it is now: others rename it, delete
   * it, or cut it off.
   *
   * @returns False if another file, or none, is there.
   */
  async isAtPath(): Promise<boolean> {
    const there = await stat(this.path, { bigint: true }).catch(() => undefined); // none to be seen
    if (there?.ino !== this.#inode) return false;
    this.#bytes = Number(there.size);
    return true;
  }

  /**
   * Closes it when the disk has everything.
   *
   * @throws {Error} If the disk has not.
   */
  async close(): Promise<void> {
    try {
      await this.#handle.sync();
    } finally {
      await this.#handle.close();
    }
  }

  async #takeBack(bytes: number): Promise<void> {
    try {
      const { size } = await this.#handle.stat();
      await this.#handle.truncate(Math.max(0, size - bytes));
    } catch {
      this.#endsWithin = true; // the first failure is the one to tell
    }
  }
}
