/** Faults that strike a fake as a whole. @module */
import { rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CancelTimer, Clock } from "../../lib/clock.ts";
import type { Fault } from "./fault.ts";
import type { FaultHost } from "./fault_plan.ts";

/** What they act on. */
export interface StruckServer {
  /** Time for their ends. */
  readonly clock: Clock;
  /** The path that clients connect to; undefined over TCP. */
  readonly path: string | undefined;
  /** Breaks all connections. */
  cut(): void;
  /**
   * Kills it and starts it again.
   *
   * @param downMs How long it is down.
   * @returns How many alerts are lost.
   */
  restart(downMs: number): number;
}

/** Strikes, and undoes at the end what would stay behind. */
export class ServerFaults implements FaultHost {
  readonly #server: StruckServer;
  /** Where the socket file is while it is gone. */
  #hidden: string | undefined;
  #cancelTimer: CancelTimer = () => {};
  #turn: Promise<void> = Promise.resolve();

  /** @param server What they act on. */
  constructor(server: StruckServer) {
    this.#server = server;
  }

  /** @inheritdoc */
  strike(fault: Fault): number | void {
    if (fault.type === "drop") this.#server.cut();
    else if (fault.type === "restart") return this.#server.restart(fault.downMs ?? 0);
    else if (fault.type === "socket") this.#hideSocket(fault.forMs);
  }

  /** Under another name the socket would still take connections, if anybody knew it. */
  #hideSocket(forMs: number | undefined): void {
    const { path, clock } = this.#server;
    if (path === undefined) return;
    this.#then(async () => {
      const hidden = join(dirname(path), `.gone-${Math.random().toString(36).slice(2, 8)}`);
      await rename(path, hidden);
      this.#hidden = hidden;
    });
    if (forMs === undefined) return;
    this.#cancelTimer();
    this.#cancelTimer = clock.setTimer(() => this.showSocket(), forMs);
  }

  /** Puts the socket file back, if it is gone. */
  showSocket(): void {
    this.#then(async () => {
      const { path } = this.#server;
      if (this.#hidden === undefined || path === undefined) return;
      await rename(this.#hidden, path);
      this.#hidden = undefined;
    });
  }

  /** One after the other. A file that is not there needs no hiding, and cannot be shown. */
  #then(step: () => Promise<void>): void {
    this.#turn = this.#turn.then(step).catch(() => {});
  }

  /**
   * The server is over.
   *
   * @returns A promise that resolves when nothing is left behind.
   */
  async end(): Promise<void> {
    this.#cancelTimer();
    await this.#turn;
    if (this.#hidden === undefined) return;
    await rm(this.#hidden, { force: true });
    this.#hidden = undefined;
  }
}
