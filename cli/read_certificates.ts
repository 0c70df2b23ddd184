/** Certificates from a folder. @module */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Certificates } from "../harness/certificates.ts";
import { OPTION_NAMES } from "../lib/transport/option_names.ts";
import type { NamedOptions } from "../lib/transport/option_names.ts";
import { UsageError } from "./usage_error.ts";

const files = ["ca.crt", "server.crt", "server.key", "client.crt", "client.key"] as const;

/** What messages call them. */
const names = {
  "server.cert": { option: "--certs", file: "server.crt" },
  "server.key": { option: "--certs", file: "server.key" },
};

/**
 * Reads what an earlier run, or somebody else, has put into a folder: it may be a real Falco's, so
 * nothing in it is ever replaced.
 *
 * @param folder The folder.
 * @returns The certificates, or undefined if there are none of the five files.
 * @throws {UsageError} If there are only some, or one cannot be read.
 */
export async function readCertificates(
  folder: string,
): Promise<Certificates & NamedOptions | undefined> {
  const texts = new Map<string, string>();
  for (const file of files) {
    try {
      texts.set(file, await readFile(join(folder, file), "utf8"));
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      if (code === "ENOENT") continue;
      throw new UsageError(`${join(folder, file)}: ${message}`, { cause: error });
    }
  }
  if (texts.size === 0) return undefined;
  const missing = files.filter((file) => !texts.has(file));
  if (missing.length > 0) {
    throw new UsageError(
      `${folder}: it has some certificates but no ${missing.join(", no ")}. ` +
        "Add them, or name another folder to have all five made",
    );
  }
  const text = (file: (typeof files)[number]): string => texts.get(file)!;
  return {
    ca: text("ca.crt"),
    server: { cert: text("server.crt"), key: text("server.key") },
    client: { cert: text("client.crt"), key: text("client.key") },
    [OPTION_NAMES]: names,
  };
}
