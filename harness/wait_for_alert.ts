/** What a test asks of a stream of alerts. @module */
import { AssertionError } from "node:assert";
import type { Alert } from "../lib/alert/alert.ts";
import { systemClock, wait } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import { compileCondition } from "../lib/condition/compile_condition.ts";
import { FalcoError } from "../lib/errors.ts";
import { WAIT_MS } from "./wait_until.ts";
import type { WaitOptions } from "./wait_until.ts";

/**
 * Which alert is meant: a predicate, or a condition in Falco's filter language.
 *
 * @example
 * ```ts
 * import type { AlertMatch } from "@falco-streams/core/harness";
 *
 * const matches: AlertMatch[] = ["proc.name = bash", (alert) => alert.priority === "critical"];
 * console.assert(matches.length === 2);
 * ```
 */
export type AlertMatch = string | ((alert: Alert) => boolean);

/**
 * Waits for an alert.
 *
 * Alerts that come before it are read and passed over. The stream stays as it is: not cancelled, not
 * locked, and the next read gets the alert after the one that was found.
 *
 * @param alerts A stream of alerts that nobody reads from right now.
 * @param match Which alert.
 * @param options How long, and what else ends the wait.
 * @returns The alert.
 * @throws {FalcoError} If it does not come in time, or the stream ends before.
 *
 * @example
 * ```ts
 * import { connect } from "@falco-streams/core";
 * import { buildAlert, FakeFalco, waitForAlert } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const fake = await FakeFalco.start();
 * const falco = connect(fake.address);
 * const alerts = falco.outputs.subscribe();
 * fake.push(buildAlert({ priority: "debug" }), buildAlert({ priority: "critical" }));
 * const alert = await waitForAlert(alerts, "alert.priority >= error");
 * assert.equal(alert.priority, "critical");
 * await alerts.cancel();
 * await falco.close();
 * await fake.stop();
 * ```
 */
export async function waitForAlert(
  alerts: ReadableStream<Alert>,
  match: AlertMatch = () => true,
  options: WaitOptions = {},
): Promise<Alert> {
  const { timeoutMs = WAIT_MS, signal } = options;
  const timer = new AbortController();
  const timeout = wait(timeoutMs, { signal: timer.signal });
  const ended = signal === undefined ? timeout : Promise.race([timeout, aborted(signal, timer)]);
  try {
    const alert = await readUntil(alerts, match, () => ended);
    if (alert !== undefined) return alert;
  } finally {
    timer.abort();
    await timeout.catch(() => {});
  }
  throw new FalcoError(`Cannot wait for the alert any longer: ${timeoutMs} ms passed`);
}

/**
 * Makes sure that an alert does not come.
 *
 * Other alerts that come meanwhile are read and passed over; the stream stays as it is.
 *
 * @param alerts A stream of alerts that nobody reads from right now.
 * @param match Which alert. Default any.
 * @param options Until when: `until` is called once the stream is being read from (which is what
 * opens a subscription), and its promise, such as that of {@linkcode FakeFalco.settle}, is waited for;
 * or `withinMs` on a `clock`. A stream that ends will not bring it any more.
 * @throws {AssertionError} If it comes; the alert is its `actual`.
 * @throws {TypeError} If `options` says neither.
 *
 * @example Without waiting for time to pass
 * ```ts
 * import { connect } from "@falco-streams/core";
 * import { buildAlert, expectNoAlert, FakeFalco } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const fake = await FakeFalco.start();
 * const falco = connect(fake.address);
 * const alerts = falco.outputs.subscribe();
 * fake.push(buildAlert({ priority: "debug" }));
 * await expectNoAlert(alerts, "alert.priority >= error", {
 *   until: async () => {
 *     await fake.waitForSubscriber();
 *     await fake.settle();
 *   },
 * });
 * assert.equal(fake.queueDepth, 0);
 * await alerts.cancel();
 * await falco.close();
 * await fake.stop();
 * ```
 */
export async function expectNoAlert(
  alerts: ReadableStream<Alert>,
  match: AlertMatch = () => true,
  options: { until?: () => Promise<unknown>; withinMs?: number; clock?: Clock } = {},
): Promise<void> {
  const { until, withinMs, clock = systemClock } = options;
  if ((until === undefined) === (withinMs === undefined)) {
    throw new TypeError('Cannot expect no alert: give one of "until" and "withinMs"');
  }
  const timer = new AbortController();
  const time = { clock, signal: timer.signal };
  let end: Promise<unknown> = Promise.resolve();
  const begin = (): Promise<unknown> => end = until?.() ?? wait(withinMs ?? 0, time);
  let actual: Alert | undefined;
  try {
    actual = await readUntil(alerts, match, begin, { endIsFine: true });
  } finally {
    timer.abort();
    if (until === undefined) await end.catch(() => {});
  }
  if (actual === undefined) return;
  throw new AssertionError({
    message: `An alert came that should not: ${JSON.stringify(actual.rule)}`,
    actual,
    operator: "expectNoAlert",
  });
}

/** Reads until an alert matches; undefined if the promise of `begin`, called at the first read, is first. */
async function readUntil(
  alerts: ReadableStream<Alert>,
  match: AlertMatch,
  begin: () => Promise<unknown>,
  { endIsFine = false } = {},
): Promise<Alert | undefined> {
  const matches = typeof match === "string" ? compileCondition(match) : match;
  const reader = alerts.getReader();
  const over = Symbol();
  let theEnd: Promise<symbol> | undefined;
  try {
    while (true) {
      const read = reader.read();
      if (theEnd === undefined) {
        theEnd = begin().then(() => over);
        theEnd.catch(() => {}); // it may fail when nobody waits for it any more
      }
      // Letting go of the lock rejects it, and leaves its alert in the stream.
      read.catch(() => {});
      const result = await Promise.race([read, theEnd]);
      if (typeof result === "symbol") return undefined;
      if (result.done) {
        if (endIsFine) return undefined;
        throw new FalcoError("Cannot wait for the alert: the stream has ended");
      }
      if (matches(result.value)) return result.value;
    }
  } finally {
    reader.releaseLock();
  }
}

/** Rejects with the signal's reason. */
function aborted(signal: AbortSignal, until: AbortController): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), {
      once: true,
      signal: until.signal,
    });
  });
}
