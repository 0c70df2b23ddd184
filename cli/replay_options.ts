/** The arguments of `replay`. @module */
import type { Priority } from "../lib/alert/priority.ts";
import type { CompiledCondition } from "../lib/condition/compile_condition.ts";
import { readFilter, readMinPriority, selectionHelp } from "./alert_options.ts";
import { connectionOptions } from "./connection_options.ts";
import { formatNames } from "./formats/alert_formatter.ts";
import type { FormatName } from "./formats/alert_formatter.ts";
import { readSource, sourceOptions } from "./live_source.ts";
import type { LiveSource } from "./live_source.ts";
import { oneOf, parseOptions, quote, wholeNumber } from "./options.ts";
import type { ParsedOptions } from "./options.ts";
import { UsageError } from "./usage_error.ts";

/** Those that go with an address. */
const addressOptions = { ...connectionOptions, ...sourceOptions } as const;

/** What `replay --help` prints. */
export const replayHelp = `Usage: replay [OPTION...] [FIXTURE...]
       replay [OPTION...] ADDRESS

Starts a fake Falco on a private socket, plays the fixtures into it, subscribes to it over real
gRPC and prints the alerts that come out. The same fixtures and options print the same bytes,
every time and on every runtime.

FIXTURE is one of
  scenario.yaml            a scenario: alerts with the time between them
  recording.wire.jsonl     messages recorded from a real Falco
  alerts.jsonl             Falco's own JSON lines (.jsonl, .ndjson, .json), or what its gRPC
                           clients and grpcurl print
  file:///PATH             any of these
  -                        JSON lines from standard input
Without any, the six bundled scenarios are played.

ADDRESS is one that tail takes. What comes from there is played as it comes, until --limit or
Ctrl-C:
  unix:///PATH, https://HOST:PORT
                           Falco's gRPC, which alerts are taken out of
  http-receiver://HOST:PORT/PATH, https-receiver:
                           what it posts
  --ca, --cert, --key, --certs, --server-name, --no-reconnect, --max-attempts, --token-file
                           go with these, as tail --help says; --from and --once are for files,
                           and those are fixtures here

Which alerts, in this order; all times are those of the alerts:
${selectionHelp}
  --dedupe                 drop an alert whose rule and message came within 60 s before
  --limit N                stop after N alerts
  --batch SIZE[,MS]        group alerts: SIZE at most, MS milliseconds at most from the first on

How they are played:
  --speed max|N            max: without pauses (default); 1: as it happened; 10: ten times as fast
  --repeat N               play all fixtures N times
  --tls                    over mutual TLS on loopback, with certificates made on the spot
  --listen ADDRESS         where the fake listens: unix:///PATH or localhost:PORT
  --falco-version V        the Falco to be, 0.18.0 to 0.43.1
  --seed N                 what scenarios draw at random (jitterMs), instead of their own seed

How they are printed:
  --format FORMAT          pretty (default on a terminal), json (default elsewhere): Falco's JSON
                           lines; go: as Falco's Go client; text: Falco's text lines; summary

Alerts go to standard output, progress and the closing summary to standard error.

Exit status: 0 done; 1 failed while running; 2 bad arguments or bad input; 130 interrupted.

Examples:
  deno task replay --min-priority critical
  deno task replay --dedupe --format json | jq .rule
  deno task replay incident.yaml --speed 10
  deno task replay alerts.jsonl --batch 100,1000 --format summary
  deno task replay http-receiver://127.0.0.1:2801/ --falco-version 0.31.0 --listen localhost:5060
`;

/** The arguments of `replay`, checked. */
export interface ReplayArguments {
  /** Where alerts come from, if they are no fixtures. */
  readonly source: LiveSource | undefined;
  readonly fixtures: readonly string[];
  readonly minPriority: Priority | undefined;
  readonly filter: CompiledCondition | undefined;
  readonly dedupe: boolean;
  readonly limit: number | undefined;
  readonly batch: { readonly size: number; readonly maxWaitMs: number | undefined } | undefined;
  readonly speed: "max" | number;
  readonly repeat: number;
  readonly tls: boolean;
  readonly listen: string | undefined;
  readonly falcoVersion: string | undefined;
  readonly seed: number | undefined;
  readonly format: FormatName | undefined;
}

/**
 * Reads the arguments.
 *
 * @param args The arguments after `replay`.
 * @returns Them, or `"help"` if help was asked for.
 * @throws {UsageError} If one is no good.
 */
export async function readReplayArguments(
  args: readonly string[],
): Promise<ReplayArguments | "help"> {
  const options = parseOptions(args, {
    ...addressOptions,
    "min-priority": { type: "string" },
    filter: { type: "string" },
    dedupe: { type: "boolean" },
    limit: { type: "string" },
    batch: { type: "string" },
    speed: { type: "string" },
    repeat: { type: "string" },
    tls: { type: "boolean" },
    listen: { type: "string" },
    "falco-version": { type: "string" },
    seed: { type: "string" },
    format: { type: "string" },
  });
  const { values, positionals } = options;
  if (values["help"]) return "help";
  const source = await readAddress(options);
  if (positionals.filter((file) => file === "-").length > 1) {
    throw new UsageError("standard input (-) can be read once only");
  }
  return {
    source,
    fixtures: positionals,
    minPriority: readMinPriority(values["min-priority"]),
    filter: readFilter(values["filter"]),
    dedupe: values["dedupe"] === true,
    limit: wholeNumber("limit", values["limit"], 0),
    batch: readBatch(values["batch"]),
    speed: readSpeed(values["speed"]),
    repeat: wholeNumber("repeat", values["repeat"], 1) ?? 1,
    tls: values["tls"] === true,
    listen: values["listen"] as string | undefined,
    falcoVersion: values["falco-version"] as string | undefined,
    seed: wholeNumber("seed", values["seed"], 0),
    format: oneOf("format", values["format"], formatNames),
  };
}

/** Undefined if there are only fixtures. */
async function readAddress(options: ParsedOptions): Promise<LiveSource | undefined> {
  const { values, positionals } = options;
  const address = positionals.find(isAddress);
  const refused = address === undefined ? Object.keys(addressOptions) : ["repeat", "seed"];
  for (const name of refused) {
    if (values[name] === undefined) continue;
    throw new UsageError(
      address === undefined
        ? `--${name} is for an address such as unix:///PATH, and there is none`
        : `--${name} is for fixtures, and ${address} is none`,
    );
  }
  if (address === undefined) return undefined;
  if (positionals.length > 1) {
    throw new UsageError(`${address} goes on for ever. Replay it alone`);
  }
  return await readSource(options);
}

/** A bare path is a file here. */
function isAddress(text: string): boolean {
  if (/^file:/i.test(text)) return false;
  return /^unix:|^[a-z][a-z0-9+.-]*:\/\/|^[^/\\]*:\d+$/i.test(text);
}

function readBatch(text: string | boolean | undefined): ReplayArguments["batch"] {
  if (text === undefined) return undefined;
  const match = /^(\d+)(?:,(\d+))?$/.exec(String(text));
  const size = Number(match?.[1]);
  if (match === null || size < 1 || !Number.isSafeInteger(size)) {
    throw new UsageError(
      `--batch must be a number of alerts, with milliseconds behind a comma if you like ` +
        `(100 or 100,1000): it is ${quote(text)}`,
    );
  }
  return { size, maxWaitMs: match[2] === undefined ? undefined : Number(match[2]) };
}

function readSpeed(text: string | boolean | undefined): "max" | number {
  if (text === undefined || text === "max") return "max";
  const speed = Number(text);
  if (typeof text !== "string" || !/^\d+(\.\d+)?$/.test(text) || !(speed > 0)) {
    throw new UsageError(`--speed must be max or a number above 0: it is ${quote(text)}`);
  }
  return speed;
}
