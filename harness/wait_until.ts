/** Waiting for clients on real sockets. @module */
import { setImmediate } from "node:timers/promises";
import { systemClock, wait } from "../lib/clock.ts";
import { FalcoError } from "../lib/errors.ts";

/** How long to wait for something that should happen soon, in milliseconds. */
export const WAIT_MS = 5000;

/** How long {@linkcode settle} waits for a client that does not answer, in milliseconds. */
const ANSWER_MS = 1000;

/** How often {@linkcode settle} looks before it gives up: some seconds. */
const MAX_ROUNDS = 1000;

/** How often in a row nothing may have happened before {@linkcode settle} believes it. */
const QUIET_ROUNDS = 2;

/** Turns of the event loop between two looks: what has arrived has been dealt with by then. */
const TURNS = 4;

/**
 * Options of what waits for clients.
 *
 * @example
 * ```ts
 * import type { WaitOptions } from "@falco-streams/core/harness";
 *
 * const options: WaitOptions = { timeoutMs: 100 };
 * console.assert(options.signal === undefined);
 * ```
 */
export interface WaitOptions {
  /** How long to wait, in milliseconds of real time, as sockets live in it. Default 5,000. */
  timeoutMs?: number;
  /** Ends the wait, which then rejects with `signal.reason`. */
  signal?: AbortSignal;
}

/**
 * Waits until something is so.
 *
 * @param condition Looks whether it is.
 * @param options `onEvent` says when to look again; `what` names it for the error.
 * @throws {FalcoError} If the time is over.
 */
export async function waitUntil(
  condition: () => boolean,
  options: WaitOptions & { onEvent: (listener: () => void) => () => void; what?: string },
): Promise<void> {
  const { onEvent, signal, timeoutMs = WAIT_MS, what = "clients" } = options;
  signal?.throwIfAborted();
  if (condition()) return;
  await new Promise<void>((resolve, reject) => {
    const end = (settle: () => void): void => {
      forget();
      cancelTimer();
      signal?.removeEventListener("abort", onAbort);
      settle();
    };
    const onAbort = (): void => end(() => reject(signal?.reason));
    const forget = onEvent(() => {
      if (condition()) end(resolve);
    });
    const cancelTimer = systemClock.setTimer(() => {
      end(() =>
        reject(new FalcoError(`Cannot wait for ${what} any longer: ${timeoutMs} ms passed`))
      );
    }, timeoutMs);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/**
 * Waits until nothing happens any more.
 *
 * @param events How much has happened so far.
 * @param flushed Waits until what was sent has arrived.
 * @throws {FalcoError} If it never comes to rest.
 */
export async function settle(
  events: () => number,
  flushed: () => Promise<void> | undefined,
): Promise<void> {
  let quiet = 0;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const before = events();
    await answered(flushed());
    for (let turn = 0; turn < TURNS; turn++) await setImmediate();
    quiet = events() === before ? quiet + 1 : 0;
    if (quiet === QUIET_ROUNDS) return;
  }
  throw new FalcoError("Cannot settle: clients go on and on. Let them wait between two requests");
}

async function answered(flushed: Promise<void> | undefined): Promise<void> {
  if (flushed === undefined) return;
  const timer = new AbortController();
  const tooLong = wait(ANSWER_MS, { signal: timer.signal }).catch(() => {});
  await Promise.race([flushed, tooLong]);
  timer.abort();
  await tooLong;
}
