/** Alerts for people: who, when and how bad on one line, what happened below it. @module */
import type { Alert, FieldValue } from "../../lib/alert/alert.ts";
import { messageOf } from "../../lib/alert/message.ts";
import { parseJson } from "../../lib/alert/parse_json.ts";
import { priorityName } from "../../lib/alert/priority.ts";
import type { Priority } from "../../lib/alert/priority.ts";
import { formatTime } from "../../lib/alert/time.ts";
import { harmless } from "./harmless.ts";

/** What a block is made for, in columns; a fixed number, so that the same alerts look the same anywhere. */
const WIDTH = 100;
const INDENT = "    ";
/** `Informational`. */
const PRIORITY_WIDTH = 13;

/** Those that say nothing: most alerts are about system calls, and `falco-fake` is the fake itself. */
const DEFAULT_SOURCES: readonly string[] = ["", "syscall"];
const DEFAULT_HOSTNAMES: readonly string[] = ["", "falco-fake"];

/** Parameters of the terminal's "select graphic rendition", the more severe the louder. */
const colours: { readonly [name in Priority]: string } = {
  emergency: "1;37;41",
  alert: "1;37;45",
  critical: "1;31",
  error: "31",
  warning: "33",
  notice: "36",
  informational: "32",
  debug: "90",
};

/** Characters that take two columns, roughly: Hangul, CJK, full-width forms, emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/gu;

/**
 * Shows an alert as a block of lines: its time (UTC, cut to the millisecond), priority and rule, with
 * source and host if they are not the defaults; below, indented, its message without the time and
 * priority that Falco puts in front.
 *
 * If Falco runs with `json_output: true`, its gRPC output is a whole JSON line: then the message in
 * that JSON is shown.
 *
 * Lines are broken between words at 100 columns. A longer word, such as a command in base64, stays in
 * one piece, to be copied. All text of the alert goes through {@linkcode harmless}.
 *
 * @param alert The alert.
 * @param options `colour`: whether the priority is coloured, with escape sequences of ours.
 * @returns The lines, each with its line break.
 */
export function formatPretty(alert: Alert, options: { readonly colour: boolean }): string {
  const time = formatTime(alert.time);
  const label = priorityName(alert.priority);
  const padding = " ".repeat(PRIORITY_WIDTH - label.length);
  const head = `${time.slice(0, 10)} ${time.slice(11, 23)}Z  `;
  const indent = head.length + PRIORITY_WIDTH + 2;
  const title = wrap(harmless(alert.rule + origin(alert)), WIDTH - indent);
  const shown = options.colour ? `\x1b[${colours[alert.priority]}m${label}\x1b[0m` : label;
  let block = `${head}${shown}${padding}  ${title.join(`\n${" ".repeat(indent)}`)}\n`;
  const message = harmless(messageOf(withoutJson(alert)));
  if (message === "") return block;
  for (const line of wrap(message, WIDTH - INDENT.length)) block += `${INDENT}${line}\n`;
  return block;
}

function origin({ source, hostname }: Alert): string {
  const from = DEFAULT_SOURCES.includes(source) ? "" : source;
  const host = DEFAULT_HOSTNAMES.includes(hostname) ? "" : `on ${hostname}`;
  const both = from === "" || host === "" ? from + host : `${from} ${host}`;
  return both === "" ? "" : ` (${both})`;
}

/** The alert with the text that stands in its JSON, if its output is such a line. */
function withoutJson(alert: Alert): Alert {
  if (alert.message !== undefined || !alert.output.startsWith("{")) return alert;
  let json: FieldValue;
  try {
    json = parseJson(alert.output);
  } catch {
    return alert; // a rule whose text begins with a brace
  }
  const { rule, output, message } = json as { readonly [key: string]: FieldValue };
  // A rule's text can be JSON as well, with values that were chosen to look like an alert.
  if (rule !== alert.rule) return alert;
  if (typeof message === "string") return { ...alert, message };
  // Without either property there is nothing better to show than the line.
  return typeof output === "string" ? { ...alert, output } : alert;
}

/** Breaks text between words; nothing is lost but the blank at each break. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line: string | undefined;
  let used = 0;
  for (const word of text.split(" ")) {
    const needed = columns(word);
    if (line !== undefined && used + 1 + needed <= width) {
      line += ` ${word}`;
      used += 1 + needed;
    } else {
      if (line !== undefined) lines.push(line);
      line = word;
      used = needed;
    }
  }
  return [...lines, line ?? ""];
}

function columns(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count + (text.match(WIDE)?.length ?? 0);
}
