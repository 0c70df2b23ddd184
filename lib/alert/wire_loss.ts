/** What the gRPC carrier cannot hold of an alert. @module */
import type { Alert } from "./alert.ts";
import { wireText } from "./wire.ts";

/**
 * A way in which an alert changes when it travels over Falco's gRPC.
 *
 * - `typed-field`: numbers, booleans, lists and objects arrive as text
 * - `absent-field`: `null` arrives as the text `<NA>`
 * - `message`: the property `message` is not sent
 * - `omitted`: `output`, `output_fields` or `tags` that were left out arrive empty
 * - `source`: no source arrives as `syscall`, number 0 of the enum
 * - `surrogate`: half a surrogate pair, which UTF-8 has no bytes for, arrives as U+FFFD
 */
export type WireLoss =
  | "typed-field"
  | "absent-field"
  | "message"
  | "omitted"
  | "source"
  | "surrogate";

/**
 * Says what an alert loses on its way over gRPC.
 *
 * @param alert The alert before it is encoded.
 * @returns The losses, each kind once; empty if it arrives as it is.
 */
export function wireLosses(alert: Alert): WireLoss[] {
  const losses = new Set<WireLoss>();
  for (const value of Object.values(alert.outputFields)) {
    if (value === null) losses.add("absent-field");
    else if (typeof value !== "string") losses.add("typed-field");
  }
  if (alert.message !== undefined) losses.add("message");
  if (alert.omitted !== undefined) losses.add("omitted");
  if (alert.source === "") losses.add("source");
  if (!isWellFormed(alert)) losses.add("surrogate");
  return [...losses];
}

function isWellFormed(alert: Alert): boolean {
  const { source, rule, output, hostname, tags, outputFields } = alert;
  if (![source, rule, output, hostname, ...tags].every((text) => text.isWellFormed())) return false;
  return Object.entries(outputFields).every(([name, value]) =>
    name.isWellFormed() && wireText(value).isWellFormed()
  );
}
