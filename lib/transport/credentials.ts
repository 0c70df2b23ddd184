/** Certificates and keys for TLS, from text or from files. @module */
import { FalcoConnectError } from "../errors.ts";
import { loadKeyPair } from "./load_key_pair.ts";
import { isText, loadPem } from "./load_pem.ts";
import type { PemFailure } from "./load_pem.ts";
import { errorCode, shortageRemedy } from "./reported_error.ts";

/**
 * What a client needs to reach a Falco over TCP, which always wants a client certificate.
 *
 * Each of the three is PEM text, the path of a file that holds it, or the `file:` URL of one. Files
 * are read when a connection is made, so that renewed certificates are taken at the next one; once
 * there was one, what may wait for a connection tries again while they are being renewed.
 * What is no PEM, is a broken one, holds something else (a key that is encrypted, say) or does not belong
 * together is refused then, before anything is sent; the error names the option and the file.
 *
 * There is no switch to skip the check of Falco's certificate: pass the authority that signed it.
 *
 * @example The files that Falco's documentation makes
 * ```ts
 * import type { TlsCredentials } from "@falco-streams/core";
 *
 * const tls: TlsCredentials = {
 *   ca: "/etc/falco/certs/ca.crt",
 *   cert: "/etc/falco/certs/client.crt",
 *   key: "/etc/falco/certs/client.key",
 * };
 * console.assert(tls.serverName === undefined);
 * ```
 */
export interface TlsCredentials {
  /** The authority that signed Falco's certificate. */
  readonly ca: string | URL;
  /** The client's certificate, signed by the authority in Falco's `root_certs`. */
  readonly cert: string | URL;
  /** The key of the client's certificate. */
  readonly key: string | URL;
  /** The name that Falco's certificate must carry, if it is not the host of the address. */
  readonly serverName?: string;
}

/**
 * Whether credentials can be other ones at the next connection.
 *
 * @param credentials The credentials.
 * @returns True if any of them is in a file.
 */
export function isInFiles({ ca, cert, key }: TlsCredentials): boolean {
  return ![ca, cert, key].every((material) => isText(material));
}

/** Credentials as `node:tls` takes them. */
export interface LoadedCredentials {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly servername?: string;
}

/**
 * Reads what is in files.
 *
 * @param credentials Text, paths or URLs.
 * @param address The address they are for, for messages.
 * @param renewable Whether they were good before, and may just be renewed: then a failure passes.
 * @returns PEM texts.
 * @throws {FalcoConnectError} If a file cannot be read, something is no PEM or a broken one, or the key
 * is not the certificate's; the message names option and file.
 */
export async function loadCredentials(
  credentials: TlsCredentials,
  address: string,
  renewable: boolean = false,
): Promise<LoadedCredentials> {
  const fail: PemFailure = (problem, cause) => {
    const isShort = shortageRemedy(errorCode(cause)) !== undefined;
    throw new FalcoConnectError(`Cannot connect to ${address}: ${problem}`, {
      address,
      reason: isShort ? "refused" : "tls",
      passing: renewable || isShort,
      cause,
    });
  };
  // One after the other: of several that are wrong, it is always the same that is named.
  const ca = await loadPem(credentials, "ca", "certificate", fail);
  const pair = await loadKeyPair(credentials, fail);
  const { serverName } = credentials;
  return { ca, ...pair, ...(serverName === undefined ? {} : { servername: serverName }) };
}
