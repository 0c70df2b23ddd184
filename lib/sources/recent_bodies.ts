/** Bodies whose senders may not know that they arrived. @module */
import { createHash } from "node:crypto";

/** How many are remembered: a Falco has one request under way. */
const MAX_BODIES = 1024;

/**
 * Remembers what was taken and could not be answered.
 *
 * libcurl sends a request again, once and without a word, if a connection that it used before breaks
 * before the answer came; the alert then arrives twice (falco-outputs 3.2). Only such an alert can be
 * told from one that was raised twice.
 */
export class RecentBodies {
  readonly #digests = new Set<string>();

  /**
   * Notes a body that was taken, and whose connection broke before the answer was out.
   *
   * @param body The body.
   */
  add(body: string): void {
    this.#digests.add(digest(body));
    if (this.#digests.size > MAX_BODIES) {
      this.#digests.delete(this.#digests.values().next().value!);
    }
  }

  /**
   * Tells whether a body has come already, and forgets it: it is sent again once.
   *
   * @param body The body.
   */
  take(body: string): boolean {
    return this.#digests.size > 0 && this.#digests.delete(digest(body));
  }
}

function digest(body: string): string {
  return createHash("sha256").update(body).digest("base64");
}
