/** Whether it is the dates of a certificate that TLS stumbled over. @module */
import { X509Certificate } from "node:crypto";
import type { LoadedCredentials } from "./credentials.ts";
import { quoteOption } from "./option_names.ts";
import type { NamedOptions } from "./option_names.ts";
import { pemBlocksOf } from "./pem_blocks.ts";

/**
 * Looks whether the caller's certificates are valid at a time.
 *
 * The server does not say why it refuses a certificate, or only in words that differ between
 * runtimes; Deno says of an authority that has expired only that it does not verify.
 *
 * @param loaded The certificates, as PEM texts.
 * @param nowMs The time, by the machine's clock, as TLS takes it.
 * @param given The options that they came in, for messages.
 * @returns What is wrong and the remedy; undefined if it is not the dates.
 */
export function certificateDates(
  loaded: Partial<LoadedCredentials>,
  nowMs: number,
  given?: NamedOptions,
): string | undefined {
  const { cert = "", ca = "" } = loaded;
  const [own] = certificatesIn(cert);
  const authorities = certificatesIn(ca);
  const of = (certificate: X509Certificate, option: string): string | undefined =>
    datesOf(certificate, nowMs, {
      whose: `the certificate in ${quoteOption(given, option)}`,
      renew: "Renew it",
      clocks: "Check the clock of this machine",
    });
  const problem = own === undefined ? undefined : of(own, "cert");
  if (problem !== undefined) return problem;
  // One that is valid is enough.
  const problems = authorities.map((authority) => of(authority, "ca"));
  return problems.every((one) => one !== undefined) ? problems[0] : undefined;
}

/** What to call a certificate, and what to do about it. */
export interface DatesWords {
  readonly whose: string;
  readonly renew: string;
  readonly clocks: string;
}

/**
 * Looks whether a certificate is valid at a time.
 *
 * @param certificate The certificate.
 * @param nowMs The time.
 * @param words What to call it, and what to do about it.
 * @returns What is wrong and the remedy; undefined if it is valid.
 */
export function datesOf(
  certificate: X509Certificate,
  nowMs: number,
  { whose, renew, clocks }: DatesWords,
): string | undefined {
  const from = Date.parse(certificate.validFrom);
  const to = Date.parse(certificate.validTo);
  if (nowMs > to) return `${whose} has expired (valid to ${iso(to)}). ${renew}`;
  if (nowMs < from) return `${whose} is not valid yet (valid from ${iso(from)}). ${clocks}`;
  return undefined;
}

function iso(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/**
 * Reads the certificates of a PEM.
 *
 * @param pem The text.
 * @returns Those that can be read.
 */
export function certificatesIn(pem: string): X509Certificate[] {
  return pemBlocksOf(pem, "certificate").flatMap(({ text = "" }) => {
    try {
      return [new X509Certificate(text)];
    } catch {
      return []; // the handshake tells of it
    }
  });
}
