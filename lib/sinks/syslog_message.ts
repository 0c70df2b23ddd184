/** Alerts as messages of syslog. @module */
import { Buffer } from "node:buffer";
import type { Alert } from "../alert/alert.ts";
import { priorities } from "../alert/priority.ts";
import { formatTime } from "../alert/time.ts";

/** What a message says beside its alert. */
export interface SyslogHeader {
  /** The number of the facility. */
  readonly facility: number;
  readonly appName: string;
  /** The name of the structured data, such as `falco@32473`. */
  readonly dataId: string;
  readonly message: (alert: Alert) => string;
}

/**
 * Writes an alert as RFC 5424 says.
 *
 * Strings of an alert are chosen by whoever runs processes on the watched host: none of them can end
 * the message, the header or a value, since control characters are escaped wherever they stand.
 *
 * @param alert The alert.
 * @param header What stands beside it.
 * @returns The message in UTF-8, without framing.
 */
export function syslogMessage(alert: Alert, header: SyslogHeader): Uint8Array {
  const pri = header.facility * 8 + priorities.indexOf(alert.priority);
  const words = [
    `<${pri}>1`,
    timestamp(alert),
    word(alert.hostname, 255),
    word(header.appName, 48),
    "-",
    "-",
    structuredData(alert, header.dataId),
    withoutControls(header.message(alert)),
  ];
  return Buffer.from(words.join(" "));
}

/**
 * Cuts a message to a length, not within a character.
 *
 * @param message The message.
 * @param maxBytes The longest it may be.
 * @returns Its beginning.
 */
export function cutMessage(message: Uint8Array, maxBytes: number): Uint8Array {
  let end = maxBytes;
  while (end > 0 && (message[end]! & 0xc0) === 0x80) end--;
  return message.subarray(0, end);
}

/** With six digits, the most that RFC 5424 allows. */
function timestamp({ time }: Alert): string {
  return formatTime(time).replace(/(\.\d{6})\d*Z$/, "$1Z");
}

/** A word of the header: printable ASCII without spaces. */
function word(text: string, maxLength: number): string {
  return text.replace(/[^\x21-\x7e]/g, "?").slice(0, maxLength) || "-";
}

function structuredData({ rule, source, tags }: Alert, id: string): string {
  const params = [["rule", rule], ["source", source], ["tags", tags.join(",")]]
    .filter(([, value]) => value !== "")
    .map(([name, value]) => ` ${name}="${withoutControls(value!).replace(/["\\\]]/g, "\\$&")}"`);
  return `[${id}${params.join("")}]`;
}

/** Line breaks and whatever else receivers take for an end or a command: `#012`, as rsyslog has it. */
function withoutControls(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, (character) => {
    return `#${character.charCodeAt(0).toString(8).padStart(3, "0")}`;
  });
}
