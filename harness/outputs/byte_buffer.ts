/** The buffers of C and C++ streams, whose blocks show in pipes and files. @module */
import { Buffer } from "node:buffer";

/**
 * Collects bytes and lets them go in blocks.
 *
 * @param size The size of a block, in bytes.
 * @param send Takes the blocks.
 */
export class BlockBuffer {
  readonly #size: number;
  #held: Buffer = Buffer.alloc(0);

  /** @param size The size of a block, in bytes. */
  constructor(size: number) {
    this.#size = size;
  }

  /**
   * Adds bytes.
   *
   * @param bytes The bytes.
   * @returns Whole blocks, which may end within a line; undefined if no block is full yet.
   */
  add(bytes: Uint8Array): Uint8Array | undefined {
    this.#held = Buffer.concat([this.#held, bytes]);
    const length = this.#held.length - this.#held.length % this.#size;
    if (length === 0) return undefined;
    const blocks = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return blocks;
  }

  /**
   * Takes everything out.
   *
   * @returns What was held; may be empty.
   */
  flush(): Uint8Array {
    const rest = this.#held;
    this.#held = Buffer.alloc(0);
    return rest;
  }
}
