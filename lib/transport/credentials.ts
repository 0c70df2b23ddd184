/** Certificates and keys for TLS, from text or from files. @module */
import { readFile } from "node:fs/promises";
import { FalcoConnectError } from "../errors.ts";

/**
 * What a client needs to reach a Falco over TCP, which always wants a client certificate.
 *
 * Each of the three is PEM text, the path of a file that holds it, or the `file:` URL of one. Files
 * are read when a connection is made, so that renewed certificates are taken at the next one.
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
 * @returns PEM texts.
 * @throws {FalcoConnectError} If a file cannot be read or holds no PEM; the message names it.
 */
export async function loadCredentials(
  credentials: TlsCredentials,
  address: string,
): Promise<LoadedCredentials> {
  const [ca, cert, key] = await Promise.all([
    loadPem(credentials.ca, "ca", address),
    loadPem(credentials.cert, "cert", address),
    loadPem(credentials.key, "key", address),
  ]);
  const { serverName } = credentials;
  return { ca, cert, key, ...(serverName === undefined ? {} : { servername: serverName }) };
}

async function loadPem(material: string | URL, option: string, address: string): Promise<string> {
  if (typeof material === "string" && material.includes("-----BEGIN ")) return material;
  const fail = (problem: string, cause?: unknown): never => {
    throw new FalcoConnectError(`Cannot connect to ${address}: ${problem}`, {
      address,
      reason: "tls",
      cause,
    });
  };
  if (typeof material === "string" && /[\r\n]/.test(material)) {
    return fail(`the option "tls.${option}" is text without a PEM block. Pass PEM text or a path`);
  }
  let text: string;
  try {
    text = await readFile(material, "utf8");
  } catch (cause) {
    return fail(
      `the file ${JSON.stringify(String(material))} of the option "tls.${option}" ` +
        `cannot be read (${(cause as Error).message}). Check the path and the permissions`,
      cause,
    );
  }
  if (text.includes("-----BEGIN ")) return text;
  return fail(
    `the file ${JSON.stringify(String(material))} of the option "tls.${option}" ` +
      `holds no PEM block. Convert it with openssl x509 or openssl pkey`,
  );
}
