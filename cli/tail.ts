/** `tail`: alerts as they come. @module */
import process from "node:process";
import { systemClock } from "../lib/clock.ts";
import { useColour } from "./colour.ts";
import type { CommandContext } from "./command.ts";
import { alertFormatter } from "./formats/alert_formatter.ts";
import { harmless } from "./formats/harmless.ts";
import { LiveAlerts } from "./live_alerts.ts";
import { LiveLine } from "./live_line.ts";
import { RuleCounts } from "./rule_counts.ts";
import { readTailArguments, tailHelp } from "./tail_options.ts";

/** How many rules the line with the rate names. */
const TOP_RULES = 3;

/**
 * Runs the command.
 *
 * @param args The arguments after `tail`.
 * @param context Where to print, and what interrupts.
 * @returns The exit status.
 * @throws {UsageError} If an argument is no good.
 * @throws {FalcoError} If there is no connection, and none to be hoped for.
 */
export async function tail(args: readonly string[], context: CommandContext): Promise<number> {
  const options = await readTailArguments(args);
  const { stdout, stderr, interrupt } = context;
  if (options === "help") {
    await stdout.write(tailHelp);
    return 0;
  }
  for (const warning of options.live.filter?.warnings ?? []) stderr.write(`--filter: ${warning}\n`);
  const isTerminal = process.stdout.isTTY === true;
  const isErrorTerminal = process.stderr.isTTY === true;
  const formatter = alertFormatter(options.format ?? (isTerminal ? "pretty" : "json"), {
    colour: useColour(options.color, isTerminal),
  });
  const rules = new RuleCounts();
  const startedAt = systemClock.now();
  let count = 0;
  let shownCount = 0;
  const rateLine = !options.summary ? undefined : new LiveLine({
    write: (text) => void stderr.write(text),
    clock: systemClock,
    terminal: isErrorTerminal,
    columns: process.stderr.columns,
    text(elapsedMs) {
      const rate = Math.round((count - shownCount) * 1000 / elapsedMs);
      shownCount = count;
      const top = rules.entries().slice(0, TOP_RULES).map(([rule, times]) => `${times} ${rule}`);
      return [`${count} alerts, ${rate}/s`, ...top].join("; ");
    },
  });
  const note = (line: string): void =>
    void stderr.write(`${rateLine?.hide() ?? ""}${harmless(line)}\n`);
  const leave = new AbortController();
  stdout.onClosed(() => leave.abort(new DOMException("nobody reads", "AbortError")));
  const signal = AbortSignal.any([interrupt.signal, leave.signal]);
  const live = await LiveAlerts.open(options.live, { signal, note });
  try {
    for await (const alert of live.stream) {
      count++;
      if (rateLine !== undefined) rules.add(alert);
      const text = formatter.alert(alert);
      // The line is on the same terminal.
      const hidden = isTerminal && isErrorTerminal ? rateLine?.hide() ?? "" : "";
      const wait = stdout.write(hidden + text);
      if (wait !== undefined) await wait;
    }
  } catch (error) {
    if (!(signal.aborted || stdout.closed)) throw error;
  } finally {
    stderr.write(rateLine?.end() ?? "");
    await live.close();
  }
  await stdout.flush();
  const rows = live.rows(count, "printed").map(([label, text]) => line(label, text));
  if (options.summary) {
    const elapsedMs = systemClock.now() - startedAt;
    const rate = Math.round(count * 1000 / Math.max(elapsedMs, 1));
    rows.push(line("elapsed", `${(elapsedMs / 1000).toFixed(1)} s, ${rate} alerts/s`));
    for (const [rule, times] of rules.entries()) {
      rows.push(`${String(times).padStart(8)}  ${rule}\n`);
    }
  }
  stderr.write(rows.join(""));
  return interrupt.status ?? 0;
}

function line(label: string, text: string): string {
  return `${`${label}:`.padEnd(13)}${text}\n`;
}
