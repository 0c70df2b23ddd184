/** Falco's one worker that serves all output channels in turn. @module */
import type { Clock } from "../../lib/clock.ts";
import type { AlertOutput, OutputMessage } from "./alert_output.ts";
import type { LogLevel } from "./falco_log.ts";

/** What the worker needs to know. */
export interface OutputWorkerOptions {
  /** `outputs_queue.capacity`; Infinity for 0. */
  readonly capacity: number;
  /** `output_timeout` in milliseconds. */
  readonly timeoutMs: number;
  /** Timers. */
  readonly clock: Clock;
  /** Takes a line of Falco's log. */
  readonly log: (level: LogLevel, text: string) => void;
}

type Task = OutputMessage | "reopen";

const BLOCKED = "output channels still blocked, discarding all remaining notifications";

/**
 * Hands alerts to the channels: one alert after the other, and each to one channel after the other.
 *
 * - A channel that blocks stops all others. It is only complained about, once an alert, after
 *   `timeoutMs`; nothing is ever taken back from it.
 * - What cannot be handed over waits in a queue. When that is full the newest alerts are dropped:
 *   logged once in a run, counted each time.
 * - As long as no channel has to be waited for, an alert is through when {@linkcode push} returns.
 */
export class OutputWorker {
  readonly #channels: readonly AlertOutput[];
  readonly #options: OutputWorkerOptions;
  #queue: Task[] = [];
  #dropped = 0;
  #discarded = 0;
  /** What goes on now; undefined if nothing does. */
  #running: Promise<void> | undefined;
  #busy = false;
  #killed = false;

  /**
   * @param channels The channels, in the order in which each alert reaches them.
   * @param options Limits, time and log.
   */
  constructor(channels: readonly AlertOutput[], options: OutputWorkerOptions) {
    this.#channels = channels;
    this.#options = options;
  }

  /** How many alerts wait for the channels, the one in work not counted. */
  get depth(): number {
    return this.#queue.length;
  }

  /** How many alerts were dropped because the queue was full. */
  get dropped(): number {
    return this.#dropped;
  }

  /** How many alerts were thrown away at the end, because the channels took too long, or by a kill. */
  get discarded(): number {
    return this.#discarded;
  }

  /**
   * Hands an alert over, now or when its turn comes.
   *
   * @param message The alert.
   */
  push(message: OutputMessage): void {
    if (this.#busy && this.#queue.length >= this.#options.capacity) {
      if (this.#dropped++ === 0) {
        this.#options.log(
          "error",
          "Outputs queue out of memory. Drop event and continue on ...",
        );
      }
      return;
    }
    this.#add(message);
  }

  /** SIGUSR1: has its turn in the queue, as in Falco. */
  reopen(): void {
    this.#add("reopen");
  }

  #add(task: Task): void {
    this.#queue.push(task);
    if (!this.#busy) this.#running = this.#work();
  }

  /**
   * Waits until nothing is left to do.
   *
   * @returns A promise that resolves then, and never while a channel blocks.
   */
  async idle(): Promise<void> {
    while (this.#busy) await this.#running;
  }

  /**
   * SIGTERM: goes on for `timeoutMs`, throws away what is left then, waits for the channel at work
   * without limit, and closes all channels.
   *
   * @returns A promise that resolves when all channels are closed.
   */
  async stop(): Promise<void> {
    const { clock, timeoutMs, log } = this.#options;
    const discard = () => {
      if (!this.#busy || this.#killed) return;
      log("notice", BLOCKED);
      this.#discardAll();
    };
    if (timeoutMs === 0) discard();
    const cancelTimer = clock.setTimer(discard, timeoutMs);
    try {
      await this.idle();
    } finally {
      cancelTimer();
    }
    for (const channel of this.#channels) {
      if (this.#killed) return;
      await this.#guarded(channel, () => channel.close?.());
    }
  }

  /** SIGKILL: everything at once, and nothing more. */
  kill(): void {
    this.#killed = true;
    this.#discardAll();
    for (const channel of this.#channels) channel.kill?.();
  }

  #discardAll(): void {
    this.#discarded += this.#queue.filter((task) => task !== "reopen").length;
    this.#queue = [];
  }

  /** Not async: whoever pushes to channels that need not be waited for finds the alert delivered. */
  #work(): Promise<void> | undefined {
    this.#busy = true;
    for (let task = this.#queue.shift(); task !== undefined; task = this.#queue.shift()) {
      for (let index = 0; index < this.#channels.length; index++) {
        const pending = this.#send(this.#channels[index]!, task);
        if (pending !== undefined) return this.#workOn(pending, task, index + 1);
      }
    }
    this.#busy = false;
    return undefined;
  }

  /** The rest, from the first channel on that has to be waited for. */
  async #workOn(pending: Promise<void>, task: Task | undefined, index: number): Promise<void> {
    await pending;
    while (task !== undefined && !this.#killed) {
      for (; index < this.#channels.length && !this.#killed; index++) {
        await this.#send(this.#channels[index]!, task);
      }
      index = 0;
      task = this.#queue.shift();
    }
    this.#busy = false;
  }

  #send(channel: AlertOutput, task: Task): void | Promise<void> {
    const send = () => task === "reopen" ? channel.reopen?.() : channel.write(task);
    try {
      const pending = send();
      return pending === undefined ? undefined : this.#guarded(channel, () => pending);
    } catch (error) {
      this.#report(channel, error);
    }
  }

  /** Waits for a channel, and complains when it takes too long. */
  async #guarded(channel: AlertOutput, act: () => void | Promise<void>): Promise<void> {
    const { clock, timeoutMs, log } = this.#options;
    const cancelTimer = timeoutMs === 0 ? () => {} : clock.setTimer(() => {
      log("critical", `"${channel.name}" output timeout, all output channels are blocked`);
    }, timeoutMs);
    try {
      await act();
    } catch (error) {
      this.#report(channel, error);
    } finally {
      cancelTimer();
    }
  }

  #report(channel: AlertOutput, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.log("error", `${channel.name}: ${reason}`);
  }
}
