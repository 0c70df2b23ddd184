/** Lines of a wire recording. @module */
import { Buffer } from "node:buffer";
import { create, toBinary } from "@bufbuild/protobuf";
import { responseSchema } from "../../gen/version_pb.ts";
import type { Alert } from "../../lib/alert/alert.ts";
import { encodeAlert } from "../../lib/alert/wire.ts";
import type { FalcoVersion } from "../../lib/client/falco_version.ts";

/** How the bytes came about, for the provenance. */
export const WIRE_ENCODING = "re-encoded from decoded alerts in the form of Falco 0.31 to 0.43: " +
  "fields in the order of their numbers, text that was not UTF-8 mended with U+FFFD";

/**
 * Writes an alert.
 *
 * @param alert The alert.
 * @returns Its line, without a line break.
 */
export function wireLine(alert: Alert): string {
  return lineOf("/falco.outputs.service/sub", encodeAlert(alert));
}

/**
 * Writes Falco's answer to `version`, which heads a recording.
 *
 * @param version What Falco said.
 * @returns Its line, without a line break.
 */
export function versionLine(version: FalcoVersion): string {
  const { engineVersion, ...rest } = version;
  // Field 7 is the whole version of the engine up to 0.36, its second number since.
  const [, second] = /^\d+\.(\d+)/.exec(engineVersion) ?? [];
  const message = create(responseSchema, {
    ...rest,
    engineMinor: Number(second ?? engineVersion),
    engineVersion: second === undefined ? "" : engineVersion,
  });
  return lineOf("/falco.version.service/version", toBinary(responseSchema, message));
}

function lineOf(method: string, message: Uint8Array): string {
  return JSON.stringify({ method, wire: Buffer.from(message).toString("base64") });
}
