/** What clients did with a fake Falco. @module */
import type { ServerEvent } from "../lib/server/server_event.ts";

/** How many calls are remembered: enough for a test, bounded for a server that runs for weeks. */
const MAX_CALLS = 1000;

/**
 * A call that a client made, as {@linkcode FakeFalco.requests} lists it.
 *
 * @example
 * ```ts
 * import type { RecordedCall } from "@falco-streams/core/harness";
 *
 * const call: RecordedCall = {
 *   method: "falco.outputs.service/sub",
 *   requests: 2,
 *   alerts: 5,
 *   halfClosed: false,
 *   open: true,
 * };
 * console.assert(call.open);
 * ```
 */
export interface RecordedCall {
  /** The method as it came, without the leading slash. */
  readonly method: string;
  /** Requests that came on it so far. */
  readonly requests: number;
  /** Alerts that were taken out of the queue for it. */
  readonly alerts: number;
  /** Whether the client said that no more requests follow; on `sub` that leaves the call hanging. */
  readonly halfClosed: boolean;
  /** Whether it is still open. */
  readonly open: boolean;
}

type OwnCall = { -readonly [key in keyof RecordedCall]: RecordedCall[key] };

/** Remembers calls; of more than 1,000 the oldest closed ones are forgotten. */
export class CallLog {
  readonly #calls = new Set<OwnCall>();

  /** The calls, oldest first, as they are now. */
  get calls(): readonly RecordedCall[] {
    return [...this.#calls].map((call) => ({ ...call }));
  }

  /**
   * Makes a recorder for one server. Servers number their calls each from the start, so every one
   * needs its own.
   *
   * @returns What the server shall report to.
   */
  recorder(): (event: ServerEvent) => void {
    const open = new Map<number, OwnCall>();
    return (event) => {
      if (!("id" in event)) return;
      const { type, id, path } = event;
      if (type === "call") {
        const call = { method: path, requests: 0, alerts: 0, halfClosed: false, open: true };
        open.set(id, call);
        this.#add(call);
        return;
      }
      const call = open.get(id);
      if (call === undefined) return;
      if (type === "request") call.requests++;
      else if (type === "alert") call.alerts++;
      else if (type === "half-close") call.halfClosed = true;
      else if (type === "call-end") {
        call.open = false;
        open.delete(id);
      }
    };
  }

  #add(call: OwnCall): void {
    this.#calls.add(call);
    for (const old of this.#calls) {
      if (this.#calls.size <= MAX_CALLS) return;
      if (!old.open) this.#calls.delete(old);
    }
  }
}
