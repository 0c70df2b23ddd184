/** What the Falcos of different versions have on the wire. @module */
import type { Alert } from "../lib/alert/alert.ts";
import { encodeAlert } from "../lib/alert/wire.ts";
import { currentMethods } from "../lib/server/falco_method.ts";
import type { FalcoMethod } from "../lib/server/falco_method.ts";
import { encodeVersionMessage } from "../lib/server/version_message.ts";

/** The version that the fake takes itself for if nobody says otherwise: the last with gRPC. */
export const DEFAULT_FALCO_VERSION = "0.43.1";

/** A version of Falco, as far as its gRPC goes. */
export interface Era {
  /** The version in full. */
  readonly falcoVersion: string;
  /** The methods it serves; none from 0.44 on, which has no gRPC at all. */
  readonly methods: readonly FalcoMethod[];
  /** Whether it makes the folders of its socket that are missing; others have to be there already. */
  readonly makesFolders: boolean;
  /** An encoded `falco.version.response`; empty if it has no such service. */
  readonly versionMessage: Uint8Array;
  /**
   * Encodes an alert with the fields of this version.
   *
   * @param alert The alert.
   * @returns The message; undefined if this version does not send such an alert over gRPC.
   */
  encode(alert: Alert): Uint8Array | undefined;
}

/** The time in front of an alert's text: the clock's, or with `time_format_iso_8601` the whole. */
const timePrefix =
  /^(?:(\d\d:\d\d:\d\d\.\d{9})|(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}[+-]\d{4})): /;

/**
 * Looks up a version.
 *
 * - 0.18: `falco.output.service/subscribe`; alerts with fields 1 to 6. 0.19 adds the host name, 0.20
 *   `falco.version.service/version`.
 * - 0.24: `falco.outputs.service` with `sub` and `get` instead. 0.27: alerts of Falco itself (source
 *   `internal`) go over gRPC, too; the engine's version in field 7 of the version. 0.30: tags.
 *   0.31: plugins as sources, the source's name. 0.37: the engine's version in full.
 * - Up to 0.38 the time in front of the text is in the fields, too: `evt.time`, or
 *   `evt.time.iso8601`. Later only if a rule names it.
 * - 0.33: the folders of its socket are made if they are missing (falcosecurity/falco#2189).
 * - 0.44: no gRPC.
 *
 * @param falcoVersion Three numbers, from 0.18.0 on.
 * @returns What such a Falco sends.
 * @throws {RangeError} If it is no such version.
 */
export function eraOf(falcoVersion: string): Era {
  const match = /^(\d+)\.(\d+)\.(\d+)$/.exec(falcoVersion);
  const [major, minor, patch] = (match ?? []).slice(1).map(Number);
  if (major === undefined || minor === undefined || patch === undefined) {
    throw new RangeError(
      `Cannot be Falco ${JSON.stringify(falcoVersion)}: a version is three numbers, such as 0.43.1`,
    );
  }
  if (major === 0 && minor < 18) {
    throw new RangeError(
      `Cannot be Falco ${falcoVersion}: 0.18.0 was the first with gRPC. Use 0.18.0 to 0.43.1`,
    );
  }
  if (major > 0 || minor >= 44) {
    return {
      falcoVersion,
      methods: [],
      makesFolders: true,
      versionMessage: new Uint8Array(),
      encode: () => undefined,
    };
  }
  const fields = { hostname: minor >= 19, tags: minor >= 30, sourceName: minor >= 31 };
  return {
    falcoVersion,
    methods: methodsOf(minor),
    makesFolders: minor >= 33,
    versionMessage: minor < 20 ? new Uint8Array() : encodeVersionMessage(falcoVersion),
    encode(alert) {
      // Drop alerts "reach gRPC" since 0.27 (falcosecurity/falco#1451).
      if (alert.source === "internal" && minor < 27) return undefined;
      return encodeAlert(minor <= 38 ? withTimeField(alert) : alert, fields);
    },
  };
}

function methodsOf(minor: number): readonly FalcoMethod[] {
  if (minor >= 24) return currentMethods;
  const subscribe = "falco.output.service/subscribe";
  return minor >= 20 ? [subscribe, "falco.version.service/version"] : [subscribe];
}

/** Up to 0.38 the time was part of the format that fields are taken from. */
function withTimeField(alert: Alert): Alert {
  const [, clockTime, isoTime] = timePrefix.exec(alert.output) ?? [];
  const name = clockTime !== undefined ? "evt.time" : "evt.time.iso8601";
  const value = clockTime ?? isoTime;
  if (value === undefined) return alert;
  return { ...alert, outputFields: { ...alert.outputFields, [name]: value } };
}
