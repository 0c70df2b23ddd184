/** The arguments of `doctor`. @module */
import { colourChoices } from "./colour.ts";
import type { ColourChoice } from "./colour.ts";
import { connectionHelp, connectionOptions, readConnection } from "./connection_options.ts";
import type { ConnectionArguments } from "./connection_options.ts";
import { oneOf, parseOptions } from "./options.ts";

/** What `doctor --help` prints. */
export const doctorHelp = `Usage: doctor [OPTION...] [ADDRESS]

Finds out why there is no connection to a Falco, or no alert: one line a check, with what to do about
it. It takes no alert out of Falco's queue: it asks for the version, and opens a call for alerts
without sending a request on it.

${connectionHelp}

  --json                   one JSON object: address, ok, and checks, each with check, state, text and
                           remedy if there is one
  --color WHEN             auto (on a terminal, unless NO_COLOR is set), always or never

The states are ok, warn, FAIL, and skipped for what could not be looked at.

Exit status: 0 all is well: no FAIL and no warn; 1 something is not; 2 bad arguments;
130 interrupted.

Examples:
  deno task doctor
  deno task doctor https://falco.example.com:5060 --certs /etc/falco/certs
  deno task doctor --json | jq '.checks[] | select(.state != "ok")'
`;

/** The arguments of `doctor`, checked. */
export interface DoctorArguments {
  readonly connection: ConnectionArguments;
  readonly json: boolean;
  readonly color: ColourChoice | undefined;
}

/**
 * Reads the arguments.
 *
 * @param args The arguments after `doctor`.
 * @returns Them, or `"help"` if help was asked for.
 * @throws {UsageError} If one is no good.
 */
export async function readDoctorArguments(
  args: readonly string[],
): Promise<DoctorArguments | "help"> {
  const options = parseOptions(args, {
    ...connectionOptions,
    json: { type: "boolean" },
    color: { type: "string" },
  });
  if (options.values["help"]) return "help";
  return {
    connection: await readConnection(options, { barePath: "socket" }),
    json: options.values["json"] === true,
    color: oneOf("color", options.values["color"], colourChoices),
  };
}
