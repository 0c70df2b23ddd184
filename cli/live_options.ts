/** What `tail` and `record` share: which source, which alerts, and how long. @module */
import type { Priority } from "../lib/alert/priority.ts";
import type { CompiledCondition } from "../lib/condition/compile_condition.ts";
import { readFilter, readMinPriority, selectionHelp } from "./alert_options.ts";
import { connectionOptions } from "./connection_options.ts";
import { readSource, sourceHelp, sourceOptions } from "./live_source.ts";
import type { LiveSource } from "./live_source.ts";
import { wholeNumber } from "./options.ts";
import type { ParsedOptions } from "./options.ts";

/** The options, for `parseOptions`. */
export const liveOptions = {
  ...connectionOptions,
  ...sourceOptions,
  "min-priority": { type: "string" },
  filter: { type: "string" },
  limit: { type: "string" },
} as const;

/** The lines of `--help` about all these options. */
export const liveHelp = `${sourceHelp}

Which alerts, in this order:
${selectionHelp}
  --limit N                stop after N alerts; those that had come beyond them are lost`;

/** Which source, which alerts, and how long. */
export interface LiveArguments {
  readonly source: LiveSource;
  readonly minPriority: Priority | undefined;
  readonly filter: CompiledCondition | undefined;
  readonly limit: number | undefined;
}

/**
 * Reads the arguments.
 *
 * @param options What was given.
 * @returns Them.
 * @throws {UsageError} If one is no good.
 */
export async function readLiveArguments(options: ParsedOptions): Promise<LiveArguments> {
  const { values } = options;
  return {
    source: await readSource(options),
    minPriority: readMinPriority(values["min-priority"]),
    filter: readFilter(values["filter"]),
    limit: wholeNumber("limit", values["limit"], 1),
  };
}
