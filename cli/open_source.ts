/** The sources of `tail`, `record` and `replay`, in one form. @module */
import type { Alert } from "../lib/alert/alert.ts";
import { connect } from "../lib/client/connect.ts";
import type { FalcoClient } from "../lib/client/connect.ts";
import type { Status } from "../lib/client/status.ts";
import { systemClock } from "../lib/clock.ts";
import { HttpReceiver } from "../lib/sources/http_receiver.ts";
import { openAlerts } from "../lib/sources/open_alerts.ts";
import type { OpenAlertsOptions, OpenedAlerts } from "../lib/sources/open_alerts.ts";
import type { FalcoSource, LiveSource, OtherSource } from "./live_source.ts";
import { QuietHint } from "./quiet_hint.ts";
import { followLine, statusLine } from "./status_line.ts";
import { UsageError } from "./usage_error.ts";

/** How many lines or bodies that are no alert are told one by one; whoever can write them has no end of them. */
const MAX_TOLD = 10;

/** Who learns what becomes of a source. */
export interface LiveEvents {
  /** Takes a line for people, which may hold anything. */
  readonly note: (line: string) => void;
  /** There is a connection to Falco's gRPC. */
  readonly opened?: (client: FalcoClient) => void;
  /** Alerts may be missing between the one before and the next. */
  readonly gap?: () => void;
}

/** A source that is open. */
export interface OpenSource {
  readonly alerts: ReadableStream<Alert>;
  /** Where they come from, in full. */
  readonly address: string;
  /** Undefined unless they come over gRPC. */
  readonly client: FalcoClient | undefined;
  /** What it still waits for, of what there has to be before any alert; undefined once it was there. */
  missing(): string | undefined;
  /**
   * How many alerts came, whatever became of them, and rows of what else there is to tell. `handled`:
   * how many of them came out of the source, and were used or left out.
   */
  counts(handled: number): {
    readonly received: number;
    readonly rows: readonly (readonly [label: string, text: string])[];
  };
  /** Ends it. Resolves when the last has been told of it. */
  close(): Promise<void>;
}

/**
 * Opens a source.
 *
 * @param source Which.
 * @param how `signal` ends it: the stream fails with its reason. The others learn what becomes of it.
 * @returns The source.
 * @throws {UsageError} If the address cannot be used.
 * @throws {FalcoError} If a receiver cannot listen.
 */
export async function openSource(
  source: LiveSource,
  how: LiveEvents & { readonly signal: AbortSignal },
): Promise<OpenSource> {
  return source.kind === "falco" ? openFalco(source, how) : await openOther(source, how);
}

function openFalco(
  { address, tls, maxAttempts }: FalcoSource,
  { note, opened, gap, signal }: LiveEvents & { readonly signal: AbortSignal },
): OpenSource {
  const client = connect(address?.text, { tls });
  const alerts = client.outputs.subscribe({
    signal,
    reconnect: maxAttempts === undefined ? {} : maxAttempts === 0 ? false : { maxAttempts },
  });
  const received = (): number => alerts.stats().received;
  let isReached = false;
  const quiet = new QuietHint({ note, received, clock: systemClock });
  const told = tell(alerts.status(), (status) => {
    if (status.type === "gap") gap?.();
    if (status.type === "open") {
      isReached = true;
      opened?.(client);
    }
    const line = statusLine(status);
    if (line !== undefined) note(line);
    if (status.type === "open") quiet.opened();
  });
  return {
    alerts,
    address: client.address,
    client,
    missing: () => isReached ? undefined : "connection",
    counts(handled) {
      const { received, dropped, invalid, lossyText, reconnects } = alerts.stats();
      return {
        // Of those that were thrown away some count as received, and some had not been decoded.
        received: Math.max(received, handled + dropped),
        rows: counted([
          ["invalid", invalid, "messages were no alerts"],
          ["mended", lossyText, "texts were not UTF-8"],
          ["reconnects", reconnects, ""],
        ]),
      };
    },
    async close() {
      quiet.end();
      await client.close();
      await told;
    },
  };
}

async function openOther(
  { kind, address, follow, receive }: OtherSource,
  { note, gap, signal }: LiveEvents & { readonly signal: AbortSignal },
): Promise<OpenSource> {
  const leave = new AbortController();
  let isReached = kind !== "file";
  let invalid = 0;
  const tellInvalid = (place: string, { message }: Error): void => {
    if (++invalid <= MAX_TOLD) note(`${place}${message}`);
    else if (invalid === MAX_TOLD + 1) note("what else is no alert is only counted");
  };
  const alerts = await open(address, {
    signal: AbortSignal.any([signal, leave.signal]),
    follow: {
      ...follow,
      onInvalid: (error, { line }) => tellInvalid(`line ${line}: `, error),
      onStatus(status) {
        if (status.type === "truncated") gap?.();
        if (status.type === "opened") isReached = true;
        note(followLine(status));
      },
    },
    receive: { ...receive, onInvalid: (error) => tellInvalid("", error) },
  });
  const place = alerts instanceof HttpReceiver ? alerts.url : address;
  if (alerts instanceof HttpReceiver) note(`listening on ${place}`);
  else if (kind === "stdin") note("reading standard input");
  return {
    // Each kind is a stream of alerts, but a union of them has no signature of its own.
    alerts: alerts as ReadableStream<Alert>,
    address: place,
    client: undefined,
    missing: () => isReached ? undefined : "file",
    counts: () => countsOf(alerts, kind),
    close() {
      leave.abort(new DOMException("it is over", "AbortError"));
      return Promise.resolve();
    },
  };
}

async function open(address: string, options: OpenAlertsOptions): Promise<OpenedAlerts> {
  try {
    return await openAlerts(address, options);
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}

function countsOf(
  alerts: OpenedAlerts,
  kind: OtherSource["kind"],
): ReturnType<OpenSource["counts"]> {
  const { received, invalid, ...others } = alerts.stats();
  const what = kind === "receiver" ? "bodies were no alerts" : "lines were no alerts";
  const rows = counted([
    ["invalid", invalid, what],
    ["mended", "lossyText" in others ? others.lossyText : 0, "lines were not UTF-8"],
    ["repeated", "duplicates" in others ? others.duplicates : 0, "were sent twice, and taken once"],
  ]);
  if (!("refused" in others)) return { received, rows };
  const refused = Object.entries(others.refused).map(([reason, count]) => `${reason} ${count}`);
  return {
    received,
    rows: refused.length === 0 ? rows : [...rows, ["refused", refused.join(", ")]],
  };
}

function counted(
  rows: readonly (readonly [label: string, count: number, text: string])[],
): (readonly [label: string, text: string])[] {
  return rows.filter(([, count]) => count > 0)
    .map(([label, count, text]) => [label, `${count} ${text}`.trimEnd()]);
}

async function tell(
  statuses: AsyncIterable<Status>,
  onStatus: (status: Status) => void,
): Promise<void> {
  for await (const status of statuses) onStatus(status);
}
