/** Bytes to a source of alerts. @module */
import type { Alert } from "../alert/alert.ts";
import { systemClock } from "../clock.ts";
import type { CancelTimer } from "../clock.ts";
import type { BatchSource } from "../streams/engine/batch_source.ts";
import { AlertLineReader } from "./alert_line_reader.ts";
import type { FileIdentity } from "./file_position.ts";
import { LineSplitter } from "./line_splitter.ts";
import type { LineSourceOptions, LineSourceStats } from "./line_source_options.ts";

/** Another file begins, or the same one anew: what was read so far ends here. */
export interface NewFile {
  /** Where in it reading begins, in bytes. */
  readonly offset: number;
  /** Which file it is. */
  readonly identity: FileIdentity;
}

/** Where the bytes of a {@linkcode LineSource} come from. */
export interface ByteSource {
  /**
   * Waits for more.
   *
   * @returns Bytes, the beginning of another file, or null at the end.
   */
  read(): Promise<Uint8Array | NewFile | null>;
  /** Frees what it holds. A `read` that waits is settled in any way. */
  cancel(reason: unknown): Promise<void> | void;
}

/** How long a line may be unless the caller says otherwise. */
const DEFAULT_MAX_LINE_BYTES = 16 * 1024 * 1024;

/** Reads alerts out of bytes, a micro-batch a read. */
export class LineSource implements BatchSource<Alert> {
  readonly #bytes: ByteSource;
  readonly #options: LineSourceOptions;
  readonly #reader: AlertLineReader;
  readonly #maxLineBytes: number;
  #splitter: LineSplitter;
  /** The file that the splitter is in. */
  #file: FileIdentity | undefined;
  #alerts: Alert[] = [];
  /** The read that is under way; it outlives a pull that gave up waiting for it. */
  #reading: Promise<Uint8Array | NewFile | null> | undefined;
  #failure: { readonly error: unknown } | undefined;
  /** The bytes have come to their end. */
  #drained = false;
  #isOver = false;
  #rejectOnAbort: (reason: unknown) => void = () => {};

  /**
   * @param bytes Where the bytes come from.
   * @param options The caller's wishes.
   * @param onAlert Learns where each alert ended.
   * @throws {RangeError} If an option is out of range.
   */
  constructor(
    bytes: ByteSource,
    options: LineSourceOptions,
    onAlert: (alert: Alert, end: number, file: FileIdentity | undefined) => void = () => {},
  ) {
    const { maxLineBytes = DEFAULT_MAX_LINE_BYTES, textIdleMs = 50, signal } = options;
    for (const [name, value] of Object.entries({ maxLineBytes, textIdleMs })) {
      if (!(value > 0)) {
        throw new RangeError(`Cannot read alerts as "${name}" must be above 0: it is ${value}`);
      }
    }
    this.#bytes = bytes;
    this.#options = { ...options, maxLineBytes, textIdleMs };
    this.#maxLineBytes = maxLineBytes;
    this.#splitter = new LineSplitter(maxLineBytes);
    this.#reader = new AlertLineReader(this.#options, (alert, end) => {
      onAlert(alert, end, this.#file);
      this.#alerts.push(alert);
    });
    if (signal?.aborted) this.#onAbort();
    else signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** @inheritdoc */
  async pull(): Promise<Alert[] | null> {
    try {
      for (;;) {
        if (this.#failure !== undefined) throw this.#failure.error;
        const more = await this.#fill();
        const alerts = this.#alerts;
        this.#alerts = [];
        if (alerts.length > 0) return alerts;
        if (!more && this.#failure === undefined) {
          this.#end();
          return null;
        }
      }
    } catch (error) {
      if (!this.#isOver) {
        this.#end();
        await this.#bytes.cancel(error);
      }
      throw error;
    }
  }

  /** @inheritdoc */
  async cancel(reason: unknown): Promise<void> {
    this.#end();
    await this.#bytes.cancel(reason);
  }

  /**
   * Counts so far.
   *
   * @returns A snapshot.
   */
  stats(): LineSourceStats {
    return this.#reader.stats();
  }

  /** Reads once. Returns false at the end. */
  async #fill(): Promise<boolean> {
    if (this.#drained) return false;
    this.#reading ??= this.#bytes.read();
    const piece = await this.#wait(this.#reading);
    if (piece === "idle") {
      this.#guard(() => this.#reader.flush());
      return true;
    }
    this.#reading = undefined;
    this.#drained = piece === null;
    this.#guard(() => {
      if (piece instanceof Uint8Array) {
        return this.#splitter.push(piece, (line) => this.#reader.read(line));
      }
      this.#splitter.end((line) => this.#reader.read(line));
      this.#reader.flush();
      this.#file = piece?.identity;
      this.#splitter = new LineSplitter(this.#maxLineBytes, piece?.offset);
    });
    return !this.#drained;
  }

  /** What `onInvalid` throws comes after the alerts before it. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#failure = { error };
    }
  }

  #wait(
    reading: Promise<Uint8Array | NewFile | null>,
  ): Promise<Uint8Array | NewFile | null | "idle"> {
    return new Promise((resolve, reject) => {
      const { clock = systemClock, textIdleMs = 0 } = this.#options;
      let cancelTimer: CancelTimer = () => {};
      this.#rejectOnAbort = (reason) => {
        cancelTimer();
        reject(reason);
      };
      reading.then((piece) => {
        cancelTimer();
        resolve(piece);
      }, this.#rejectOnAbort);
      if (this.#reader.holdsText) cancelTimer = clock.setTimer(() => resolve("idle"), textIdleMs);
    });
  }

  readonly #onAbort = (): void => {
    const error = this.#options.signal?.reason;
    this.#failure = { error };
    this.#end();
    // Its failure would be one more thing that nobody waits for: the reader gets the signal's reason.
    Promise.resolve(this.#bytes.cancel(error)).catch(() => {});
    this.#rejectOnAbort(error);
  };

  #end(): void {
    this.#isOver = true;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
  }
}
