/** A secret from a file: as an argument, every user of the machine could see it. @module */
import { readFile } from "node:fs/promises";
import { UsageError } from "./usage_error.ts";

/**
 * Reads `--token-file`.
 *
 * @param path The file; undefined if none was given.
 * @returns The secret without blanks around it.
 * @throws {UsageError} If it cannot be read, or is empty.
 */
export async function readTokenFile(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  let text: string;
  try {
    text = (await readFile(path, "utf8")).trim();
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new UsageError(`${path}: the secret cannot be read (${reason})`, { cause });
  }
  if (text === "") throw new UsageError(`${path}: there is no secret in it`);
  return text;
}
