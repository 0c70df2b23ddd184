/** What was measured, as plain data: it goes into `--json` as it is. @module */

/** What is hoped for, and how to tell. */
export interface Goal {
  /** In words, such as `at least 20 ×`. */
  readonly text: string;
  /** Says whether a result is good enough. */
  readonly isMet: (result: Result) => boolean;
}

/** The middle of some values, and where the middle half of them lies. */
export interface Spread {
  readonly median: number;
  /** A quarter of the values is below. */
  readonly low: number;
  /** A quarter of the values is above. */
  readonly high: number;
}

/** What one rival needed. */
export interface Result {
  readonly name: string;
  /** How many times as much as the first rival needs, round by round. */
  readonly ratio: Spread;
  /** How much, for one operation. */
  readonly value: Spread;
  /** What was hoped for, and whether it came true. */
  readonly goal?: { readonly text: string; readonly isMet: boolean };
  /** The value of each round. */
  readonly values: readonly number[];
}

/** The answer to one question. */
export interface Measurement {
  /** What was asked. */
  readonly question: string;
  /** What is counted for one operation: microseconds or bytes. */
  readonly unit: "µs" | "B";
  /** What all rivals agreed on. */
  readonly digest: number;
  /** The first is the one that the others are compared with. */
  readonly results: readonly Result[];
}

/** What {@linkcode measurement} is made of. */
export interface RawMeasurement {
  readonly unit: "µs" | "B";
  readonly digest: number;
  readonly results: readonly {
    readonly name: string;
    readonly goal?: Goal | undefined;
    /** One for each round. */
    readonly values: readonly number[];
  }[];
}

/**
 * Works out medians and ratios.
 *
 * A ratio is taken within a round, so that what disturbed a round disturbs both of its sides.
 *
 * @param question What was asked.
 * @param raw The values of each rival; the first rival is the one to compare with.
 * @returns The answer.
 */
export function measurement(question: string, raw: RawMeasurement): Measurement {
  const first = raw.results[0]!.values;
  const results = raw.results.map(({ name, goal, values }): Result => {
    const ratio = spreadOf(values.map((value, round) => value / first[round]!));
    const result = { name, ratio, value: spreadOf(values), values };
    if (goal === undefined) return result;
    return { ...result, goal: { text: goal.text, isMet: goal.isMet(result) } };
  });
  return { question, unit: raw.unit, digest: raw.digest, results };
}

/** At least this many times as much as the first. */
export function atLeast(factor: number): Goal {
  return { text: `at least ${factor} ×`, isMet: ({ ratio }) => ratio.median >= factor };
}

/** At most this many times as much as the first. */
export function atMost(factor: number): Goal {
  return { text: `at most ${factor} ×`, isMet: ({ ratio }) => ratio.median <= factor };
}

/** Fewer bytes than this. */
export function below(bytes: number): Goal {
  return { text: `below ${bytes} B`, isMet: ({ value }) => value.median < bytes };
}

/**
 * Finds the middle of some values.
 *
 * @param values At least one.
 * @returns The median, and the quartiles.
 */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: at(sorted, 0.5), low: at(sorted, 0.25), high: at(sorted, 0.75) };
}

function at(sorted: readonly number[], share: number): number {
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)]!;
  return below + (sorted[Math.ceil(place)]! - below) * (place % 1);
}
