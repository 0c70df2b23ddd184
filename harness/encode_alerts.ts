/** Alerts for load tests, encoded beforehand. @module */
import type { Alert } from "../lib/alert/alert.ts";
import type { MessageRun } from "../lib/server/alert_queue.ts";
import { frameMessage } from "../lib/transport/message_splitter.ts";
import { DEFAULT_FALCO_VERSION, eraOf } from "./era.ts";

/** The longest run: larger ones are no quicker, and smaller ones cost a write to HTTP/2 each. */
const MAX_RUN_BYTES = 262_144;

/**
 * Alerts as bytes, for {@linkcode FakeFalco.pushEncoded}.
 *
 * @example
 * ```ts
 * import { buildAlert, encodeAlerts } from "@falco-streams/core/harness";
 * import type { EncodedAlerts } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const encoded: EncodedAlerts = encodeAlerts([buildAlert(), buildAlert()]);
 * assert.equal(encoded.count, 2);
 * ```
 */
export interface EncodedAlerts {
  /** How many. */
  readonly count: number;
  /** The version of Falco that they are encoded for. */
  readonly falcoVersion: string;
  /** The bytes, in pieces that are sent at once. */
  readonly runs: readonly { readonly bytes: Uint8Array; readonly count: number }[];
}

/**
 * Encodes alerts once, to send them many times.
 *
 * @param alerts The alerts, in order. Those that this version does not send over gRPC are left out.
 * @param options The version of the fake that they are for. Default 0.43.1.
 * @returns What {@linkcode FakeFalco.pushEncoded} takes. All of it is held in memory.
 * @throws {RangeError} If there is no such Falco.
 *
 * @example A thousand times the same hundred alerts
 * ```ts
 * import { connect } from "@falco-streams/core";
 * import { buildAlert, encodeAlerts, FakeFalco } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const encoded = encodeAlerts(Array.from({ length: 100 }, () => buildAlert()));
 * const fake = await FakeFalco.start();
 * for (let round = 0; round < 10; round++) fake.pushEncoded(encoded);
 * const falco = connect(fake.address, { tls: fake.credentials });
 * let count = 0;
 * for await (const _ of falco.outputs.get()) count++;
 * assert.equal(count, 1000);
 * await falco.close();
 * await fake.stop();
 * ```
 */
export function encodeAlerts(
  alerts: Iterable<Alert>,
  options: { falcoVersion?: string } = {},
): EncodedAlerts {
  const era = eraOf(options.falcoVersion ?? DEFAULT_FALCO_VERSION);
  const runs: MessageRun[] = [];
  let frames: Uint8Array[] = [];
  let length = 0;
  let total = 0;
  const end = (): void => {
    if (frames.length === 0) return;
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const frame of frames) {
      bytes.set(frame, at);
      at += frame.length;
    }
    runs.push({ bytes, count: frames.length });
    total += frames.length;
    frames = [];
    length = 0;
  };
  for (const alert of alerts) {
    const message = era.encode(alert);
    if (message === undefined) continue;
    const frame = frameMessage(message);
    if (length + frame.length > MAX_RUN_BYTES) end();
    frames.push(frame);
    length += frame.length;
  }
  end();
  return { count: total, falcoVersion: era.falcoVersion, runs };
}

/**
 * Makes sure that alerts are for a version.
 *
 * @param alerts The alerts.
 * @param falcoVersion The version of the fake that is to send them.
 * @throws {RangeError} If they are for another one.
 */
export function checkVersion(alerts: EncodedAlerts, falcoVersion: string): void {
  if (alerts.falcoVersion === falcoVersion) return;
  throw new RangeError(
    `Cannot push alerts of Falco ${alerts.falcoVersion}: this is ${falcoVersion}`,
  );
}
