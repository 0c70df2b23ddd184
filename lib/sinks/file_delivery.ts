/** Items to a file. @module */
import { Buffer } from "node:buffer";
import { rename } from "node:fs/promises";
import type { Alert } from "../alert/alert.ts";
import type { Clock } from "../clock.ts";
import { FalcoError } from "../errors.ts";
import { alertsOf } from "./alerts_of.ts";
import { DeliveryError } from "./delivery_error.ts";
import type { Delivered } from "./delivery_options.ts";
import type { Delivery } from "./delivery_queue.ts";
import { LineFile } from "./line_file.ts";
import { RotatingLines } from "./rotating_lines.ts";

/** Options of {@linkcode FileDelivery}: those of the sink, complete. */
export interface FileDeliveryOptions {
  readonly format: (alert: Alert) => string;
  readonly maxBytes: number;
  readonly keep: number;
  readonly mode: number;
  readonly clock: Clock;
}

/** How often to look whether somebody else has moved the file, in milliseconds. */
const LOOK_MS = 1000;
/** Failures that somebody has to do something about, and what. */
const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: "Run as a user who may write there, or change its mode",
  EPERM: "Run as a user who may write there, or change its mode",
  EROFS: "Name a file on another file system",
  EISDIR: "Name a file in it",
  ENOTDIR: "Name a file in a folder",
  ENAMETOOLONG: "Name a shorter one",
};

/** Writes items as lines, several at once, and renames the file when it is full. */
export class FileDelivery implements Delivery {
  /** What comes while the disk is busy goes into one write. */
  readonly maxItems = 256;
  readonly #path: string;
  readonly #options: FileDeliveryOptions;
  #lines: RotatingLines | undefined;
  #wasOpen = false;
  #lookedAt = 0;
  /** Lines of the items at hand that are in the file already, when another attempt is made. */
  #written = 0;
  #rotated = 0;
  #reopened = 0;

  /**
   * @param path The file.
   * @param options Format, size, permissions.
   */
  constructor(path: string, options: FileDeliveryOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** How often it began a new file as the old one was full. */
  get rotated(): number {
    return this.#rotated;
  }

  /** How often it opened the path anew as somebody else had moved the file. */
  get reopened(): number {
    return this.#reopened;
  }

  /** @inheritdoc */
  async deliver(items: readonly Delivered[]): Promise<void> {
    const lines = items.flatMap(alertsOf).map((alert) =>
      Buffer.from(`${this.#options.format(alert)}\n`)
    );
    try {
      while (this.#written < lines.length) {
        const rotating = await this.#open();
        this.#written += await rotating.append(lines.slice(this.#written));
      }
    } catch (error) {
      throw await this.#failed(error);
    }
    this.#written = 0;
  }

  /** @inheritdoc */
  async end(): Promise<void> {
    try {
      await this.#close();
    } catch (cause) {
      throw this.#cannotWrite(cause);
    }
  }

  async #open(): Promise<RotatingLines> {
    const { clock, maxBytes } = this.#options;
    const nowMs = clock.now();
    if (this.#lines !== undefined) {
      if (Math.abs(nowMs - this.#lookedAt) < LOOK_MS) return this.#lines;
      this.#lookedAt = nowMs;
      if (await this.#lines.file.isAtPath()) return this.#lines;
      await this.#close();
      this.#reopened++;
    }
    this.#lookedAt = nowMs;
    this.#lines = new RotatingLines(
      await this.#openFile(),
      maxBytes,
      async () => {
        this.#lines = undefined; // closed: if the next cannot be opened, begin anew
        await this.#shift();
        this.#rotated++;
        const file = await this.#openFile();
        this.#lines = rotating;
        return file;
      },
    );
    const rotating = this.#lines;
    this.#wasOpen = true;
    return rotating;
  }

  #openFile(): Promise<LineFile> {
    return LineFile.open(this.#path, { how: "append", mode: this.#options.mode });
  }

  /** `x.2` becomes `x.3`, `x.1` becomes `x.2`, `x` becomes `x.1`; the last one is overwritten. */
  async #shift(): Promise<void> {
    const { keep } = this.#options;
    const nameOf = (number: number) => number === 0 ? this.#path : `${this.#path}.${number}`;
    for (let number = keep - 1; number >= 0; number--) {
      await rename(nameOf(number), nameOf(number + 1)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error; // not as many yet
      });
    }
  }

  async #failed(cause: unknown): Promise<Error> {
    const code = (cause as NodeJS.ErrnoException).code ?? "";
    const isFinal = REMEDIES[code] !== undefined || (cause as Error).name === "NotCapable" ||
      code === "ENOENT" && !this.#wasOpen;
    const error = this.#cannotWrite(cause);
    // It may be that the file is of no use any more, as after an error of the disk.
    await this.#close().catch(() => {}); // the first failure is the one to tell
    return isFinal ? error : new DeliveryError(error.message, { mayPass: true, cause });
  }

  #cannotWrite(cause: unknown): FalcoError {
    const { code = "", message } = cause as NodeJS.ErrnoException;
    const remedy = code === "ENOENT" ? "Make the folder first" : REMEDIES[code];
    return new FalcoError(
      `Cannot write to "${this.#path}": ${message}${remedy === undefined ? "" : `. ${remedy}`}`,
      { cause },
    );
  }

  async #close(): Promise<void> {
    const lines = this.#lines;
    this.#lines = undefined;
    await lines?.close();
  }
}
