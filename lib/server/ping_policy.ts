/** How many PINGs a server puts up with. @module */
import type { Clock } from "../clock.ts";

/** gRPC's `min_recv_ping_interval_without_data`: at least this much between two PINGs, in milliseconds. */
const MIN_INTERVAL_MS = 300_000;

/** The same where no call is open (`keepalive_permit_without_calls` is off): TCP's own two hours. */
const MIN_INTERVAL_WITHOUT_CALLS_MS = 7_200_000;

/** gRPC's `max_ping_strikes`: one more, and the connection is closed. */
const MAX_STRIKES = 2;

/**
 * The policy of gRPC's C++ server, whose defaults Falco leaves as they are, for one connection.
 *
 * Measured on 0.43.1: the 4th PING on an idle stream is answered with GOAWAY, whether they come
 * every second or every 12; whatever the server sends for a call starts the count anew.
 */
export class PingPolicy {
  readonly #clock: Clock;
  #lastAt = -Infinity;
  #strikes = 0;

  /** @param clock Measures the time between PINGs. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * A PING has come.
   *
   * @param openCalls How many calls the connection has.
   * @returns Whether it is `fine`, a `strike` against the client, or one `too-many`.
   */
  ping(openCalls: number): "fine" | "strike" | "too-many" {
    const now = this.#clock.now();
    const interval = openCalls > 0 ? MIN_INTERVAL_MS : MIN_INTERVAL_WITHOUT_CALLS_MS;
    const tooEarly = now - this.#lastAt < interval;
    this.#lastAt = now;
    if (!tooEarly) return "fine";
    return ++this.#strikes > MAX_STRIKES ? "too-many" : "strike";
  }

  /** Something was sent or read for a call: whatever was held against the client is forgotten. */
  reset(): void {
    this.#lastAt = -Infinity;
    this.#strikes = 0;
  }
}
