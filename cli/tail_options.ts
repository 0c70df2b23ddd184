/** The arguments of `tail`. @module */
import { colourChoices } from "./colour.ts";
import type { ColourChoice } from "./colour.ts";
import type { FormatName } from "./formats/alert_formatter.ts";
import { liveHelp, liveOptions, readLiveArguments } from "./live_options.ts";
import type { LiveArguments } from "./live_options.ts";
import { oneOf, parseOptions } from "./options.ts";

/** Those that print something for every alert. */
const tailFormats = ["pretty", "json", "go", "text"] as const satisfies readonly FormatName[];

/** What `tail --help` prints. */
export const tailHelp = `Usage: tail [OPTION...] [ADDRESS]

Prints the alerts of a Falco as they come. Over gRPC (Falco 0.18 to 0.43) those come first that it
kept; they are taken out of Falco's one queue: another client will not see them.

${liveHelp}

How they are printed:
  --format FORMAT          pretty (default on a terminal), json (default elsewhere): Falco's JSON
                           lines; go: as Falco's Go client; text: Falco's text lines
  --color WHEN             severities in pretty: auto (on a terminal, unless NO_COLOR is set),
                           always or never
  --summary                also a line with the rate, once a second on a terminal and every 10 s
                           elsewhere, and at the end the counts by rule

Alerts go to standard output; what becomes of the connection, and counts, to standard error. Characters
that a terminal would obey are shown as escapes in pretty and text, whoever put them there. If no alert
has come a minute after the connection over gRPC, it says what that may mean.

Lines and bodies that are no alert are skipped, told on standard error (the first ten) and counted.

Exit status: 0 done: the limit was reached, nobody reads any more, the file (with --once) or standard
input ended, or Falco ended the call and --no-reconnect was given; 1 no connection, and none to be
hoped for, or what was read failed; 2 bad arguments; 130 interrupted.

Examples:
  deno task tail
  deno task tail --min-priority warning --summary
  deno task tail /tmp/falco.sock --format json | jq .rule
  deno task tail https://falco.example.com:5060 --certs /etc/falco/certs
  deno task tail /var/log/falco.json --from end --min-priority error
  falco -o json_output=true -U | deno task tail -
  deno task tail http-receiver://127.0.0.1:2801/falco
`;

/** The arguments of `tail`, checked. */
export interface TailArguments {
  readonly live: LiveArguments;
  readonly format: FormatName | undefined;
  readonly color: ColourChoice | undefined;
  readonly summary: boolean;
}

/**
 * Reads the arguments.
 *
 * @param args The arguments after `tail`.
 * @returns Them, or `"help"` if help was asked for.
 * @throws {UsageError} If one is no good.
 */
export async function readTailArguments(args: readonly string[]): Promise<TailArguments | "help"> {
  const options = parseOptions(args, {
    ...liveOptions,
    format: { type: "string" },
    color: { type: "string" },
    summary: { type: "boolean" },
  });
  const { values } = options;
  if (values["help"]) return "help";
  return {
    live: await readLiveArguments(options),
    format: oneOf("format", values["format"], tailFormats),
    color: oneOf("color", values["color"], colourChoices),
    summary: values["summary"] === true,
  };
}
