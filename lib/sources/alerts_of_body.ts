/** What an HTTP sender posts to alerts. @module */
import type { Alert, FieldValue } from "../alert/alert.ts";
import { alertFromJson, parseAlert } from "../alert/parse_alert.ts";
import { parseJson } from "../alert/parse_json.ts";
import { parseTextAlert } from "../alert/parse_text_alert.ts";
import type { TextAlertOptions } from "../alert/parse_text_alert.ts";
import { AlertFormatError } from "../errors.ts";

/**
 * Reads the body of a request: one alert as JSON, an array of them, or one in text.
 *
 * What it begins with decides, not its content type: Falco's own is right, and what stands between
 * Falco and here may change it.
 *
 * @param body The body.
 * @param text What is needed for alerts in text; undefined to refuse them.
 * @returns The alerts.
 * @throws {AlertFormatError} If it is none of these.
 */
export function alertsOfBody(body: string, text: TextAlertOptions | undefined): Alert[] {
  const first = /\S/.exec(body)?.[0];
  if (first === "{") return [parseAlert(body)];
  if (first === "[") {
    return (parseJson(body) as readonly FieldValue[]).map((item) => alertFromJson(item));
  }
  if (first === undefined) throw new AlertFormatError("Cannot read the alert: the body is empty");
  // Falco sends none at the end, whoever passes its lines on may.
  const alert = text && parseTextAlert(body.replace(/\r?\n$/, ""), text);
  if (alert !== undefined) return [alert];
  throw new AlertFormatError(
    text === undefined
      ? "Cannot read the alert: it is text, not JSON. Set json_output: true in falco.yaml"
      : "Cannot read the alert: it is neither JSON nor text of Falco",
  );
}
