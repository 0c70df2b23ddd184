/** gRPC's framing: a byte of flags, four bytes of length, the message. @module */

const HEADER_BYTES = 5;

/** A violation of gRPC's framing. */
export class FramingError extends Error {
  /** The name of the class. */
  override name: string = "FramingError";
  /** The length of the message, if it is too long; else undefined. */
  readonly tooLong: number | undefined;

  /**
   * @param message What is wrong.
   * @param options The error below, or the length of a message that is too long.
   */
  constructor(message: string, options: { cause?: unknown; tooLong?: number } = {}) {
    super(message, options);
    this.tooLong = options.tooLong;
  }
}

/**
 * Cuts a stream of bytes into gRPC messages, however the bytes are split on their way.
 *
 * A message that lies within one chunk is handed out as a view of it, without a copy.
 */
export class MessageSplitter {
  readonly #maxBytes: number;
  readonly #inflate: ((message: Uint8Array) => Uint8Array) | undefined;
  /** The bytes of an unfinished message, header included. */
  #parts: Uint8Array[] = [];
  #partsBytes = 0;

  /**
   * @param maxBytes The longest message to accept.
   * @param inflate Unpacks compressed messages; without it they are a violation. It may throw a
   * {@linkcode FramingError}.
   */
  constructor(maxBytes: number, inflate?: (message: Uint8Array) => Uint8Array) {
    this.#maxBytes = maxBytes;
    this.#inflate = inflate;
  }

  /** Whether bytes of an unfinished message are waiting for the rest. */
  get midMessage(): boolean {
    return this.#partsBytes > 0;
  }

  /**
   * Takes bytes and hands out the messages that they complete.
   *
   * @param chunk The next bytes.
   * @param messages Where to put them; those before a violation are there even if it throws.
   * @returns The messages, in order; often none or many.
   * @throws {FramingError} If a message is longer than allowed, or compressed where nobody asked for
   * that. Nothing more can be read then.
   */
  push(chunk: Uint8Array, messages: Uint8Array[] = []): Uint8Array[] {
    let bytes = chunk;
    if (this.#partsBytes > 0) {
      this.#parts.push(chunk);
      this.#partsBytes += chunk.length;
      // Joining only once a message is whole keeps a large one, in many chunks, linear.
      if (this.#partsBytes < HEADER_BYTES) return messages;
      const length = this.#pendingLength();
      if (this.#partsBytes < HEADER_BYTES + length) return messages;
      bytes = join(this.#parts, this.#partsBytes);
      this.#parts = [];
      this.#partsBytes = 0;
    }
    let at = 0;
    while (bytes.length - at >= HEADER_BYTES) {
      const length = this.#readHeader(bytes, at);
      if (bytes.length - at < HEADER_BYTES + length) break;
      // Not subarray(): that of a Buffer makes a Buffer, which takes several times as long.
      const message = new Uint8Array(bytes.buffer, bytes.byteOffset + at + HEADER_BYTES, length);
      messages.push(bytes[at] === 1 ? this.#inflate!(message) : message);
      at += HEADER_BYTES + length;
    }
    if (at < bytes.length) {
      this.#parts = [bytes.subarray(at)];
      this.#partsBytes = bytes.length - at;
    }
    return messages;
  }

  #pendingLength(): number {
    if (this.#parts[0]!.length < HEADER_BYTES) {
      this.#parts = [join(this.#parts, this.#partsBytes)];
    }
    return this.#readHeader(this.#parts[0]!, 0);
  }

  #readHeader(bytes: Uint8Array, at: number): number {
    if (bytes[at] !== 0 && !(bytes[at] === 1 && this.#inflate !== undefined)) {
      throw new FramingError(
        bytes[at] === 1 ? "the message is compressed" : "the bytes are not gRPC messages",
      );
    }
    const length = ((bytes[at + 1]! << 24) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 8) |
      bytes[at + 4]!) >>> 0;
    if (length > this.#maxBytes) {
      throw new FramingError(
        `the message has ${length} bytes, ${this.#maxBytes} are allowed`,
        { tooLong: length },
      );
    }
    return length;
  }
}

/**
 * Puts gRPC's header in front of a message.
 *
 * @param message The message.
 * @returns Header and message, ready to send.
 */
export function frameMessage(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(HEADER_BYTES + message.length);
  new DataView(frame.buffer).setUint32(1, message.length);
  frame.set(message, HEADER_BYTES);
  return frame;
}

function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
