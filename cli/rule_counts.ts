/** How many alerts each rule raised. @module */
import type { Alert } from "../lib/alert/alert.ts";
import { harmless } from "./formats/harmless.ts";

/** How many rules are counted by name. Falco's own rule sets have some hundred. */
const MAX_RULES = 1_000;
/** How much of a rule's name is kept: with the limit above, hostile alerts cannot fill the memory. */
const MAX_RULE_CHARS = 200;

/** Counts alerts by rule, in bounded memory: at most 1,000 names, the first 200 characters of each. */
export class RuleCounts {
  readonly #rules = new Map<string, number>();
  #others = 0;

  /**
   * Counts an alert.
   *
   * @param alert The alert.
   */
  add(alert: Alert): void {
    const rule = alert.rule.slice(0, MAX_RULE_CHARS);
    const count = this.#rules.get(rule);
    if (count !== undefined || this.#rules.size < MAX_RULES) {
      this.#rules.set(rule, (count ?? 0) + 1);
    } else this.#others++;
  }

  /**
   * The counts.
   *
   * @returns Names, safe to print, with counts: the most frequent first, then by name; at the end all
   * rules that were not counted by name.
   */
  entries(): (readonly [rule: string, count: number])[] {
    const rows = byCount(this.#rules).map(([rule, count]) => [harmless(rule), count] as const);
    if (this.#others > 0) rows.push(["(other rules)", this.#others]);
    return rows;
  }
}

/**
 * Sorts counts.
 *
 * @param counts Names and counts.
 * @returns The most frequent first, then by name; not by the user's language, which differs between
 * machines.
 */
export function byCount(
  counts: Iterable<readonly [string, number]>,
): (readonly [string, number])[] {
  return [...counts].sort(([a, countA], [b, countB]) =>
    countB - countA || (a < b ? -1 : a > b ? 1 : 0)
  );
}
