/** `file_output`. @module */
import { Buffer } from "node:buffer";
import { closeSync, openSync, writeSync } from "node:fs";
import type { FalcoFileConfig } from "../falco_config/falco_config.ts";
import type { AlertOutput, OutputMessage } from "./alert_output.ts";

/** What a C++ file stream holds back before it writes. */
const HELD_BYTES = 8191;

/** The channel as configured, and Falco's `-U`. */
export interface FileOutputOptions extends FalcoFileConfig {
  /** Whether lines are held back with `keepAlive`; false is Falco's `-U`. */
  readonly buffered: boolean;
}

/**
 * Appends lines to a file.
 *
 * Without `keepAlive` the file is opened, written and closed for each alert, so that it can be moved
 * away at any time. With it, whole lines are held back up to 8 KiB, what a rename has moved away is
 * written to until {@linkcode FileOutput.reopen}, and a kill loses what was held back. Nothing is
 * opened before the first alert.
 *
 * A file that cannot be opened is complained about at each alert, which is lost here, and tried again
 * at the next. A write that fails (a full disk) is counted, and not logged: nor does Falco.
 */
export class FileOutput implements AlertOutput {
  readonly name = "file";
  readonly #options: FileOutputOptions;
  #descriptor: number | undefined;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #lost = 0;

  /** @param options What the configuration says. */
  constructor(options: FileOutputOptions) {
    this.#options = options;
  }

  /** @inheritdoc */
  get lost(): number {
    return this.#lost;
  }

  /** @inheritdoc */
  write({ line }: OutputMessage): void {
    const bytes = Buffer.from(`${line}\n`);
    const { keepAlive, buffered } = this.#options;
    this.#open();
    if (keepAlive && buffered && this.#heldBytes + bytes.length <= HELD_BYTES) {
      this.#held.push(bytes);
      this.#heldBytes += bytes.length;
      return;
    }
    this.#held.push(bytes);
    this.#flush();
    if (!keepAlive) this.#close();
  }

  /** @inheritdoc */
  reopen(): void {
    this.#flush();
    this.#close();
    if (!this.#options.keepAlive) return;
    // A complaint, but no alert is lost by it.
    const lost = this.#lost;
    try {
      this.#open();
    } finally {
      this.#lost = lost;
    }
  }

  /** @inheritdoc */
  close(): void {
    this.#flush();
    this.#close();
  }

  /** @inheritdoc */
  kill(): void {
    this.#lost += this.#held.length;
    this.#held = [];
    this.#close();
  }

  #open(): void {
    try {
      this.#descriptor ??= openSync(this.#options.filename, "a", 0o666);
    } catch (cause) {
      this.#lost++;
      throw new Error(`failed to open output file ${this.#options.filename}`, { cause });
    }
  }

  #flush(): void {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    if (held.length === 0 || this.#descriptor === undefined) return;
    try {
      const bytes = Buffer.concat(held);
      for (let at = 0; at < bytes.length;) at += writeSync(this.#descriptor, bytes, at);
    } catch {
      this.#lost += held.length;
    }
  }

  #close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
