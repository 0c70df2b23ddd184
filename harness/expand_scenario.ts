/** A {@linkcode Scenario} to its alerts. @module */
import type { Alert, AlertFields, AlertTime } from "../lib/alert/alert.ts";
import { priorities, priorityName } from "../lib/alert/priority.ts";
import { formatClockTime, parseTime, toAlertTime } from "../lib/alert/time.ts";
import { wireText } from "../lib/alert/wire.ts";
import type { Scenario, ScenarioAlert } from "./scenario.ts";
import { seededRandom } from "./seeded_random.ts";

/** How often an alert may come; enough for load tests, and a slip of the keyboard still ends. */
export const MAX_REPEAT = 1_000_000;

/** When a scenario starts that does not say. */
export const DEFAULT_START = "2026-01-01T00:00:00Z";
const NANOS_PER_SECOND = 1_000_000_000n;
const NANOS_PER_MS = 1_000_000n;
/** The end of the year 9999, the last moment that an alert can have. */
const LAST_MOMENT = 253_402_300_799_999_999_999n;

/** `%proc.name`, `%proc.aname[2]`; a dot belongs to the name only if the name goes on. */
const placeholder = /%(\w+(?:\.\w+)*)(\[[^\]%]*\])?/g;

/** What Falco puts in front of an alert's text, by default or with `time_format_iso_8601: true`. */
const prefix = new RegExp(
  String.raw`^(?:\d{4}-\d\d-\d\dT)?\d\d:\d\d:\d\d\.\d{9}(?:[+-]\d{4})?: ` +
    `(?:${priorities.map(priorityName).join("|")}) `,
);

/**
 * Options of {@linkcode expandScenario}.
 *
 * @example
 * ```ts
 * import type { ExpandScenarioOptions } from "@falco-streams/core/harness";
 *
 * const options: ExpandScenarioOptions = { hostname: "node-7" };
 * console.assert(options.source === undefined);
 * ```
 */
export interface ExpandScenarioOptions {
  /** The host, where neither the alert nor the scenario names one. Default `falco-fake`. */
  hostname?: string;
  /** The source, where neither the alert nor the scenario names one. Default `syscall`. */
  source?: string;
  /** A whole number that decides what `jitterMs` draws, instead of the scenario's own `seed`. */
  seed?: number | undefined;
}

/**
 * Makes the alerts of a scenario, as Falco would have raised them.
 *
 * - Time: `start`, then `afterMs` and `everyMs`, to the nanosecond; `afterMs` counts from the last
 *   repetition of the alert before. `jitterMs` adds to both, each time anew, what is drawn from the
 *   seed: alerts never come earlier than without. Past the year 9999 time stands still.
 * - Text: `%name` becomes the value of that field, once: what a value itself contains stays as it is.
 *   Of several fields that fit (`proc.aname` and `proc.aname[2]`) the longest counts; names that are
 *   no field of the alert stay as written. Then time and priority are put in front, unless the
 *   scenario's text has them already; alerts of source `internal` have none, as in Falco.
 * - Fields: `outputFields` is the scenario's own object, not a copy. Tags are sorted, each once.
 *
 * Alerts are made as they are asked for, so a million repetitions take no memory. The same scenario
 * with the same seed gives the same alerts every time, on every runtime.
 *
 * @param scenario The scenario; it is not changed.
 * @param options Host and source for alerts that have none.
 * @returns The alerts, in order.
 * @throws {RangeError} At once, if `start` is no time, a delay is negative or not finite, `repeat`
 * is not a whole number from 1 to 1,000,000, or a seed not a whole number.
 *
 * @example
 * ```ts
 * import { expandScenario } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const [, second] = expandScenario({
 *   version: 1,
 *   name: "two shells",
 *   alerts: [{
 *     repeat: 2,
 *     everyMs: 1500,
 *     priority: "notice",
 *     rule: "Terminal shell in container",
 *     output: "A shell was spawned (proc_name=%proc.name)",
 *     output_fields: { "proc.name": "bash" },
 *   }],
 * });
 * assert.equal(second?.output, "00:00:01.500000000: Notice A shell was spawned (proc_name=bash)");
 * ```
 */
export function expandScenario(
  scenario: Scenario,
  options: ExpandScenarioOptions = {},
): Generator<Alert> {
  const { start = DEFAULT_START, alerts } = scenario;
  const parsed = parseTime(start);
  if (parsed === undefined) {
    throw new RangeError(
      `Cannot expand the scenario as "start" must be a time such as ${DEFAULT_START}: it is ` +
        JSON.stringify(start),
    );
  }
  const seed = options.seed ?? scenario.seed ?? 0;
  if (!Number.isSafeInteger(seed)) {
    throw new RangeError(
      `Cannot expand the scenario as "seed" must be a whole number: it is ${seed}`,
    );
  }
  alerts.forEach(checkAlert);
  const { seconds, nanos } = parsed.time;
  return makeAlerts(scenario, options, BigInt(seconds) * NANOS_PER_SECOND + BigInt(nanos));
}

function* makeAlerts(
  scenario: Scenario,
  options: ExpandScenarioOptions,
  start: bigint,
): Generator<Alert> {
  let now = start;
  const random = seededRandom(options.seed ?? scenario.seed ?? 0);
  for (const alert of scenario.alerts) {
    const { afterMs = 0, repeat = 1, everyMs = 0, jitterMs = 0, priority, rule } = alert;
    const hostname = alert.hostname ?? scenario.hostname ?? options.hostname ?? "falco-fake";
    const source = alert.source ?? scenario.source ?? options.source ?? "syscall";
    const outputFields = alert.output_fields ?? {};
    const text = fillIn(alert.output, outputFields);
    // Asked of what the author wrote: a value at its start must not pass for Falco's own words.
    const isComplete = source === "internal" || prefix.test(alert.output);
    const tags = [...new Set(alert.tags)].sort();
    const every = toNanos(everyMs);
    now += toNanos(afterMs);
    for (let times = 0; times < repeat; times++) {
      if (times > 0) now += every;
      // Nothing is drawn without jitter: other alerts keep their times if one of them gets it.
      if (jitterMs > 0) now += toNanos(jitterMs * random());
      const time = toTime(now);
      const output = isComplete
        ? text
        : `${formatClockTime(time)}: ${priorityName(priority)} ${text}`;
      yield { time, priority, source, rule, output, outputFields, hostname, tags };
    }
  }
}

/**
 * Puts the values of fields into a text.
 *
 * @param output The text, with `%name` for the field of that name.
 * @param fields The fields.
 * @returns The text; names of no field stay as written.
 */
export function fillIn(output: string, fields: AlertFields): string {
  // A function, because `$&` in a value would mean something in a replacement text.
  return output.replace(placeholder, (written, path: string, argument: string = "") => {
    let name = path + argument;
    while (!Object.hasOwn(fields, name)) {
      const shorter = name.length > path.length ? path.length : name.lastIndexOf(".");
      if (shorter < 0) return written;
      name = name.slice(0, shorter);
    }
    return wireText(fields[name]!) + written.slice(1 + name.length);
  });
}

/** Whole milliseconds and the rest apart: their product can be past what a number holds exactly. */
function toNanos(ms: number): bigint {
  const whole = Math.trunc(ms);
  return BigInt(whole) * NANOS_PER_MS + BigInt(Math.round((ms - whole) * 1e6));
}

function toTime(nanos: bigint): AlertTime {
  if (nanos > LAST_MOMENT) nanos = LAST_MOMENT;
  // Rounded down, not towards 0, which matters before 1970.
  const rest = (nanos % NANOS_PER_SECOND + NANOS_PER_SECOND) % NANOS_PER_SECOND;
  return toAlertTime(Number((nanos - rest) / NANOS_PER_SECOND), Number(rest));
}

function checkAlert(alert: ScenarioAlert, index: number): void {
  const { afterMs = 0, repeat = 1, everyMs = 0, jitterMs = 0 } = alert;
  const fail = (option: string, expected: string, value: number): never => {
    throw new RangeError(
      `Cannot expand the scenario as "${option}" of alert ${index + 1} must be ${expected}: ` +
        `it is ${value}`,
    );
  };
  for (const [option, ms] of Object.entries({ afterMs, everyMs, jitterMs })) {
    if (!(ms >= 0 && ms < Infinity)) fail(option, "0 or more", ms);
  }
  if (!(Number.isInteger(repeat) && repeat >= 1 && repeat <= MAX_REPEAT)) {
    fail("repeat", `a whole number from 1 to ${MAX_REPEAT}`, repeat);
  }
}
