/** Reads tar archives. @module */

const BLOCK = 512;

/**
 * Reads the files of a tar archive, as Deno makes them: ustar, with GNU's long names.
 *
 * @param bytes The archive.
 * @returns The contents by path, each beginning with "/".
 */
export function readTar(bytes: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const text = (from: number, to: number): string =>
    new TextDecoder().decode(bytes.subarray(from, to)).replace(/\0.*$/s, "");
  let longName: string | undefined;
  for (let at = 0; at + BLOCK <= bytes.length;) {
    const name = text(at, at + 100);
    if (name === "") break;
    const size = parseInt(text(at + 124, at + 136).trim(), 8);
    const type = String.fromCharCode(bytes[at + 156]!);
    const start = at + BLOCK;
    if (type === "L") longName = text(start, start + size);
    else if (type === "0" || type === "\0") {
      const prefix = text(at + 345, at + 500);
      const path = longName ?? (prefix === "" ? name : `${prefix}/${name}`);
      files.set(`/${path.replace(/^\.?\//, "")}`, bytes.slice(start, start + size));
      longName = undefined;
    }
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}
