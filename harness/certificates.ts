/** Certificates for mutual TLS between a fake Falco and its clients, made in this process. @module */
import { mkdir, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FalcoError } from "../lib/errors.ts";
import { makeAuthority, readAuthority } from "./certificate_authority.ts";
import { planCertificates } from "./certificate_options.ts";
import type { CertificatesOptions } from "./certificate_options.ts";

/**
 * What mutual TLS with a fake Falco needs: an authority, and a certificate with its key for each side.
 *
 * Everything is PEM text that ends with a line break; keys are PKCS#8 and not encrypted. Unless it was
 * asked for, the key of the authority is thrown away, so nobody can issue more certificates that these
 * sides would trust.
 *
 * @example What a client passes to `connect()`
 * ```ts
 * import { makeCertificates } from "@falco-streams/core/harness";
 * import type { Certificates } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const certificates: Certificates = await makeCertificates();
 * const tls = { ca: certificates.ca, ...certificates.client };
 * assert.deepEqual(Object.keys(tls), ["ca", "cert", "key"]);
 * ```
 */
export interface Certificates {
  /** The certificate of the authority that issued the other two: Falco's `root_certs`, a client's `ca`. */
  readonly ca: string;
  /** The authority's key, if it was kept: with it more certificates can be issued. */
  readonly caKey?: string;
  /** What the server shows: Falco's `cert_chain` and `private_key`. */
  readonly server: KeyedCertificate;
  /** What the client shows. */
  readonly client: KeyedCertificate;
}

/**
 * A certificate and the private key that belongs to it.
 *
 * @example
 * ```ts
 * import { makeCertificates } from "@falco-streams/core/harness";
 * import type { KeyedCertificate } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const server: KeyedCertificate = (await makeCertificates()).server;
 * assert.match(server.cert, /^-----BEGIN CERTIFICATE-----\n/);
 * assert.match(server.key, /^-----BEGIN PRIVATE KEY-----\n/);
 * ```
 */
export interface KeyedCertificate {
  /** The certificate alone, without the authority's, in PEM. */
  readonly cert: string;
  /** The private key in PEM (PKCS#8, not encrypted). */
  readonly key: string;
}

/**
 * Makes an authority, and a server and a client certificate that it issued.
 *
 * They are X.509 version 3 with SHA-256 signatures and random serial numbers. The server's is for
 * server authentication and for `names` only (as subject alternative names; its common name is not a
 * host name), the client's for client authentication only. Made for tests: the keys are not protected
 * in any way. Every call makes a new authority, so that two calls do not trust each other, unless it is
 * given one. With `broken` the certificates are ones that a good peer refuses.
 *
 * The first call in a process takes about 0.1 s longer: it loads the X.509 library then, and with it
 * `reflect-metadata`, which adds functions to the global `Reflect`. On Deno it needs no permission.
 * It cannot be cancelled.
 *
 * @param options What to put in; see {@linkcode CertificatesOptions}.
 * @returns The certificates and keys in PEM.
 * @throws {TypeError} If `names` holds something that is no host name and no IP address, if `algorithm`
 * or something in `broken` is unknown, or if `authority` is none, has another's key or has ended.
 * @throws {RangeError} If `names` is empty, or if `days` or `now` leave the years 1970 to 9999.
 *
 * @example A server that asks its clients for a certificate
 * ```ts
 * import { makeCertificates } from "@falco-streams/core/harness";
 * import { createSecureServer } from "node:http2";
 *
 * const { ca, server } = await makeCertificates({ names: ["localhost", "falco.example.test"] });
 * createSecureServer({ ca, ...server, requestCert: true, rejectUnauthorized: true });
 * ```
 */
export async function makeCertificates(options: CertificatesOptions = {}): Promise<Certificates> {
  const plan = planCertificates(options);
  const { broken, validity, now } = plan;

  // Loaded here, not above: it takes 0.1 s and changes a global, and who needs no TLS should have neither.
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");

  const authority = plan.authority === undefined
    ? await makeAuthority(x509, plan.keyKind ?? "ecdsa", validity.authority)
    : await readAuthority(x509, plan.authority, now);
  const { keyKind = authority.keyKind } = plan;
  const stranger = broken.has("other-authority") || broken.has("other-authority-client")
    ? await makeAuthority(x509, authority.keyKind, validity.authority)
    : authority;

  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  const [server, client] = await Promise.all([
    (broken.has("other-authority") ? stranger : authority)
      .issue("falco-streams test server", keyKind, validity.server, [
        new x509.ExtendedKeyUsageExtension([serverAuth]),
        new x509.SubjectAlternativeNameExtension([...plan.names]),
      ]),
    (broken.has("other-authority-client") ? stranger : authority)
      .issue("falco-streams test client", keyKind, validity.client, [
        new x509.ExtendedKeyUsageExtension([clientAuth]),
      ]),
  ]);
  const certificates = { ca: authority.cert, server, client };
  if (!plan.keepAuthorityKey) return certificates;
  return { ...certificates, caKey: await authority.exportKey() };
}

/**
 * Writes certificates under the names that Falco's documentation gives them: `ca.crt`, `server.crt`,
 * `server.key`, `client.crt`, `client.key`; and `ca.key`, if the authority's key was kept.
 *
 * The folder is made with its parents if it is missing, for its owner only (mode 0700); one that is
 * there keeps its mode. Keys get mode 0600, certificates 0644, both less the umask; Windows has no
 * modes. Files of these names are replaced, one after the other: after an error some may be new and
 * others old. On Deno it needs `--allow-write` for the folder, and for the parents to be made.
 *
 * @param folder The path of the folder.
 * @param certificates What {@linkcode makeCertificates} made.
 * @throws {FalcoError} If the folder or a file cannot be written; the file system's error is the `cause`.
 *
 * @example
 * ```ts
 * import { makeCertificates, writeCertificates } from "@falco-streams/core/harness";
 * import { makeTempFolder } from "@falco-streams/core/harness";
 * import { readFile } from "node:fs/promises";
 * import assert from "node:assert/strict";
 *
 * const folder = await makeTempFolder();
 * const certificates = await makeCertificates();
 * await writeCertificates(folder.path, certificates);
 * assert.equal(await readFile(`${folder.path}/ca.crt`, "utf8"), certificates.ca);
 * await folder.remove();
 * ```
 */
export async function writeCertificates(folder: string, certificates: Certificates): Promise<void> {
  const { ca, caKey, server, client } = certificates;
  const files: [name: string, text: string, mode: number][] = [
    ["ca.crt", ca, 0o644],
    ...(caKey === undefined ? [] : [["ca.key", caKey, 0o600] as [string, string, number]]),
    ["server.crt", server.cert, 0o644],
    ["server.key", server.key, 0o600],
    ["client.crt", client.cert, 0o644],
    ["client.key", client.key, 0o600],
  ];
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const [name, text, mode] of files) {
      const path = join(folder, name);
      // A file that is there would keep its mode, and a link would lead the key somewhere else.
      // Not `rm`, which asks Deno for read permission too. `wx`: nor a file that came in between.
      await unlink(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
      await writeFile(path, text, { mode, flag: "wx" });
    }
  } catch (cause) {
    const state = cause instanceof Error ? cause.message : String(cause);
    throw new FalcoError(
      `Cannot write certificates to "${folder}": ${state}. Name a folder this program may write to`,
      { cause },
    );
  }
}
