/** What a process uses, over time. @module */
import { spawnSync } from "node:child_process";
import process from "node:process";

const MIB = 1024 * 1024;

/** One look at the process. */
export interface Sample {
  /** When, in seconds from the beginning. */
  readonly atS: number;
  /** Memory of the process, in MiB. */
  readonly rss: number;
  /** What JavaScript holds after a collection, in MiB. */
  readonly heap: number;
  /** Open descriptors. */
  readonly descriptors: number;
  /** Alerts received so far, on all lanes. */
  readonly received: number;
  /** Alerts that wait in all fakes. */
  readonly queued: number;
}

/**
 * Looks at this process.
 *
 * @returns Memory in MiB, after a collection if the runtime lets us ask for one, and descriptors.
 */
export function look(): { rss: number; heap: number; descriptors: number } {
  (globalThis as { gc?: () => void }).gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  return { rss: rss / MIB, heap: heapUsed / MIB, descriptors: descriptors().length };
}

/**
 * Lists the descriptors of this process, by asking another one: Deno lets a program look at `/proc`
 * only if it may do everything.
 *
 * @returns What each stands for, but for pipes, which the question itself takes; empty but on Linux.
 * @throws {Error} If the other process cannot tell.
 */
export function descriptors(): string[] {
  if (process.platform !== "linux") return [];
  const folder = `/proc/${process.pid}/fd`;
  const { status, stdout, stderr, error } = spawnSync("/bin/ls", ["-l", folder], {
    encoding: "utf8",
    env: {},
  });
  // 1: something was closed while it looked.
  if (status !== 0 && status !== 1) {
    throw new Error(`Cannot list ${folder}: ${error?.message ?? stderr}`);
  }
  const targets = [...stdout.matchAll(/ -> (.+)$/gm)].map(([, target]) => target!);
  return targets.filter((target) => !target.startsWith("pipe:"));
}

/** How a figure did in the last third of a run, beside the first third after warming up. */
export interface Growth {
  readonly name: string;
  readonly before: number;
  readonly after: number;
  /** How much more is no growth. */
  readonly allowed: number;
  readonly grows: boolean;
}

/** The part of a run in which caches fill and code is compiled. */
const WARM_UP = 0.2;

/**
 * Says whether a figure grows.
 *
 * The medians of two thirds are compared: neither a backlog behind a fault nor a late collection
 * moves them, and what leaks with each alert or connection does.
 *
 * @param name What it is.
 * @param values The figure over time.
 * @param slack How much more is no growth: so much, and that part of it.
 * @returns Both medians, and whether the second one is above what is allowed.
 */
export function growth(
  name: string,
  values: readonly number[],
  slack: { readonly fixed: number; readonly part: number },
): Growth {
  const rest = values.slice(Math.floor(values.length * WARM_UP));
  const third = Math.max(Math.floor(rest.length / 3), 1);
  const before = median(rest.slice(0, third));
  const after = median(rest.slice(-third));
  const allowed = before + slack.fixed + before * slack.part;
  return { name, before, after, allowed, grows: after > allowed };
}

/**
 * The value in the middle.
 *
 * @param values Numbers, in any order.
 * @returns The median; 0 of none.
 */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return sorted.length === 0 ? 0 : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
