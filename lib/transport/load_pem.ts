/** Certificates and keys, as text or from files. @module */
import { readFile } from "node:fs/promises";

/** Throws the error of whoever needs the material. */
export type PemFailure = (problem: string, cause?: unknown) => never;

/**
 * Reads a certificate or a key.
 *
 * @param material PEM text, the path of a file that holds it, or the `file:` URL of one.
 * @param option The option it came in, for messages.
 * @param fail Throws; gets what is wrong with the material, and the remedy.
 * @returns PEM text.
 */
export async function loadPem(
  material: string | URL,
  option: string,
  fail: PemFailure,
): Promise<string> {
  if (material === undefined) {
    return fail(`the option "${option}" is missing. Pass PEM text or a path`);
  }
  if (typeof material === "string" && material.includes("-----BEGIN ")) return material;
  if (typeof material === "string" && /[\r\n]/.test(material)) {
    return fail(`the option "${option}" is text without a PEM block. Pass PEM text or a path`);
  }
  const name = JSON.stringify(String(material));
  let text: string;
  try {
    text = await readFile(material, "utf8");
  } catch (cause) {
    return fail(
      `the file ${name} of the option "${option}" cannot be read ` +
        `(${(cause as Error).message}). Check the path and the permissions`,
      cause,
    );
  }
  if (text.includes("-----BEGIN ")) return text;
  return fail(
    `the file ${name} of the option "${option}" ` +
      `holds no PEM block. Convert it with openssl x509 or openssl pkey`,
  );
}
