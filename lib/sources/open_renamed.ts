/** Files that had the name of a followed one before. @module */
import { open, readdir, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { holdsPosition } from "./file_position.ts";
import type { FilePosition } from "./file_position.ts";

/** What rotation adds to a name: `.1`, `-20261130`, `.2026-11-30T12`; no compressed file. */
const ROTATED = /^[.-]\d[\dT._-]*$/;

/** The file of a saved position, under its new name. */
export interface RenamedFile {
  readonly file: FileHandle;
  /**
   * Those that took its place and have been renamed as well since, in order, and then the one that
   * has the name now; empty if there is none between the two.
   */
  readonly later: FileHandle[];
}

/** A file beside the followed one. */
interface Neighbour {
  readonly file: FileHandle;
  /** What its name has in addition. */
  readonly suffix: string;
  /** When it was last written to. */
  readonly writtenNs: bigint;
}

/**
 * Finds the file of a saved position beside the one that has its name now.
 *
 * All are opened at once: what is renamed again meanwhile stays the same file.
 *
 * @param path The name.
 * @param from The position.
 * @returns It, and those after it, open; undefined if it is gone.
 */
export async function openRenamed(
  path: string,
  from: FilePosition,
): Promise<RenamedFile | undefined> {
  const neighbours = await openNeighbours(path);
  let found: Neighbour | undefined;
  for (const one of neighbours) {
    if (found === undefined && await holdsPosition(one.file, from)) found = one;
  }
  const first = found;
  const later = first === undefined
    ? []
    : neighbours.filter((one) => ROTATED.test(one.suffix) && compareAge(first, one) < 0);
  for (const one of neighbours) {
    if (one !== found && !later.includes(one)) await one.file.close();
  }
  if (first === undefined) return undefined;
  const files = later.sort(compareAge).map(({ file }) => file);
  const current = files.length === 0 ? undefined : await openIfFile(path);
  return { file: first.file, later: current === undefined ? files : [...files, current] };
}

async function openNeighbours(path: string): Promise<Neighbour[]> {
  const folder = dirname(path);
  const name = basename(path);
  const neighbours: Neighbour[] = [];
  const names = await readdir(folder).catch(() => [] as string[]); // no folder, no file
  for (const other of names.sort()) {
    if (other === name || !other.startsWith(name)) continue;
    const file = await openIfFile(join(folder, other));
    if (file === undefined) continue;
    const { mtimeNs } = await file.stat({ bigint: true });
    neighbours.push({ file, suffix: other.slice(name.length), writtenNs: mtimeNs });
  }
  return neighbours;
}

async function openIfFile(path: string): Promise<FileHandle | undefined> {
  const kind = await stat(path).catch(() => undefined); // gone again
  if (kind?.isFile() !== true) return undefined; // a pipe without a writer would hold us up
  return await open(path, "r").catch(() => undefined); // not ours to read
}

/** The older one first. Clocks of file systems are coarse: then `.2` is older than `.1`. */
function compareAge(a: Neighbour, b: Neighbour): number {
  if (a.writtenNs !== b.writtenNs) return a.writtenNs < b.writtenNs ? -1 : 1;
  const [numberA, numberB] = [a, b].map(({ suffix }) => Number(/^\.(\d{1,5})$/.exec(suffix)?.[1]));
  return Number.isNaN(numberA! - numberB!) ? a.suffix < b.suffix ? -1 : 1 : numberB! - numberA!;
}
