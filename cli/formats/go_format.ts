/** An alert as Go programs on Falco's Go client print it. @module */
import { compareBytes } from "../../lib/alert/compare_bytes.ts";
import type { Alert } from "../../lib/alert/alert.ts";
import { priorities } from "../../lib/alert/priority.ts";
import { toAlertTime } from "../../lib/alert/time.ts";
import { wireText } from "../../lib/alert/wire.ts";

/** The names of `falco.schema.source` by number; every other source is `plugin`, 3. */
const sourceNames: readonly string[] = ["syscall", "k8s_audit", "internal", "plugin"];

/**
 * Writes an alert as Go's `encoding/json` writes the struct of the Go client (client-go 0.6.1), which
 * is what Falco's page on that client shows: `time` with `seconds` and `nanos`, `priority` as Falco's
 * number, keys in the order of the struct.
 *
 * The example program that the page links to does otherwise: it prints through gogo's `jsonpb`, and
 * with client-go 0.6.1 that gives `"seconds":"1570094449"` as text, `"priority":"ERROR"`,
 * `sourceDeprecated` and `outputFields`. `parseAlert` reads both; this writes what is documented.
 *
 * As in Go:
 * - Whatever is zero is left out: `seconds` and `nanos` of 0, priority 0 (emergency), source 0
 *   (syscall), empty texts, lists and maps. `time` itself always stands there.
 * - Names of fields are sorted by their UTF-8 bytes.
 * - `<`, `>`, `&`, U+2028 and U+2029 are escaped; backspace and form feed are `\b` and `\f`, as since
 *   Go 1.22. Half a surrogate pair, which UTF-8 has no bytes for, is U+FFFD.
 *
 * The struct holds what came over gRPC: values of fields are text, `null` is `<NA>`, and `message`
 * and `omitted` have no place.
 *
 * @param alert The alert.
 * @returns One line of JSON, without a line break at its end. `parseAlert` gives the alert back if it
 * came over gRPC and its rule has a name.
 */
export function formatGo(alert: Alert): string {
  const { rule, output, outputFields, hostname, tags, source } = alert;
  const { seconds, nanos } = toAlertTime(alert.time.seconds, alert.time.nanos);
  const time = [
    seconds === 0 ? "" : `"seconds":${seconds}`,
    nanos === 0 ? "" : `"nanos":${nanos}`,
  ];
  return object([
    `"time":${object(time)}`,
    numberMember("priority", priorities.indexOf(alert.priority)),
    numberMember("source_deprecated", sourceNumber(source)),
    textMember("rule", rule),
    textMember("output", output),
    fieldsMember(outputFields),
    textMember("hostname", hostname),
    tags.length === 0 ? "" : `"tags":[${tags.map(quote).join(",")}]`,
    textMember("source", source),
  ]);
}

function object(members: readonly string[]): string {
  return `{${members.filter((member) => member !== "").join(",")}}`;
}

function numberMember(key: string, value: number): string {
  return value === 0 ? "" : `"${key}":${value}`;
}

function textMember(key: string, value: string): string {
  return value === "" ? "" : `"${key}":${quote(value)}`;
}

function fieldsMember(fields: Alert["outputFields"]): string {
  // A map, as in Go: two names that differ in half a surrogate pair only are the same name in UTF-8.
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(fields)) {
    values.set(name.toWellFormed(), wireText(value));
  }
  if (values.size === 0) return "";
  const members = [...values]
    .sort(([a], [b]) => compareBytes(a, b))
    .map(([name, value]) => `${quote(name)}:${quote(value)}`);
  return `"output_fields":{${members.join(",")}}`;
}

function sourceNumber(source: string): number {
  if (source === "") return 0;
  const number = sourceNames.indexOf(source);
  return number < 0 ? sourceNames.indexOf("plugin") : number;
}

function quote(text: string): string {
  return JSON.stringify(text.toWellFormed()).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
