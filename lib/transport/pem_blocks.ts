/** The blocks of a text in PEM. @module */

/** What a PEM is to hold: one certificate or more, or a private key. */
export type PemKind = "certificate" | "key";

/** One block. */
export interface PemBlock {
  /** What it says it is, such as `CERTIFICATE`. */
  readonly label: string;
  /** All of it, without white space at the ends of lines; undefined if its last line is missing. */
  readonly text: string | undefined;
}

/** Keys as TLS takes them. Old ones can be encrypted all the same, and say so in a header. */
const KEY_LABELS: ReadonlySet<string> = new Set([
  "PRIVATE KEY",
  "RSA PRIVATE KEY",
  "EC PRIVATE KEY",
]);
const FIRST_LINE = /^-----BEGIN ([A-Z0-9 ]{1,40})-----$/;

/**
 * Takes a PEM apart.
 *
 * @param pem The text. What stands between blocks is left out.
 * @returns The blocks in their order. White space at the ends of lines is gone: Deno's reader of keys
 * stumbles over it, TLS does not.
 */
export function pemBlocks(pem: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  let label: string | undefined;
  let lines: string[] = [];
  for (const line of pem.split("\n").map((one) => one.trimEnd())) {
    const begun = FIRST_LINE.exec(line)?.[1];
    if (begun !== undefined) {
      if (label !== undefined) blocks.push({ label, text: undefined });
      label = begun;
      lines = [];
    }
    if (label === undefined) continue;
    lines.push(line);
    if (line !== `-----END ${label}-----`) continue;
    blocks.push({ label, text: `${lines.join("\n")}\n` });
    label = undefined;
  }
  if (label !== undefined) blocks.push({ label, text: undefined });
  return blocks;
}

/**
 * Takes the certificates or the keys out of a PEM.
 *
 * @param pem The text.
 * @param kind What to take.
 * @returns The blocks of that kind; keys that are encrypted in the newer way are of another.
 */
export function pemBlocksOf(pem: string, kind: PemKind): PemBlock[] {
  return pemBlocks(pem).filter(({ label }) =>
    kind === "certificate" ? label === "CERTIFICATE" : KEY_LABELS.has(label)
  );
}
