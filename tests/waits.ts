/** Waits that end: a test that hangs does not say what it hung on. @module */
import { setImmediate } from "node:timers/promises";
import { systemClock } from "../lib/clock.ts";

/** Long, as machines can be slow: only a test that fails waits for it. */
export const DEADLINE_MS = 30_000;

/** Fails a wait for something that must happen and does not. */
export async function within<T>(what: string, happens: Promise<T>): Promise<T> {
  let cancelTimer: () => void = () => {};
  const tooLate = new Promise<never>((_, reject) => {
    const error = new Error(`waited ${DEADLINE_MS / 1000} s in vain for ${what}`);
    cancelTimer = systemClock.setTimer(() => reject(error), DEADLINE_MS);
  });
  try {
    return await Promise.race([happens, tooLate]);
  } finally {
    cancelTimer();
  }
}

/** Waits for something that this process is not told of, and fails if it does not come. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  turn: () => Promise<unknown> = () => setImmediate(),
): Promise<void> {
  const lastMoment = Date.now() + DEADLINE_MS;
  while (!await condition()) {
    if (Date.now() > lastMoment) throw new Error(`waited in vain until ${what}`);
    await turn();
  }
}
