/** `record`: alerts into a file. @module */
import process from "node:process";
import { systemClock } from "../lib/clock.ts";
import type { CancelTimer } from "../lib/clock.ts";
import { FalcoError } from "../lib/errors.ts";
import type { CommandContext } from "./command.ts";
import { harmless } from "./formats/harmless.ts";
import { LiveAlerts } from "./live_alerts.ts";
import { Progress } from "./progress.ts";
import type { RecordingEnd } from "./record/provenance.ts";
import { Recording } from "./record/recording.ts";
import { readRecordArguments, recordHelp } from "./record_options.ts";

/**
 * Runs the command.
 *
 * @param args The arguments after `record`.
 * @param context Where to print, and what interrupts.
 * @returns The exit status.
 * @throws {UsageError} If an argument is no good, or there is such a file.
 * @throws {FalcoError} If there is no connection and none to be hoped for, or never was in the duration
 * that was asked for, or the disk is full.
 */
export async function record(args: readonly string[], context: CommandContext): Promise<number> {
  const options = await readRecordArguments(args);
  if (options === "help") {
    await context.stdout.write(recordHelp);
    return 0;
  }
  const { stderr, interrupt } = context;
  for (const warning of options.live.filter?.warnings ?? []) stderr.write(`--filter: ${warning}\n`);
  const broken = new AbortController();
  const recording = await Recording.create(options, (error) => broken.abort(error));
  const progress = new Progress({
    write: (text) => void stderr.write(text),
    clock: systemClock,
    terminal: process.stderr.isTTY === true,
  });
  const enough = new AbortController();
  const signal = AbortSignal.any([interrupt.signal, enough.signal, broken.signal]);
  let cancelTimer: CancelTimer = () => {};
  if (options.durationMs !== undefined) {
    const over = new DOMException("the duration is over", "AbortError");
    cancelTimer = systemClock.setTimer(() => enough.abort(over), options.durationMs);
  }
  let live: LiveAlerts;
  try {
    live = await LiveAlerts.open(options.live, {
      signal,
      opened: (client) => recording.opened(client),
      gap: () => recording.gap(),
      note(line) {
        progress.end();
        stderr.write(`${harmless(line)}\n`);
      },
    });
  } catch (error) {
    cancelTimer();
    await recording.discard();
    throw error;
  }
  let end: RecordingEnd = "failed";
  let failure: unknown;
  try {
    await recording.begin(live);
    const { redaction } = recording;
    const stream = redaction === undefined
      ? live.stream
      : live.stream.pipeThrough(redaction.operator);
    for await (const alert of stream) {
      const wait = recording.write(alert, live);
      if (wait !== undefined) await wait;
      progress.update(recording.alerts, undefined, "recorded");
    }
    if (recording.alerts === options.live.limit) end = "limit";
    else end = live.client === undefined ? "source" : "falco";
  } catch (error) {
    // The first of the signals is what the stream failed with.
    if (error === interrupt.signal.reason) end = "interrupted";
    else if (error !== enough.signal.reason) failure = error;
    else if (live.missing === undefined) end = "duration";
    else failure = neverThere(live, live.missing);
  } finally {
    cancelTimer();
    progress.end();
    await live.close();
  }
  await recording.close(live, end, failure);
  if (end === "duration" && live.received(recording.alerts) === 0) stderr.write(noAlert(live));
  stderr.write(recording.summary(live));
  return interrupt.status ?? 0;
}

/** A script would take an empty recording for a Falco that has raised nothing. */
function neverThere({ address, client }: LiveAlerts, missing: string): FalcoError {
  const remedy = client === undefined ? "Check the path" : "Find out why with doctor";
  return new FalcoError(
    `Cannot record from ${address}: there was no ${missing} in all the time of --duration. ${remedy}`,
  );
}

function noAlert({ client }: LiveAlerts): string {
  const hint = client === undefined ? "" : "; if Falco has raised some, find out why with doctor";
  return `no alert came in all the time of --duration${hint}\n`;
}
