/** What `tail` and `record` share: which Falco, which alerts, and how long. @module */
import type { Priority } from "../lib/alert/priority.ts";
import type { CompiledCondition } from "../lib/condition/compile_condition.ts";
import { readFilter, readMinPriority, selectionHelp } from "./alert_options.ts";
import { connectionHelp, connectionOptions, readConnection } from "./connection_options.ts";
import { requireCredentials } from "./connection_options.ts";
import type { Address } from "../lib/transport/address.ts";
import type { TlsCredentials } from "../lib/transport/credentials.ts";
import { wholeNumber } from "./options.ts";
import type { ParsedOptions } from "./options.ts";
import { UsageError } from "./usage_error.ts";

/** The options, for `parseOptions`. */
export const liveOptions = {
  ...connectionOptions,
  "min-priority": { type: "string" },
  filter: { type: "string" },
  limit: { type: "string" },
  "no-reconnect": { type: "boolean" },
  "max-attempts": { type: "string" },
} as const;

/** The lines of `--help` about all these options. */
export const liveHelp = `${connectionHelp}

Which alerts, in this order:
${selectionHelp}
  --limit N                stop after N alerts; those that Falco had sent beyond them are lost

When Falco stops, is restarted or not there yet, it is waited for. Otherwise:
  --no-reconnect           stop when the connection ends, or cannot be made
  --max-attempts N         give up after N attempts in a row that failed`;

/** Which Falco, which alerts, and how long. */
export interface LiveArguments {
  /** Undefined for Falco's own default. */
  readonly address: Address | undefined;
  readonly tls: TlsCredentials | undefined;
  readonly minPriority: Priority | undefined;
  readonly filter: CompiledCondition | undefined;
  readonly limit: number | undefined;
  /** How many attempts in a row may fail; undefined: any number. 0: not even a second connection. */
  readonly maxAttempts: number | undefined;
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
  const connection = await readConnection(options, { barePath: "look" });
  const maxAttempts = wholeNumber("max-attempts", values["max-attempts"], 1);
  if (maxAttempts !== undefined && values["no-reconnect"]) {
    throw new UsageError("--no-reconnect and --max-attempts exclude each other");
  }
  return {
    address: connection.address,
    tls: requireCredentials(connection),
    minPriority: readMinPriority(values["min-priority"]),
    filter: readFilter(values["filter"]),
    limit: wholeNumber("limit", values["limit"], 1),
    maxAttempts: values["no-reconnect"] === true ? 0 : maxAttempts,
  };
}
