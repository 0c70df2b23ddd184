/** What a fake Falco can be told. @module */
import { availableParallelism } from "node:os";
import type { Clock } from "../lib/clock.ts";
import { DEFAULT_THREADINESS } from "../lib/server/falco_services.ts";
import type { Certificates } from "./certificates.ts";
import type { Fault } from "./faults/fault.ts";

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
  /**
   * The Falco to be, from 0.18.0 on: decides which methods there are, which fields an alert has on the
   * wire, and the answer to `version`. From 0.44.0 on there is no gRPC, and nobody listens. Default
   * 0.43.1.
   */
  falcoVersion?: string;
  /** Where to listen: `unix:///PATH`, or `localhost:PORT` with TLS (port 0: any). Default a unix socket in a fresh folder; with `tls`, `localhost:0`. */
  listen?: string;
  /** Listen over TLS, with fresh certificates or the ones given, whose keys must belong to them. Default false where there are unix sockets, true on Windows. */
  tls?: boolean | Certificates;
  /**
   * How many threads serve calls; ten times as many calls of each method are served at once, and more
   * wait without a word. 0: one a processor, which is Falco's default since 0.24. Default 8, as
   * before, so that a test does not depend on the machine.
   */
  threadiness?: number;
  /**
   * Whether every alert gets an HTTP/2 DATA frame of its own, as Falco sends them. Default false: what
   * is there goes out together, which is faster, and the same for a client that reads gRPC messages.
   */
  oneAlertPerFrame?: boolean;
  /** Whether disposal fails if clients did what {@linkcode FakeFalco.violations} lists. Default false. */
  strict?: boolean;
  /** Time for `replay`, for faults, and for how Falco judges PINGs. Default the machine's. */
  clock?: Clock;
  /** What goes wrong, from the start on; more comes with {@linkcode FakeFalco.inject}. Default nothing. */
  faults?: readonly Fault[];
  /**
   * Put a {@linkcode FaultyWire} in front, for faults that act on bytes or refuse connections. Default
   * only if `faults` has one of them; say true to inject one later.
   */
  wire?: boolean;
}

/**
 * Reads the option of that name.
 *
 * @param threadiness As it was given.
 * @returns The number of threads.
 * @throws {RangeError} If it is not a whole number from 0 on.
 */
export function readThreadiness(threadiness: number = DEFAULT_THREADINESS): number {
  if (!Number.isInteger(threadiness) || threadiness < 0) {
    throw new RangeError(
      `Cannot start a fake Falco as "threadiness" must be a whole number from 0 on: it is ${threadiness}`,
    );
  }
  return threadiness === 0 ? availableParallelism() : threadiness;
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
  /** A whole number that decides what a scenario draws at random, instead of its own `seed`. */
  seed?: number;
  /** Moves all times, those in front of the texts too, so that the first alert is at this moment, in milliseconds since 1970-01-01T00:00:00Z. Default: times stay as they are. */
  rebaseTo?: number;
}

/**
 * Options of {@linkcode FakeFalco.play}.
 *
 * @example
 * ```ts
 * import type { PlayOptions } from "@falco-streams/core/harness";
 *
 * const options: PlayOptions = { speed: 1, paused: true };
 * console.assert(options.seed === undefined);
 * ```
 */
export interface PlayOptions extends ReplayOptions {
  /** Waits for {@linkcode Player.step} or {@linkcode Player.resume} before the first alert. Default false. */
  paused?: boolean;
}

/**
 * Looks at what {@linkcode FakeFalco.replay} gets.
 *
 * @param options As they were given.
 * @throws {RangeError} If `speed` or `maxQueued` is not above 0, or `rebaseTo` not finite.
 */
export function checkReplayOptions(options: ReplayOptions): void {
  const { speed = "max", maxQueued = Infinity, rebaseTo = 0 } = options;
  if (speed !== "max" && !(speed > 0)) {
    throw new RangeError(`Cannot replay as "speed" must be "max" or above 0: it is ${speed}`);
  }
  if (!(maxQueued > 0)) {
    throw new RangeError(`Cannot replay as "maxQueued" must be above 0: it is ${maxQueued}`);
  }
  if (!Number.isFinite(rebaseTo)) {
    throw new RangeError(`Cannot replay as "rebaseTo" must be finite: it is ${rebaseTo}`);
  }
}
