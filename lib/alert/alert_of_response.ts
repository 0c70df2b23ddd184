/** The generated message of the gRPC carrier to an {@linkcode Alert}. @module */
import type { response as FirstResponse } from "../../gen/legacy_output_pb.ts";
import type { response as Response } from "../../gen/outputs_pb.ts";
import { AlertFormatError } from "../errors.ts";
import type { Alert } from "./alert.ts";
import { priorities } from "./priority.ts";
import { sourceNames } from "./source_names.ts";
import { toAlertTime } from "./time.ts";

/** A `response` of either of Falco's two services for alerts, as protobuf-es decodes it. */
export type OutputsResponse = Response | FirstResponse;

/**
 * Turns a generated message into the alert that `decodeAlert` makes of its bytes.
 *
 * @param message The message.
 * @returns The alert. It shares nothing with the message.
 * @throws {AlertFormatError} If the priority is none of Falco's.
 */
export function alertOfResponse(message: OutputsResponse): Alert {
  const { time, priority: number, rule, output, outputFields, hostname } = message;
  const priority = priorities[number];
  if (priority === undefined) {
    throw new AlertFormatError(`Cannot decode the alert: unknown priority ${number}`);
  }
  return {
    time: toAlertTime(Number(time?.seconds ?? 0), time?.nanos ?? 0),
    priority,
    source: sourceOf(message),
    rule,
    output,
    // A spread makes own fields of all names, `__proto__` among them.
    outputFields: { ...outputFields },
    hostname,
    tags: "tags" in message ? [...message.tags] : [],
  };
}

/** Before 0.31 only the enum is there. */
function sourceOf(message: OutputsResponse): string {
  if (message.$typeName === "falco.output.response") return sourceNames[message.source] ?? "plugin";
  return message.source === "" ? sourceNames[message.sourceDeprecated] ?? "plugin" : message.source;
}
