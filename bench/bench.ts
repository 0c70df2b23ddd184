/** What a benchmark is, and what it is given. @module */
import type { Rival } from "./compare.ts";
import type { Measurement } from "./measurement.ts";

/** Something to be measured. */
export interface Benchmark {
  /** What it is to find out: one sentence, for `--list`. */
  readonly question: string;
  /** Loads it; not before it is wanted, since some need the libraries they are compared with. */
  readonly load: () => Promise<(bench: Bench) => Promise<void>>;
}

/** What a benchmark does its measuring with. */
export interface Bench {
  /** The runtime, as goals and methods differ. */
  readonly runtime: RuntimeName;
  /** True if it is only to be shown that everything works: the work is to be small. */
  readonly isQuick: boolean;
  /** How often each rival has its turn. */
  readonly rounds: number;
  /**
   * Compares rivals by time, prints the answer and keeps it.
   *
   * @param question What this comparison is to answer.
   * @param rivals The first is the one that the others are compared with.
   */
  compare(question: string, rivals: readonly Rival[]): Promise<void>;
  /** Prints and keeps what was measured in another way. */
  add(measurement: Measurement): void;
  /** Prints and keeps a sentence about what comes next. */
  note(text: string): void;
}

/** Where benchmarks run. */
export type RuntimeName = "Deno" | "Node" | "Bun";
