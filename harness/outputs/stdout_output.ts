/** `stdout_output`. @module */
import { Buffer } from "node:buffer";
import type { AlertOutput, OutputMessage } from "./alert_output.ts";
import { BlockBuffer } from "./byte_buffer.ts";

/** What glibc holds back before it writes to a pipe or a file. */
const BLOCK_BYTES = 4096;

/** Takes bytes for standard output. */
export type WriteBytes = (bytes: Uint8Array) => void | Promise<void>;

/**
 * Writes lines to standard output.
 *
 * Buffered, as Falco is unless it runs with `-U`: a pipe or a file gets multiples of 4 KiB, which may
 * end within a line, and the rest at the end.
 */
export class StdoutOutput implements AlertOutput {
  readonly name = "stdout";
  readonly lost = 0;
  readonly #write: WriteBytes;
  readonly #buffer: BlockBuffer | undefined;

  /**
   * @param write Takes the bytes.
   * @param buffered Whether to hold them back.
   */
  constructor(write: WriteBytes, buffered: boolean) {
    this.#write = write;
    this.#buffer = buffered ? new BlockBuffer(BLOCK_BYTES) : undefined;
  }

  /** @inheritdoc */
  write({ line }: OutputMessage): void | Promise<void> {
    const bytes = Buffer.from(`${line}\n`);
    const ready = this.#buffer === undefined ? bytes : this.#buffer.add(bytes);
    if (ready !== undefined) return this.#write(ready);
  }

  /** @inheritdoc */
  close(): void | Promise<void> {
    const rest = this.#buffer?.flush();
    if (rest !== undefined && rest.length > 0) return this.#write(rest);
  }
}
