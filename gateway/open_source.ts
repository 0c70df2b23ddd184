/** A source as the configuration names it. @module */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { Readable } from "node:stream";
import type { Alert } from "../lib/alert/alert.ts";
import { connect } from "../lib/client/connect.ts";
import type { Clock } from "../lib/clock.ts";
import { FalcoError } from "../lib/errors.ts";
import { followFile } from "../lib/sources/follow_file.ts";
import { fromJsonLines } from "../lib/sources/from_json_lines.ts";
import { HttpReceiver } from "../lib/sources/http_receiver.ts";
import type {
  GatewayFileSourceConfig,
  GatewayGrpcSourceConfig,
  GatewayHttpSourceConfig,
  GatewaySourceConfig,
  GatewayStdinSourceConfig,
} from "./gateway_config.ts";

/** How many bytes a line may have if nobody says otherwise: more fits into no message of gRPC. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;

/** A source that is open. */
export interface OpenedSource {
  /** The alerts. */
  readonly alerts: AsyncIterable<Alert>;
  /** Where it listens, if it does. */
  readonly url?: string;
  /** What it counted since it was opened. */
  counts(): SourceCounts;
  /** Takes nothing in any more; what was taken in still comes, and then the end. */
  stop(): Promise<void>;
  /** Lets go of everything at once. */
  dispose(): Promise<void>;
}

/** What every kind of source counts. */
export interface SourceCounts {
  /** What was no alert. */
  readonly invalid: number;
  /** What was taken and thrown away. */
  readonly dropped: number;
  /** What waits to be passed on. */
  readonly queued: number;
  /** What came twice and was taken once. */
  readonly duplicates: number;
  /** Requests and connections that were refused, by reason. */
  readonly refused: Readonly<Record<string, number>>;
}

/** What a source tells. */
export interface SourceEvents {
  /** It works, or does not. */
  onState(up: boolean, detail: string): void;
  /** Something was no alert. */
  onInvalid(problem: string): void;
  /** Time. */
  readonly clock: Clock;
  /** Standard input. */
  readonly stdin: ReadableStream<Uint8Array> | undefined;
}

const nothingRefused: Readonly<Record<string, number>> = {};

/**
 * Opens a source.
 *
 * @param config Which.
 * @param events What it tells.
 * @returns The source.
 * @throws {FalcoError} If it cannot listen, or a file of the configuration cannot be read.
 */
export async function openSource(
  config: GatewaySourceConfig,
  events: SourceEvents,
): Promise<OpenedSource> {
  switch (config.type) {
    case "grpc":
      return openGrpc(config, events);
    case "http":
      return await openHttp(config, events);
    case "file":
      return openLines(config, events);
    case "stdin":
      return openLines(config, events);
  }
}

function openGrpc(config: GatewayGrpcSourceConfig, { onState, clock }: SourceEvents): OpenedSource {
  const { address, tls, maxPollMs = 1000 } = config;
  const falco = connect(address, { tls, clock });
  const alerts = falco.outputs.subscribe({ maxPollMs });
  void (async () => {
    for await (const status of alerts.status()) {
      if (status.type === "open") onState(true, `connected to ${status.address}`);
      else if (status.type === "reconnecting") {
        onState(false, status.error?.message ?? "Falco ended the call");
      }
    }
  })();
  return {
    alerts,
    counts() {
      const { invalid, dropped } = alerts.stats();
      return { invalid, dropped, queued: 0, duplicates: 0, refused: nothingRefused };
    },
    stop: () => alerts.close(),
    dispose: () => falco.close(),
  };
}

async function openHttp(
  config: GatewayHttpSourceConfig,
  { onState, onInvalid, clock }: SourceEvents,
): Promise<OpenedSource> {
  const { name: _name, type: _type, listen, token, tokenFile, ...limits } = config;
  const colon = listen.lastIndexOf(":");
  const secret = tokenFile === undefined ? token : await readToken(tokenFile);
  const stopping = new AbortController();
  const receiver = await HttpReceiver.start({
    ...limits,
    hostname: listen.slice(0, colon).replace(/^\[|\]$/g, ""),
    port: Number(listen.slice(colon + 1)),
    ...(secret === undefined ? {} : { token: secret }),
    onInvalid: (error) => onInvalid(error.message),
    signal: stopping.signal,
    clock,
  });
  onState(true, `listening on ${receiver.url}`);
  return {
    alerts: untilAborted(receiver, stopping.signal),
    url: receiver.url,
    counts() {
      const { invalid, dropped, queued, duplicates, refused } = receiver.stats();
      return { invalid, dropped, queued, duplicates, refused: { ...refused } };
    },
    stop: () => receiver.close(),
    async dispose() {
      stopping.abort(stopReason());
      await receiver.close();
    },
  };
}

async function readToken(path: string): Promise<string> {
  let text: string;
  try {
    text = (await readFile(path, "utf8")).trim();
  } catch (cause) {
    const { message } = cause as Error;
    throw new FalcoError(`Cannot read the token: ${message}. Check "tokenFile"`, { cause });
  }
  if (text === "") throw new FalcoError(`Cannot use the token: the file "${path}" is empty`);
  return text;
}

function openLines(
  config: GatewayFileSourceConfig | GatewayStdinSourceConfig,
  { onState, onInvalid, clock, stdin }: SourceEvents,
): OpenedSource {
  const { text, maxLineBytes = MAX_LINE_BYTES } = config;
  const stopping = new AbortController();
  const options = {
    maxLineBytes,
    clock,
    signal: stopping.signal,
    onInvalid: (error: Error) => onInvalid(error.message),
    ...(text === undefined ? {} : { text }),
  };
  if (config.type === "stdin") onState(true, "reading standard input");
  const alerts = config.type === "stdin"
    ? fromJsonLines(stdin ?? Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>, options)
    : followFile(config.path, {
      ...options,
      from: config.from ?? "end",
      ...(config.pollMs === undefined ? {} : { pollMs: config.pollMs }),
      onStatus(status) {
        onState(status.type !== "missing", `${status.type} ${status.path}`);
      },
    });
  const stop = () => {
    stopping.abort(stopReason());
    return Promise.resolve();
  };
  return {
    alerts: untilAborted(alerts, stopping.signal),
    counts() {
      const { invalid } = alerts.stats();
      return { invalid, dropped: 0, queued: 0, duplicates: 0, refused: nothingRefused };
    },
    stop,
    dispose: stop,
  };
}

function stopReason(): DOMException {
  return new DOMException("The gateway stops", "AbortError");
}

/** Ends where the stream fails with the reason of the signal. */
async function* untilAborted(
  alerts: AsyncIterable<Alert>,
  signal: AbortSignal,
): AsyncGenerator<Alert, void> {
  try {
    yield* alerts;
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
  }
}
