/** Where `tail`, `record` and `replay` take alerts from, by one argument. @module */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { ReceiverTls } from "../lib/sources/http_receiver_options.ts";
import { receiverPlace } from "../lib/sources/open_alerts.ts";
import { isOpenToAll } from "../lib/sources/receiver_server.ts";
import type { Address } from "../lib/transport/address.ts";
import type { TlsCredentials } from "../lib/transport/credentials.ts";
import { OPTION_NAMES } from "../lib/transport/option_names.ts";
import type { NamedOptions } from "../lib/transport/option_names.ts";
import {
  connectionHelp,
  readConnection,
  readPath,
  requireCredentials,
} from "./connection_options.ts";
import { oneOf, wholeNumber } from "./options.ts";
import type { ParsedOptions } from "./options.ts";
import { readTokenFile } from "./read_token_file.ts";
import { UsageError } from "./usage_error.ts";

/** The options beside those of the connection, for `parseOptions`. */
export const sourceOptions = {
  "no-reconnect": { type: "boolean" },
  "max-attempts": { type: "string" },
  from: { type: "string" },
  once: { type: "boolean" },
  "token-file": { type: "string" },
} as const;

/** The lines of `--help` about where alerts come from. */
export const sourceHelp = `${connectionHelp}

ADDRESS may also be another output of a Falco, of any version:
  file:///PATH             a file that it writes (file_output), followed like tail -F
  -                        standard input: what it prints (stdout_output), to its end
  http-receiver://HOST:PORT/PATH
                           what it posts (http_output): listens there; https-receiver: for TLS, with
                           --cert and --key, and --ca if senders must have a certificate

When Falco stops, is restarted or not there yet, it is waited for. Otherwise:
  --no-reconnect           stop when the connection ends, or cannot be made
  --max-attempts N         give up after N attempts in a row that failed

Of a file:
  --from start|end         where to begin; start by default
  --once                   stop at its end

Of a receiver:
  --token-file FILE        holds the secret that senders must show: http_output.url:
                           http://any:SECRET@HOST:PORT/PATH`;

/** Where alerts come from. */
export type LiveSource = FalcoSource | OtherSource;

/** A Falco with its gRPC service. */
export interface FalcoSource {
  readonly kind: "falco";
  /** Undefined for Falco's own default. */
  readonly address: Address | undefined;
  readonly tls: TlsCredentials | undefined;
  /** How many attempts in a row may fail; undefined: any number. 0: not even a second connection. */
  readonly maxAttempts: number | undefined;
}

/** Another output of Falco, by an address that `openAlerts` takes. */
export interface OtherSource {
  readonly kind: "file" | "stdin" | "receiver";
  readonly address: string;
  readonly follow: { readonly from?: "start" | "end"; readonly once?: boolean };
  readonly receive: { readonly tls?: ReceiverTls; readonly token?: string };
}

/** Which options mean something for which sources; those for all are not here. */
const onlyFor: readonly (readonly [option: string, kind: LiveSource["kind"], what: string])[] = [
  ["no-reconnect", "falco", "a Falco's gRPC"],
  ["max-attempts", "falco", "a Falco's gRPC"],
  ["server-name", "falco", "a Falco's gRPC"],
  ["from", "file", "a file"],
  ["once", "file", "a file"],
  ["token-file", "receiver", "http-receiver:"],
];

/**
 * Reads the address and the options that go with it.
 *
 * @param options What was given.
 * @returns Where alerts come from.
 * @throws {UsageError} If that can be no address, or options do not go with it.
 */
export async function readSource(options: ParsedOptions): Promise<LiveSource> {
  const { values, positionals } = options;
  const found = positionals.length === 1 ? await otherSource(positionals[0]!) : undefined;
  const kind = found?.kind ?? "falco";
  for (const [option, only, what] of onlyFor) {
    if (values[option] === undefined || kind === only) continue;
    throw new UsageError(
      `--${option} is for ${what}, and ${positionals[0] ?? "the default"} is ${nameOf(kind)}`,
    );
  }
  if (found === undefined) return await falcoSource(options);
  const from = oneOf("from", values["from"], ["start", "end"] as const);
  const tls = receiverTls(values, found);
  const token = await readTokenFile(values["token-file"] as string | undefined);
  const receive = {
    ...(tls === undefined ? {} : { tls }),
    ...(token === undefined ? {} : { token }),
  };
  if (found.kind === "receiver") requireGuarded(found.address, receive);
  return {
    ...found,
    follow: {
      ...(from === undefined ? {} : { from }),
      ...(values["once"] === true ? { once: true } : {}),
    },
    receive,
  };
}

/** As the receiver itself refuses it, but in the words of the command line. */
function requireGuarded(address: string, receive: OtherSource["receive"]): void {
  let place: ReturnType<typeof receiverPlace>;
  try {
    place = receiverPlace(address);
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
  if (!isOpenToAll({ ...place, ...receive })) return;
  throw new UsageError(
    `${address} would let everybody who reaches it forge alerts. Give --token-file, or ` +
      "https-receiver: with --ca, or listen on 127.0.0.1",
  );
}

async function falcoSource(options: ParsedOptions): Promise<FalcoSource> {
  const { values } = options;
  const connection = await readConnection(options, { barePath: "look" });
  const maxAttempts = wholeNumber("max-attempts", values["max-attempts"], 1);
  if (maxAttempts !== undefined && values["no-reconnect"]) {
    throw new UsageError("--no-reconnect and --max-attempts exclude each other");
  }
  return {
    kind: "falco",
    address: connection.address,
    tls: requireCredentials(connection),
    maxAttempts: values["no-reconnect"] === true ? 0 : maxAttempts,
  };
}

/** Undefined for what is Falco's gRPC, or nothing at all. */
async function otherSource(
  text: string,
): Promise<Pick<OtherSource, "kind" | "address"> | undefined> {
  if (text === "-") return { kind: "stdin", address: text };
  if (/^https?-receiver:\/\//i.test(text)) return { kind: "receiver", address: text };
  if (/^file:/i.test(text)) return { kind: "file", address: fileAddress(text) };
  if (/^[a-z][a-z0-9+.-]*:/i.test(text) || text.startsWith("[")) return undefined;
  const there = await stat(text).catch(() => undefined);
  if (there?.isFile()) return { kind: "file", address: pathToFileURL(resolve(text)).href };
  if (there === undefined && /\.(?:jsonl?|ndjson|log|txt)$/i.test(text)) {
    throw new UsageError(
      `${text}: there is no such file. To wait for it, give ${pathToFileURL(resolve(text)).href}`,
    );
  }
  return undefined;
}

function fileAddress(text: string): string {
  try {
    return pathToFileURL(fileURLToPath(text)).href;
  } catch (cause) {
    throw new UsageError(`${text}: that is no address of a file. Write file:///PATH`, { cause });
  }
}

function receiverTls(
  values: ParsedOptions["values"],
  { kind, address }: Pick<OtherSource, "kind" | "address">,
): ReceiverTls & NamedOptions | undefined {
  const given = ["ca", "cert", "key", "certs"].filter((name) => values[name] !== undefined);
  const isTls = /^https-/i.test(address);
  if (!isTls && given.length > 0) {
    throw new UsageError(`certificates are for TLS, and ${address} is ${nameOf(kind)} without it`);
  }
  if (!isTls) return undefined;
  const { path: cert, name: certName } = readPath(values, "cert", "server.crt");
  const { path: key, name: keyName } = readPath(values, "key", "server.key");
  if (cert === undefined || key === undefined) {
    throw new UsageError(
      `${address} needs --cert and --key, the receiver's own. Name the files, or the folder with ` +
        "server.crt and server.key in it with --certs DIR",
    );
  }
  const clientCa = values["ca"] as string | undefined;
  return {
    cert,
    key,
    ...(clientCa === undefined ? {} : { clientCa }),
    [OPTION_NAMES]: { cert: certName, key: keyName, clientCa: { option: "--ca" } },
  };
}

function nameOf(kind: LiveSource["kind"]): string {
  return {
    falco: "a Falco's gRPC",
    file: "a file",
    stdin: "standard input",
    receiver: "a receiver",
  }[kind];
}
