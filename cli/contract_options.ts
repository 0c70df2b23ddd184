/** The arguments of `contract`. @module */
import { join } from "node:path";
import { parseAddress } from "../lib/transport/address.ts";
import type { TlsCredentials } from "../lib/transport/credentials.ts";
import { parseOptions, quote, wholeNumber } from "./options.ts";
import type { ParsedOptions } from "./options.ts";
import { UsageError } from "./usage_error.ts";

/** What `contract --help` prints. */
export const contractHelp = `Usage: contract [OPTION...] ADDRESS

Looks whether what listens at ADDRESS behaves on the wire as Falco's gRPC does, and prints a line a
behaviour: agrees, differs (and what was seen), or not run (and why). For a fake, a relay or another
server that wants to pass for Falco; and for a real one, to see whether this list is right.

  It TAKES ALERTS OUT OF THE QUEUE: Falco hands each alert to one client only, and what this
  command reads, nobody else gets. With --read-only it reads none; it still opens calls and
  connections of its own, and has some of them refused on purpose.

ADDRESS is unix:///PATH, or https://HOST:PORT, which needs certificates. Against
unix:///run/falco/falco.sock only Falco's own user may connect.

  --read-only              leave the queue alone
  --only TEXT              only behaviours with TEXT in their name or section
  --list                   print the behaviours and how each is looked at, and end
  --falco-version V        which Falco to expect; default: what it says itself
  --threadiness N          grpc.threadiness of its falco.yaml: for the behaviours about slots
  --quiet-ms N             how long to look for what must not happen; default 250
  --timeout-ms N           how long to wait for what must happen; default 5000
  --json                   one JSON object a behaviour and line
Over TCP:
  --certs DIR              where ca.crt, client.crt and client.key are
  --ca FILE                the authority that signed Falco's certificate (PEM)
  --cert FILE, --key FILE  the client's certificate and its key (PEM)
  --server-name NAME       the name that Falco's certificate carries, if it is not HOST

From outside, alerts cannot be made and Falco cannot be stopped, so behaviours that need this are
not run. In code they are: see runContract() of ./harness.

Exit status: 0 nothing differs; 1 something differs, or there is no connection; 2 bad arguments;
130 interrupted.

Examples:
  deno task contract --read-only unix:///run/falco/falco.sock
  deno task contract --certs ./certs https://localhost:5060
`;

/** The arguments of `contract`, checked. */
export interface ContractArguments {
  /** Undefined with `list`. */
  readonly address: string | undefined;
  readonly credentials: TlsCredentials | undefined;
  readonly readOnly: boolean;
  readonly list: boolean;
  readonly json: boolean;
  readonly only: string | undefined;
  readonly falcoVersion: string | undefined;
  readonly threadiness: number | undefined;
  readonly quietMs: number | undefined;
  readonly timeoutMs: number | undefined;
}

/** What the files in `--certs DIR` are called: as in Falco's documentation. */
const certsFiles = { ca: "ca.crt", cert: "client.crt", key: "client.key" } as const;

/**
 * Reads the arguments.
 *
 * @param args The arguments after `contract`.
 * @returns Them, or `"help"` if help was asked for.
 * @throws {UsageError} If one is no good.
 */
export function readContractArguments(args: readonly string[]): ContractArguments | "help" {
  const { values, positionals } = parseOptions(args, {
    "read-only": { type: "boolean" },
    only: { type: "string" },
    list: { type: "boolean" },
    "falco-version": { type: "string" },
    threadiness: { type: "string" },
    "quiet-ms": { type: "string" },
    "timeout-ms": { type: "string" },
    json: { type: "boolean" },
    certs: { type: "string" },
    ca: { type: "string" },
    cert: { type: "string" },
    key: { type: "string" },
    "server-name": { type: "string" },
  });
  if (values["help"]) return "help";
  const list = values["list"] === true;
  const [address, extra] = positionals;
  if (extra !== undefined) throw new UsageError(`unexpected argument ${quote(extra)}`);
  if (address === undefined && !list) {
    throw new UsageError(
      "contract needs an address, such as unix:///run/falco/falco.sock. It takes alerts out of " +
        "the queue there, unless --read-only is given. See --help",
    );
  }
  return {
    address,
    credentials: address === undefined ? undefined : readCredentials(address, values),
    readOnly: values["read-only"] === true,
    list,
    json: values["json"] === true,
    only: values["only"] as string | undefined,
    falcoVersion: values["falco-version"] as string | undefined,
    threadiness: wholeNumber("threadiness", values["threadiness"], 1),
    quietMs: wholeNumber("quiet-ms", values["quiet-ms"], 1),
    timeoutMs: wholeNumber("timeout-ms", values["timeout-ms"], 1),
  };
}

/** Over TCP all three are needed; on a unix socket there is none. */
function readCredentials(
  address: string,
  values: ParsedOptions["values"],
): TlsCredentials | undefined {
  let kind: "unix" | "tls";
  try {
    ({ kind } = parseAddress(address));
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
  const folder = values["certs"] as string | undefined;
  const file = (name: "ca" | "cert" | "key"): string | undefined =>
    values[name] as string | undefined ??
      (folder === undefined ? undefined : join(folder, certsFiles[name]));
  const [ca, cert, key] = [file("ca"), file("cert"), file("key")];
  const serverName = values["server-name"] as string | undefined;
  if (kind === "unix") {
    if (ca === undefined && cert === undefined && key === undefined && serverName === undefined) {
      return undefined;
    }
    throw new UsageError(
      `certificates are for TLS, and ${address} is a unix socket. Leave them out, or give ` +
        "https://HOST:PORT",
    );
  }
  if (ca === undefined || cert === undefined || key === undefined) {
    throw new UsageError(
      `${address} needs --ca, --cert and --key: over TCP Falco always wants a client ` +
        "certificate. Name the files, or their folder with --certs DIR",
    );
  }
  return { ca, cert, key, ...(serverName === undefined ? {} : { serverName }) };
}
