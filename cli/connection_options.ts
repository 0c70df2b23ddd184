/** Where Falco is and how to reach it: the arguments that `tail`, `record` and `doctor` share. @module */
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DEFAULT_ADDRESS, parseAddress } from "../lib/transport/address.ts";
import type { Address } from "../lib/transport/address.ts";
import type { TlsCredentials } from "../lib/transport/credentials.ts";
import { OPTION_NAMES } from "../lib/transport/option_names.ts";
import type { NamedOptions, OptionName } from "../lib/transport/option_names.ts";
import { quote } from "./options.ts";
import type { ParsedOptions } from "./options.ts";
import { UsageError } from "./usage_error.ts";

/** The options, for `parseOptions`. */
export const connectionOptions = {
  ca: { type: "string" },
  cert: { type: "string" },
  key: { type: "string" },
  "server-name": { type: "string" },
  certs: { type: "string" },
} as const;

/** The lines of `--help` about the address and these options. */
export const connectionHelp = `ADDRESS is one of
  unix:///PATH             a unix socket; ${DEFAULT_ADDRESS} by default, Falco's
                           own since 0.33, and /var/run/falco.sock, its own before
  https://HOST:PORT        Falco's gRPC over TCP, which always wants a client certificate;
                           HOST:PORT and [IPV6]:PORT are the same
  PATH                     what is there decides

Over TCP:
  --certs DIR              where ca.crt, client.crt and client.key are
  --ca FILE                the authority that signed Falco's certificate (PEM)
  --cert FILE, --key FILE  the client's certificate and its key (PEM)
  --server-name NAME       the name that Falco's certificate carries, if it is not HOST`;

/** What the files in `--certs DIR` are called: as in Falco's documentation and falco.yaml. */
const certsFiles = { ca: "ca.crt", cert: "client.crt", key: "client.key" } as const;

/** Where Falco is. */
export interface ConnectionArguments {
  /** The address in a form that only means one thing; undefined for Falco's own default. */
  readonly address: Address | undefined;
  /** The certificates that were named; not all of them need be. Messages call them as the user does. */
  readonly tls: Partial<TlsCredentials> & NamedOptions;
}

/**
 * Reads the address and the TLS options.
 *
 * @param options What was given.
 * @param how `barePath`: whether what is there decides what a bare path is, or it is a socket
 * whatever is there.
 * @returns Where Falco is.
 * @throws {UsageError} If that can be no address, or options contradict each other.
 */
export async function readConnection(
  { values, positionals }: ParsedOptions,
  { barePath }: { readonly barePath: "look" | "socket" },
): Promise<ConnectionArguments> {
  const [text, extra] = positionals;
  if (extra !== undefined) {
    throw new UsageError(`unexpected argument ${quote(extra)}. Give one address`);
  }
  const address = text === undefined ? undefined : await readAddress(text, barePath === "look");
  const tls = readTls(values);
  const given = Object.keys(tls).length > 0;
  if (given && address?.kind !== "tls") {
    throw new UsageError(
      `certificates are for TLS, and ${
        address?.text ?? DEFAULT_ADDRESS
      } is a unix socket, which has none. ` + "Leave them out, or give https://HOST:PORT",
    );
  }
  return { address, tls };
}

/**
 * The certificates, all of them.
 *
 * @param connection Where Falco is.
 * @returns Them; undefined for a unix socket.
 * @throws {UsageError} If one is missing.
 */
export function requireCredentials(
  { address, tls }: ConnectionArguments,
): TlsCredentials | undefined {
  if (address?.kind !== "tls") return undefined;
  const { ca, cert, key } = tls;
  if (ca !== undefined && cert !== undefined && key !== undefined) {
    return { ...tls, ca, cert, key };
  }
  throw new UsageError(
    `${address.text} needs ${missingCertificates(tls)}: over TCP Falco always wants a client ` +
      "certificate. Name the files, or their folder with --certs DIR",
  );
}

/**
 * Says which certificates were not named.
 *
 * @param tls What was named.
 * @returns The options that are missing; empty if none is.
 */
export function missingCertificates(tls: Partial<TlsCredentials>): string {
  return (["ca", "cert", "key"] as const)
    .filter((name) => tls[name] === undefined)
    .map((name) => `--${name}`)
    .join(", ");
}

async function readAddress(text: string, look: boolean): Promise<Address> {
  if (text === "-" || /^(?:file|https?-receiver):/i.test(text)) {
    throw new UsageError(
      `${text}: that is no Falco's gRPC. Give a socket, or https://HOST:PORT, or look at what comes ` +
        `from there with: tail ${text}`,
    );
  }
  const isBare = !/^[a-z][a-z0-9+.-]*:/i.test(text) && !text.startsWith("[");
  if (isBare && look) {
    const there = await stat(text).catch(() => undefined);
    if (there?.isSocket()) return toAddress(`unix://${resolve(text)}`);
    if (there?.isDirectory()) {
      throw new UsageError(`${text}: that is a folder. Name the socket or the file in it`);
    }
    if (there !== undefined) throw new UsageError(`${text}: that is neither a socket nor a file`);
  }
  return toAddress(text);
}

function toAddress(text: string): Address {
  try {
    return parseAddress(text);
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function readTls(values: ParsedOptions["values"]): ConnectionArguments["tls"] {
  const tls: { -readonly [K in keyof TlsCredentials]?: TlsCredentials[K] } = {};
  const names: Record<string, OptionName> = { serverName: { option: "--server-name" } };
  for (const name of ["ca", "cert", "key"] as const) {
    const named = readPath(values, name, certsFiles[name]);
    if (named.path !== undefined) tls[name] = named.path;
    names[name] = named.name;
  }
  const serverName = values["server-name"] as string | undefined;
  if (serverName !== undefined) tls.serverName = serverName;
  return { ...tls, [OPTION_NAMES]: names };
}

/**
 * Reads the path of a certificate or a key.
 *
 * @param values What was given.
 * @param option The option for this one.
 * @param file What it is called in the folder of `--certs`.
 * @returns The path, undefined if there is none, and what the user calls it.
 */
export function readPath(
  values: ParsedOptions["values"],
  option: "ca" | "cert" | "key",
  file: string,
): { readonly path: string | undefined; readonly name: OptionName } {
  const path = values[option] as string | undefined;
  const folder = values["certs"] as string | undefined;
  if (path !== undefined || folder === undefined) return { path, name: { option: `--${option}` } };
  return { path: join(folder, file), name: { option: "--certs", file } };
}
