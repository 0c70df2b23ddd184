/** Who issues certificates: a new authority, or one that was given. @module */
import type { KeyedCertificate } from "./certificates.ts";
import type { Validity } from "./certificate_options.ts";

/** The library, which is loaded when it is needed. */
export type X509 = typeof import("@peculiar/x509");

/** What a certificate says beside its names. */
type Extension = InstanceType<X509["Extension"]>;

/** An authority that can issue certificates. */
export interface Authority {
  /** Its certificate, in PEM. */
  readonly cert: string;
  readonly keyKind: "ecdsa" | "rsa";
  /** Its key, in PEM. */
  exportKey(): Promise<string>;
  /**
   * Issues a certificate for a new key.
   *
   * @param subject What to call its owner.
   * @param keyKind The kind of the key.
   * @param validity From when to when; cut off where an authority that was given ends.
   * @param extensions What else it says.
   */
  issue(
    subject: string,
    keyKind: "ecdsa" | "rsa",
    validity: Validity,
    extensions: readonly Extension[],
  ): Promise<KeyedCertificate>;
}

/** All our authorities have one name: a peer tells them apart by the identifier of their key. */
const NAME = "CN=falco-streams test CA";

/**
 * Makes an authority.
 *
 * @param x509 The library.
 * @param keyKind The kind of its key.
 * @param validity From when to when.
 * @returns The authority.
 */
export async function makeAuthority(
  x509: X509,
  keyKind: "ecdsa" | "rsa",
  validity: Validity,
): Promise<Authority> {
  const keys = await makeKeys(keyKind);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    name: NAME,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return authorityOf(x509, certificate, keys.privateKey, { keyKind, cutOff: false });
}

/**
 * Reads an authority.
 *
 * @param x509 The library.
 * @param given Its certificate and key.
 * @param now The present, in milliseconds.
 * @returns The authority.
 * @throws {TypeError} If it is none, if its key is another one's, or if it has ended.
 */
export async function readAuthority(
  x509: X509,
  { cert, key }: KeyedCertificate,
  now: number,
): Promise<Authority> {
  const certificate = parse(() => new x509.X509Certificate(cert), "has no certificate in PEM");
  const isAuthority = certificate.getExtension(x509.BasicConstraintsExtension)?.ca === true;
  if (!isAuthority) throw refusal("is not the certificate of an authority");
  if (certificate.notAfter.getTime() <= now) {
    throw refusal(`has ended: it was valid until ${certificate.notAfter.toISOString()}`);
  }
  const { name } = certificate.publicKey.algorithm;
  const keyKind = name === "ECDSA" ? "ecdsa" : "rsa";
  const algorithm = keyKind === "rsa"
    ? algorithmOf("rsa")
    : certificate.publicKey.algorithm as EcKeyImportParams;
  const der = parse(() => x509.PemConverter.decodeFirst(key), "has no key in PEM");
  const privateKey = await crypto.subtle.importKey("pkcs8", der, algorithm, true, ["sign"])
    .catch(() => undefined);
  if (privateKey === undefined) {
    throw refusal(`has no ${keyKind === "rsa" ? "RSA" : "ECDSA"} key in PKCS#8, not encrypted`);
  }
  const publicKey = await certificate.publicKey.export(algorithm, ["verify"]);
  const how = { ...algorithm, hash: "SHA-256" };
  const nonce = crypto.getRandomValues(new Uint8Array(32));
  const signature = await crypto.subtle.sign(how, privateKey, nonce);
  if (!await crypto.subtle.verify(how, publicKey, signature, nonce)) {
    throw refusal("has the key of another one");
  }
  return authorityOf(x509, certificate, privateKey, { keyKind, cutOff: true });
}

function authorityOf(
  x509: X509,
  certificate: InstanceType<X509["X509Certificate"]>,
  privateKey: CryptoKey,
  { keyKind, cutOff }: { keyKind: "ecdsa" | "rsa"; cutOff: boolean },
): Authority {
  const { notAfter } = certificate;
  const keyId = certificate.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  return {
    cert: formatPem(x509, certificate.rawData, "CERTIFICATE"),
    keyKind,
    exportKey: () => formatKey(x509, privateKey),
    async issue(subject, kind, validity, extensions) {
      const keys = await makeKeys(kind);
      const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
      // The key exchange of old TLS 1.2 cipher suites encrypts with an RSA key; an ECDSA key only signs.
      const usages = kind === "rsa" ? digitalSignature | keyEncipherment : digitalSignature;
      const issued = await x509.X509CertificateGenerator.create({
        notBefore: validity.notBefore,
        notAfter: cutOff && notAfter < validity.notAfter ? notAfter : validity.notAfter,
        subject: `CN=${subject}`,
        issuer: certificate.subjectName,
        publicKey: keys.publicKey,
        signingKey: privateKey,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(usages, true),
          await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
          // OpenSSL's strict mode wants it.
          ...(keyId === undefined ? [] : [new x509.AuthorityKeyIdentifierExtension(keyId)]),
          ...extensions,
        ],
      });
      return {
        cert: formatPem(x509, issued.rawData, "CERTIFICATE"),
        key: await formatKey(x509, keys.privateKey),
      };
    },
  };
}

function makeKeys(kind: "ecdsa" | "rsa"): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithmOf(kind), true, ["sign", "verify"]);
}

function algorithmOf(kind: "ecdsa" | "rsa"): EcKeyGenParams | RsaHashedKeyGenParams {
  if (kind === "ecdsa") return { name: "ECDSA", namedCurve: "P-256" };
  return {
    name: "RSASSA-PKCS1-v1_5",
    hash: "SHA-256",
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  };
}

async function formatKey(x509: X509, key: CryptoKey): Promise<string> {
  return formatPem(x509, await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

function formatPem(x509: X509, der: ArrayBuffer, tag: string): string {
  return x509.PemConverter.encode(der, tag).trimEnd() + "\n";
}

function parse<T>(read: () => T, state: string): T {
  try {
    return read();
  } catch (cause) {
    throw refusal(state, cause);
  }
}

function refusal(state: string, cause?: unknown): TypeError {
  return new TypeError(
    `Cannot make certificates: option "authority" ${state}. ` +
      "Give an authority with its own key, or none to have one made",
    { cause },
  );
}
