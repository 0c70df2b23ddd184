/** The arguments of `record`. @module */
import { liveHelp, liveOptions, readLiveArguments } from "./live_options.ts";
import type { LiveArguments } from "./live_options.ts";
import { parseOptions, quote, wholeNumber } from "./options.ts";
import { recordName } from "./record/record_name.ts";
import type { RecordName } from "./record/record_name.ts";
import { UsageError } from "./usage_error.ts";

/** What `record --help` prints. */
export const recordHelp = `Usage: record [OPTION...] [ADDRESS] -o FILE

Writes the alerts of a Falco into a file as they come, to be played again with replay and to tune a
--filter on. Over gRPC (Falco 0.18 to 0.43) they are taken out of Falco's one queue: another client
will not see them.

${liveHelp}

What is written:
  -o, --output FILE        NAME.jsonl, .ndjson or .json: Falco's JSON lines; NAME.wire.jsonl: messages
                           as on the wire, in base64, behind the answer to version
  --redact FIELD           the field's value, and the same text in the alert's output, becomes ***;
                           * in FIELD stands for any text; may be given again. A value that other
                           fields repeat, such as proc.cmdline, stays there: name them too
  --max-bytes N            begin the next file before one grows beyond N bytes: NAME.0001.jsonl,
                           NAME.0002.jsonl ...; an alert is never cut
  --duration TIME          stop after TIME: 500ms, 30s, 10m, 2h
  --force                  replace what is there; with --max-bytes all numbered files of that name

FILE.provenance.json beside it says what it is: Falco's version, when, which options, how many alerts,
what may be missing, and the digest that replay prints for it. Files are for their owner only (mode
0600). A crash leaves whole lines, but perhaps for the last: take that out if replay refuses it.

Exit status: 0 done: the limit or the duration was reached, the file (with --once) or standard input
ended, or Falco ended the call and --no-reconnect was given; 1 no connection and none to be hoped for,
or none in all of the duration, what was read failed, or the disk is full; 2 bad arguments; 130
interrupted, with all that came until then in the file.

Examples:
  deno task record -o night.jsonl
  deno task record -o incident.wire.jsonl --duration 10m --redact user.name --redact 'fd.*'
  deno task record /tmp/falco.sock -o alerts.jsonl --max-bytes 100000000 --min-priority warning
  deno task record http-receiver://127.0.0.1:2801/falco -o posted.jsonl --duration 1h
  deno task replay night.jsonl --filter "alert.priority >= error"
`;

/** The arguments of `record`, checked. */
export interface RecordArguments {
  readonly live: LiveArguments;
  readonly output: string;
  readonly name: RecordName;
  /** As they were given. */
  readonly redact: readonly string[];
  readonly maxBytes: number | undefined;
  readonly durationMs: number | undefined;
  readonly force: boolean;
  /** The text of `--filter`, for the provenance. */
  readonly filterText: string | undefined;
}

const unitMs: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * Reads the arguments.
 *
 * @param args The arguments after `record`.
 * @returns Them, or `"help"` if help was asked for.
 * @throws {UsageError} If one is no good.
 */
export async function readRecordArguments(
  args: readonly string[],
): Promise<RecordArguments | "help"> {
  const options = parseOptions(args, {
    ...liveOptions,
    output: { type: "string", short: "o" },
    redact: { type: "string", multiple: true },
    "max-bytes": { type: "string" },
    duration: { type: "string" },
    force: { type: "boolean" },
  });
  const { values } = options;
  if (values["help"]) return "help";
  const output = values["output"] as string | undefined;
  if (output === undefined) {
    throw new UsageError("where to write is missing. Give -o FILE, such as -o alerts.jsonl");
  }
  return {
    live: await readLiveArguments(options),
    output,
    name: recordName(output),
    redact: options.lists["redact"] ?? [],
    maxBytes: wholeNumber("max-bytes", values["max-bytes"], 1),
    durationMs: readDuration(values["duration"]),
    force: values["force"] === true,
    filterText: values["filter"] as string | undefined,
  };
}

function readDuration(text: string | boolean | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(String(text)) ?? [];
  const ms = Number(number) * (unitMs[unit ?? ""] ?? NaN);
  if (!(ms > 0) || !Number.isFinite(ms)) {
    throw new UsageError(
      `--duration must be a time above 0 with its unit (500ms, 30s, 10m, 2h): it is ${quote(text)}`,
    );
  }
  return ms;
}
