/** What Falco prints beside its alerts. @module */

/** `log_stderr` with both spellings of the time, and the errors that end Falco, which have none. */
const LOG_LINE =
  /^(?:[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}: |\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+\d{4}: |Error: |Runtime error: )/;
const SUMMARY_START = /^Events detected: \d+$/;
const SUMMARY_HEADING = /^(?:Rule counts by severity|Triggered rules by rule name):$/;
const SUMMARY_ENTRY = /^ {3}\S.*: \d+$/;

/**
 * Knows the lines that a Falco prints beside its alerts: its log, and the summary that it writes to
 * standard output when it ends or restarts, whether `stdout_output` is on or not.
 *
 * It remembers whether it is within a summary, as the entries of one (`   NOTICE: 2`) could be
 * anything elsewhere.
 */
export class FalcoCompany {
  #inSummary = false;

  /**
   * Looks at the next line.
   *
   * @param line A line that is no JSON and does not begin an alert.
   * @returns True if it is Falco's own, and no alert is lost by leaving it out.
   */
  includes(line: string): boolean {
    if (SUMMARY_START.test(line)) return this.#inSummary = true;
    if (this.#inSummary && (SUMMARY_HEADING.test(line) || SUMMARY_ENTRY.test(line))) return true;
    this.#inSummary = false;
    return LOG_LINE.test(line) || line.trim() === "";
  }

  /** Notes that an alert came: a summary is over. */
  alertCame(): void {
    this.#inSummary = false;
  }
}
