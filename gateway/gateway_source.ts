/** Keeps a source going. @module */
import type { Alert } from "../lib/alert/alert.ts";
import { Backoff } from "../lib/client/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import { wait } from "../lib/clock.ts";
import type { GatewaySourceConfig } from "./gateway_config.ts";
import type { GatewayLog } from "./gateway_log.ts";
import { openSource } from "./open_source.ts";
import type { OpenedSource, SourceCounts } from "./open_source.ts";

/** What a source works with. */
export interface SourceContext {
  /** Takes an alert; a promise if the next one has to wait. */
  readonly publish: (alert: Alert) => Promise<void> | undefined;
  readonly log: GatewayLog;
  readonly clock: Clock;
  readonly stdin: ReadableStream<Uint8Array> | undefined;
}

/** How a source is. */
export type SourceState = "starting" | "up" | "down" | "ended";

/**
 * Reads a source and hands its alerts on, one after the other. One that fails is opened again, with a
 * back-off, for ever; only standard input ends.
 */
export class GatewaySource {
  /** What it is called. */
  readonly name: string;
  /** Resolves when it has ended and all its alerts are handed on. Never rejects. */
  readonly ended: Promise<void>;
  readonly #config: GatewaySourceConfig;
  readonly #context: SourceContext;
  readonly #backoff: Backoff;
  readonly #stopping = new AbortController();
  readonly #end: PromiseWithResolvers<void> = Promise.withResolvers();
  #opened: OpenedSource | undefined;
  /** Counts of earlier openings. */
  #past: SourceCounts = { invalid: 0, dropped: 0, queued: 0, duplicates: 0, refused: {} };
  #state: SourceState = "starting";
  #detail = "";
  #received = 0;
  #restarts = 0;

  /**
   * @param config Which source.
   * @param context What it works with.
   */
  constructor(config: GatewaySourceConfig, context: SourceContext) {
    this.name = config.name;
    this.#config = config;
    this.#context = context;
    this.#backoff = new Backoff({ minDelayMs: 1000 }, context.clock);
    this.ended = this.#end.promise;
  }

  /** How it is. */
  get state(): SourceState {
    return this.#state;
  }

  /** How it is, in words. */
  get detail(): string {
    return this.#detail;
  }

  /** Where it listens, if it does. */
  get url(): string | undefined {
    return this.#opened?.url;
  }

  /** How many alerts it gave. */
  get received(): number {
    return this.#received;
  }

  /** How often it was opened again. */
  get restarts(): number {
    return this.#restarts;
  }

  /** What it counted. */
  get counts(): SourceCounts {
    return this.#opened === undefined ? this.#past : sum(this.#past, this.#opened.counts());
  }

  /**
   * Opens it, and begins to read.
   *
   * @throws {FalcoError} If it cannot be opened at all: it could not listen, say.
   */
  async start(): Promise<void> {
    this.#opened = await this.#open();
    void this.#run();
  }

  /**
   * Takes nothing in any more.
   *
   * @returns A promise that resolves when what was taken in is handed on.
   */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#opened?.stop().catch((error: Error) => this.#complain(error));
    await this.ended;
  }

  /** Lets go of everything at once. */
  async dispose(): Promise<void> {
    this.#stopping.abort();
    await this.#opened?.dispose().catch((error: Error) => this.#complain(error));
  }

  #open(): Promise<OpenedSource> {
    const { log, clock, stdin } = this.#context;
    return openSource(this.#config, {
      onState: (up, detail) => this.#become(up ? "up" : "down", detail),
      onInvalid: (problem) => {
        const details = { source: this.name, problem: problem.slice(0, 500) };
        log.addRarely(`invalid ${this.name}`, "warn", "invalid", details);
      },
      clock,
      stdin,
    });
  }

  async #run(): Promise<void> {
    for (;;) {
      let problem: string;
      try {
        await this.#read(this.#opened ??= await this.#open());
        problem = "it ended";
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error);
      }
      await this.#close();
      if (this.#stopping.signal.aborted || this.#config.type === "stdin") {
        this.#become("ended", problem);
        return this.#end.resolve();
      }
      this.#become("down", problem);
      const delayMs = this.#backoff.next() ?? 0;
      const { clock } = this.#context;
      await wait(delayMs, { clock, signal: this.#stopping.signal }).catch(() => {});
      if (this.#stopping.signal.aborted) {
        this.#become("ended", "the gateway stops");
        return this.#end.resolve();
      }
      this.#restarts++;
    }
  }

  async #read(opened: OpenedSource): Promise<void> {
    // It may have been stopped while it was being opened.
    if (this.#stopping.signal.aborted) return await opened.stop();
    const { publish } = this.#context;
    for await (const alert of opened.alerts) {
      if (this.#received++ === 0) this.#become("up", "alerts come");
      const room = publish(alert);
      if (room !== undefined) await room;
    }
  }

  async #close(): Promise<void> {
    const opened = this.#opened;
    if (opened === undefined) return;
    await opened.dispose().catch((error: Error) => this.#complain(error));
    this.#past = sum(this.#past, opened.counts());
    this.#opened = undefined;
  }

  #complain(error: Error): void {
    this.#context.log.add("warn", "source-close", { source: this.name, problem: error.message });
  }

  #become(state: SourceState, detail: string): void {
    if (state === "up") this.#backoff.reset();
    if (state === this.#state && (state === "up" || detail === this.#detail)) return;
    this.#state = state;
    this.#detail = detail;
    const level = state === "down" ? "warn" : "info";
    const details = { source: this.name, state, detail: detail.slice(0, 500) };
    this.#context.log.addRarely(`source ${this.name} ${state}`, level, "source", details);
  }
}

function sum(a: SourceCounts, b: SourceCounts): SourceCounts {
  const refused: Record<string, number> = { ...a.refused };
  for (const [reason, count] of Object.entries(b.refused)) {
    refused[reason] = (refused[reason] ?? 0) + count;
  }
  return {
    invalid: a.invalid + b.invalid,
    dropped: a.dropped + b.dropped,
    queued: b.queued,
    duplicates: a.duplicates + b.duplicates,
    refused,
  };
}
