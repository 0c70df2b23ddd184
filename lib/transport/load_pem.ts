/** Certificates and keys, as text or from files. @module */
import { readFile } from "node:fs/promises";
import { checkPem } from "./check_pem.ts";
import { optionName } from "./option_names.ts";
import type { NamedOptions } from "./option_names.ts";
import type { PemKind } from "./pem_blocks.ts";
import { errorCode, shortageRemedy } from "./reported_error.ts";

/** Throws the error of whoever needs the material. */
export type PemFailure = (problem: string, cause?: unknown) => never;

/** Options that hold certificates or keys. */
export type PemOptions<Option extends string> =
  & NamedOptions
  & {
    readonly [option in Option]?: string | URL | undefined;
  };

/**
 * Reads a certificate or a key.
 *
 * @param given Options, one of which has PEM text, the path of a file that holds it, or the `file:`
 * URL of one.
 * @param option Which, without `tls.`.
 * @param kind What it is to hold.
 * @param fail Throws; gets what is wrong with the material, and the remedy.
 * @returns PEM text that holds what it is to hold.
 */
export async function loadPem<Option extends string>(
  given: PemOptions<Option>,
  option: Option,
  kind: PemKind,
  fail: PemFailure,
): Promise<string> {
  const material = given[option];
  if (material === undefined) {
    return fail(
      `the option "${optionName(given, option).option}" is missing. Pass PEM text or a path`,
    );
  }
  const place = pemPlace(given, option);
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
 * @param given Options, one of which has PEM text, a path or a URL.
 * @param option Which, without `tls.`.
 * @returns A noun phrase for messages; the text itself is not in it.
 */
export function pemPlace<Option extends string>(
  given: PemOptions<Option>,
  option: Option,
): string {
  const material = given[option];
  const name = `the option "${optionName(given, option).option}"`;
  if (material === undefined || isText(material)) return name;
  return `the file ${JSON.stringify(String(material))} of ${name}`;
}

const BEGIN = "-----BEGIN ";

/**
 * Tells text from paths: no path has a line break, and text without one is not PEM.
 *
 * @param material Either.
 * @returns True for text.
 */
export function isText(material: string | URL): material is string {
  return typeof material === "string" && (material.includes(BEGIN) || /[\r\n]/.test(material));
}

async function readPem(path: string | URL, place: string, fail: PemFailure): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const remedy = shortageRemedy(errorCode(cause)) ?? "Check the path and the permissions";
    return fail(`${place} cannot be read (${(cause as Error).message}). ${remedy}`, cause);
  }
}
