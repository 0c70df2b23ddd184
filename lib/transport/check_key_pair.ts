/** Whether a key is the one that a certificate was made for. @module */
import { createPrivateKey, X509Certificate } from "node:crypto";
import type { PemFailure } from "./load_pem.ts";
import { pemBlocksOf } from "./pem_blocks.ts";

/** A text in PEM that `loadPem` has read. */
export interface PlacedPem {
  /** The text. */
  readonly pem: string;
  /** Where it comes from, for messages. */
  readonly place: string;
}

/**
 * Looks whether a key belongs to a certificate. TLS sees it too, but says it in as many ways as there
 * are runtimes, and on some only once it has connected.
 *
 * @param cert The certificate; of several, the first is meant, as in TLS.
 * @param key The key.
 * @param fail Throws; gets what is wrong, and the remedy.
 */
export function checkKeyPair(cert: PlacedPem, key: PlacedPem, fail: PemFailure): void {
  const [certificate] = pemBlocksOf(cert.pem, "certificate");
  const [own] = pemBlocksOf(key.pem, "key");
  const privateKey = createPrivateKey(own!.text!);
  if (new X509Certificate(certificate!.text!).checkPrivateKey(privateKey)) return;
  fail(
    `the key in ${key.place} does not belong to the certificate in ${cert.place}. ` +
      "Pass the key that the certificate was made for",
  );
}
