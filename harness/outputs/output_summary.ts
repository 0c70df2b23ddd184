/** What Falco prints when it ends. @module */
import type { Alert } from "../../lib/alert/alert.ts";
import { priorities } from "../../lib/alert/priority.ts";
import type { Priority } from "../../lib/alert/priority.ts";

/** How many rules are counted by name; further ones are counted together, so that memory is bounded. */
const MAX_RULES = 10_000;

/**
 * Counts the alerts of one run, for the summary that Falco prints at its end and at each hot restart.
 *
 * Rules come in the order in which they were first seen; Falco's is that of its rules files, which
 * the fake has none of. Falco's internal alerts do not count.
 */
export class OutputSummary {
  #count = 0;
  #otherRules = 0;
  readonly #severities = new Map<Priority, number>();
  readonly #rules = new Map<string, number>();

  /**
   * Counts an alert that a rule has raised, whatever becomes of it.
   *
   * @param alert The alert.
   */
  add(alert: Alert): void {
    if (alert.source === "internal") return;
    this.#count++;
    const { priority, rule } = alert;
    this.#severities.set(priority, (this.#severities.get(priority) ?? 0) + 1);
    const count = this.#rules.get(rule);
    if (count === undefined && this.#rules.size >= MAX_RULES) this.#otherRules++;
    else this.#rules.set(rule, (count ?? 0) + 1);
  }

  /** The lines, each with its line break. */
  get text(): string {
    let text = `Events detected: ${this.#count}\nRule counts by severity:\n`;
    for (const priority of priorities) {
      const count = this.#severities.get(priority);
      const word = priority === "informational" ? "INFO" : priority.toUpperCase();
      if (count !== undefined) text += `   ${word}: ${count}\n`;
    }
    text += "Triggered rules by rule name:\n";
    for (const [rule, count] of this.#rules) text += `   ${rule}: ${count}\n`;
    if (this.#otherRules > 0) text += `   (other rules): ${this.#otherRules}\n`;
    return text;
  }
}
