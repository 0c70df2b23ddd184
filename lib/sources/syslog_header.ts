/** What syslog puts before a line of Falco's. @module */

/**
 * `<12>Nov 21 00:07:53 falco: `, as Falco sends it (falco-outputs 6), and what syslog daemons make of
 * that in their files: without the number, with the host, with the time as ISO 8601.
 */
const HEADER =
  /^(?:<\d{1,3}>)?(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)) (?:[^\s:]+ )?falco(?:\[\d+\])?: /;

/**
 * Finds the header of a message that Falco sent to syslog.
 *
 * @param line A line of a file that a syslog daemon writes, or a datagram.
 * @returns The header with the blank behind it; empty if there is none, or it is another program's.
 */
export function syslogHeader(line: string): string {
  return HEADER.exec(line)?.[0] ?? "";
}
