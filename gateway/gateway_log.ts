/** What a gateway says while it runs. @module */
import type { Clock } from "../lib/clock.ts";
import type { GatewayLogLevel } from "./gateway_config.ts";

/** From the least severe on. */
const levels: readonly GatewayLogLevel[] = ["debug", "info", "warn", "error"];

/** How long after an entry the next one about the same is only counted, in milliseconds. */
const QUIET_MS = 10_000;

/**
 * An entry of a gateway's log.
 *
 * @example
 * ```ts
 * import { formatLogEntry } from "@falco-streams/core/gateway";
 * import type { GatewayLogEntry } from "@falco-streams/core/gateway";
 * import assert from "node:assert/strict";
 *
 * const entry: GatewayLogEntry = {
 *   time: "2026-01-01T00:00:00.000Z",
 *   level: "warn",
 *   event: "invalid",
 *   source: "file",
 *   problem: "\u001b[2J",
 * };
 * assert(formatLogEntry(entry).endsWith('"problem":"\\u001b[2J"}\n'));
 * ```
 */
export interface GatewayLogEntry {
  /** When, in UTC. */
  readonly time: string;
  /** How severe. */
  readonly level: GatewayLogLevel;
  /** What happened: a word or two, always the same for the same thing. */
  readonly event: string;
  /** Details, by name: text, numbers, booleans. */
  readonly [detail: string]: string | number | boolean | undefined;
}

/**
 * Writes an entry as one line of JSON, in plain ASCII: whatever stands in it, no terminal obeys it.
 *
 * @param entry The entry.
 * @returns The line, with its line break.
 *
 * @example
 * ```ts
 * import { formatLogEntry } from "@falco-streams/core/gateway";
 * import assert from "node:assert/strict";
 *
 * const time = "2026-01-01T00:00:00.000Z";
 * const line = formatLogEntry({ time, level: "info", event: "ready" });
 * assert.equal(line, '{"time":"2026-01-01T00:00:00.000Z","level":"info","event":"ready"}\n');
 * ```
 */
export function formatLogEntry(entry: GatewayLogEntry): string {
  const json = JSON.stringify(entry).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `${json}\n`;
}

/** Passes on entries that are severe enough, and of those that come in floods the first. */
export class GatewayLog {
  readonly #least: number;
  readonly #clock: Clock;
  readonly #write: (entry: GatewayLogEntry) => void;
  /** By what they are about; there are no more of them than sources, listeners and events. */
  readonly #floods = new Map<string, { until: number; suppressed: number }>();

  /**
   * @param level The least severe ones that are wanted.
   * @param clock Says the time.
   * @param write Takes the entries.
   */
  constructor(level: GatewayLogLevel, clock: Clock, write: (entry: GatewayLogEntry) => void) {
    this.#least = levels.indexOf(level);
    this.#clock = clock;
    this.#write = write;
  }

  /**
   * Says that something happened.
   *
   * @param level How severe it is.
   * @param event What it is.
   * @param details More of it.
   */
  add(
    level: GatewayLogLevel,
    event: string,
    details: Readonly<Record<string, string | number | boolean | undefined>> = {},
  ): void {
    if (levels.indexOf(level) < this.#least) return;
    const time = new Date(this.#clock.now()).toISOString();
    this.#write({ time, level, event, ...details });
  }

  /**
   * Says that something happened that others can make happen as often as they like. Within ten seconds
   * one entry is written; the next one tells how many were not.
   *
   * @param key What it is about; from the configuration, not from outside.
   * @param level How severe it is.
   * @param event What it is.
   * @param details More of it.
   */
  addRarely(
    key: string,
    level: GatewayLogLevel,
    event: string,
    details: Readonly<Record<string, string | number | boolean | undefined>> = {},
  ): void {
    const now = this.#clock.now();
    const flood = this.#floods.get(key);
    if (flood !== undefined && now < flood.until) {
      flood.suppressed++;
      return;
    }
    const suppressed = flood?.suppressed ?? 0;
    this.#floods.set(key, { until: now + QUIET_MS, suppressed: 0 });
    this.add(level, event, suppressed === 0 ? details : { ...details, suppressed });
  }
}
