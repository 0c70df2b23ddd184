/** What a fake Falco can be told. @module */
import type { Clock } from "../lib/clock.ts";
import type { Certificates } from "./certificates.ts";

/**
 * Options of {@linkcode FakeFalco.start}.
 *
 * @example
 * ```ts
 * import type { FakeFalcoOptions } from "@falco-streams/core/harness";
 *
 * const options: FakeFalcoOptions = { falcoVersion: "0.30.0", tls: true };
 * console.assert(options.listen === undefined);
 * ```
 */
export interface FakeFalcoOptions {
  /** The Falco to be, 0.24.0 to 0.43.1: decides which fields an alert has on the wire, and the answer to `version`. Default 0.43.1. */
  falcoVersion?: string;
  /** Where to listen: `unix:///PATH`, or `localhost:PORT` with TLS (port 0: any). Default a unix socket in a fresh folder; with `tls`, `localhost:0`. */
  listen?: string;
  /** Listen over TLS, with fresh certificates or the ones given. Default false where there are unix sockets, true on Windows. */
  tls?: boolean | Certificates;
  /** Time for `replay`. Default the machine's. */
  clock?: Clock;
}

/**
 * Options of {@linkcode FakeFalco.replay}.
 *
 * @example Ten times as fast as it happened
 * ```ts
 * import type { ReplayOptions } from "@falco-streams/core/harness";
 *
 * const options: ReplayOptions = { speed: 10 };
 * console.assert(options.maxQueued === undefined);
 * ```
 */
export interface ReplayOptions {
  /** `"max"`: no pauses. A number: the pauses between the alerts' times, divided by it. Default `"max"`. */
  speed?: "max" | number;
  /** Waits while this many alerts are queued. Default no limit, as in Falco, whose queue grows until it is read. */
  maxQueued?: number;
  /** Ends the replay between two alerts; it rejects with `signal.reason`. */
  signal?: AbortSignal;
}
