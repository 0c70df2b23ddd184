/** Faults drawn at random, the same every time. @module */
import { seededRandom } from "../seeded_random.ts";
import type { Fault } from "./fault.ts";

/**
 * Options of {@linkcode drawFaults}.
 *
 * @example
 * ```ts
 * import type { DrawFaultsOptions } from "@falco-streams/core/harness";
 *
 * const options: DrawFaultsOptions = { seed: 7, withinMs: 3_600_000 };
 * console.assert(options.from === undefined);
 * ```
 */
export interface DrawFaultsOptions {
  /** A whole number that decides everything. Default 0. */
  seed?: number;
  /** The faults to draw from. Default what a real Falco and its network do, each for five seconds at most. */
  from?: readonly Fault[];
  /** Each comes at a moment of its own within so many milliseconds. Default: not by time, but after 1 to `withinAlerts` alerts. */
  withinMs?: number;
  /** The most alerts that pass before one of them. Default 1000. Not with `withinMs`. */
  withinAlerts?: number;
}

/** What happens to a Falco in production, and passes. */
const realFaults: readonly Fault[] = [
  { type: "drop" },
  { type: "lose" },
  { type: "delay", ms: 1_000 },
  { type: "stall", forMs: 5_000 },
  { type: "truncate", then: "close" },
  { type: "reset", code: 8 },
  { type: "goaway", code: 0 },
  { type: "goaway", code: 11 },
  { type: "status", status: 14 },
  { type: "restart", downMs: 2_000 },
];

/**
 * Draws faults for a soak test.
 *
 * @param count How many, from 0.
 * @param options The seed, what to draw from, and when they come.
 * @returns The faults, for `FakeFalco.start({ faults })` or a scenario; the same for the same options,
 * on every runtime.
 * @throws {RangeError} If a number is out of range, or there is nothing to draw from.
 *
 * @example
 * ```ts
 * import { drawFaults } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const faults = drawFaults(100, { seed: 7 });
 * assert.deepEqual(faults, drawFaults(100, { seed: 7 }));
 * assert(faults.every(({ afterAlerts = 0 }) => afterAlerts >= 1 && afterAlerts <= 1000));
 * ```
 */
export function drawFaults(count: number, options: DrawFaultsOptions = {}): Fault[] {
  const { seed = 0, from = realFaults, withinMs, withinAlerts = 1000 } = options;
  const fail = (name: string, expected: string, value: unknown): never => {
    throw new RangeError(`Cannot draw faults as "${name}" must be ${expected}: it is ${value}`);
  };
  if (!(Number.isSafeInteger(count) && count >= 0)) fail("count", "a whole number from 0", count);
  if (!Number.isSafeInteger(seed)) fail("seed", "a whole number", seed);
  if (from.length === 0) fail("from", "a list of faults", "empty");
  if (withinMs !== undefined && !(withinMs > 0 && withinMs < Infinity)) {
    fail("withinMs", "above 0", withinMs);
  }
  if (!(Number.isSafeInteger(withinAlerts) && withinAlerts >= 1)) {
    fail("withinAlerts", "a whole number from 1", withinAlerts);
  }
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const fault = from[Math.floor(random() * from.length)]!;
    const position = random();
    return withinMs === undefined
      ? { ...fault, afterAlerts: 1 + Math.floor(position * withinAlerts) }
      : { ...fault, afterMs: position * withinMs };
  });
}
