/** A clock for properties about time: it jumps from timer to timer. @module */
import type { CancelTimer, Clock } from "../lib/clock.ts";
import { settled } from "./stream_probes.ts";

/** Fires one timer at a time, and lets everything come to rest in between. */
export class SteppingClock implements Clock {
  #nowMs = 0;
  readonly #timers = new Set<{ readonly dueMs: number; readonly callback: () => void }>();

  now(): number {
    return this.#nowMs;
  }

  random(): number {
    return 0.5;
  }

  setTimer(callback: () => void, delayMs: number): CancelTimer {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.size;
  }

  /**
   * Waits for something for as many timers as it takes.
   *
   * @throws {Error} When it is not done and no timer is left.
   */
  async until<R>(work: Promise<R>): Promise<R> {
    let isDone = false;
    const done = (): void => void (isDone = true);
    work.then(done, done);
    for (;;) {
      // More than anything can take that waits for turns only.
      for (let round = 0; round < 8 && !isDone; round++) await settled();
      if (isDone) return await work;
      const [next] = [...this.#timers].sort((a, b) => a.dueMs - b.dueMs);
      if (next === undefined) throw new Error("Cannot go on: there is no timer to wait for");
      this.#timers.delete(next);
      this.#nowMs = next.dueMs;
      next.callback();
    }
  }
}
