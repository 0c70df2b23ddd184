/** What a sink needs for TLS. @module */
import { loadKeyPair } from "../transport/load_key_pair.ts";
import type { KeyPair } from "../transport/load_key_pair.ts";
import { loadPem } from "../transport/load_pem.ts";
import type { PemFailure } from "../transport/load_pem.ts";

/** Where it is: PEM texts, paths or `file:` URLs. */
export interface SinkTls {
  readonly ca?: string | URL;
  readonly cert?: string | URL;
  readonly key?: string | URL;
}

/**
 * Reads certificates and keys.
 *
 * @param tls Where they are.
 * @param fail Throws; gets what is wrong with one, or that certificate and key are not both there.
 * @returns PEM texts, for `node:tls`; without those that were left out.
 */
export async function loadSinkTls(
  tls: SinkTls,
  fail: PemFailure,
): Promise<{ readonly ca?: string } & Partial<KeyPair>> {
  return {
    ...(tls.ca === undefined ? {} : { ca: await loadPem(tls, "ca", "certificate", fail) }),
    ...(tls.cert === undefined && tls.key === undefined ? {} : await loadKeyPair(tls, fail)),
  };
}
