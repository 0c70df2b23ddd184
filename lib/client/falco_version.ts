/** What Falco says of itself. @module */
import type { response as VersionResponse } from "../../gen/version_pb.ts";

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
 * @param message The answer.
 * @returns The version.
 */
export function versionFromMessage(message: VersionResponse): FalcoVersion {
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
