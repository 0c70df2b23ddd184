/** Whether a text in PEM holds what TLS wants of it. @module */
import { createPrivateKey, X509Certificate } from "node:crypto";
import type { PemFailure } from "./load_pem.ts";
import { pemBlocks, pemBlocksOf } from "./pem_blocks.ts";
import type { PemBlock, PemKind } from "./pem_blocks.ts";

/** Old kinds of keys say in a header that they are encrypted, newer ones by their label. */
const ENCRYPTED = /^Proc-Type:.*ENCRYPTED/m;

/**
 * Looks whether a PEM can be used.
 *
 * What TLS does with one that cannot is another thing on each runtime: it takes no notice of an
 * authority that it cannot read, and then finds the server's certificate signed by nobody, or it ends
 * the process, as Deno 2.9 does where a broken block follows a good one.
 *
 * @param pem The text.
 * @param place Where it comes from, for messages.
 * @param kind What it is to hold. Other blocks may stand beside it; of keys, TLS takes the first.
 * @param fail Throws; gets what is wrong, and the remedy. No word of the text itself is in it.
 */
export function checkPem(pem: string, place: string, kind: PemKind, fail: PemFailure): void {
  const wanted = pemBlocksOf(pem, kind);
  if (wanted.length === 0) failWithout(pemBlocks(pem), place, kind, fail);
  const used = kind === "certificate" ? wanted : wanted.slice(0, 1);
  for (const [index, { label, text }] of used.entries()) {
    const which = used.length === 1 ? `its ${label}` : `${label} ${index + 1} of ${used.length}`;
    if (text === undefined) {
      fail(`${place} is a broken PEM: ${which} has no last line. Copy it again, all of it`);
    }
    if (kind === "key" && ENCRYPTED.test(text)) failEncrypted(place, fail);
    try {
      if (kind === "certificate") new X509Certificate(text);
      else createPrivateKey(text);
    } catch (cause) {
      const detail = (cause as Error).message.trim().replaceAll(/\s+/g, " ");
      fail(
        `${place} is a broken PEM: ${which} cannot be read (${detail}). ` +
          "Copy it again from where it was made",
        cause,
      );
    }
  }
}

function failWithout(
  blocks: readonly PemBlock[],
  place: string,
  kind: PemKind,
  fail: PemFailure,
): never {
  const labels = [...new Set(blocks.map(({ label }) => label))];
  if (kind === "key" && labels.includes("ENCRYPTED PRIVATE KEY")) failEncrypted(place, fail);
  if (labels.length === 0) {
    fail(
      `${place} is a broken PEM: no line of it is "-----BEGIN ...-----" and nothing else. ` +
        "Keep its line breaks, and put nothing before them",
    );
  }
  const name = kind === "key" ? "private key" : "certificate";
  fail(`${place} holds no ${name}, but ${labels.slice(0, 5).join(", ")}. Pass the ${name}`);
}

function failEncrypted(place: string, fail: PemFailure): never {
  return fail(
    `${place} holds a key that is encrypted, and its password cannot be passed. ` +
      "Decrypt it with openssl pkey -in FILE -out DECRYPTED",
  );
}
