/** A certificate and its key. @module */
import { checkKeyPair } from "./check_key_pair.ts";
import { loadPem, pemPlace } from "./load_pem.ts";
import type { PemFailure, PemOptions } from "./load_pem.ts";

/** Both as PEM texts. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/**
 * Reads a certificate and its key, and looks whether they belong together: with two that do not, a
 * server on Deno listens and accepts nobody.
 *
 * @param given Options with both, each as PEM text, a path or a `file:` URL.
 * @param fail Throws; gets what is wrong, and the remedy.
 * @returns Both.
 */
export async function loadKeyPair(
  given: PemOptions<"cert" | "key">,
  fail: PemFailure,
): Promise<KeyPair> {
  // One after the other: of two that are wrong, it is always the same that is named.
  const cert = await loadPem(given, "cert", "certificate", fail);
  const key = await loadPem(given, "key", "key", fail);
  checkKeyPair(
    { pem: cert, place: pemPlace(given, "cert") },
    { pem: key, place: pemPlace(given, "key") },
    fail,
  );
  return { cert, key };
}
