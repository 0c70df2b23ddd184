/** A fingerprint of alerts. @module */
import { createHash } from "node:crypto";

/** How many hexadecimal digits are shown; enough to tell two runs apart. */
const DIGITS = 16;

/**
 * A fingerprint of alerts in their order: the first 16 hexadecimal digits of SHA-256 over their lines
 * of Falco's JSON, each with `\n`.
 */
export class AlertDigest {
  readonly #hash = createHash("sha256");
  #text: string | undefined;

  /**
   * Adds an alert.
   *
   * @param line What `formatAlert` makes of it.
   */
  add(line: string): void {
    this.#hash.update(`${line}\n`);
    this.#text = undefined;
  }

  /** The fingerprint of all alerts so far. */
  get text(): string {
    // A copy, since a hash that was read takes no more.
    return this.#text ??= this.#hash.copy().digest("hex").slice(0, DIGITS);
  }
}
