/** Lines to files. @module */
import { Buffer } from "node:buffer";
import { open, readdir, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { FalcoError } from "../../lib/errors.ts";
import { UsageError } from "../usage_error.ts";
import { numberedName } from "./record_name.ts";
import type { RecordName } from "./record_name.ts";

/** How much may wait for the disk before the alerts have to wait as well, in bytes. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** Options of {@linkcode RecordFiles.create}. */
export interface RecordFilesOptions {
  readonly path: string;
  readonly name: RecordName;
  /** A file that would grow beyond this is followed by the next; undefined: one file for everything. */
  readonly maxBytes: number | undefined;
  /** Whether to replace what is there. */
  readonly force: boolean;
  /** Learns of a write that failed, at once: the next alert may be long in coming. */
  readonly onFailed?: (error: FalcoError) => void;
}

/** A file that was written. */
export interface RecordedFile {
  readonly path: string;
  readonly alerts: number;
  readonly bytes: number;
}

/**
 * Writes lines into one file, or into numbered ones of a limited size.
 *
 * What waits is written as soon as the write before is done, in one piece that ends with a line, so a
 * crash leaves whole lines: those but of the last moment. If the disk is full, half a line is taken back.
 */
export class RecordFiles {
  readonly #options: RecordFilesOptions;
  readonly #done: RecordedFile[] = [];
  #path: string;
  #handle: FileHandle;
  #bytes = 0;
  #alerts = 0;
  #header: Uint8Array = new Uint8Array();
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #failure: Error | undefined;
  #closed = false;

  private constructor(options: RecordFilesOptions, path: string, handle: FileHandle) {
    this.#options = options;
    this.#path = path;
    this.#handle = handle;
  }

  /**
   * Creates the first file.
   *
   * @param options See {@linkcode RecordFilesOptions}.
   * @returns It, empty.
   * @throws {UsageError} If there is something and `force` is not set, or a file cannot be made there.
   */
  static async create(options: RecordFilesOptions): Promise<RecordFiles> {
    const { path, name, maxBytes, force } = options;
    if (maxBytes === undefined) return new RecordFiles(options, path, await create(path, force));
    const old = await numberedFiles(name);
    if (old.length > 0 && !force) throw existsError(old[0]!);
    // All of them: later ones of an earlier recording would be read as part of this one.
    for (const one of old) await rm(one, { force: true });
    const first = numberedName(name, 1);
    return new RecordFiles(options, first, await create(first, force));
  }

  /** The files so far, the last one as far as it has been written. */
  get files(): readonly RecordedFile[] {
    return [...this.#done, { path: this.#path, alerts: this.#alerts, bytes: this.#bytes }];
  }

  /**
   * Puts a line at the head of the first file, and of each that follows.
   *
   * @param line The line, without its line break. Before the first alert only.
   */
  header(line: string): void {
    this.#header = bytesOf(line);
  }

  /**
   * Adds an alert.
   *
   * @param line The alert's line, without its line break.
   * @returns A promise if so much waits for the disk that the caller should.
   * @throws {FalcoError} If an earlier write has failed.
   */
  write(line: string): void | Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const bytes = bytesOf(line);
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#writing ??= this.#drain()
      .catch(async (error) => this.#failure = await this.#failed(error))
      .then(() => this.#writing = undefined);
    if (this.#waitingBytes > MAX_WAITING_BYTES) return this.#flush();
  }

  async #flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /**
   * Waits for the disk, and closes.
   *
   * @throws {FalcoError} If a write has failed; what was written before is whole.
   */
  async close(): Promise<void> {
    try {
      await this.#flush();
      // Of a recording without alerts the header is still worth having.
      if (this.#bytes === 0) await this.#append([]);
      await this.#handle.sync();
    } finally {
      if (!this.#closed) await this.#handle.close();
      this.#closed = true;
    }
  }

  /**
   * Closes and removes what it has created.
   *
   * @returns A promise that resolves when nothing is left.
   */
  async discard(): Promise<void> {
    await this.#writing;
    if (!this.#closed) await this.#handle.close();
    this.#closed = true;
    for (const { path } of this.files) await rm(path, { force: true });
  }

  async #drain(): Promise<void> {
    // What else comes in this turn goes into the same write.
    await Promise.resolve();
    const { maxBytes = Infinity } = this.#options;
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      this.#waitingBytes = 0;
      for (let from = 0; from < lines.length;) {
        let size = this.#bytes === 0 ? this.#header.length : this.#bytes;
        // One alert at least is in every file, however long it is.
        let isFirst = this.#alerts === 0;
        let to = from;
        while (to < lines.length && (isFirst || size + lines[to]!.length <= maxBytes)) {
          size += lines[to++]!.length;
          isFirst = false;
        }
        if (to > from) await this.#append(lines.slice(from, to));
        from = to;
        if (from < lines.length) await this.#next();
      }
    }
  }

  async #append(lines: readonly Uint8Array[]): Promise<void> {
    const pieces = this.#bytes === 0 ? [this.#header, ...lines] : lines;
    const bytes = Buffer.concat(pieces);
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, null);
      done += bytesWritten;
    }
    // Only now, so that a failure leaves both at the last whole line.
    this.#bytes += bytes.length;
    this.#alerts += lines.length;
  }

  async #next(): Promise<void> {
    await this.#handle.sync();
    await this.#handle.close();
    this.#closed = true;
    const path = numberedName(this.#options.name, this.#done.length + 2);
    this.#handle = await create(path, this.#options.force);
    this.#closed = false;
    this.#done.push({ path: this.#path, alerts: this.#alerts, bytes: this.#bytes });
    this.#path = path;
    this.#bytes = 0;
    this.#alerts = 0;
  }

  /** Takes half a line back, and puts the failure into words. */
  async #failed(cause: unknown): Promise<FalcoError> {
    // If that fails too, the first failure is the one to tell.
    await this.#handle.truncate(this.#bytes).catch(() => {});
    const reason = cause instanceof Error ? cause.message : String(cause);
    const error = new FalcoError(
      `Cannot write to ${this.#path}: ${reason}. It holds the ${this.#alerts} alerts before that`,
      { cause },
    );
    this.#options.onFailed?.(error);
    return error;
  }
}

/** Creates a file; one that is there is only emptied if that was asked for. */
async function create(path: string, force: boolean): Promise<FileHandle> {
  try {
    return await open(path, force ? "w" : "wx", 0o600);
  } catch (error) {
    if ((error as { code?: string }).code === "EEXIST") throw existsError(path);
    throw new UsageError(`${path}: it cannot be written (${(error as Error).message})`, {
      cause: error,
    });
  }
}

function existsError(path: string): UsageError {
  return new UsageError(`${path}: there is such a file. Name another, or replace it with --force`);
}

/** The files that an earlier recording of this name has left. */
async function numberedFiles({ stem, extension }: RecordName): Promise<string[]> {
  const folder = dirname(stem);
  const prefix = `${basename(stem)}.`;
  const names = await readdir(folder).catch(() => []); // told when the first file is made
  return names
    .filter((name) =>
      name.startsWith(prefix) && name.endsWith(extension) &&
      /^\d{4,}$/.test(name.slice(prefix.length, name.length - extension.length))
    )
    .sort()
    .map((name) => join(folder, name));
}

function bytesOf(line: string): Uint8Array {
  return Buffer.from(`${line}\n`);
}
