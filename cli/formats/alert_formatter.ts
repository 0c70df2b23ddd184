/** The formats that alerts are printed in. @module */
import type { Alert } from "../../lib/alert/alert.ts";
import { formatAlert } from "../../lib/alert/format_alert.ts";
import { formatGo } from "./go_format.ts";
import { harmless } from "./harmless.ts";
import { formatPretty } from "./pretty_format.ts";

/**
 * The name of a format.
 *
 * - `pretty`: for people, a block of lines an alert
 * - `json`: Falco's JSON line; a batch is an array on one line
 * - `go`: the JSON of Falco's Go client, compact; a batch is an array on one line
 * - `text`: the text of the alert, as Falco writes it to its standard output
 * - `summary`: nothing until the end, then counts
 */
export type FormatName = "pretty" | "json" | "go" | "text" | "summary";

/** All formats, in the order that help texts name them. */
export const formatNames: readonly FormatName[] = Object.freeze([
  "pretty",
  "json",
  "go",
  "text",
  "summary",
]);

/** Turns alerts into what stands on standard output. Holds nothing: the same alert, the same text. */
export interface AlertFormatter {
  /**
   * Writes an alert.
   *
   * @param alert The alert.
   * @returns The text with its line breaks, the last one included; empty for `summary`.
   */
  alert(alert: Alert): string;
  /**
   * Writes a batch of alerts.
   *
   * @param alerts The alerts; none is a batch as well.
   * @returns The text with its line breaks, the last one included; empty for `summary`, and for
   * `text` if the batch is.
   */
  batch(alerts: readonly Alert[]): string;
}

/**
 * Makes the formatter for a format.
 *
 * `pretty` and `text` show characters that a terminal would obey as escapes. `json` and `go` are data:
 * they hold every character of the alert, ESC and line breaks as `\u001b` and `\n` as JSON demands, but
 * U+0080 to U+009F and marks of direction as they are, since Falco writes them so.
 *
 * @param name The format.
 * @param options `colour`: whether `pretty` may colour priorities. The other formats never do.
 * @returns The formatter.
 */
export function alertFormatter(
  name: FormatName,
  options: { readonly colour: boolean },
): AlertFormatter {
  switch (name) {
    case "pretty":
      return {
        alert: (alert) => formatPretty(alert, options),
        batch: (alerts) =>
          `-- batch of ${alerts.length} --\n` +
          alerts.map((alert) => formatPretty(alert, options)).join(""),
      };
    case "json":
      return jsonLines(formatAlert);
    case "go":
      return jsonLines(formatGo);
    case "text":
      return {
        alert: textLine,
        batch: (alerts) => alerts.map(textLine).join(""),
      };
    case "summary":
      return { alert: () => "", batch: () => "" };
  }
}

function jsonLines(format: (alert: Alert) => string): AlertFormatter {
  return {
    alert: (alert) => `${format(alert)}\n`,
    batch: (alerts) => `[${alerts.map(format).join(",")}]\n`,
  };
}

/** Falco writes line breaks raw, on a pipe too; escaped, one line is one alert, for `wc` and `grep`. */
function textLine(alert: Alert): string {
  return `${harmless(alert.output)}\n`;
}
