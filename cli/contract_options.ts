/** The arguments of `contract`. @module */
import type { TlsCredentials } from "../lib/transport/credentials.ts";
import {
  connectionHelp,
  connectionOptions,
  readConnection,
  requireCredentials,
} from "./connection_options.ts";
import { parseOptions, wholeNumber } from "./options.ts";
import { UsageError } from "./usage_error.ts";

/** What `contract --help` prints. */
export const contractHelp = `Usage: contract [OPTION...] ADDRESS

Looks whether what listens at ADDRESS behaves on the wire as Falco's gRPC does, and prints a line a
behaviour: agrees, differs (and what was seen), or not run (and why). For a fake, a relay or another
server that wants to pass for Falco; and for a real one, to see whether this list is right.

  It TAKES ALERTS OUT OF THE QUEUE: Falco hands each alert to one client only, and what this
  command reads, nobody else gets. With --read-only it reads none; it still opens calls and
  connections of its own, and has some of them refused on purpose.

${connectionHelp}

ADDRESS must be given here. What to look at, and how:
  --read-only              leave the queue alone
  --only TEXT              only behaviours with TEXT in their name or section
  --list                   print the behaviours and how each is looked at, and end
  --falco-version V        which Falco to expect; default: what it says itself
  --threadiness N          grpc.threadiness of its falco.yaml: for the behaviours about slots
  --quiet-ms N             how long to look for what must not happen; default 250
  --timeout-ms N           how long to wait for what must happen; default 5000
  --json                   one JSON object a behaviour and line

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

/**
 * Reads the arguments.
 *
 * @param args The arguments after `contract`.
 * @returns Them, or `"help"` if help was asked for.
 * @throws {UsageError} If one is no good.
 */
export async function readContractArguments(
  args: readonly string[],
): Promise<ContractArguments | "help"> {
  const options = parseOptions(args, {
    ...connectionOptions,
    "read-only": { type: "boolean" },
    only: { type: "string" },
    list: { type: "boolean" },
    "falco-version": { type: "string" },
    threadiness: { type: "string" },
    "quiet-ms": { type: "string" },
    "timeout-ms": { type: "string" },
    json: { type: "boolean" },
  });
  const { values } = options;
  if (values["help"]) return "help";
  const connection = await readConnection(options, { barePath: "socket" });
  const list = values["list"] === true;
  if (connection.address === undefined && !list) {
    throw new UsageError(
      "contract needs an address, such as unix:///run/falco/falco.sock. It takes alerts out of " +
        "the queue there, unless --read-only is given. See --help",
    );
  }
  return {
    address: connection.address?.text,
    credentials: requireCredentials(connection),
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
