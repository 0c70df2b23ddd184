/** A replay that can be held and moved. @module */
import type { Alert } from "../lib/alert/alert.ts";
import { systemClock, wait } from "../lib/clock.ts";
import type { Clock } from "../lib/clock.ts";
import { checkReplayOptions } from "./fake_falco_options.ts";
import type { PlayOptions } from "./fake_falco_options.ts";
import type { Fault } from "./faults/fault.ts";
import { timelineOf } from "./timeline.ts";
import type { Replayable, TimelineEntry } from "./timeline.ts";

/** What a {@linkcode Player} plays into. */
export interface PlayerTarget {
  /** How many alerts wait there. */
  depth(): number;
  /** Takes an alert. */
  push(alert: Alert): void;
  /** Arms a fault. */
  inject(fault: Fault): void;
  /** Waits until fewer than `depth` alerts wait. */
  whenBelow(depth: number, signal: AbortSignal): Promise<void>;
}

/**
 * A replay in the hand: {@linkcode FakeFalco.play} starts it.
 *
 * Alerts come at their own pace, divided by `speed`. Whatever pauses, what is left of the wait for the
 * next alert is kept.
 *
 * @example Step through an incident
 * ```ts
 * import { FakeFalco, scenarios } from "@falco-streams/core/harness";
 * import type { Player } from "@falco-streams/core/harness";
 * import assert from "node:assert/strict";
 *
 * const fake = await FakeFalco.start();
 * const player: Player = fake.play(scenarios.cryptoMiner, { paused: true });
 * await player.step(2);
 * assert.equal(fake.queueDepth, 2);
 * await player.seek(60_000); // nothing of the first minute any more
 * player.resume();
 * const pushed = await player.done;
 * assert.equal(fake.queueDepth, pushed);
 * await fake.stop();
 * ```
 */
export class Player {
  /** Resolves with how many alerts were pushed, once the last is queued; rejects as a replay does. */
  readonly done: Promise<number>;
  readonly #target: PlayerTarget;
  readonly #options: PlayOptions & { signal: AbortSignal; clock: Clock };
  readonly #entries: AsyncIterable<TimelineEntry>;
  #iterator: AsyncIterator<TimelineEntry>;
  #paused: boolean;
  #pushed = 0;
  #position = 0;
  /** The entry that comes next, once it has been read. */
  #next: TimelineEntry | undefined;
  /** The time of the first alert, and of the last one that was pushed or skipped. */
  #firstMs: number | undefined;
  #lastMs: number | undefined;
  /** How long the next entry has still to wait. */
  #remainingMs = 0;
  #steps: { left: number; taken: number; resolve: (taken: number) => void } | undefined;
  #seek: { toMs: number; resolve: () => void } | undefined;
  /** Ends whatever the run waits for, since it may have something else to do. */
  #wake = new AbortController();
  /** That, or the end of it all. */
  #either: AbortSignal;
  readonly #isRepeatable: boolean;
  #over = false;

  /**
   * Made by {@linkcode FakeFalco.play}.
   *
   * @param target What to play into.
   * @param source What to play.
   * @param options How.
   * @throws {RangeError} If an option, or a value of the scenario, is out of range.
   */
  constructor(
    target: PlayerTarget,
    source: Replayable,
    options: PlayOptions & { signal: AbortSignal; clock?: Clock },
  ) {
    checkReplayOptions(options);
    const { clock = systemClock } = options;
    this.#target = target;
    this.#options = { ...options, clock };
    this.#entries = timelineOf(source, options);
    this.#iterator = this.#entries[Symbol.asyncIterator]();
    this.#either = AbortSignal.any([options.signal, this.#wake.signal]);
    this.#isRepeatable = isRepeatable(source);
    this.#paused = options.paused === true;
    this.done = this.#run();
    this.done.catch(() => {}); // whoever only steps need not listen
  }

  /** Whether it is held. */
  get paused(): boolean {
    return this.#paused;
  }

  /** How many alerts were pushed or skipped. */
  get position(): number {
    return this.#position;
  }

  /** Holds it before the next alert. */
  pause(): void {
    this.#paused = true;
    this.#changed();
  }

  /** Lets it go on. */
  resume(): void {
    this.#paused = false;
    this.#changed();
  }

  /**
   * Pushes the next alerts at once, without the pauses between them, and holds it then.
   *
   * @param count How many, from 1.
   * @returns How many there were, once they are queued: fewer at the end.
   * @throws {RangeError} If `count` is not a whole number from 1.
   */
  step(count: number = 1): Promise<number> {
    if (!(Number.isSafeInteger(count) && count >= 1)) {
      throw new RangeError(`Cannot step as "count" must be a whole number from 1: it is ${count}`);
    }
    this.#paused = true;
    this.#steps?.resolve(this.#steps.taken);
    if (this.#over) return Promise.resolve(0);
    const stepped = new Promise<number>((resolve) => {
      this.#steps = { left: count, taken: 0, resolve };
    });
    this.#changed();
    return stepped;
  }

  /**
   * Moves to a time: the next alert is the first one that is as late or later. What lies between is
   * skipped, faults too, and not pushed. Going back plays again what was played already.
   *
   * @param toMs Milliseconds after the first alert.
   * @returns A promise that resolves when it is there; it goes on from there at once, unless it is held.
   * @throws {RangeError} If `toMs` is not a finite number from 0.
   * @throws {TypeError} If that is back, and the alerts can be read only once.
   */
  seek(toMs: number): Promise<void> {
    if (!(toMs >= 0 && toMs < Infinity)) {
      throw new RangeError(`Cannot seek as "toMs" must be 0 or more: it is ${toMs}`);
    }
    if (this.#isBack(toMs) && !this.#isRepeatable) {
      throw new TypeError(
        "Cannot seek back: these alerts can be read only once. Play an array or a scenario",
      );
    }
    this.#seek?.resolve();
    if (this.#over) return Promise.resolve();
    const sought = new Promise<void>((resolve) => this.#seek = { toMs, resolve });
    this.#changed();
    return sought;
  }

  #changed(): void {
    this.#wake.abort();
  }

  async #run(): Promise<number> {
    try {
      for (;;) {
        this.#options.signal.throwIfAborted();
        // A change from here on ends the wait below.
        if (this.#wake.signal.aborted) {
          this.#wake = new AbortController();
          this.#either = AbortSignal.any([this.#options.signal, this.#wake.signal]);
        }
        if (this.#seek !== undefined) await this.#skip();
        const entry = await this.#peek();
        if (entry === undefined) return this.#pushed;
        if (await this.#mayPlay()) await this.#play(entry);
      }
    } finally {
      this.#over = true;
      await this.#iterator.return?.();
      this.#steps?.resolve(this.#steps.taken);
      this.#seek?.resolve();
    }
  }

  async #peek(): Promise<TimelineEntry | undefined> {
    if (this.#next !== undefined) return this.#next;
    const { done, value } = await this.#iterator.next();
    if (done === true) return undefined;
    const entry: TimelineEntry = value;
    const { speed = "max" } = this.#options;
    this.#next = entry;
    if ("alert" in entry) this.#firstMs ??= entry.atMs;
    // Times that go back are replayed without a pause.
    const gapMs = Math.max(0, entry.atMs - (this.#lastMs ?? entry.atMs));
    this.#remainingMs = speed === "max" ? 0 : gapMs / speed;
    return entry;
  }

  /** Waits for the moment of the next entry; false if something else has to be done first. */
  async #mayPlay(): Promise<boolean> {
    const { clock, signal, maxQueued = Infinity } = this.#options;
    const changed = this.#wake.signal;
    if (changed.aborted) return false;
    const either = this.#either;
    try {
      if (this.#paused) {
        if (this.#steps !== undefined) return true;
        await new Promise((_, reject) => either.addEventListener("abort", reject, { once: true }));
      }
      if (this.#remainingMs > 0) {
        const startedAt = clock.now();
        try {
          await wait(this.#remainingMs, { clock, signal: either });
          this.#remainingMs = 0;
        } finally {
          this.#remainingMs = Math.max(0, this.#remainingMs - (clock.now() - startedAt));
        }
      }
      if (this.#target.depth() >= maxQueued) await this.#target.whenBelow(maxQueued, either);
      return !either.aborted;
    } catch (error) {
      if (changed.aborted && !signal.aborted) return false;
      throw signal.aborted ? signal.reason : error;
    }
  }

  #play(entry: TimelineEntry): void {
    this.#next = undefined;
    this.#lastMs = entry.atMs;
    if ("fault" in entry) return this.#target.inject(entry.fault);
    this.#target.push(entry.alert);
    this.#pushed++;
    this.#position++;
    const steps = this.#steps;
    if (steps === undefined) return;
    steps.taken++;
    if (--steps.left > 0) return;
    this.#steps = undefined;
    steps.resolve(steps.taken);
  }

  async #skip(): Promise<void> {
    const { toMs, resolve } = this.#seek!;
    this.#seek = undefined;
    if (this.#isBack(toMs)) await this.#rewind();
    for (let entry = await this.#peek(); entry !== undefined; entry = await this.#peek()) {
      if ("alert" in entry && entry.atMs - this.#firstMs! >= toMs) break;
      this.#next = undefined;
      this.#lastMs = entry.atMs;
      if ("alert" in entry) this.#position++;
    }
    this.#remainingMs = 0;
    resolve();
  }

  /** Whether an alert at that time was played already. */
  #isBack(toMs: number): boolean {
    if (this.#lastMs === undefined || this.#firstMs === undefined) return false;
    return this.#lastMs - this.#firstMs >= toMs;
  }

  async #rewind(): Promise<void> {
    await this.#iterator.return?.();
    this.#iterator = this.#entries[Symbol.asyncIterator]();
    this.#next = this.#lastMs = undefined;
    this.#position = 0;
  }
}

/** Whether a source begins anew each time it is iterated. */
function isRepeatable(source: Replayable): boolean {
  if ("alerts" in source) return true;
  const iterator: unknown = Symbol.asyncIterator in source
    ? source[Symbol.asyncIterator]()
    : source[Symbol.iterator]();
  return iterator !== source;
}
