/** Keeps a stream that never has to wait from holding up everything else. @module */
import type { CancelTimer } from "../../clock.ts";
import { nextTurn } from "./next_turn.ts";

const stretchMs = 5;

/**
 * Says when work has gone on for so long that timers and sockets should get a turn.
 *
 * Promises alone give them none: a source that always has items at once, read by a consumer that never
 * waits, would stop every timer of the program.
 */
export class Pacer {
  #since = Date.now();

  /** True if 5 ms have passed since the last turn. Whoever was idle meanwhile gives a turn for nothing. */
  due(): boolean {
    const elapsedMs = Date.now() - this.#since;
    // Below 0 the clock was set back.
    return elapsedMs >= stretchMs || elapsedMs < 0;
  }

  /**
   * Gives everything else a turn.
   *
   * @param resume Called after it.
   * @returns Takes it back.
   */
  giveTurn(resume: () => void): CancelTimer {
    return nextTurn(() => {
      this.#since = Date.now();
      resume();
    });
  }
}
