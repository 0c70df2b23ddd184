/** Certificates that a fake on Deno cannot accept. @module */
import { versionOf } from "../harness/certificate_facts.ts";

/**
 * Says what becomes of clients with certificates of X.509 version 1, which the openssl recipe in
 * Falco's documentation makes: Falco, Node and Bun accept them, the TLS of Deno does not.
 *
 * @param cert A certificate of the client, or of the server where the client's is not known: who made
 * the one made the other. In PEM.
 * @returns A line for standard error; empty if there is nothing to say.
 */
export function warnOfVersion1(cert: string): string {
  if (!("Deno" in globalThis) || versionOf(cert) !== 1) return "";
  return "the certificates are of X.509 version 1: on Deno, clients that show one are refused. " +
    "Run this under Node or Bun, or make others with certs\n";
}
