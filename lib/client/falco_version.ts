/** What Falco says of itself. @module */
import { fromBinary } from "@bufbuild/protobuf";
import { responseSchema } from "../../gen/version_pb.ts";
import type { response as VersionResponse } from "../../gen/version_pb.ts";
import { unreadableError } from "../transport/unreadable_error.ts";

/** The method that tells it, without the leading slash. */
export const VERSION = "falco.version.service/version";

const INTERNAL = 13;

/**
 * The answer of `version()`.
 *
 * @example
 * ```ts
 * import { connect } from "@falco-streams/core";
 * import type { FalcoVersion } from "@falco-streams/core";
 * import { FakeFalco } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const fake = await FakeFalco.start({ falcoVersion: "0.43.1" });
 * const falco = connect(fake.address);
 * const version: FalcoVersion = await falco.version();
 * assert.equal(version.version, "0.43.1");
 * assert.equal(version.minor, 43);
 * await falco.close();
 * await fake.stop();
 * ```
 */
export interface FalcoVersion {
  /** The whole version, such as `0.43.1`. */
  readonly version: string;
  /** Its first number. */
  readonly major: number;
  /** Its second number. */
  readonly minor: number;
  /** Its third number. */
  readonly patch: number;
  /** What follows a hyphen, such as `rc1`; empty for a release. */
  readonly prerelease: string;
  /** What follows a plus sign: the build; empty for a release. */
  readonly build: string;
  /** The version of the rules engine: `0.58.0` since 0.37, a single number such as `31` from 0.27 on, empty before. */
  readonly engineVersion: string;
  /** A checksum over the fields that rules can use; empty before 0.27. */
  readonly engineFieldsChecksum: string;
}

/**
 * Reads the protobuf answer. Its field 7 is `engine_version`, a number, up to 0.36 and
 * `engine_minor` since 0.37, where field 11 has the whole engine version.
 *
 * @param answer The answer's bytes.
 * @returns The version.
 * @throws {FalcoRpcError} If it is none.
 */
export function readVersion(answer: Uint8Array): FalcoVersion {
  const message = decode(answer);
  const { version, major, minor, patch, prerelease, build, engineFieldsChecksum } = message;
  const before037 = message.engineMinor === 0 ? "" : String(message.engineMinor);
  return {
    version,
    major,
    minor,
    patch,
    prerelease,
    build,
    engineVersion: message.engineVersion === "" ? before037 : message.engineVersion,
    engineFieldsChecksum,
  };
}

function decode(answer: Uint8Array): VersionResponse {
  try {
    return fromBinary(responseSchema, answer);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const problem = `a message is not what the contract says (${why})`;
    throw unreadableError(VERSION, INTERNAL, problem, error);
  }
}
