/** What a certificate says. @module */

/**
 * Reads what clients may call the server that a certificate is for.
 *
 * @param cert The certificate, in PEM.
 * @returns Its subject alternative names that are host names or IP addresses; none if it has none, as
 * those of the recipe in Falco's documentation.
 * @throws {Error} If it is no certificate.
 */
export async function namesIn(cert: string): Promise<readonly string[]> {
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  const extension = new x509.X509Certificate(cert).getExtension(
    x509.SubjectAlternativeNameExtension,
  );
  const names = extension?.names.items ?? [];
  return names.filter(({ type }) => type === "dns" || type === "ip").map(({ value }) => value);
}

/**
 * Tells the version of X.509. No runtime says it, and it matters: a server on Deno refuses clients
 * whose certificate is of version 1, which is what the openssl recipe in Falco's documentation makes.
 *
 * @param cert The certificate, in PEM.
 * @returns 1, 2 or 3; undefined if it is no certificate.
 */
export function versionOf(cert: string): number | undefined {
  const base64 = /-----BEGIN CERTIFICATE-----([\sA-Za-z0-9+/=]+)-----END/.exec(cert)?.[1];
  if (base64 === undefined) return undefined;
  let der: string;
  try {
    der = atob(base64.replace(/\s/g, ""));
  } catch {
    return undefined;
  }
  // RFC 5280, section 4.1: a sequence that begins with a sequence that begins with the version, which
  // is left out if it is 1.
  const inner = contentAt(der, 0);
  const first = inner === undefined ? undefined : contentAt(der, inner);
  if (first === undefined || der.charCodeAt(0) !== 0x30) return undefined;
  if (der.charCodeAt(first) !== 0xa0) return 1;
  return der.charCodeAt(first + 4) + 1;
}

/** Where the content begins of what begins there: behind a tag and a length. */
function contentAt(der: string, at: number): number | undefined {
  const length = der.charCodeAt(at + 1);
  if (Number.isNaN(length)) return undefined;
  return at + 2 + (length < 0x80 ? 0 : length & 0x7f);
}
