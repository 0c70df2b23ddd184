/** The bytes of a file that grows, is renamed, cut off and made anew. @module */
import { open, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { wait } from "../clock.ts";
import type { Clock } from "../clock.ts";
import { FalcoError } from "../errors.ts";
import { FileIdentity, holdsPosition } from "./file_position.ts";
import type { FilePosition } from "./file_position.ts";
import type { FollowStatus } from "./follow_status.ts";
import type { ByteSource, NewFile } from "./line_source.ts";
import { openRenamed } from "./open_renamed.ts";

/** Options of {@linkcode FileTail}. */
export interface FileTailOptions {
  readonly from: "start" | "end" | FilePosition;
  readonly pollMs: number;
  /** Ends at the end of the file instead of waiting for more. */
  readonly once: boolean;
  readonly clock: Clock;
  onStatus(status: FollowStatus): void;
}

const CHUNK_BYTES = 256 * 1024;

/**
 * Reads a file to its end, waits for more, and goes on in the file that takes its place.
 *
 * The end of a file is a matter of asking again: notifications of the system miss network file
 * systems, and asking four times a second costs nothing that can be measured.
 */
export class FileTail implements ByteSource {
  readonly #path: string;
  readonly #options: FileTailOptions;
  readonly #leave = new AbortController();
  readonly #buffer = new Uint8Array(CHUNK_BYTES);
  #file: FileHandle | undefined;
  /** Those to be read after it, before the one that has the name by then. */
  #later: FileHandle[] = [];
  #identity = new FileIdentity("");
  #offset = 0;
  /** Where reading begins in the first file. */
  #from: "start" | "end" | FilePosition;
  #toldMissing = false;
  #isUnreadable = false;
  /** The work under way, which holds the file open. */
  #busy: Promise<unknown> = Promise.resolve();

  /**
   * @param path The file.
   * @param options Where to begin, how often to look.
   */
  constructor(path: string, options: FileTailOptions) {
    this.#path = path;
    this.#options = options;
    this.#from = options.from;
  }

  /** @inheritdoc */
  read(): Promise<Uint8Array | NewFile | null> {
    const reading = this.#read();
    this.#busy = reading.catch(() => {}); // whoever pulls gets the error
    return reading;
  }

  /** @inheritdoc */
  async cancel(): Promise<void> {
    this.#leave.abort();
    await this.#busy;
    await this.#close();
    for (const file of this.#later.splice(0)) await file.close();
  }

  async #read(): Promise<Uint8Array | NewFile | null> {
    const { signal } = this.#leave;
    const { clock, pollMs, once } = this.#options;
    while (!signal.aborted) {
      if (this.#file === undefined) {
        const begun = await this.#openFirst();
        if (begun !== undefined) return begun;
      } else {
        const chunk = await this.#readChunk(this.#file);
        if (chunk !== undefined) return chunk;
        const next = await this.#lookForNext(this.#file);
        if (next !== undefined) return next;
        if (once) {
          await this.#close();
          return null;
        }
      }
      await wait(pollMs, { clock, signal }).catch(() => {});
    }
    return null;
  }

  async #readChunk(file: FileHandle): Promise<Uint8Array | undefined> {
    const { bytesRead } = await file.read(this.#buffer, 0, CHUNK_BYTES, this.#offset);
    if (bytesRead === 0) return undefined;
    const chunk = this.#buffer.subarray(0, bytesRead);
    this.#identity.sawBytes(chunk, this.#offset);
    this.#offset += bytesRead;
    return chunk;
  }

  /** At the end of a file: has it been cut off, or has another taken its place? */
  async #lookForNext(file: FileHandle): Promise<Uint8Array | NewFile | undefined> {
    const { size } = await file.stat();
    if (size < this.#offset) {
      // logrotate's copytruncate: Falco writes on from the beginning (falco-outputs: no hole).
      this.#tell({ type: "truncated", path: this.#path, lostFrom: this.#offset });
      return await this.#begin(file, 0);
    }
    const later = this.#later.shift();
    if (later !== undefined) return await this.#goOnIn(later);
    const there = await stat(this.#path, { bigint: true }).catch(() => undefined); // seen below
    // With keep_alive Falco writes on into a renamed file until SIGUSR1, and logrotate may have made
    // the new one long before: only its first byte says that the old one is done.
    if (String(there?.ino) === this.#identity.inode || there?.size === 0n) return undefined;
    const next = await this.#openNext();
    if (next === undefined) return undefined;
    // What was written to the old one between our last look and its end.
    const rest = await this.#readChunk(file).catch(async (error: unknown) => {
      await next.close();
      throw error;
    });
    if (rest !== undefined) {
      await next.close();
      return rest;
    }
    return await this.#goOnIn(next);
  }

  async #goOnIn(next: FileHandle): Promise<NewFile> {
    await this.#close();
    const begun = await this.#begin(next, 0);
    this.#tell({ type: "rotated", path: this.#path });
    return begun;
  }

  /** What rotates files may give the new one to its reader a moment later: no reason to end. */
  async #openNext(): Promise<FileHandle | undefined> {
    try {
      const next = await this.#openPath();
      this.#isUnreadable = false;
      return next;
    } catch (error) {
      if (!(error instanceof FalcoError)) throw error;
      if (!this.#isUnreadable) this.#tell({ type: "unreadable", path: this.#path, error });
      this.#isUnreadable = true;
      return undefined;
    }
  }

  async #openFirst(): Promise<NewFile | undefined> {
    const from = this.#from;
    const file = typeof from === "object"
      ? await this.#openSaved(from)
      : await this.#openPath().then((found) => found && { file: found, offset: undefined });
    if (file === undefined) {
      if (!this.#toldMissing) this.#tell({ type: "missing", path: this.#path });
      this.#toldMissing = true;
      // What appears later is new from its first byte.
      if (from === "end") this.#from = "start";
      if (this.#options.once) throw this.#cannotRead("there is no such file");
      return undefined;
    }
    const { size } = await file.file.stat();
    const begun = await this.#begin(file.file, file.offset ?? (from === "end" ? size : 0));
    this.#tell({ type: "opened", path: this.#path, offset: this.#offset });
    return begun;
  }

  async #begin(file: FileHandle, offset: number): Promise<NewFile> {
    this.#file = file;
    this.#offset = offset;
    this.#identity = await FileIdentity.of(file, offset);
    return { offset, identity: this.#identity };
  }

  /** Finds the file of a saved position: under its name, or renamed beside it. */
  async #openSaved(
    from: FilePosition,
  ): Promise<{ file: FileHandle; offset: number } | undefined> {
    const file = await this.#openPath();
    if (file !== undefined && await holdsPosition(file, from)) return { file, offset: from.offset };
    const renamed = await openRenamed(this.#path, from);
    if (renamed !== undefined) {
      await file?.close();
      this.#later = renamed.later;
      return { file: renamed.file, offset: from.offset };
    }
    this.#tell({ type: "gap", path: this.#path, position: from });
    this.#from = "start";
    return file && { file, offset: 0 };
  }

  /** Opens what is at the path now; undefined if there is nothing. */
  async #openPath(): Promise<FileHandle | undefined> {
    try {
      // Not after opening it: a pipe without a writer is not opened before it has one.
      const kind = await stat(this.#path);
      if (!kind.isFile()) {
        throw this.#cannotRead(kind.isDirectory() ? "it is a folder" : "it is no regular file");
      }
      return await open(this.#path, "r");
    } catch (error) {
      if (error instanceof FalcoError) throw error;
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return undefined;
      if (code === "EACCES") {
        throw this.#cannotRead(
          "permission denied. Falco makes it for its own user; run as that user or change its mode",
          error,
        );
      }
      throw this.#cannotRead(message, error);
    }
  }

  #cannotRead(state: string, cause?: unknown): FalcoError {
    return new FalcoError(`Cannot follow "${this.#path}": ${state}`, { cause });
  }

  #tell(status: FollowStatus): void {
    this.#options.onStatus(status);
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}
