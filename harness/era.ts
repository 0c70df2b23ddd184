/** What the Falcos of different versions have on the wire. @module */
import { create, toBinary } from "@bufbuild/protobuf";
import { responseSchema } from "../gen/version_pb.ts";
import type { WireFields } from "../lib/alert/wire.ts";

/** The version that the fake takes itself for if nobody says otherwise: the last with gRPC. */
export const DEFAULT_FALCO_VERSION = "0.43.1";

/** A version of Falco, as far as its gRPC goes. */
export interface Era {
  /** The version in full. */
  readonly falcoVersion: string;
  /** What an alert holds. */
  readonly fields: WireFields;
  /** An encoded `falco.version.response`. */
  readonly versionMessage: Uint8Array;
}

/**
 * The number of the rules engine by release. Only that of 0.43 was measured; the others are of the
 * right kind and order, which is all that a client can depend on.
 */
const engines: readonly (readonly [minor: number, engine: number])[] = [
  [43, 58],
  [40, 48],
  [37, 31],
  [33, 13],
  [27, 8],
];

/** A checksum over the fields that rules can use, measured on 0.43.1; others have another one. */
const FIELDS_CHECKSUM = "952fa3356bfd266419810be51ae659eab48093a66da26fff3897022a9de2c08c";

/**
 * Looks up a version.
 *
 * @param falcoVersion Three numbers, 0.24.0 to 0.43.x. The first era (0.18 to 0.23, another service)
 * is not there yet; from 0.44 on Falco has no gRPC.
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
  if (major !== 0 || minor < 24 || minor > 43) {
    throw new RangeError(
      `Cannot be Falco ${falcoVersion}: ` +
        (minor >= 44 || major > 0
          ? "0.44 removed gRPC. Use 0.24.0 to 0.43.1"
          : "the first gRPC service, of 0.18 to 0.23, is not served yet. Use 0.24.0 to 0.43.1"),
    );
  }
  const engine = engines.find(([from]) => minor >= from)?.[1] ?? 0;
  const since037 = minor >= 37;
  return {
    falcoVersion,
    fields: { hostname: true, tags: minor >= 30, sourceName: minor >= 31 },
    versionMessage: toBinary(
      responseSchema,
      create(responseSchema, {
        version: falcoVersion,
        major,
        minor,
        patch,
        // Field 7: the engine's version up to 0.36, the second of its three numbers since.
        engineMinor: engine,
        engineFieldsChecksum: minor >= 27 ? FIELDS_CHECKSUM : "",
        engineVersion: since037 ? `0.${engine}.0` : "",
      }),
    ),
  };
}
