/** Certificates for mutual TLS between a fake Falco and its clients, made in this process. @module */
import { mkdir, unlink, writeFile } from "node:fs/promises";
import { isIP, isIPv6 } from "node:net";
import { join } from "node:path";
import { FalcoError } from "../lib/errors.ts";

/**
 * What mutual TLS with a fake Falco needs: an authority, and a certificate with its key for each side.
 *
 * Everything is PEM text that ends with a line break; keys are PKCS#8 and not encrypted. The key of
 * the authority is thrown away, so nobody can issue more certificates that these sides would trust.
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
 * How {@linkcode makeCertificates} makes certificates; all of it has a default.
 *
 * @example Certificates that expired yesterday
 * ```ts
 * import { makeCertificates } from "@falco-streams/core/harness";
 * import type { CertificatesOptions } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const expired: CertificatesOptions = { days: 30, now: Date.now() - 31 * 86_400_000 };
 * assert.match((await makeCertificates(expired)).ca, /BEGIN CERTIFICATE/);
 * ```
 */
export interface CertificatesOptions {
  /**
   * What clients may call the server: host names (`*.example.test` too) and IP addresses, at least
   * one. Names with other letters than ASCII are given in their `xn--` form.
   *
   * @default {["localhost", "127.0.0.1", "::1"]} since a fake Falco listens on loopback
   */
  readonly names?: readonly string[];
  /**
   * How many days from `now` the certificates stay valid. Above 0, fractions allowed.
   *
   * @default {365} as in the recipe of Falco's documentation
   */
  readonly days?: number;
  /**
   * The kind of all keys: `ecdsa` on P-256, or `rsa` with 2048 bits.
   *
   * @default {"ecdsa"} since all of it then takes about 15 ms; with RSA keys 0.1 to 0.6 s
   */
  readonly algorithm?: "ecdsa" | "rsa";
  /**
   * The present, in milliseconds since 1970-01-01T00:00:00Z. Validity starts one day before it, for
   * machines whose clock is late, and counts in whole seconds.
   *
   * @default {Date.now()}
   */
  readonly now?: number;
}

type X509 = typeof import("@peculiar/x509");

const dayMs = 86_400_000;
/** The last second that a certificate can name, 9999-12-31T23:59:59Z (RFC 5280, section 4.1.2.5). */
const lastMs = 253_402_300_799_000;
const hostName = /^(?:\*\.)?(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*$/i;

/**
 * Makes an authority, and a server and a client certificate that it issued.
 *
 * They are X.509 version 3 with SHA-256 signatures and random serial numbers. The server's is for
 * server authentication and for `names` only (as subject alternative names; its common name is not a
 * host name), the client's for client authentication only. Made for tests: the keys are not protected
 * in any way. Every call makes a new authority, so that two calls do not trust each other.
 *
 * The first call in a process takes about 0.1 s longer: it loads the X.509 library then, and with it
 * `reflect-metadata`, which adds functions to the global `Reflect`. On Deno it needs no permission.
 * It cannot be cancelled.
 *
 * @param options What to put in; see {@linkcode CertificatesOptions}.
 * @returns The certificates and keys in PEM.
 * @throws {TypeError} If `names` holds something that is no host name and no IP address, or if `algorithm` is unknown.
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
  const { names = ["localhost", "127.0.0.1", "::1"], days = 365, algorithm = "ecdsa" } = options;
  const { now = Date.now() } = options;
  const generalNames = parseNames(names);
  const validity = computeValidity(now, days);
  const keyAlgorithm = parseAlgorithm(algorithm);

  // Loaded here, not above: it takes 0.1 s and changes a global, and who needs no TLS should have neither.
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");

  const makeKeys = () => crypto.subtle.generateKey(keyAlgorithm, true, ["sign", "verify"]);
  const [caKeys, serverKeys, clientKeys] = await Promise.all([makeKeys(), makeKeys(), makeKeys()]);
  const caName = "CN=falco-streams test CA";
  const caKeyId = await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey);
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    name: caName,
    keys: caKeys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      caKeyId,
    ],
  });

  async function issue(
    commonName: string,
    keys: CryptoKeyPair,
    purpose: "serverAuth" | "clientAuth",
    extensions: InstanceType<X509["Extension"]>[],
  ): Promise<KeyedCertificate> {
    const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
    // The key exchange of old TLS 1.2 cipher suites encrypts with an RSA key; an ECDSA key only signs.
    const usages = algorithm === "rsa" ? digitalSignature | keyEncipherment : digitalSignature;
    const cert = await x509.X509CertificateGenerator.create({
      ...validity,
      subject: `CN=${commonName}`,
      issuer: caName,
      publicKey: keys.publicKey,
      signingKey: caKeys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(usages, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[purpose]]),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
        // All our authorities have one name; by this a peer tells them apart, and OpenSSL's strict mode wants it.
        new x509.AuthorityKeyIdentifierExtension(caKeyId.keyId),
        ...extensions,
      ],
    });
    const key = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
    return {
      cert: formatPem(x509, cert.rawData, "CERTIFICATE"),
      key: formatPem(x509, key, "PRIVATE KEY"),
    };
  }

  return {
    ca: formatPem(x509, ca.rawData, "CERTIFICATE"),
    server: await issue("falco-streams test server", serverKeys, "serverAuth", [
      new x509.SubjectAlternativeNameExtension(generalNames),
    ]),
    client: await issue("falco-streams test client", clientKeys, "clientAuth", []),
  };
}

/**
 * Writes certificates under the names that Falco's documentation gives them: `ca.crt`, `server.crt`,
 * `server.key`, `client.crt`, `client.key`.
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
  const { ca, server, client } = certificates;
  const files: [name: string, text: string, mode: number][] = [
    ["ca.crt", ca, 0o644],
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

function parseNames(names: readonly string[]): { type: "dns" | "ip"; value: string }[] {
  if (!Array.isArray(names)) {
    throw new TypeError(
      `Cannot make certificates: option "names" is ${
        show(names)
      }. Give an array of host names and IP addresses`,
    );
  }
  if (names.length === 0) {
    throw new RangeError(
      `Cannot make certificates: option "names" is empty. Give at least one host name or IP address`,
    );
  }
  return names.map((name: unknown) => {
    if (typeof name === "string" && isIP(name) !== 0 && !name.includes("%")) {
      // The library reads "::ffff:127.0.0.1" as another address, without a word; URL writes it in hexadecimal.
      const value = isIPv6(name) ? new URL(`http://[${name}]`).hostname.slice(1, -1) : name;
      return { type: "ip", value };
    }
    // A last label of digits alone is an IPv4 address gone wrong: clients never look it up as a name.
    if (
      typeof name !== "string" || name.length > 253 || !hostName.test(name) ||
      /(?:^|\.)\d+$/.test(name)
    ) {
      throw new TypeError(
        `Cannot make certificates: option "names" has ${show(name)}. ` +
          "Give host names in ASCII, without port or trailing dot, and IP addresses without brackets or zone",
      );
    }
    return { type: "dns", value: name };
  });
}

function computeValidity(now: number, days: number): { notBefore: Date; notAfter: Date } {
  if (!(now >= 0 && now <= lastMs)) {
    throw new RangeError(
      `Cannot make certificates: option "now" is ${
        show(now)
      }. Give milliseconds in the years 1970 to 9999`,
    );
  }
  if (!(days > 0 && now + days * dayMs <= lastMs)) {
    throw new RangeError(
      `Cannot make certificates: option "days" is ${
        show(days)
      }. Give a number above 0 that ends before the year 10000`,
    );
  }
  return { notBefore: new Date(now - dayMs), notAfter: new Date(now + days * dayMs) };
}

function parseAlgorithm(algorithm: "ecdsa" | "rsa"): EcKeyGenParams | RsaHashedKeyGenParams {
  if (algorithm === "ecdsa") return { name: "ECDSA", namedCurve: "P-256" };
  if (algorithm === "rsa") {
    return {
      name: "RSASSA-PKCS1-v1_5",
      hash: "SHA-256",
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
    };
  }
  throw new TypeError(
    `Cannot make certificates: option "algorithm" is ${show(algorithm)}. Give "ecdsa" or "rsa"`,
  );
}

function formatPem(x509: X509, der: ArrayBuffer, tag: string): string {
  return x509.PemConverter.encode(der, tag).trimEnd() + "\n";
}

function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
