/** Whether a fake can serve TLS with what it was given. @module */
import { FalcoError } from "../lib/errors.ts";
import { checkKeyPair } from "../lib/transport/check_key_pair.ts";
import { checkPem } from "../lib/transport/check_pem.ts";
import type { PemFailure } from "../lib/transport/load_pem.ts";
import { quoteOption } from "../lib/transport/option_names.ts";
import type { NamedOptions } from "../lib/transport/option_names.ts";
import type { Certificates } from "./certificates.ts";

/**
 * Looks whether the server's certificate and key can be used, and belong together. Falco serves no
 * gRPC with two that do not; Deno would listen, and break every connection.
 *
 * @param certificates The certificates, which may say what messages call them.
 * @param shown The address to listen at, for messages.
 * @throws {FalcoError} If not.
 */
export function checkServerPair(certificates: Certificates & NamedOptions, shown: string): void {
  const fail: PemFailure = (problem, cause) => {
    throw new FalcoError(`Cannot listen at ${shown}: ${problem}`, { cause });
  };
  const { cert, key } = certificates.server;
  const placed = {
    cert: { pem: cert, place: quoteOption(certificates, "server.cert") },
    key: { pem: key, place: quoteOption(certificates, "server.key") },
  };
  checkPem(cert, placed.cert.place, "certificate", fail);
  checkPem(key, placed.key.place, "key", fail);
  checkKeyPair(placed.cert, placed.key, fail);
}
