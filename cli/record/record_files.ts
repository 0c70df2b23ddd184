/** Lines to files. @module */
import { Buffer } from "node:buffer";
import { readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { FalcoError } from "../../lib/errors.ts";
import { LineFile } from "../../lib/sinks/line_file.ts";
import { RotatingLines } from "../../lib/sinks/rotating_lines.ts";
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
 * crash leaves whole lines, but for those of the last moment: the system may cut the write that is under
 * way when the process is killed. If the disk is full, half a line is taken back.
 */
export class RecordFiles {
  readonly #options: RecordFilesOptions;
  readonly #lines: RotatingLines;
  readonly #done: RecordedFile[] = [];
  /** How many alerts are in the file that is being written. */
  #alerts = 0;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #failure: Error | undefined;

  private constructor(options: RecordFilesOptions, first: LineFile) {
    this.#options = options;
    this.#lines = new RotatingLines(
      first,
      options.maxBytes ?? Infinity,
      (full) => this.#openNext(full),
    );
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
    if (maxBytes === undefined) return new RecordFiles(options, await create(path, force));
    const old = await numberedFiles(name);
    if (old.length > 0 && !force) throw existsError(old[0]!);
    // All of them: later ones of an earlier recording would be read as part of this one.
    for (const one of old) await rm(one, { force: true });
    return new RecordFiles(options, await create(numberedName(name, 1), force));
  }

  /** The files so far, the last one as far as it has been written. */
  get files(): readonly RecordedFile[] {
    return [...this.#done, this.#recorded(this.#lines.file)];
  }

  /**
   * Puts a line at the head of the first file, and of each that follows.
   *
   * @param line The line, without its line break. Before the first alert only.
   */
  header(line: string): void {
    this.#lines.header = bytesOf(line);
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
      .catch((error) => this.#failure = this.#failed(error))
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
      const { file, header } = this.#lines;
      // Of a recording without alerts the header is still worth having.
      if (file.bytes === 0 && header.length > 0) await file.append([header]);
      await this.#lines.close();
    } catch (error) {
      await this.#lines.close().catch(() => {}); // the first failure is the one to tell
      throw error instanceof FalcoError ? error : this.#failed(error);
    }
  }

  /**
   * Closes and removes what it has created.
   *
   * @returns A promise that resolves when nothing is left.
   */
  async discard(): Promise<void> {
    await this.#writing;
    await this.#lines.close().catch(() => {}); // it goes away
    for (const { path } of this.files) await rm(path, { force: true });
  }

  async #drain(): Promise<void> {
    // What else comes in this turn goes into the same write.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      this.#waitingBytes = 0;
      for (let from = 0; from < lines.length;) {
        const count = await this.#lines.append(lines.slice(from));
        this.#alerts += count;
        from += count;
      }
    }
  }

  async #openNext(full: LineFile): Promise<LineFile> {
    const { name, force } = this.#options;
    const next = await create(numberedName(name, this.#done.length + 2), force);
    this.#done.push(this.#recorded(full));
    this.#alerts = 0;
    return next;
  }

  #recorded({ path, bytes }: LineFile): RecordedFile {
    return { path, alerts: this.#alerts, bytes };
  }

  /** Puts the failure into words; half a line has been taken back. */
  #failed(cause: unknown): FalcoError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const error = new FalcoError(
      `Cannot write to ${this.#lines.file.path}: ${reason}. ` +
        `It holds the ${this.#alerts} alerts before that`,
      { cause },
    );
    this.#options.onFailed?.(error);
    return error;
  }
}

/** Creates a file; one that is there is only emptied if that was asked for. */
async function create(path: string, force: boolean): Promise<LineFile> {
  try {
    return await LineFile.open(path, { how: force ? "replace" : "create", mode: 0o600 });
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
