/** What to think of a Falco that has no alerts. @module */
import type { CancelTimer, Clock } from "../lib/clock.ts";

/** How long there may be none before that is remarkable, in milliseconds. */
const QUIET_MS = 60_000;

/** Options of {@linkcode QuietHint}. */
export interface QuietHintOptions {
  /** Takes the line. */
  readonly note: (line: string) => void;
  /** How many alerts have come. */
  readonly received: () => number;
  readonly clock: Clock;
}

/**
 * Says once that a connection is there and no alert has come over it: from outside, a Falco that has
 * none looks as one whose `grpc_output` is off, whose alerts another client takes, or whose slots are
 * all taken.
 */
export class QuietHint {
  readonly #options: QuietHintOptions;
  #cancelTimer: CancelTimer | undefined;

  /** @param options Who is to be told, and what of. */
  constructor(options: QuietHintOptions) {
    this.#options = options;
  }

  /** There is a connection. */
  opened(): void {
    const { note, received, clock } = this.#options;
    this.#cancelTimer ??= clock.setTimer(() => {
      if (received() > 0) return;
      note(
        `no alert in the ${
          QUIET_MS / 1000
        } s since. If Falco has raised some, grpc_output.enabled ` +
          "may be off, another client may take them, or all slots of grpc.threadiness may be taken: " +
          "Falco says nothing of any of these. Look with doctor",
      );
    }, QUIET_MS);
  }

  /** It is over. */
  end(): void {
    this.#cancelTimer?.();
  }
}
