/** Any source of alerts by its address. @module */
import { stat } from "node:fs/promises";
import type { Stats } from "node:fs";
import process from "node:process";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { connect } from "../client/connect.ts";
import type { ConnectOptions } from "../client/connect.ts";
import type { SubscribeOptions, Subscription } from "../client/subscription.ts";
import { FalcoError } from "../errors.ts";
import { followFile } from "./follow_file.ts";
import type { FollowedFile, FollowFileOptions } from "./follow_file.ts";
import { fromJsonLines } from "./from_json_lines.ts";
import type { AlertLines } from "./from_json_lines.ts";
import { HttpReceiver } from "./http_receiver.ts";
import type { HttpReceiverOptions } from "./http_receiver_options.ts";

/**
 * Options of {@linkcode openAlerts}, by kind of source; those of the other kinds are not looked at.
 *
 * @example
 * ```ts
 * import type { OpenAlertsOptions } from "@falco-streams/core";
 *
 * const options: OpenAlertsOptions = { follow: { from: "end" }, receive: { token: "s3cret" } };
 * console.assert(options.connect === undefined);
 * ```
 */
export interface OpenAlertsOptions {
  /** Ends the alerts: the stream fails with `signal.reason`. */
  signal?: AbortSignal;
  /** For gRPC: certificates and limits. */
  connect?: ConnectOptions;
  /** For gRPC: polling and reconnecting. */
  subscribe?: SubscribeOptions;
  /** For files and standard input. */
  follow?: FollowFileOptions;
  /** For what is posted. */
  receive?: HttpReceiverOptions;
}

/**
 * What {@linkcode openAlerts} opens: each is an `EventStream<Alert>` with `stats()`.
 *
 * @example
 * ```ts
 * import { HttpReceiver, openAlerts } from "@falco-streams/core";
 * import type { OpenedAlerts } from "@falco-streams/core";
 * import assert from "node:assert/strict";
 *
 * const alerts: OpenedAlerts = await openAlerts("http-receiver://127.0.0.1:0/falco");
 * assert(alerts instanceof HttpReceiver);
 * await alerts.cancel();
 * ```
 */
export type OpenedAlerts = Subscription | FollowedFile | AlertLines | HttpReceiver;

/**
 * Opens whatever alerts come from, by its address, so that one argument of a program can be any Falco.
 *
 * - `unix:///PATH`, `https://HOST:PORT`: gRPC, Falco 0.18 to 0.43; it connects again when it has to,
 *   and the connection is closed when the alerts end
 * - `file:///PATH`: a followed file
 * - `-`: standard input, as JSON lines or text
 * - `http-receiver://HOST:PORT/PATH`: what Falco's `http_output` posts, with `https-receiver` for TLS
 *   (`receive.tls`)
 * - a path: a socket or a file, as found there
 *
 * @param address The address.
 * @param options A signal for all kinds, and the options of each.
 * @returns The alerts.
 * @throws {TypeError} If the address is of no such kind.
 * @throws {FalcoError} If there is nothing at a path, or a receiver cannot listen.
 *
 * @example
 * ```ts
 * import { openAlerts } from "@falco-streams/core";
 * import { buildAlert, FakeFalco } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const fake = await FakeFalco.start();
 * fake.push(buildAlert({ rule: "Terminal shell in container" }));
 * for await (const alert of await openAlerts(fake.address)) {
 *   assert.equal(alert.rule, "Terminal shell in container");
 *   break;
 * }
 * await fake.stop();
 * ```
 */
export async function openAlerts(
  address: string,
  options: OpenAlertsOptions = {},
): Promise<OpenedAlerts> {
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  const follow = { ...options.follow, ...signal };
  if (address === "-") {
    return fromJsonLines(Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>, follow);
  }
  const scheme = /^([a-z][a-z-]*):/i.exec(address)?.[1]?.toLowerCase();
  switch (scheme) {
    case "unix":
    case "https":
      return subscribe(address, options);
    case "file":
      return followFile(fileURLToPath(address), follow);
    case "http-receiver":
    case "https-receiver":
      return await receive(address, scheme === "https-receiver", { ...options.receive, ...signal });
  }
  if (/^[^/\\]*:\d+$/.test(address)) return subscribe(address, options); // host:port
  if (scheme !== undefined && address.includes("://")) {
    throw new TypeError(
      `Cannot open ${JSON.stringify(address)}: unknown scheme "${scheme}". ` +
        "Use unix:, https:, file:, http-receiver:, a path, or -",
    );
  }
  const found = await lookAt(address);
  if (found.isSocket()) return subscribe(address, options);
  if (found.isFile()) return followFile(address, follow);
  throw new FalcoError(
    `Cannot open ${JSON.stringify(address)}: it is neither a socket nor a file. ` +
      "Pass Falco's unix socket or a file of alerts",
  );
}

async function lookAt(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (cause) {
    throw new FalcoError(
      `Cannot open ${JSON.stringify(path)}: ${(cause as Error).message}. To wait for what is not ` +
        "there yet, say what it will be: unix://PATH or file://PATH",
      { cause },
    );
  }
}

function subscribe(address: string, options: OpenAlertsOptions): Subscription {
  const falco = connect(address, options.connect);
  const { signal } = options;
  const alerts = falco.outputs.subscribe({
    ...options.subscribe,
    ...(signal === undefined ? {} : { signal }),
  });
  void alerts.closed.then(() => falco.close());
  return alerts;
}

async function receive(
  address: string,
  isTls: boolean,
  options: HttpReceiverOptions,
): Promise<HttpReceiver> {
  if (isTls !== (options.tls !== undefined)) {
    throw new TypeError(
      isTls
        ? `Cannot open ${address}: it has no certificate. Pass { receive: { tls: { cert, key } } }`
        : `Cannot open ${address}: there are certificates for it. Use https-receiver:`,
    );
  }
  return await HttpReceiver.start({ ...options, ...receiverPlace(address) });
}

/**
 * Takes the address of a receiver apart.
 *
 * @param address An address with `http-receiver:` or `https-receiver:`.
 * @returns Where to listen.
 * @throws {TypeError} If it can be no address.
 */
export function receiverPlace(
  address: string,
): Pick<HttpReceiverOptions, "hostname" | "port" | "path"> {
  // URL knows ports and paths of special schemes alone.
  const text = address.replace(/^https?-receiver:/i, "http:");
  if (!URL.canParse(text)) {
    throw new TypeError(
      `Cannot open ${JSON.stringify(address)}: that is no address. Write ` +
        "http-receiver://HOST:PORT/PATH",
    );
  }
  const url = new URL(text);
  return {
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? 2801 : Number(url.port),
    ...(url.pathname === "/" ? {} : { path: url.pathname }),
  };
}
