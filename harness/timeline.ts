/** What a replay does, one after the other. @module */
import type { Alert } from "../lib/alert/alert.ts";
import { formatClockTime, parseTime, toAlertTime } from "../lib/alert/time.ts";
import { DEFAULT_START, expandScenario } from "./expand_scenario.ts";
import type { Fault } from "./faults/fault.ts";
import type { Scenario } from "./scenario.ts";

/** An alert to push, or a fault to arm, at its time in milliseconds since 1970. */
export type TimelineEntry =
  | { readonly atMs: number; readonly alert: Alert }
  | { readonly atMs: number; readonly fault: Fault };

/**
 * What can be replayed: a scenario, or alerts in order.
 *
 * @example
 * ```ts
 * import { scenarios } from "@falco-streams/core/harness";
 * import type { Replayable } from "@falco-streams/core/harness";
 *
 * const source: Replayable = scenarios.cryptoMiner;
 * console.assert("alerts" in source);
 * ```
 */
export type Replayable = Scenario | Iterable<Alert> | AsyncIterable<Alert>;

/**
 * Lays out what is to be replayed.
 *
 * @param source A scenario, with its faults, or alerts.
 * @param options `seed` and `rebaseTo` as for a replay.
 * @returns The entries in order, from the beginning each time they are iterated, if the source can.
 * @throws {RangeError} If the scenario has a value out of range.
 */
export function timelineOf(
  source: Replayable,
  options: { seed?: number | undefined; rebaseTo?: number | undefined },
): AsyncIterable<TimelineEntry> {
  const { seed, rebaseTo } = options;
  const entries = (): AsyncIterable<TimelineEntry> | Iterable<TimelineEntry> =>
    "alerts" in source ? ofScenario(source, seed) : ofAlerts(source);
  if ("alerts" in source) expandScenario(source, { seed }); // throws now what it would throw later
  return {
    async *[Symbol.asyncIterator]() {
      if (rebaseTo === undefined) return yield* entries();
      let shiftMs: number | undefined;
      for await (const entry of entries()) {
        shiftMs ??= rebaseTo - entry.atMs;
        yield shifted(entry, shiftMs);
      }
    },
  };
}

async function* ofAlerts(
  alerts: Iterable<Alert> | AsyncIterable<Alert>,
): AsyncGenerator<TimelineEntry> {
  for await (const alert of alerts) yield { atMs: timeOf(alert), alert };
}

function* ofScenario(scenario: Scenario, seed: number | undefined): Generator<TimelineEntry> {
  const { start = DEFAULT_START, faults = [] } = scenario;
  const { seconds, nanos } = parseTime(start)!.time;
  const startMs = seconds * 1000 + nanos / 1e6;
  const waiting = faults.flatMap((fault) => occasionsOf(fault, startMs))
    .sort((a, b) => a.atMs - b.atMs);
  for (const alert of expandScenario(scenario, { seed })) {
    const atMs = timeOf(alert);
    while (waiting[0] !== undefined && waiting[0].atMs <= atMs) yield waiting.shift()!;
    yield { atMs, alert };
  }
  yield* waiting;
}

/** When a fault is to be armed: its `afterMs` is passed by then. */
function occasionsOf(fault: Fault, startMs: number): TimelineEntry[] {
  const { afterMs = 0, times = 1, onCall, afterAlerts, onConnection } = fault;
  const hasPosition = (onCall ?? afterAlerts ?? onConnection) !== undefined;
  // By time alone, each of its times is an occasion of its own.
  const occasions = hasPosition || afterMs === 0 ? 1 : times;
  const { afterMs: _, times: __, ...rest } = fault;
  const armed = { ...rest, ...(occasions > 1 || times === 1 ? {} : { times }) } as Fault;
  return Array.from({ length: occasions }, (_, index) => ({
    atMs: startMs + afterMs * (index + 1),
    fault: armed,
  }));
}

function timeOf({ time: { seconds, nanos } }: Alert): number {
  return seconds * 1000 + nanos / 1e6;
}

function shifted(entry: TimelineEntry, shiftMs: number): TimelineEntry {
  const atMs = entry.atMs + shiftMs;
  if ("fault" in entry) return { ...entry, atMs };
  const { alert } = entry;
  // Whole milliseconds and the rest apart: a time since 1970 has more digits than a number.
  const whole = Math.floor(shiftMs);
  const nanos = alert.time.nanos + (whole % 1000) * 1e6 + Math.round((shiftMs - whole) * 1e6);
  const carry = Math.floor(nanos / 1e9);
  const time = toAlertTime(
    alert.time.seconds + Math.trunc(whole / 1000) + carry,
    nanos - carry * 1e9,
  );
  const prefix = `${formatClockTime(alert.time)}: `;
  const output = alert.output.startsWith(prefix)
    ? `${formatClockTime(time)}: ${alert.output.slice(prefix.length)}`
    : alert.output;
  return { atMs, alert: { ...alert, time, output } };
}
