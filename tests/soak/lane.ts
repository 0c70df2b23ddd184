/** A fake Falco on which faults strike, and a client that has to live with it. @module */
import { FakeFalco } from "../../harness/fake_falco.ts";
import { buildAlert } from "../../harness/build_alert.ts";
import { drawFaults } from "../../harness/faults/draw_faults.ts";
import type { Fault, FaultRecord } from "../../harness/faults/fault.ts";
import { seededRandom } from "../../harness/seeded_random.ts";
import type { Alert } from "../../lib/alert/alert.ts";
import { connect } from "../../lib/client/connect.ts";
import type { Subscription } from "../../lib/client/subscription.ts";
import { systemClock, wait } from "../../lib/clock.ts";
import { BatchStream } from "../../lib/streams/batch_stream.ts";
import { DedupeStream } from "../../lib/streams/dedupe_stream.ts";
import { FilterStream } from "../../lib/streams/filter_stream.ts";
import { TapStream } from "../../lib/streams/tap_stream.ts";
import { SequenceCheck } from "./sequence_check.ts";
import type { Loss } from "./sequence_check.ts";

/** How often alerts are raised, in milliseconds. */
const TICK_MS = 20;
/** While so many alerts wait, none is raised: a stalled client must not be what fills the memory. */
const MAX_QUEUED = 5000;
/** A reader stays this long, and up to three times as long. */
const LIFE_MS = 5000;
/** How long the last alerts have to arrive. */
const DRAIN_MS = 20_000;
/** What a loss can be due to is looked for among the last so many. */
const RECENT = 50;

/** How a lane is run. */
export interface LaneOptions {
  readonly name: string;
  readonly tls: boolean;
  readonly durationMs: number;
  readonly seed: number;
  /** How many faults strike, at moments of their own. */
  readonly faults: number;
  /** Alerts in a second. */
  readonly rate: number;
}

/** What a lane counted. */
export interface LaneFigures {
  readonly lives: number;
  readonly delivered: number;
  readonly filtered: number;
  readonly reconnects: number;
  readonly gaps: number;
  readonly invalid: number;
  /** Alerts that had arrived when their reader left. */
  readonly unread: number;
  readonly droppedByDedupe: number;
  readonly faults: Readonly<Record<string, number>>;
}

/** What all subscriptions counted together. */
interface Totals {
  reconnects: number;
  gaps: number;
  invalid: number;
  unread: number;
}

/** Raises alerts, lets faults strike, and checks what arrives; one reader follows another. */
export class Lane {
  /** What the numbers in the alerts say. */
  readonly check = new SequenceCheck();
  readonly #options: LaneOptions;
  readonly #random: () => number;
  readonly #left: Loss[] = [];
  #fake: FakeFalco | undefined;
  #records: readonly FaultRecord[] = [];
  #subscription: Subscription | undefined;
  #raising = true;
  #lives = 0;
  #delivered = 0;
  #filtered = 0;
  #droppedByDedupe = 0;
  /** Those of subscriptions that are over. */
  #past: Totals = { reconnects: 0, gaps: 0, invalid: 0, unread: 0 };

  /** @param options How to run it. */
  constructor(options: LaneOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
  }

  /** How many alerts wait in the fake. */
  get queued(): number {
    return this.#fake?.queueDepth ?? 0;
  }

  /** When faults struck, in milliseconds since 1970. */
  get struckAtMs(): readonly number[] {
    return this.#struck().map(({ atMs }) => atMs);
  }

  /** What was counted so far. */
  get figures(): LaneFigures {
    const faults: Record<string, number> = {};
    for (const { fault } of this.#struck()) faults[fault.type] = (faults[fault.type] ?? 0) + 1;
    return {
      lives: this.#lives,
      delivered: this.#delivered,
      filtered: this.#filtered,
      ...this.#totals(),
      droppedByDedupe: this.#droppedByDedupe,
      faults,
    };
  }

  /** Runs for the duration, then lets everything arrive, and closes it all. */
  async run(): Promise<void> {
    const { tls, durationMs, seed, faults } = this.#options;
    const fake = await FakeFalco.start({
      tls,
      // The end is quiet, so that what is missing then is missing for good.
      faults: faults === 0 ? [] : drawFaults(faults, { seed, withinMs: durationMs * 0.95 }),
    });
    this.#fake = fake;
    try {
      const reading = this.#read(fake);
      const raising = this.#raise(fake);
      await Promise.all([this.#finish(fake, raising), reading]);
      this.check.end(systemClock.now(), this.#recent());
    } finally {
      this.#records = fake.faults;
      await fake.kill();
      await fake[Symbol.asyncDispose]();
      this.#fake = undefined;
    }
  }

  async #raise(fake: FakeFalco): Promise<void> {
    const { durationMs, rate } = this.#options;
    const endMs = systemClock.now() + durationMs;
    const count = Math.max(Math.round(rate * TICK_MS / 1000), 1);
    for (let now = systemClock.now(); now < endMs; now = systemClock.now()) {
      if (fake.queueDepth < MAX_QUEUED) {
        const first = this.check.raise(count, now);
        for (let number = first; number < first + count; number++) fake.push(numbered(number));
      }
      await wait(TICK_MS);
    }
    this.#raising = false;
  }

  /** Lets the last reader go once there is nothing left to come. */
  async #finish(fake: FakeFalco, raising: Promise<void>): Promise<void> {
    await raising;
    await fake.drained(AbortSignal.timeout(DRAIN_MS));
    await fake.settle();
    await wait(2 * LIFE_MS / 10);
    await this.#subscription?.close();
  }

  async #read(fake: FakeFalco): Promise<void> {
    while (this.#raising) await this.#live(fake);
  }

  /** A client connects, reads for a while, and leaves in the middle. */
  async #live(fake: FakeFalco): Promise<void> {
    this.#lives++;
    const untilMs = systemClock.now() + LIFE_MS * (1 + 2 * this.#random());
    const falco = connect(fake.address, { tls: fake.credentials });
    const alerts = falco.outputs.subscribe({ reconnect: { minDelayMs: 20, maxDelayMs: 500 } });
    this.#subscription = alerts;
    const deduped = new DedupeStream<Alert>(keyOf, { maxKeys: 1000 });
    let passed = 0;
    let seen = 0;
    try {
      const batches = alerts
        .pipeThrough(
          new TapStream<Alert>((alert) => {
            seen++;
            this.#look(alert);
          }),
        )
        .pipeThrough(
          new FilterStream<Alert>("alert.priority >= warning and soak.number exists"),
        )
        .pipeThrough(new TapStream<Alert>(() => void passed++))
        .pipeThrough(deduped)
        .pipeThrough(new BatchStream<Alert>(100, { maxWaitMs: 50 }));
      for await (const batch of batches) {
        this.#delivered += batch.length;
        if (this.#raising && systemClock.now() >= untilMs) break;
      }
    } finally {
      this.#filtered += seen - passed;
      this.#droppedByDedupe += deduped.dropped;
      this.#past = this.#totals();
      this.#subscription = undefined;
      // The next reader follows this one without a gap of its own: count that it left as one.
      if (this.#raising) {
        this.#past.gaps++;
        this.#left.push({ kind: "reader left", atMs: systemClock.now(), forMs: 0 });
        if (this.#left.length > RECENT) this.#left.shift();
      }
      await falco.close();
    }
  }

  #look(alert: Alert): void {
    const number = Number(alert.outputFields["soak.number"]);
    this.check.receive(number, systemClock.now(), this.#totals().gaps, this.#recent());
  }

  #totals(): Totals {
    const { reconnects = 0, gaps = 0, invalid = 0, dropped = 0 } = this.#subscription?.stats() ??
      {};
    const past = this.#past;
    return {
      reconnects: past.reconnects + reconnects,
      gaps: past.gaps + gaps,
      invalid: past.invalid + invalid,
      unread: past.unread + dropped,
    };
  }

  #struck(): readonly FaultRecord[] {
    return this.#fake?.faults ?? this.#records;
  }

  #recent(): Loss[] {
    const struck = this.#struck().slice(-RECENT).filter(({ fault }) => mayLose(fault));
    return [
      ...this.#left,
      ...struck.map(({ fault, atMs }) => ({
        kind: fault.type,
        atMs,
        forMs: fault.type === "restart" ? fault.downMs ?? 0 : 0,
      })),
    ];
  }
}

/** A delay or a stall only holds alerts up; after a GOAWAY without an error open calls go on. */
function mayLose(fault: Fault): boolean {
  return fault.type !== "delay" && fault.type !== "stall" &&
    !(fault.type === "goaway" && fault.code === 0);
}

function keyOf({ outputFields }: Alert): string {
  return String(outputFields["soak.number"]);
}

/** One alert in eight is below what the pipeline lets through. */
function numbered(number: number): Alert {
  return buildAlert({
    priority: number % 8 === 0 ? "notice" : "warning",
    rule: `Rule ${number % 50}`,
    output: `Number ${number} of a soak (user=${number % 7} command=cat /etc/shadow)`,
    outputFields: { "soak.number": String(number), "proc.name": "cat", "user.name": "root" },
  });
}
