/** Lines to alerts. @module */
import { isUtf8 } from "node:buffer";
import type { Alert, FieldValue } from "../alert/alert.ts";
import { alertFromJson, parseAlert } from "../alert/parse_alert.ts";
import { parseJson } from "../alert/parse_json.ts";
import { parseTextAlert, startsTextAlert } from "../alert/parse_text_alert.ts";
import { systemClock } from "../clock.ts";
import { AlertFormatError } from "../errors.ts";
import { FalcoCompany } from "./falco_company.ts";
import type { ByteLine } from "./line_splitter.ts";
import type { LinePlace, LineSourceOptions, LineSourceStats } from "./line_source_options.ts";
import { syslogHeader } from "./syslog_header.ts";

/** Learns of each alert and of where its lines ended. */
export type OnAlert = (alert: Alert, end: number) => void;

/**
 * Makes alerts of lines, and counts what else there was.
 *
 * A line that begins with `{` is JSON, one that begins with `[` several alerts (as `replay --batch`
 * prints), any other an alert in text, the rest of one, or Falco's company. The same behind the header
 * that syslog puts before a line of Falco's; what else is there is Falco's log.
 */
export class AlertLineReader {
  readonly #options: LineSourceOptions;
  readonly #onAlert: OnAlert;
  readonly #decoder = new TextDecoder();
  readonly #company = new FalcoCompany();
  /** An alert in text that may go on with the next line. */
  #text: LinePlace | undefined;
  #received = 0;
  #lines = 0;
  #other = 0;
  #invalid = 0;
  #lossyText = 0;

  /**
   * @param options The caller's wishes.
   * @param onAlert Gets the alerts.
   */
  constructor(options: LineSourceOptions, onAlert: OnAlert) {
    this.#options = options;
    this.#onAlert = onAlert;
  }

  /** An alert in text waits for lines that may be part of it. */
  get holdsText(): boolean {
    return this.#text !== undefined;
  }

  /**
   * Reads a line.
   *
   * @param line The line.
   * @throws What `onInvalid` throws.
   */
  read(line: ByteLine): void {
    this.#lines++;
    const { bytes, start, end } = line;
    const text = this.#decoder.decode(bytes);
    if (text.includes("\uFFFD") && !isUtf8(bytes)) this.#lossyText++;
    const place = { line: this.#lines, start, end, text };
    const { maxLineBytes } = this.#options;
    if (line.tooLong) {
      return this.#refuse(
        place,
        new AlertFormatError(
          `Cannot read the alert: the line is longer than ${maxLineBytes} bytes`,
        ),
      );
    }
    if (isJson(text)) return this.#readJson(place, text);
    const header = syslogHeader(text);
    const body = text.slice(header.length);
    // As many blanks as there were characters, for the column of a mistake.
    if (header !== "" && isJson(body)) return this.#readJson(place, body.padStart(text.length));
    this.#readText(place, body, header !== "");
  }

  /** Nothing more belongs to the alert in text that is held. */
  flush(): void {
    const held = this.#text;
    if (held === undefined) return;
    this.#text = undefined;
    const { clock = systemClock, utcOffsetMinutes } = this.#options;
    const alert = parseTextAlert(held.text, { nowMs: clock.now(), utcOffsetMinutes });
    if (alert !== undefined) return this.#found(alert, held.end);
    this.#refuse(held, new AlertFormatError("Cannot read the alert: there is no such day"));
  }

  /**
   * Counts so far.
   *
   * @returns A snapshot.
   */
  stats(): LineSourceStats {
    return {
      received: this.#received,
      lines: this.#lines,
      other: this.#other,
      invalid: this.#invalid,
      lossyText: this.#lossyText,
    };
  }

  #readJson(place: LinePlace, json: string): void {
    let alerts: Alert[];
    try {
      alerts = json.trimStart().startsWith("[")
        ? (parseJson(json) as readonly FieldValue[]).map((item) => alertFromJson(item))
        : [parseAlert(json)];
    } catch (error) {
      if (!(error instanceof AlertFormatError)) throw error;
      if (this.#continues(place)) return;
      return this.#refuse(place, error);
    }
    this.flush();
    this.#company.alertCame();
    for (const alert of alerts) this.#found(alert, place.end);
  }

  #readText(place: LinePlace, text: string, isFromSyslog: boolean): void {
    const { text: mode = "alert" } = this.#options;
    if (startsTextAlert(text)) {
      this.flush();
      this.#company.alertCame();
      if (mode === "invalid") {
        const problem = "it is text, not JSON. Set json_output: true in falco.yaml";
        return this.#refuse(place, new AlertFormatError(`Cannot read the alert: ${problem}`));
      }
      this.#text = isFromSyslog ? { ...place, text } : place;
      return;
    }
    const isCompany = isFromSyslog || this.#company.includes(text);
    if (isCompany && !(text === "" && this.#text !== undefined)) {
      this.flush();
      this.#other++;
      return;
    }
    if (this.#continues(place)) return;
    this.#refuse(
      place,
      new AlertFormatError("Cannot read the alert: it is neither JSON nor text of Falco"),
    );
  }

  /** Takes a line as the rest of the alert in text before it. */
  #continues(place: LinePlace): boolean {
    if (this.#text === undefined) return false;
    // Lines without an end would otherwise fill the memory as one alert.
    const { maxLineBytes = Infinity } = this.#options;
    if (place.end - this.#text.start > maxLineBytes) return false;
    this.#text = { ...this.#text, text: `${this.#text.text}\n${place.text}`, end: place.end };
    this.#other++;
    return true;
  }

  #found(alert: Alert, end: number): void {
    this.#received++;
    this.#onAlert(alert, end);
  }

  #refuse(place: LinePlace, error: AlertFormatError): void {
    this.flush();
    this.#invalid++;
    this.#options.onInvalid?.(
      new AlertFormatError(error.message, { line: place.line, column: error.column, cause: error }),
      place,
    );
  }
}

function isJson(text: string): boolean {
  const first = /\S/.exec(text)?.[0];
  return first === "{" || first === "[";
}
