/** What clients did with a fake Falco. @module */
import type { ServerEvent } from "../lib/server/falco_services.ts";

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

/** Remembers calls; of more than 1,000 the oldest closed ones are forgotten. */
export class CallLog {
  readonly #calls = new Map<number, { -readonly [key in keyof RecordedCall]: RecordedCall[key] }>();

  /** The calls, oldest first, as they are now. */
  get calls(): readonly RecordedCall[] {
    return [...this.#calls.values()].map((call) => ({ ...call }));
  }

  /**
   * Notes what happened.
   *
   * @param event What the server reports.
   */
  record(event: ServerEvent): void {
    const { id, path } = event;
    if (event.type === "call") {
      this.#calls.set(id, { method: path, requests: 0, alerts: 0, halfClosed: false, open: true });
      if (this.#calls.size > MAX_CALLS) this.#forgetOne();
      return;
    }
    const call = this.#calls.get(id);
    if (call === undefined) return;
    if (event.type === "request") call.requests++;
    else if (event.type === "alert") call.alerts++;
    else if (event.type === "half-close") call.halfClosed = true;
    else call.open = false;
  }

  #forgetOne(): void {
    for (const [id, { open }] of this.#calls) {
      if (open) continue;
      this.#calls.delete(id);
      return;
    }
  }
}
