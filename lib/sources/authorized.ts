/** Who may send alerts. @module */
import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";

/**
 * Checks the secret of a request, in a time that does not tell how much of it was right.
 *
 * @param header The value of `Authorization`.
 * @param token The secret.
 * @returns True if it is the token of `Bearer`, or the password of `Basic`.
 */
export function isAuthorized(header: string | undefined, token: string): boolean {
  const [, scheme = "", value = ""] = /^(\S+) +(\S+)$/.exec(header ?? "") ?? [];
  const shown = scheme.toLowerCase() === "bearer"
    ? value
    : scheme.toLowerCase() === "basic"
    ? /:(.*)$/s.exec(Buffer.from(value, "base64").toString("utf8"))?.[1]
    : undefined;
  return shown !== undefined && timingSafeEqual(digest(shown), digest(token));
}

/** Of the same length for every secret, as the comparison asks for. */
function digest(secret: string): Uint8Array {
  return createHash("sha256").update(secret).digest();
}
