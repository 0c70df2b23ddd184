/** Waits that end. @module */
import type { CancelTimer, Clock } from "../clock.ts";

/** When a wait is over, whatever became of the work. */
export interface Deadline {
  readonly clock: Clock;
  /** How long to wait, in milliseconds; undefined for ever. */
  readonly timeoutMs?: number | undefined;
  readonly signal: AbortSignal;
}

/**
 * Waits for some work, but no longer than is allowed.
 *
 * @param work The work. If it fails after the wait is over, nobody hears of it.
 * @param deadline When to give up.
 * @param late Makes the error of giving up.
 * @returns What the work returns.
 */
export function withDeadline<T>(
  work: Promise<T>,
  { clock, timeoutMs, signal }: Deadline,
  late: (problem: string) => Error,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const over = (problem: string) => {
      settle();
      reject(late(problem));
    };
    const onAbort = () => over("the sink is being closed");
    let cancelTimer: CancelTimer = () => {};
    const settle = () => {
      cancelTimer();
      signal.removeEventListener("abort", onAbort);
    };
    work.then((value) => {
      settle();
      resolve(value);
    }, (error) => {
      settle();
      reject(error);
    });
    if (timeoutMs !== undefined) {
      cancelTimer = clock.setTimer(() => over(`no answer within ${timeoutMs} ms`), timeoutMs);
    }
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}
