/** Whether it is the dates of a certificate that TLS stumbled over. @module */
import { X509Certificate } from "node:crypto";
import type { LoadedCredentials } from "./credentials.ts";

/**
 * Looks whether the caller's certificates are valid at a time.
 *
 * The server does not say why it refuses a certificate, or only in words that differ between
 * runtimes; Deno says of an authority that has expired only that it does not verify.
 *
 * @param loaded The certificates, as PEM texts.
 * @param nowMs The time, by the machine's clock, as TLS takes it.
 * @returns What is wrong and the remedy; undefined if it is not the dates.
 */
export function certificateDates(
  loaded: Partial<LoadedCredentials>,
  nowMs: number,
): string | undefined {
  const { cert = "", ca = "" } = loaded;
  const [own] = certificatesIn(cert);
  const authorities = certificatesIn(ca);
  const problem = own === undefined ? undefined : datesOf(own, "tls.cert", nowMs);
  if (problem !== undefined) return problem;
  // One that is valid is enough.
  const problems = authorities.map((authority) => datesOf(authority, "tls.ca", nowMs));
  return problems.every((one) => one !== undefined) ? problems[0] : undefined;
}

function datesOf(certificate: X509Certificate, option: string, nowMs: number): string | undefined {
  const from = Date.parse(certificate.validFrom);
  const to = Date.parse(certificate.validTo);
  if (nowMs > to) {
    return `the certificate in "${option}" has expired (valid to ${iso(to)}). Renew it`;
  }
  if (nowMs < from) {
    return `the certificate in "${option}" is not valid yet (valid from ${iso(from)}). ` +
      "Check the clock of this machine";
  }
  return undefined;
}

function iso(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((block) => {
    try {
      return [new X509Certificate(block)];
    } catch {
      return []; // not readable: the handshake tells of it
    }
  });
}
