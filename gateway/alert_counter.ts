/** Counts alerts by labels that others choose. @module */
import type { Alert } from "../lib/alert/alert.ts";
import type { Priority } from "../lib/alert/priority.ts";

/** The longest label: rules have names of some dozens of characters. */
const MAX_LABEL = 128;

/** What stands for everything that is beyond the bound. */
const OTHER = "other";

/** How many alerts there were of one rule, priority and source. */
export interface AlertCount {
  /** The rule, made harmless. */
  readonly rule: string;
  /** The priority. */
  readonly priority: Priority;
  /** Falco's source of events, made harmless. */
  readonly source: string;
  /** How many. */
  count: number;
}

/**
 * Counts alerts by rule, priority and source, for as many combinations as it is allowed; what comes
 * later is counted by priority alone, as rule and source `other`.
 */
export class AlertCounter {
  readonly #max: number;
  readonly #counts = new Map<string, AlertCount>();
  #series = 0;

  /** @param max How many combinations. */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Counts an alert.
   *
   * @param alert The alert.
   */
  add(alert: Alert): void {
    const { priority } = alert;
    const rule = label(alert.rule);
    const source = label(alert.source);
    // The priority is a plain word, and no label holds a line break.
    const key = `${priority}\n${source}\n${rule}`;
    const known = this.#counts.get(key);
    if (known !== undefined) known.count++;
    else if (this.#series < this.#max) {
      this.#series++;
      this.#counts.set(key, { rule, priority, source, count: 1 });
    } else {
      const otherKey = `${priority}\n${OTHER}\n${OTHER}`;
      const other = this.#counts.get(otherKey);
      if (other !== undefined) other.count++;
      else this.#counts.set(otherKey, { rule: OTHER, priority, source: OTHER, count: 1 });
    }
  }

  /** The counts so far, in the order in which their kinds first came. */
  get counts(): Iterable<AlertCount> {
    return this.#counts.values();
  }
}

/** Cuts a text to the length of a label, without what a terminal or a parser might stumble over. */
function label(text: string): string {
  const short = text.length > MAX_LABEL ? `${text.slice(0, MAX_LABEL - 1)}…` : text;
  return /^[\x20-\x7e]*$/.test(short) ? short : short.toWellFormed().replace(/\p{C}/gu, "\ufffd");
}
