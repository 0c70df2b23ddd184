/** `certs`: certificates for Falco and its clients. @module */
import { lstat, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { namesIn } from "../harness/certificate_facts.ts";
import type { CertificatesOptions } from "../harness/certificate_options.ts";
import { makeCertificates, writeCertificates } from "../harness/certificates.ts";
import type { KeyedCertificate } from "../harness/certificates.ts";
import { certsHelp, readCertsArguments } from "./certs_options.ts";
import type { CertsArguments } from "./certs_options.ts";
import type { CommandContext } from "./command.ts";
import { UsageError } from "./usage_error.ts";

const files = ["ca.crt", "ca.key", "server.crt", "server.key", "client.crt", "client.key"];

/** What is not made anew; undefined for what is. */
interface Kept {
  readonly names: readonly string[] | undefined;
  readonly authority?: KeyedCertificate;
}

/**
 * Runs the command.
 *
 * @param args The arguments after `certs`.
 * @param context Where to print.
 * @returns The exit status.
 * @throws {UsageError} If an argument is no good, or files are in the way.
 * @throws {FalcoError} If a file cannot be written.
 */
export async function certs(args: readonly string[], context: CommandContext): Promise<number> {
  const options = readCertsArguments(args);
  const { stdout, stderr } = context;
  if (options === "help") {
    await stdout.write(certsHelp);
    return 0;
  }
  const { folder, renew, force, days, rsa, broken } = options;
  if (!renew && !force) await refuseToReplace(folder);
  const kept: Kept = renew ? await readKept(options) : { names: options.names };
  const wanted: CertificatesOptions = {
    broken,
    keepAuthorityKey: true,
    ...(kept.names === undefined ? {} : { names: kept.names }),
    ...(days === undefined ? {} : { days }),
    ...(rsa ? { algorithm: "rsa" } : {}),
    ...(kept.authority === undefined ? {} : { authority: kept.authority }),
  };
  const certificates = await asked(makeCertificates(wanted));
  await writeCertificates(folder, certificates);
  const names = await namesIn(certificates.server.cert);
  stderr.write(`the server's certificate is for ${names.join(", ")}\n`);
  if (broken.length > 0) stderr.write(`broken on purpose: ${broken.join(", ")}\n`);
  if (renew) stderr.write("Falco reads certificates when it starts: restart it\n");
  await stdout.write(falcoYaml(resolve(folder)));
  return 0;
}

/** Whatever is in the folder may be a real Falco's. */
async function refuseToReplace(folder: string): Promise<void> {
  const there: string[] = [];
  for (const file of files) {
    try {
      await lstat(join(folder, file));
      there.push(file);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT") throw new UsageError(`${join(folder, file)}: ${message}`);
    }
  }
  if (there.length === 0) return;
  throw new UsageError(
    `${folder}: it has ${there.join(", ")} already. Renew with --renew, replace with --force, or ` +
      "name another folder",
  );
}

/** What a renewal keeps: the authority, and the names unless there are new ones. */
async function readKept(
  { folder, names }: CertsArguments,
): Promise<Kept> {
  const read = async (file: string, remedy: string): Promise<string> => {
    try {
      return await readFile(join(folder, file), "utf8");
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const state = code === "ENOENT" ? "it is not there" : message;
      throw new UsageError(`${join(folder, file)}: ${state}. ${remedy}`, { cause: error });
    }
  };
  const remedy = "Only who has the authority can renew; make all anew with --force";
  const authority = { cert: await read("ca.crt", remedy), key: await read("ca.key", remedy) };
  if (names !== undefined) return { authority, names };
  const server = await read("server.crt", "Say with --name whom the new one is for");
  const old = await namesIn(server).catch(() => []);
  if (old.length > 0) return { authority, names: old };
  throw new UsageError(
    `${join(folder, "server.crt")}: no names are in it. Say with --name whom the new one is for`,
  );
}

/** All that can go wrong before the first file is written was asked for by the user. */
async function asked<T>(making: Promise<T>): Promise<T> {
  try {
    return await making;
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    const message = error.message
      .replace('option "names"', "--name").replace('option "days"', "--days")
      .replace('option "authority"', "ca.crt");
    throw new UsageError(message, { cause: error });
  }
}

function falcoYaml(folder: string): string {
  return stringify({
    grpc: {
      enabled: true,
      bind_address: "0.0.0.0:5060",
      threadiness: 0,
      private_key: join(folder, "server.key"),
      cert_chain: join(folder, "server.crt"),
      root_certs: join(folder, "ca.crt"),
    },
    grpc_output: { enabled: true },
  }, { lineWidth: 0 });
}
