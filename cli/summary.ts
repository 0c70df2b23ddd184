/** What a replay did, in numbers. @module */
import type { Alert } from "../lib/alert/alert.ts";
import { formatAlert } from "../lib/alert/format_alert.ts";
import { priorities, priorityName } from "../lib/alert/priority.ts";
import type { Priority } from "../lib/alert/priority.ts";
import type { Repair } from "../lib/alert/repair.ts";
import { wireLosses } from "../lib/alert/wire_loss.ts";
import type { WireLoss } from "../lib/alert/wire_loss.ts";
import { AlertDigest } from "./alert_digest.ts";
import { harmless } from "./formats/harmless.ts";
import { byCount, RuleCounts } from "./rule_counts.ts";

/**
 * Counts alerts from the fixture to standard output.
 *
 * Two texts come of it: {@linkcode lines} closes a replay on standard error and has all there is;
 * {@linkcode table} is standard output of `--format summary` and has only what is the same for the
 * same fixture and options, every time.
 *
 * It holds at most 1,000 names of rules, the first 200 characters of each; alerts of further rules are
 * counted together.
 */
export class ReplaySummary {
  #alertsIn = 0;
  #alertsOut = 0;
  #altered = 0;
  #batches = 0;
  #dropped: { readonly [reason: string]: number } = {};
  readonly #repairs = new Map<Repair, number>();
  readonly #losses = new Map<WireLoss, number>();
  readonly #priorities = new Map<Priority, number>();
  readonly #rules = new RuleCounts();
  readonly #digest = new AlertDigest();

  /** How many alerts went into the fake Falco. */
  get alertsIn(): number {
    return this.#alertsIn;
  }

  /** How many alerts were printed, alone or in batches. */
  get alertsOut(): number {
    return this.#alertsOut;
  }

  /**
   * A fingerprint of the alerts out, in their order: the first 16 hexadecimal digits of SHA-256 over
   * their lines of Falco's JSON, each with `\n`. The format and the batches do not matter to it.
   */
  get digest(): string {
    return this.#digest.text;
  }

  /**
   * Counts an alert that goes into the fake Falco.
   *
   * @param alert The alert.
   * @param losses How gRPC alters it, each kind once; by default this is looked up.
   */
  in(alert: Alert, losses: readonly WireLoss[] = wireLosses(alert)): void {
    this.#alertsIn++;
    if (losses.length > 0) this.#altered++;
    for (const loss of losses) increment(this.#losses, loss);
  }

  /**
   * Counts a way in which an alert of a fixture differed from what Falco writes.
   *
   * @param repair What was mended. One alert may need several.
   */
  repaired(repair: Repair): void {
    increment(this.#repairs, repair);
  }

  /**
   * Counts an alert that is printed by itself.
   *
   * @param alert The alert.
   */
  out(alert: Alert): void {
    this.#alertsOut++;
    increment(this.#priorities, alert.priority);
    this.#rules.add(alert);
    this.#digest.add(formatAlert(alert));
  }

  /**
   * Counts a batch that is printed, and the alerts in it.
   *
   * @param alerts The alerts.
   */
  batch(alerts: readonly Alert[]): void {
    this.#batches++;
    for (const alert of alerts) this.out(alert);
  }

  /**
   * Says how many alerts the operators have dropped so far.
   *
   * @param counts The counts by reason, such as `duplicate`; they take the place of earlier ones.
   */
  dropped(counts: { readonly [reason: string]: number }): void {
    this.#dropped = { ...counts };
  }

  /**
   * The closing summary.
   *
   * What is nought is left out, but for the first two lines. Alerts that went in and neither came out
   * nor were dropped are counted as well: the fake reads ahead, so `--limit` and Ctrl-C leave some
   * behind.
   *
   * @param options `elapsedMs`: how long it took, in milliseconds. If it is not given, the text is the
   * same for the same counts.
   * @returns Lines for standard error, each with its line break.
   */
  lines(options: { readonly elapsedMs?: number } = {}): string {
    const { elapsedMs } = options;
    const dropped = sum(Object.values(this.#dropped));
    const unseen = this.#alertsIn - this.#alertsOut - dropped;
    const severities = this.#byPriority();
    const repairs = list(byCount(this.#repairs));
    const rows: [label: string, text: string][] = [
      ["alerts", `${this.#alertsIn} in, ${this.#alertsOut} out, ${dropped} dropped`],
      ["repaired", repairs === "" ? "nothing" : repairs],
    ];
    if (dropped > 0) rows.push(["dropped", list(byCount(Object.entries(this.#dropped)))]);
    if (unseen > 0) rows.push(["left behind", `${unseen} played, neither printed nor dropped`]);
    if (this.#altered > 0) {
      rows.push(["altered", `${this.#altered} by gRPC: ${list(byCount(this.#losses))}`]);
    }
    if (severities.length > 0) rows.push(["priorities", list(severities)]);
    if (this.#batches > 0) rows.push(["batches", String(this.#batches)]);
    rows.push(["digest", this.digest]);
    if (elapsedMs !== undefined) rows.push(["elapsed", elapsed(elapsedMs, this.#alertsOut)]);
    return rows.map(([label, text]) => `${`${label}:`.padEnd(13)}${text}\n`).join("");
  }

  /**
   * The table of `--format summary`: alerts out by priority, the most severe first; by rule, the most
   * frequent first, then by name; totals; the digest.
   *
   * It knows nothing of time, nor of alerts in: how far the fake reads ahead of `--limit` differs from
   * run to run.
   *
   * @returns Lines for standard output, each with its line break.
   */
  table(): string {
    const rules = this.#rules.entries();
    const totals: (readonly [string, number])[] = [["alerts", this.#alertsOut]];
    if (this.#batches > 0) totals.push(["batches", this.#batches]);
    for (const [reason, count] of byCount(Object.entries(this.#dropped))) {
      totals.push([`dropped: ${harmless(reason)}`, count]);
    }
    const sections = [
      ["by priority", this.#byPriority()],
      ["by rule", rules],
      ["in total", totals],
    ] as const;
    const counts = sections.flatMap(([, rows]) => rows.map(([, count]) => count));
    const width = 2 + String(Math.max(...counts)).length;
    let text = "";
    for (const [title, rows] of sections) {
      if (rows.length === 0) continue;
      text += `${title}\n`;
      for (const [name, count] of rows) text += `${String(count).padStart(width)}  ${name}\n`;
      text += "\n";
    }
    return `${text}digest ${this.digest}\n`;
  }

  #byPriority(): [string, number][] {
    return priorities
      .map((name): [string, number] => [priorityName(name), this.#priorities.get(name) ?? 0])
      .filter(([, count]) => count > 0);
  }
}

function increment<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function sum(counts: Iterable<number>): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}

function list(counts: readonly (readonly [string, number])[]): string {
  return counts
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${harmless(name)} ${count}`)
    .join(", ");
}

function elapsed(ms: number, count: number): string {
  const seconds = `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  return ms > 0 ? `${seconds}, ${Math.round(count * 1000 / ms)} alerts/s` : seconds;
}
