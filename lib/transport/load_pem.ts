/** Certificates and keys, as text or from files. @module */
import { readFile } from "node:fs/promises";
import { checkPem } from "./check_pem.ts";
import type { PemKind } from "./pem_blocks.ts";

/** Throws the error of whoever needs the material. */
export type PemFailure = (problem: string, cause?: unknown) => never;

/**
 * Reads a certificate or a key.
 *
 * @param material PEM text, the path of a file that holds it, or the `file:` URL of one.
 * @param option The option it came in, for messages.
 * @param kind What it is to hold.
 * @param fail Throws; gets what is wrong with the material, and the remedy.
 * @returns PEM text that holds what it is to hold.
 */
export async function loadPem(
  material: string | URL,
  option: string,
  kind: PemKind,
  fail: PemFailure,
): Promise<string> {
  if (material === undefined) {
    return fail(`the option "${option}" is missing. Pass PEM text or a path`);
  }
  const place = pemPlace(material, option);
  const pem = isText(material) ? material : await readPem(material, place, fail);
  if (!pem.includes(BEGIN)) {
    return fail(
      isText(material)
        ? `${place} is text without a PEM block. Pass PEM text or a path`
        : `${place} holds no PEM block. Convert it with openssl x509 or openssl pkey`,
    );
  }
  // Editors on Windows put it there, and Bun's TLS stumbles over it.
  const text = pem.replace(/^\ufeff/, "");
  checkPem(text, place, kind, fail);
  return text;
}

/**
 * Says where a certificate or a key comes from.
 *
 * @param material PEM text, a path or a URL.
 * @param option The option it came in.
 * @returns A noun phrase for messages; the text itself is not in it.
 */
export function pemPlace(material: string | URL, option: string): string {
  if (isText(material)) return `the option "${option}"`;
  return `the file ${JSON.stringify(String(material))} of the option "${option}"`;
}

const BEGIN = "-----BEGIN ";

/** No path has a line break, and text without one is not PEM. */
function isText(material: string | URL): material is string {
  return typeof material === "string" && (material.includes(BEGIN) || /[\r\n]/.test(material));
}

async function readPem(path: string | URL, place: string, fail: PemFailure): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    return fail(
      `${place} cannot be read (${(cause as Error).message}). Check the path and the permissions`,
      cause,
    );
  }
}
