/** What a server says of itself. @module */
import { create, toBinary } from "@bufbuild/protobuf";
import { responseSchema } from "../../gen/version_pb.ts";

/** A checksum over the fields that rules can use, measured on 0.43.1; others have another one. */
const FIELDS_CHECKSUM = "952fa3356bfd266419810be51ae659eab48093a66da26fff3897022a9de2c08c";

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

/**
 * Encodes the answer to `falco.version.service/version`, as the Falco of that version gives it.
 *
 * @param version Three numbers, such as `0.43.1`.
 * @returns A `falco.version.response`.
 */
export function encodeVersionMessage(version: string): Uint8Array {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  const engine = engines.find(([from]) => minor >= from)?.[1] ?? 0;
  return toBinary(
    responseSchema,
    create(responseSchema, {
      version,
      major,
      minor,
      patch,
      // Field 7: the engine's version up to 0.36, the second of its three numbers since.
      engineMinor: engine,
      engineFieldsChecksum: minor >= 27 ? FIELDS_CHECKSUM : "",
      engineVersion: minor >= 37 ? `0.${engine}.0` : "",
    }),
  );
}
