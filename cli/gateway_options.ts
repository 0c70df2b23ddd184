/** The arguments of `gateway`. @module */
import { parseOptions, quote } from "./options.ts";
import { UsageError } from "./usage_error.ts";

/** What `gateway --help` prints. */
export const gatewayHelp = `Usage: gateway -c FILE [--check]

Takes alerts from any Falco (HTTP, files, standard input, gRPC) and serves Falco's gRPC API, the
outputs and version services of 0.24 to 0.43, to any number of clients in any language, until it is
told to stop.

  -c, --config FILE        what to do; docs/gateway.md describes it
  --check                  only say whether the file is right
  --schema                 only print the JSON Schema of the file, for editors

Standard output has a line "listening on ADDRESS" for each listener, in the order of the file, once
clients can connect. The log goes to standard error, a JSON object a line.

SIGTERM and Ctrl-C stop it in order: nothing more is taken in, clients get what they are owed for
at most "drainMs" (10 s), then their calls end. A second one ends it at once. SIGHUP changes
nothing: the file is read at the start, so restart the gateway to change what it does.

Exit status: 0 stopped by SIGTERM, or standard input ended; 1 failed; 2 bad arguments or a bad file,
told as FILE:LINE:COLUMN; 130 interrupted.

Examples:
  deno task gateway -c gateway.yaml --check
  deno task gateway -c gateway.yaml
  falco -o json_output=true | deno task gateway -c gateway.yaml
`;

/** The arguments of `gateway`, checked. */
export interface GatewayArguments {
  readonly config: string;
  readonly check: boolean;
}

/**
 * Reads the arguments.
 *
 * @param args The arguments after `gateway`.
 * @returns Them, or what is to be printed instead.
 * @throws {UsageError} If one is no good.
 */
export function readGatewayArguments(
  args: readonly string[],
): GatewayArguments | "help" | "schema" {
  const { values, positionals } = parseOptions(args, {
    config: { type: "string", short: "c" },
    check: { type: "boolean" },
    schema: { type: "boolean" },
  });
  if (values["help"]) return "help";
  if (values["schema"]) return "schema";
  if (positionals.length > 0) {
    throw new UsageError(
      `unexpected argument ${quote(positionals[0]!)}. The configuration is given with --config`,
    );
  }
  const config = values["config"] as string | undefined;
  if (config === undefined) throw new UsageError("gateway needs --config FILE. See --help");
  return { config, check: values["check"] === true };
}
