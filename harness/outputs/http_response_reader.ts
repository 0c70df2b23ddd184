/** Bytes of an HTTP/1.x response, as they come, to its end. @module */
import { Buffer } from "node:buffer";
import type { CurlFailure } from "./curl_error.ts";

/** The longest head that libcurl reads, in bytes. */
const MAX_HEAD_BYTES = 300 * 1024;
/** The longest line that gives the size of a chunk. */
const MAX_SIZE_LINE_BYTES = 1024;

/** Finds the end of a response and throws the rest away: Falco looks at neither status nor body. */
export class HttpResponseReader {
  readonly #onBody: ((bytes: Uint8Array) => void) | undefined;
  #held: Buffer = Buffer.alloc(0);
  #isEmpty = true;
  #state: "head" | "length" | "chunk-size" | "chunk" | "trailer" | "connection" | "complete" =
    "head";
  /** Bytes of the body, or of the chunk and its line break, that are still to come. */
  #left = 0;
  #mayContinue = false;
  #keepsConnection = true;
  #failure: CurlFailure | undefined;

  /** @param onBody Takes the body in pieces. */
  constructor(onBody: ((bytes: Uint8Array) => void) | undefined) {
    this.#onBody = onBody;
  }

  /** Whether nothing has come yet. */
  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  /** Whether `100 Continue` has come. */
  get mayContinue(): boolean {
    return this.#mayContinue;
  }

  /** Whether the head of the response itself has come. */
  get hasFinalHead(): boolean {
    return this.#state !== "head";
  }

  /** Whether all of it has come. */
  get isComplete(): boolean {
    return this.#state === "complete";
  }

  /** Whether the end of the connection is the end of the response. */
  get endsWithConnection(): boolean {
    return this.#state === "connection";
  }

  /** Whether another request can be sent afterwards. */
  get keepsConnection(): boolean {
    return this.#keepsConnection && this.#held.length === 0;
  }

  /** What is wrong with it; undefined if nothing is. */
  get failure(): CurlFailure | undefined {
    return this.#failure;
  }

  /**
   * Takes bytes.
   *
   * @param bytes The next ones from the socket.
   */
  add(bytes: Uint8Array): void {
    if (this.#failure !== undefined) return;
    this.#isEmpty = false;
    this.#held = this.#held.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#held, bytes]);
    while (this.#failure === undefined && this.#step());
  }

  /** Goes on by one part; false if more bytes are needed. */
  #step(): boolean {
    switch (this.#state) {
      case "head":
        return this.#readHead();
      case "length":
        this.#take();
        if (this.#left === 0) this.#state = "complete";
        return false;
      case "chunk-size":
        return this.#readChunkSize();
      case "chunk":
        this.#take();
        if (this.#left === 0) this.#state = "chunk-size";
        return this.#held.length > 0;
      case "trailer":
        return this.#readTrailer();
      case "connection":
        this.#left = Infinity;
        this.#take();
        return false;
      case "complete":
        return false;
    }
  }

  #readHead(): boolean {
    const text = this.#held.toString("latin1", 0, MAX_HEAD_BYTES);
    if (!"HTTP/1.".startsWith(text.slice(0, 7)) && !/^HTTP\/\d/.test(text)) {
      // HTTP/0.9, which libcurl refuses by default.
      this.#failure = "unsupportedProtocol";
      return false;
    }
    const end = /\r?\n\r?\n/.exec(text);
    if (end === null) {
      if (this.#held.length > MAX_HEAD_BYTES) this.#failure = "receiveFailed";
      return false;
    }
    const head = text.slice(0, end.index);
    this.#held = this.#held.subarray(end.index + end[0].length);
    const [, minor, digits] = /^HTTP\/1\.(\d) +(\d{3})/.exec(head) ?? [];
    if (digits === undefined) {
      this.#failure = "unsupportedProtocol";
      return false;
    }
    const status = Number(digits);
    if (status < 200) {
      this.#mayContinue ||= status === 100;
      return true;
    }
    const header = (name: string): string =>
      new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*\\r?$`, "im").exec(head)?.[1] ?? "";
    const connection = header("connection").toLowerCase();
    this.#keepsConnection = minor === "1"
      ? !connection.includes("close")
      : connection.includes("keep-alive");
    this.#chooseBody(status, header("transfer-encoding"), header("content-length"));
    return this.#state !== "complete";
  }

  #chooseBody(status: number, encoding: string, length: string): void {
    if (status === 204 || status === 304) {
      this.#state = "complete";
    } else if (/\bchunked\b/i.test(encoding)) {
      this.#state = "chunk-size";
    } else if (/^\d{1,15}$/.test(length)) {
      this.#left = Number(length);
      this.#state = this.#left === 0 ? "complete" : "length";
    } else {
      this.#state = "connection";
      this.#keepsConnection = false;
    }
  }

  #readChunkSize(): boolean {
    const line = this.#line();
    if (line === undefined || line === "") return line !== undefined; // "": the break after a chunk
    const [, digits] = /^\s*([0-9a-f]{1,12})\s*(?:;|$)/i.exec(line) ?? [];
    if (digits === undefined) {
      this.#failure = "receiveFailed";
      return false;
    }
    this.#left = parseInt(digits, 16);
    this.#state = this.#left === 0 ? "trailer" : "chunk";
    return true;
  }

  #readTrailer(): boolean {
    const line = this.#line();
    if (line === "") this.#state = "complete";
    return line !== undefined && line !== "";
  }

  #line(): string | undefined {
    const end = this.#held.indexOf("\n");
    if (end < 0) {
      if (this.#held.length > MAX_SIZE_LINE_BYTES) this.#failure = "receiveFailed";
      return undefined;
    }
    const line = this.#held.toString("latin1", 0, end).replace(/\r$/, "");
    this.#held = this.#held.subarray(end + 1);
    return line;
  }

  #take(): void {
    const bytes = this.#held.subarray(0, Math.min(this.#left, this.#held.length));
    this.#held = this.#held.subarray(bytes.length);
    this.#left -= bytes.length;
    if (bytes.length > 0) this.#onBody?.(bytes);
  }
}
